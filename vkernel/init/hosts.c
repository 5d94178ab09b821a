/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /etc/hosts of a guest that runs, when nodes come to the lab or go. Only the lines that the
 * message names are touched: the file may have been edited in the guest, and belongs to it.
 */
#include "vkernel/init/hosts.h"

#include "lib/xalloc.h"

#include "vkernel/init/files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whole lines only: 10.0.0.1 stands in 10.0.0.11, too. */
static bool has_line(const char *text, const char *line)
{
	size_t want = strlen(line);

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n == want && !memcmp(text, line, n))
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}

static bool is_taken_away(const struct words *w, const char *line, size_t len)
{
	for (size_t i = 1; i < w->n; i++)
		if (w->at[i][0] == '-' && strlen(w->at[i] + 1) == len &&
		    !memcmp(w->at[i] + 1, line, len))
			return true;
	return false;
}

char *hosts_edit(const char *text, const struct words *w)
{
	char *out = NULL;
	size_t size;
	FILE *f = xmemstream(&out, &size);
	const char *at = text;

	while (*at) {
		size_t n = strcspn(at, "\n");

		/* An end of file without a newline gets one: another line may follow. */
		if (!is_taken_away(w, at, n))
			fprintf(f, "%.*s\n", (int)n, at);
		at += n + (at[n] == '\n');
	}
	for (size_t i = 1; i < w->n; i++)
		if (w->at[i][0] == '+' && !has_line(text, w->at[i] + 1))
			fprintf(f, "%s\n", w->at[i] + 1);
	fclose(f);
	return out;
}

/*
 * What does not change is not written, or the file would be copied up from the shared tree for
 * nothing.
 */
int hosts_change(const char *path, const struct words *w, struct err *e)
{
	size_t len;
	char *before = files_read(path, &len);
	struct stat st;

	if (!before && errno == ENOENT)
		return 0;
	if (!before || stat(path, &st) < 0) {
		free(before);
		return err_sys(e, "read %.200s", path);
	}
	char *after = hosts_edit(before, w);
	int rc = strcmp(before, after) != 0 ? files_replace(path, after, &st, e) : 0;

	free(after);
	free(before);
	return rc;
}
