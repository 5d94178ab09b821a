/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only part of a cable that touches the disk: the files that its parameters name. Whole files
 * are read at once when a cable is made or changed, within the command, which fails if they cannot
 * be.
 */
#include "substrate/cable/cable_dir.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <stdlib.h>

enum { FILE_MAX = 64 << 20 };

static char *read_all(const char *path, size_t *len, struct err *e)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	char buf[65536];
	size_t n;
	size_t total = 0;

	if (!f) {
		err_sys(e, "cannot read %s", path);
		return NULL;
	}
	FILE *copy = xmemstream(&text, len);

	while (total <= FILE_MAX && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		total += fwrite(buf, 1, n, copy);
	bool failed = ferror(f) != 0;

	fclose(f);
	fclose(copy);
	if (!failed && total <= FILE_MAX)
		return text;
	err_set(e, ERR_ENV, failed ? "cannot read %s" : "%s is too large", path);
	free(text);
	return NULL;
}

int cable_dir_load_files(struct cable_dir *d, struct err *e)
{
	const char *path;

	for (size_t i = 0; (path = cable_dir_file(d, i)); i++) {
		size_t len;
		char *text = read_all(path, &len, e);

		if (!text)
			return -1;
		int status = cable_dir_give_file(d, i, text, len, e);

		free(text);
		if (status < 0)
			return err_wrap(e, "%s", path);
	}
	return 0;
}
