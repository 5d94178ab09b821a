/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a lab of another tool: refused with a reason, or a script that our language parses
 * without a mistake (what it says of addresses or cables may be wrong; the golden tests look at
 * that). It is read under the name of each format; files that the lab names are the input itself.
 */
#include "lib/xalloc.h"
#include "topo/topo.h"
#include "vbet-server/import/format.h"
#include "vbet-server/import/script.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const char *text;
	size_t len;
	unsigned lists;
};

static char *read_any(void *ctx, const char *path, size_t *len, struct err *e)
{
	const struct input *in = ctx;

	if (strstr(path, "none")) {
		err_set(e, ERR_ENV, "no such file");
		return NULL;
	}
	*len = in->len;
	return xstrndup(in->text, in->len);
}

static int list_any(void *ctx, const char *path, struct arena *a, struct strvec *names)
{
	static const char *const all[] = {"etc/", "frr.conf", "daemons",
					  "frr/", "r1/",      "r1.startup"};
	struct input *in = ctx;

	if (in->lists++ > 20 || path[strlen(path) - 1] == 'f')
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		vec_push(names, arena_strdup(a, all[i]));
	return 0;
}

static bool any_is_executable(void *ctx, const char *path)
{
	return strlen(path) % 2;
}

static void check_script(struct import_model *m, bool is_copied)
{
	struct topo_options opt = {0};
	struct script_copies copies;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	script_write(out, m, is_copied, &copies);
	fclose(out);
	struct topo_script *s = topo_parse("lab.vbet", text, len, &opt);

	if (topo_n_errors(s)) {
		topo_print_errors(stderr, s);
		fprintf(stderr, "%s", text);
		abort();
	}
	for (size_t i = 0; i < copies.n; i++)
		if (copies.at[i].to[0] == '/' || strstr(copies.at[i].to, "../"))
			abort();
	topo_destroy(s);
	free(text);
}

static void read_as(const char *name, const char *text, size_t len)
{
	struct import_model m;
	struct err e = {0};
	struct input in = {text, len, 0};
	struct import_source src = {read_any, list_any, any_is_executable, &in};
	const struct import_format *f =
		name ? format_find(name, text, len) : format_find_name(text);

	if (!f)
		return;
	if (format_read(f, &m, name ? name : text, &src, text, len, &e) == 0) {
		check_script(&m, true);
		check_script(&m, false);
	} else if (e.kind == ERR_NONE || !e.text[0]) {
		abort();
	}
	model_finish(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"x.clab.yml",   "lab.conf", "x.graphml", "x.gml",
					    "topology.yml", "x.json",   NULL};
	char *text = xcalloc(size + 1, 1);

	if (size)
		memcpy(text, data, size);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		read_as(names[i], text, size);
	free(text);
	return 0;
}
