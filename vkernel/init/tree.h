/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies a directory tree: files, directories, links; modes and owners. */
#ifndef VKERNEL_INIT_TREE_H
#define VKERNEL_INIT_TREE_H

#include "lib/err.h"

/* Copies what is in `from` into the directory `to`, which exists. */
int tree_copy(const char *from, const char *to, struct err *e);

#endif
