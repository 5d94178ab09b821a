/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a script from disk and makes its graph, within the limits of this machine. */
#ifndef VBET_SERVER_STORE_LOAD_H
#define VBET_SERVER_STORE_LOAD_H

#include "topo/topo.h"
#include "vbet-server/store/sources.h"

/* Not to be moved: the script reads files through it. */
struct loaded {
	struct topo_script *script; /* errors of the script are in it */
	struct graph *graph;        /* NULL if there are any */
	char *file, *dir;           /* what was named, and the directory of the script */
	struct sources sources;     /* what was read */
};

/*
 * path: a script, a directory with lab.vbet, or a test in the directory "tests" beside one
 * (lab_dir.h). `lab`: another name for the lab, or NULL. -1: the file cannot be read.
 */
int load_script(struct loaded *l, const char *path, const char *lab, struct err *e);
/* The same from the texts of a kept run. */
int load_kept(struct loaded *l, const struct sources *sources, const char *file, const char *dir,
	      const char *lab, struct err *e);
/* Frees what is still there. */
void load_finish(struct loaded *l);
/* What this machine's memory has room for now, in bytes; 0: it cannot be told. */
int64_t load_available_memory(void);
/* For struct plan_env. */
char *load_read_file(void *ctx, const char *path, size_t *len, struct err *e);

#endif
