/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an expression of the language is worth, and the arithmetic on it. */
#ifndef TOPO_VALUE_H
#define TOPO_VALUE_H

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/units.h"
#include "topo/diag.h"
#include "topo/graph.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct world_node;
struct world_nic;
struct world_cable;
struct world_vnet;
struct world_slink;
struct world_vlink;
struct value_list;
struct value_dict;

enum value_kind {
	VALUE_NONE,  /* what a function without a result gives */
	VALUE_WRONG, /* stands for what could not be computed; an error was reported */
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_STRING,
	VALUE_WORD, /* a name with a meaning of its own: router, default, virtual, ospfd */
	VALUE_ADDR,
	VALUE_MAC,
	VALUE_FILE, /* the path of a file beside the script */
	VALUE_LIST,
	VALUE_RANGE,
	VALUE_DICT,
	VALUE_NODE,
	VALUE_NIC,
	VALUE_CABLE,
	VALUE_VNET,
	VALUE_SLINK,
	VALUE_VLINK,
	VALUE_KINDS,
};

struct value {
	enum value_kind kind;
	enum unit_kind unit; /* of a number: UNIT_COUNT is a plain one */
	union {
		int64_t number;
		bool truth;
		struct {
			const char *text; /* text[len] is '\0'; no NUL inside */
			size_t len;
		};
		struct {
			int64_t first, last; /* of a range, both included */
		};
		struct addr addr;
		uint8_t mac[6];
		struct value_list *list;
		struct value_dict *dict;
		struct world_node *node;
		struct world_nic *nic;
		struct world_cable *cable;
		struct world_vnet *vnet;
		struct world_slink *slink;
		struct world_vlink *vlink;
	};
};

struct value_list {
	struct value *at;
	size_t n, cap;
};

struct value_field {
	const char *name;
	struct value value;
	struct value_field *next;
	struct loc loc; /* of the name */
};

struct value_dict {
	struct value_field *first;
};

enum value_op {
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_AND,
	OP_OR,
	OP_RANGE,
	OP_NOT,
	OP_NEG,
	OP_COUNT,
};

enum {
	VALUE_MAX_TEXT = 4 << 20, /* bytes of a string */
	VALUE_MAX_LIST = 100000,  /* items of a list */
};

struct value value_number(int64_t n);
struct value value_word(const char *word);
/* The text is borrowed. */
struct value value_text(const char *text, size_t len);
extern const struct value value_none, value_wrong;

/* "a number", "a list", ... for messages. */
const char *value_kind_name(const struct value *v);
/* "+", "==", ... */
const char *value_op_name(enum value_op op);

struct value_list *value_list_create(struct arena *a);
/* -1 if the list is full. */
int value_list_push(struct arena *a, struct value_list *l, struct value v);

/*
 * Computes a op b (b is ignored for OP_NOT, OP_NEG). OP_AND and OP_OR are not here: they do not
 * always look at b. 0, or -1 with the reason.
 */
int value_compute(struct arena *a, enum value_op op, const struct value *l, const struct value *r,
		  struct value *out, struct err *e);
bool value_equal(const struct value *a, const struct value *b);
/* The value as "${...}" puts it into a string. -1 if it has no text form. */
int value_print(FILE *out, const struct value *v);

#endif
