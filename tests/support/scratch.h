/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory in which a fuzzer works: it goes when the fuzzer ends by itself, and stays when it
 * has found something. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	char *dir;
	pid_t owner;
} scratch;

static inline int scratch_remove_entry(const char *path, const struct stat *st, int type,
				       struct FTW *at)
{
	return remove(path);
}

/* A fork that ends takes nothing away from the others. */
static inline void scratch_remove(void)
{
	if (getpid() == scratch.owner)
		nftw(scratch.dir, scratch_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(scratch.dir);
}

/* Makes it, by a template of mkdtemp(3), which becomes its name. Ends the program if that fails. */
static inline void scratch_make(char *template)
{
	if (!mkdtemp(template))
		abort();
	scratch.dir = strdup(template);
	scratch.owner = getpid();
	atexit(scratch_remove);
}

#endif
