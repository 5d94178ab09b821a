/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What it takes to do a run again: the script and its seed, and which programs, root file system
 * and processor it ran with (docs/protocols.md, "A run on disk").
 */
#ifndef VBET_SERVER_STORE_MANIFEST_H
#define VBET_SERVER_STORE_MANIFEST_H

#include "lib/arena.h"
#include "lib/err.h"
#include "topo/graph.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Something of the machine that a run depends on. */
enum manifest_part {
	MANIFEST_KERNEL,
	MANIFEST_INIT,
	MANIFEST_SUBSTRATE,
	MANIFEST_TREE,
	MANIFEST_CPU,
	MANIFEST_PARTS,
};

/* Strings live in the arena, or are borrowed by whoever fills it in. */
struct manifest {
	const char *lab, *clock;
	uint64_t seed;
	const char *spin;
	const char *script,
		*dir;       /* as it was named; the directory that its files are relative to */
	const char *disks;  /* --keep-disks: such a run cannot be done again; or NULL */
	const char *unheld; /* bounds that nothing held, and why; or NULL. It changes no result */
	const char *tsc;    /* the counter that guests read: manifest_tsc(); NULL: not known */
	struct {
		const char *id;    /* equal if the part is; "" if it cannot be told */
		const char *where; /* a path, or the processor's name */
	} parts[MANIFEST_PARTS];
	const char *graph; /* its text */
};

/* "virtual", or "host" where the machine's time stamp counter cannot be hidden (lib/tsc.h). */
const char *manifest_tsc(bool hidden);
/*
 * Fills in what the parts are; where the programs and the tree are is said already, and the counter
 * unless it is. Quick: programs are known by size and time alone, which says nothing on another
 * machine, but costs nothing.
 */
void manifest_look(struct manifest *m, struct arena *a, bool quick);
/* Of the tree alone; where it is is said already. */
void manifest_look_at_tree(struct manifest *m, struct arena *a);
bool manifest_is_quick(const struct manifest *m);
void manifest_write(FILE *out, const struct manifest *m);
/* Reads one; text is a whole manifest. 0, or -1 with the error set. */
int manifest_read(struct manifest *m, struct arena *a, const char *text, struct err *e);
/* Prints a line for each part that differs. Returns their number. */
size_t manifest_compare(FILE *out, const struct manifest *then, const struct manifest *now);
/* What graph_print() prints; malloc'ed. */
char *manifest_graph_text(const struct graph *g);
/* Where two graphs differ first: "line 3 was '...', is '...'" in the arena, or NULL. */
const char *manifest_compare_graphs(struct arena *a, const char *then, const char *now);

#endif
