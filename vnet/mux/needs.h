/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files without which a program does not start: itself, its dynamic loader and its libraries,
 * as ld.so(8) finds them, and the loader's cache. Reads ELF files and /etc/ld.so.cache, trusts
 * neither, and runs nothing.
 */
#ifndef VNET_MUX_NEEDS_H
#define VNET_MUX_NEEDS_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stddef.h>

enum { NEEDS_MAX = 256 }; /* files; what is beyond is not found by the loader */

struct needs_file {
	char *path; /* owned; absolute, as the loader asks for it */
	char *real; /* owned; the same without links */
	bool run;   /* the kernel executes it: the program, its loader */
};

struct needs {
	VEC(struct needs_file) files; /* the program first */
};

/*
 * program: an absolute path. A library that is not found is left out: the loader says so itself.
 * 0, or -1: it cannot be read, or is no ELF program of this machine (a script). To be finished in
 * both cases.
 */
int needs_find(struct needs *n, const char *program, struct err *e);
void needs_finish(struct needs *n);

/* ld.so.cache of glibc (sysdeps/generic/dl-cache.h, "glibc-ld.so.cache1.1"): calls tell() with
 * every path that `name` stands for. Any octets may be given to it. */
void needs_look_up(const char *cache, size_t len, const char *name,
		   void (*tell)(void *ctx, const char *path), void *ctx);

#endif
