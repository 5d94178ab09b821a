/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warnings: what is allowed, and yet hardly ever meant. Each has a name, by which it is turned off
 * (-Wno-NAME) or ignored at one place ("# vbet: ignore NAME" in the script). Pure: a graph in,
 * texts out.
 */
#ifndef TOPO_WARN_H
#define TOPO_WARN_H

#include "lib/err.h"
#include "lib/vec.h"
#include "topo/graph.h"

enum warn_kind {
	WARN_TWO_NETWORKS,
	WARN_PREFIX_LENGTH,
	WARN_ADDRESS_MISSING,
	WARN_ROUTE_MISSING,
	WARN_MTU,
	WARN_SWITCH_LOOP,
	WARN_DELAY_MISSING,
	WARN_UNPLUGGED,
	WARN_LAN_ON_HUB,
	WARN_CONFIG_MISSING,
	WARN_BFDD_MISSING,
	WARN_NETWORK_TWICE,
	WARN_KINDS,
};

/* "two-networks", ...; NULL past the end. */
const char *warn_name(size_t kind);
/* What it tells of, in a line. */
const char *warn_help(size_t kind);

/* Which of them are wanted. Zeroed: all. */
struct warn_choice {
	unsigned off;  /* bits 1 << enum warn_kind */
	bool is_error; /* the command fails if there is any */
};

/* What is behind -W: NAME, no-NAME, all, no-all, error or no-error. 0, or -1. */
int warn_choose(struct warn_choice *c, const char *word, struct err *e);

struct warn_item {
	enum warn_kind kind;
	struct graph_pos pos; /* in the arena of the graph */
	char *text;           /* owned */
};

struct warnings {
	VEC(struct warn_item) list;
};

/* Finds all of them, without order. */
void warn_find(const struct graph *g, struct warnings *out);
void warn_finish(struct warnings *w);

/* For the files that find them. */
void warn_add(struct warnings *w, enum warn_kind kind, struct graph_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * Does any text of the node (commands, configurations, files) have one of the words, of which the
 * last is NULL? It finds too much rather than too little, which is the right way round for keeping
 * silent.
 */
bool warn_node_speaks_of(const struct graph_node *n, const char *const *words);
struct wires;
void warn_wires(const struct graph *g, const struct wires *wires, struct warnings *out);
void warn_nodes(const struct graph *g, struct warnings *out);

#endif
