/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as the manifest of a recorded run: refused with a reason, or read, and then what is
 * written of it is read as the same. */
#include "vbet-server/store/manifest.h"

#include "lib/xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *write_text(const struct manifest *m)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	manifest_write(f, m);
	fclose(f);
	return text;
}

static void check_parts(const struct manifest *a, const struct manifest *b)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	manifest_compare(f, a, b);
	fclose(f);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct manifest m;
	struct manifest again;
	struct arena a = {0};
	struct err e = {0};

	if (manifest_read(&m, &a, text, &e) < 0) {
		if (e.kind == ERR_NONE || !e.text[0])
			abort();
	} else {
		char *one = write_text(&m);

		if (manifest_read(&again, &a, one, &e) < 0)
			abort();
		char *two = write_text(&again);

		if (strcmp(one, two) != 0 || manifest_compare_graphs(&a, m.graph, again.graph))
			abort();
		check_parts(&m, &again);
		manifest_compare_graphs(&a, m.graph, text);
		manifest_is_quick(&m);
		free(one);
		free(two);
	}
	arena_finish(&a);
	free(text);
	return 0;
}
