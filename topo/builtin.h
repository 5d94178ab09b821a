/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files with built-in functions share. */
#ifndef TOPO_BUILTIN_H
#define TOPO_BUILTIN_H

#include "lib/vec.h"
#include "topo/eval.h"

/* A built-in function. */
struct builtin {
	const char *name;
	struct value (*run)(struct eval *ev, const struct call *c);
	int min, max;           /* arguments; max -1: any number */
	bool has_fields;        /* takes name = value */
	bool has_more;          /* takes "..." */
	const char *usage;      /* "plug(cable, NIC, ...)" */
	eval_words *words[4];   /* of the first arguments, or NULL */
	const char *words_name; /* what these are: "kind", "daemon" */
};

/* Kinds of nodes, as bits 1 << enum node_kind. */
enum {
	BUILTIN_GUESTS = 1 << NODE_HOST | 1 << NODE_ROUTER | 1 << NODE_FIREWALL | 1 << NODE_SERVER,
	BUILTIN_VIRTUAL = BUILTIN_GUESTS | 1 << NODE_ENDSYSTEM,
	BUILTIN_ALL = BUILTIN_VIRTUAL | 1 << NODE_HUB | 1 << NODE_SWITCH | 1 << NODE_SUBSTRATE |
		      1 << NODE_OUTSIDE | 1 << NODE_INTERNET,
};

/* A parameter "name = value" of nodes or of NICs: one of the two functions is there. */
struct builtin_field {
	const char *name;
	unsigned kinds; /* of the nodes that have it */
	/* Sets it. False after an error. */
	bool (*set_node)(struct eval *ev, struct world_node *n, const struct builtin_field *f,
			 const struct arg *a);
	bool (*set_nic)(struct eval *ev, struct world_nic *nic, const struct builtin_field *f,
			const struct arg *a);
	eval_words *words; /* that stand for something here, or NULL */
	/* For set_node: a number's unit and range, and where in struct world_node it belongs. */
	enum unit_kind unit;
	size_t offset;
	int64_t min, max;
};

/* Words of the argument "field = ..." of any function. */
struct builtin_words {
	const char *field;
	eval_words *words;
};

/* What one of the files builtin_*.c adds to the language. All may be NULL or 0. */
struct builtin_part {
	const struct builtin *functions;
	size_t n_functions;
	const struct builtin_field *fields;
	size_t n_fields;
	const struct builtin_words *words;
	size_t n_words;
	/* Attaches a NIC whose back end is not for that kind of node. False after an error. */
	bool (*attach)(struct eval *ev, struct world_node *node, struct world_nic *nic,
		       struct loc loc);
	/* free() of what the part made. False if it is something else. */
	bool (*free)(struct eval *ev, const struct arg *a);
	/* The node is on its way out. */
	void (*node_goes)(struct eval *ev, struct world_node *n);
};

extern const struct builtin_part builtin_net_part; /* nodes and their NICs */
extern const struct builtin_part builtin_cable_part;
extern const struct builtin_part builtin_substrate_part; /* substrate links */
extern const struct builtin_part builtin_vnet_part;      /* vNets */
extern const struct builtin_part builtin_virtual_part;   /* virtual links */
extern const struct builtin_part builtin_cut_part;       /* cables that are cut */
extern const struct builtin_part builtin_address_part;
extern const struct builtin_part builtin_guest_part;   /* what is inside of a guest */
extern const struct builtin_part builtin_value_part;   /* computing */
extern const struct builtin_part builtin_shape_part;   /* the standard shapes */
extern const struct builtin_part builtin_event_part;   /* words of checks (expect.c) */
extern const struct builtin_part builtin_port_part;    /* parameters of switch ports */
extern const struct builtin_part builtin_disk_part;    /* disks of guests */
extern const struct builtin_part builtin_bound_part;   /* what guests may take of the machine */
extern const struct builtin_part builtin_outside_part; /* NICs that lead out of the lab */

/* ---- builtin.c: of all parts ---- */

