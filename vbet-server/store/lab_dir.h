/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which script a path means, where labs are directories (docs/lab-directory.md). */
#ifndef VBET_SERVER_STORE_LAB_DIR_H
#define VBET_SERVER_STORE_LAB_DIR_H

#include "vbet-server/store/sources.h"

#define LAB_DIR_SCRIPT "lab.vbet"

struct lab_dir {
	char *script; /* owned: what is read first; relative to where the caller is, or absolute */
	char *test;   /* owned: what is read behind it, relative to the lab; or NULL */
	bool is_dir;  /* the script is a lab.vbet: what lies beside it belongs to the lab */
};

/*
 * path: a script, a directory with lab.vbet, or a test in the directory "tests" beside one. kept:
 * texts of a run, where there are no directories any more; or NULL.
 */
void lab_dir_find(struct lab_dir *d, const char *path, const struct sources *kept);
void lab_dir_finish(struct lab_dir *d);

/*
 * The names in a directory, as topo's list_dir() returns them; `dir` is that of the lab. They are
 * kept among the sources, under a path that ends in '/'.
 */
char *lab_dir_list(struct sources *s, const char *dir, const char *path);

#endif
