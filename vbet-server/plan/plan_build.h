/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan under construction: what the files that make plans share. */
#ifndef VBET_SERVER_PLAN_PLAN_BUILD_H
#define VBET_SERVER_PLAN_PLAN_BUILD_H

#include "lib/vec.h"
#include "vbet-server/plan/plan.h"
#include "vbet-server/plan/spread.h"

struct builder {
	const struct graph *g;
	const struct plan_env *env;
	struct plan *plan;
	VEC(struct plan_step) steps;
	bool trunk[SPREAD_MAX + 1][SPREAD_MAX + 1]; /* between these processes there is one */
	bool is_bounded; /* plan_is_bounded(), from plan_bound_lab() on */
	bool has_hosts;  /* the names for `vbet outside` are there */
};

/* An end of a cable: its name, and the process that carries it. */
struct plan_end {
	const char *name;
	unsigned process;
	const struct graph_node *node; /* whose it is; NULL: a virtual interface */
};

/* A line of text in the arena, written through a FILE. */
struct text {
	FILE *f;
	char *buf;
	size_t len;
};
FILE *text_open(struct text *t);
const char *text_close(struct builder *b, struct text *t);

struct plan_step *plan_add_step(struct builder *b, enum plan_op op, const char *name);
/* A line for that process; it is taken back by "remove NAME". */
struct plan_step *plan_add_line(struct builder *b, unsigned process, const char *name,
				const char *text);
/* A line for the process that carries the node. */
struct plan_step *plan_add_at(struct builder *b, int node, const char *name, const char *text);
/* If that line is undone, this one is too, and said again after it. At most PLAN_MAX_NEEDS. */
void plan_add_need(struct builder *b, struct plan_step *s, const char *name);
unsigned plan_process_at(const struct builder *b, int node);
/* It is not there: it was stopped, or its process is left out. No line may name it. */
bool plan_is_absent(const struct builder *b, int node);
/* The directory of the run, as words have it: more of a path may follow ("a b"/n/r1). */
const char *plan_dir(struct builder *b);
/* "r1:eth0" */
const char *plan_end_name(struct builder *b, struct graph_end end);
/* The directories of a station, without its files. */
void plan_add_dirs(struct builder *b, int node);
void plan_add_nic(struct builder *b, int node, int nic);

/* plan_guest.c: files and lines of a guest. -1: a file that the script names cannot be read. */
int plan_guest_node(struct builder *b, int index, struct err *e);
/* The launcher's argv: its own words, then "--" and the kernel's arguments. */
void plan_guest_argv(struct builder *b, int index, struct plan_step *s);

/*
 * plan_cable.c: a cable of the graph; then any cable, told to both processes if its ends are in
 * two. framing: what it keeps for its life, or ""; params: what follows the ends in the line, with
 * a space in front, or "".
 */
void plan_cable(struct builder *b, const struct graph_cable *c);
void plan_add_cable(struct builder *b, const char *name, struct plan_end from, struct plan_end to,
		    const char *framing, const char *params);

/* plan_substrate.c: substrate nodes and end systems; then all that virtual links need. */
void plan_substrate_node(struct builder *b, int node);
void plan_endsystem(struct builder *b, int node);
/* What an end system runs. */
void plan_programs(struct builder *b, int node);
void plan_virtual_interfaces(struct builder *b);
void plan_virtual_networks(struct builder *b);

/* plan_guard.c: what a port of a switch is told of the members of substrate LANs behind it. */
void plan_guard_port(const struct builder *b, FILE *f, struct graph_end port);

/* plan_bound.c: what the lab, its guests and a substrate process may take of the machine. */
void plan_bound_lab(struct builder *b);
void plan_bound_guest(struct builder *b, int node);
void plan_bound_process(struct builder *b, struct plan_step *s, unsigned n_processes);
/* How nice a guest is (nice(2), 0 to 19), where its weight cannot be that of a group. */
int plan_bound_nice(const struct graph *g, const struct graph_node *n);

/* plan_outside.c: interfaces of the host, the way out, and sockets. */
void plan_outside(struct builder *b, int node);

#endif