/* The built-in function of that name, or NULL; the i-th one, or NULL past the end. */
const struct builtin *builtin_find(const char *name);
const struct builtin *builtin_at(size_t i);
/* Words of the argument "name = ..." of any function, or NULL. */
eval_words *builtin_field_words(const char *name);
/* Sets one parameter of a node. False after an error; *known tells if the name was one. */
bool builtin_node_field(struct eval *ev, struct world_node *n, const struct arg *a, bool *known);
/* Reports that such nodes have no such parameter. */
void builtin_unknown_node_field(struct eval *ev, enum node_kind kind, const struct arg *a);
/* Sets one parameter of a NIC. False after an error, also if it has none of that name. */
bool builtin_nic_field(struct eval *ev, struct world_nic *nic, const struct arg *a);
/* The members of struct builtin_part, of whichever part has them. */
bool builtin_attach_elsewhere(struct eval *ev, struct world_node *node, struct world_nic *nic,
			      struct loc loc);
bool builtin_free_thing(struct eval *ev, const struct arg *a);
void builtin_node_goes(struct eval *ev, struct world_node *n);

/* ---- what parts offer one another ---- */

/* Joins two substrate nodes, or two virtual nodes, as a shape does. False after an error. */
bool builtin_join_substrate(struct eval *ev, const struct call *c, const struct arg *a,
			    const struct arg *b);
bool builtin_join_virtual(struct eval *ev, const struct call *c, const struct arg *a,
			  const struct arg *b);
bool builtin_is_vlink_field(const char *name);
/* Words for places of the arguments: kinds of nodes, and all that alloc() takes. */
eval_words builtin_node_kinds, builtin_kinds;
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
/* The cable that the arguments mean: itself, one of its NICs, its two ends. NULL: an error. */
struct world_cable *builtin_find_cable(struct eval *ev, const struct call *c);
/* Of which part of the cable "one_way = on" or "end = NODE" speaks. False after an error. */
bool builtin_read_side(struct eval *ev, const struct call *c, const struct world_cable *cable,
		       struct graph_side *side);
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

/* How a node that has no NIC left gets more, for the end of a message; in the arena. */
const char *builtin_more_nics(struct eval *ev, const struct world_node *n);
/* The argument "name = ..." of a call, or NULL. */
const struct arg *builtin_find_field(const struct call *c, const char *name);

/* Checks of arguments. False after an error. */
bool builtin_want_count(struct eval *ev, const struct arg *a, int64_t min, int64_t max,
			int64_t *out);
/* A string, or a word. */
bool builtin_want_text(struct eval *ev, const struct arg *a, const char *what, const char **out);
/* on or off, of a field. */
bool builtin_want_bool(struct eval *ev, const struct arg *field, bool *out);
/* The path of a file beside the script, which must exist; given as file(...) or as a string. */
bool builtin_want_path(struct eval *ev, const struct arg *a, const char **out);
/* An address, or a string that holds one. */
bool builtin_want_addr(struct eval *ev, const struct arg *a, struct addr *out);
/* A rate in bits per second; 0 may be without a unit. */
bool builtin_want_rate(struct eval *ev, const char *name, const struct value *v, struct loc loc,
		       int64_t *out);
/* A substrate node that is still there; NULL after an error. */
struct world_node *builtin_want_substrate(struct eval *ev, const struct arg *a);
/* The vNet that an argument is, or NULL after an error. */
struct world_vnet *builtin_want_vnet(struct eval *ev, const struct arg *a);
/* Fields of set(vNet, ...). */
struct value builtin_change_vnet(struct eval *ev, const struct call *c, struct world_vnet *n);
/* A field "vnet = NAME" of something that is said of the node. False after an error. */
bool builtin_read_vnet(struct eval *ev, const struct arg *f, const struct world_node *n,
		       struct world_vnet **to);
/* Calls fn for the argument, or for each item if it is a list (of lists ...). */
bool builtin_each(struct eval *ev, const struct arg *a,
		  bool (*fn)(struct eval *ev, const struct arg *item, void *ctx), void *ctx);
struct builtin_args {
	VEC(struct arg) list;
};
/* For builtin_each(): appends the item to the struct builtin_args that ctx is. */
bool builtin_collect(struct eval *ev, const struct arg *item, void *ctx);

#endif
