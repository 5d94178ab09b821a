/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where things are: the parts of the installation, and the run directories of labs. */
#ifndef VBET_SERVER_STORE_PATHS_H
#define VBET_SERVER_STORE_PATHS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A part of the installation ("vsubstrate", "linux", "rootfs/debian"): beside the program in a
 * build tree, else in ../lib/vbet from it or in PREFIX/lib/vbet; $VBET_LIB goes first. malloc'ed
 * absolute path, or NULL.
 */
char *paths_find_part(const char *name, struct err *e);
/*
 * What $PATH is for programs of end systems: where our own are, then what it was. malloc'ed
 * "PATH=...".
 */
char *paths_search_path(void);
/*
 * Where data of the user is: the directory `own`, or `name` ("vbet") in the directory `xdg`, both
 * values of environment variables, or NULL; or in `usual` (".cache") of the home directory.
 * malloc'ed; NULL: none of them is set. Nothing is made.
 */
char *paths_user_dir(const char *own, const char *xdg, const char *usual, const char *name);
/* Makes a directory, and those above it that are missing. 0 or -1. */
int paths_make_dirs(const char *dir, unsigned mode, struct err *e);
/*
 * Where trees with more packages than `tree` are kept (docs/guests.md): below $VBET_CACHE, or vbet
 * in $XDG_CACHE_HOME or ~/.cache. malloc'ed; NULL: the tree has no id (it is not of this version),
 * or there is no cache. Nothing is made.
 */
char *paths_sets_dir(const char *tree);
/* $XDG_RUNTIME_DIR/vbet, or /tmp/vbet-UID: made if missing, mode 0700, ours. malloc'ed or NULL. */
char *paths_base_dir(struct err *e);
/* Reads a whole file; malloc'ed and NUL-terminated (the NUL is not in *len). */
char *paths_read_file(const char *path, size_t *len, struct err *e);
/* Removes a directory and all below it, without following links. */
int paths_remove_tree(const char *path);
/* What the files below a directory take on the disk, without their holes. */
uint64_t paths_tree_bytes(const char *dir);
/* Takes the lock file of a lab's directory: a descriptor to keep; -1 with errno EAGAIN if held. */
int paths_lock(const char *dir);
bool paths_is_locked(const char *dir);
bool paths_is_locked_lab(const char *base, const char *lab);

struct lab_entry {
	char name[64];
	bool running; /* its lock is held */
};
/* All labs of this user, sorted by name; malloc'ed array. */
size_t paths_list_labs(const char *base, struct lab_entry **labs);

#endif
