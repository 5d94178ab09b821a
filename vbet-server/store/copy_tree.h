/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies of directories. */
#ifndef VBET_SERVER_STORE_COPY_TREE_H
#define VBET_SERVER_STORE_COPY_TREE_H

#include "lib/err.h"

/*
 * Makes the directory `to` with all directories and regular files of `from`, of mode 0700 and 0600;
 * sockets, pipes and links are left out. Files that are there are replaced. 0 or -1.
 */
int copy_tree(const char *from, const char *to, struct err *e);
/* The same without what has that name at the top. */
int copy_tree_but(const char *from, const char *to, const char *but, struct err *e);
/* The same by hard links: for files that nobody writes, in the same file system. 0 or -1. */
int copy_tree_linked(const char *from, const char *to, struct err *e);

#endif
