/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files with built-in functions share. */
#ifndef TOPO_BUILTIN_H
#define TOPO_BUILTIN_H

#include "lib/vec.h"
#include "topo/eval.h"

typedef struct value builtin_run(struct eval *ev, const struct call *c);

/* builtin_net.c: the parts of a network, and how they are joined */
builtin_run builtin_alloc, builtin_attach, builtin_plug, builtin_unplug, builtin_link, builtin_nic,
	builtin_node, builtin_free, builtin_impair;
/* builtin_substrate.c: substrate links, virtual networks, virtual links */
builtin_run builtin_slink, builtin_slan, builtin_vnet, builtin_vlink, builtin_set;
/* builtin_cut.c: cables that are cut */
builtin_run builtin_up, builtin_down;
/* builtin_guest.c: what is inside of a guest */
builtin_run builtin_address, builtin_route, builtin_default_route, builtin_config, builtin_service,
	builtin_write, builtin_exec, builtin_sysctl, builtin_hostname, builtin_file;
/* builtin_value.c: computing */
builtin_run builtin_len, builtin_name, builtin_ip, builtin_subnet, builtin_min, builtin_max,
	builtin_assert, builtin_append, builtin_text;
/* builtin_shape.c: the standard shapes */
builtin_run builtin_line, builtin_ring, builtin_star, builtin_tree, builtin_mesh,
	builtin_partial_mesh;

/* Takes a substrate node out of all its links; those that then join nothing go. */
void builtin_leave_slinks(struct eval *ev, const struct world_node *n);
/* free() of what is virtual. False if the value is something else. */
bool builtin_free_virtual(struct eval *ev, const struct arg *a);
/* "vnet = red", "on = s1" of a node. False after an error. */
bool builtin_set_vnet(struct eval *ev, struct world_node *n, const struct arg *a);
bool builtin_set_place(struct eval *ev, struct world_node *n, const struct arg *a);
/* Joins two substrate nodes, or two virtual nodes, as a shape does. False after an error. */
bool builtin_join_substrate(struct eval *ev, const struct call *c, const struct arg *a,
			    const struct arg *b);
bool builtin_join_virtual(struct eval *ev, const struct call *c, const struct arg *a,
			  const struct arg *b);
bool builtin_is_vlink_field(const char *name);

/* Words for places of the arguments. */
eval_words builtin_node_kinds, builtin_daemons;

/* Parameters of ports (builtin_port.c): sets one; the words that one takes. */
bool builtin_port_field(struct eval *ev, struct world_nic *nic, const struct arg *f, bool *known);
eval_words *builtin_port_words(const char *name);

/*
 * Parameters of NICs that lead outside (builtin_outside.c), as for ports; and a NIC of the outside
 * that is attached to a node of the lab.
 */
bool builtin_outside_field(struct eval *ev, struct world_nic *nic, const struct arg *f,
			   bool *known);
bool builtin_attach_outside(struct eval *ev, struct world_node *node, struct world_nic *nic,
			    struct loc loc);

/* "a" or "an", before the name of a kind. */
const char *builtin_article(enum node_kind kind);
/* The kind of node a word means, or -1. */
int builtin_node_kind(const struct value *v);

/* One parameter of a cable. False after an error; *known tells if the name was one. */
bool builtin_cable_field(struct eval *ev, struct world_cable *c, const struct arg *field,
			 bool *known);
/*
 * All of them that a call has: what holds for both directions first, then each direction. False
 * after an error.
 */
bool builtin_cable_fields(struct eval *ev, struct world_cable *c, const struct call *call);
/* The cable that the arguments name: itself, one of its NICs, or its two ends. NULL after an error.
 */
struct world_cable *builtin_find_cable(struct eval *ev, const struct call *c);
/* Of which part of the cable "one_way = on" or "end = NODE" speaks. False after an error. */
bool builtin_read_side(struct eval *ev, const struct call *c, const struct world_cable *cable,
		       struct graph_side *side);
/* One parameter of a node. */
bool builtin_node_field(struct eval *ev, struct world_node *n, const struct arg *field,
			bool *known);
/* Reports that `what` has no such parameter, with the nearest that it has. */
void builtin_unknown_field(struct eval *ev, const char *what, const struct arg *field,
			   const char *const *known, size_t n);

/* A cable without ends; NULL if there are too many. */
struct world_cable *builtin_make_cable(struct eval *ev, struct loc loc);
/* Joins two NICs by a new cable; NULL after an error. */
struct world_cable *builtin_join(struct eval *ev, struct loc loc, struct world_nic *a,
				 struct world_nic *b);
/* The NIC that an end of a link stands for: itself, or the next free one of a node. */
struct world_nic *builtin_end(struct eval *ev, const struct arg *end);
/* Reports that the node was freed. */
struct value builtin_is_gone(struct eval *ev, struct loc loc, const struct world_node *n);
/* Takes a node away, with all cables and virtual links in it. */
void builtin_remove_node(struct eval *ev, struct world_node *n);
/* Makes a node; NULL if there are too many. */
struct world_node *builtin_make_node(struct eval *ev, enum node_kind kind, struct loc loc);

/* Adds an address to a NIC, after the checks that need no other NIC. */
bool builtin_add_address(struct eval *ev, struct world_nic *nic, const struct arg *a);
bool builtin_set_hostname(struct eval *ev, struct world_node *n, const struct arg *a);

/* The argument "name = ..." of a call, or NULL. */
const struct arg *builtin_find_field(const struct call *c, const char *name);

/* Checks of arguments. False after an error. */
bool builtin_want_count(struct eval *ev, const struct arg *a, int64_t min, int64_t max,
			int64_t *out);
/* A string, or a word. */
bool builtin_want_text(struct eval *ev, const struct arg *a, const char *what, const char **out);
/* The path of a file beside the script, which must exist; given as file(...) or as a string. */
bool builtin_want_path(struct eval *ev, const struct arg *a, const char **out);
/* An address, or a string that holds one. */
bool builtin_want_addr(struct eval *ev, const struct arg *a, struct addr *out);
/* Calls fn for the argument, or for each item if it is a list (of lists ...). */
bool builtin_each(struct eval *ev, const struct arg *a,
		  bool (*fn)(struct eval *ev, const struct arg *item, void *ctx), void *ctx);
struct builtin_args {
	VEC(struct arg) list;
};
/* For builtin_each(): appends the item to the struct builtin_args that ctx is. */
bool builtin_collect(struct eval *ev, const struct arg *item, void *ctx);

#endif
