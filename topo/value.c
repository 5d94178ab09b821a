/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arithmetic with units: like units add and compare, a plain number or a share scales anything, and
 * the rest is an error that names both sides. A plain 0 fits every unit. Numbers are 64-bit
 * integers in the unit's base (ns, bit/s, bytes, ppm); what overflows is refused, never wrapped.
 */
#include "topo/value.h"

#include "lib/addr.h"
#include "lib/xalloc.h"
#include "topo/world.h"

#include <inttypes.h>
#include <string.h>

const struct value value_none = {.kind = VALUE_NONE};
const struct value value_wrong = {.kind = VALUE_WRONG};

struct value value_number(int64_t n)
{
	return (struct value){.kind = VALUE_NUMBER, .unit = UNIT_COUNT, .number = n};
}

static struct value value_bool(bool b)
{
	return (struct value){.kind = VALUE_BOOL, .truth = b};
}

struct value value_word(const char *word)
{
	return (struct value){.kind = VALUE_WORD, .text = word, .len = strlen(word)};
}

struct value value_text(const char *text, size_t len)
{
	return (struct value){.kind = VALUE_STRING, .text = text, .len = len};
}

static const char *const kind_names[] = {
	[VALUE_NONE] = "nothing",
	[VALUE_WRONG] = "a wrong value",
	[VALUE_NUMBER] = "a number",
	[VALUE_BOOL] = "a truth value",
	[VALUE_STRING] = "a string",
	[VALUE_WORD] = "a word",
	[VALUE_ADDR] = "an address",
	[VALUE_MAC] = "a MAC address",
	[VALUE_FILE] = "a file",
	[VALUE_LIST] = "a list",
	[VALUE_RANGE] = "a range",
	[VALUE_DICT] = "a group",
	[VALUE_NODE] = "a node",
	[VALUE_NIC] = "a NIC",
	[VALUE_CABLE] = "a cable",
	[VALUE_VNET] = "a vNet",
	[VALUE_SLINK] = "a substrate link",
	[VALUE_VLINK] = "a virtual link",
};
_Static_assert(ARRAY_LEN(kind_names) == VALUE_KINDS, "kind_names out of step");

static const char *const unit_names[] = {
	[UNIT_COUNT] = "a number", [UNIT_RATE] = "a rate", [UNIT_TIME] = "a time",
	[UNIT_SIZE] = "a size",    [UNIT_PPM] = "a share",
};

const char *value_kind_name(const struct value *v)
{
	return v->kind == VALUE_NUMBER ? unit_names[v->unit] : kind_names[v->kind];
}

static const char *const op_names[] = {
	[OP_ADD] = "+", [OP_SUB] = "-",    [OP_MUL] = "*", [OP_DIV] = "/",
	[OP_MOD] = "%", [OP_EQ] = "==",    [OP_NE] = "!=", [OP_LT] = "<",
	[OP_LE] = "<=", [OP_GT] = ">",     [OP_GE] = ">=", [OP_AND] = "&&",
	[OP_OR] = "||", [OP_RANGE] = "..", [OP_NOT] = "!", [OP_NEG] = "-",
};
_Static_assert(ARRAY_LEN(op_names) == OP_COUNT, "op_names out of step");

const char *value_op_name(enum value_op op)
{
	return op_names[op];
}

struct value_list *value_list_create(struct arena *a)
{
	return arena_alloc(a, sizeof(struct value_list));
}

/*
 * Room grows by doubling in an arena, which takes nothing back: what a long list costs in all is at
 * most twice its last size, and is paid for by whoever appends (eval_spend()).
 */
int value_list_push(struct arena *a, struct value_list *l, struct value v)
{
	if (l->n >= VALUE_MAX_LIST)
		return -1;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;
		struct value *at = arena_alloc(a, cap * sizeof(*at));

		if (l->n)
			memcpy(at, l->at, l->n * sizeof(*at));
		l->at = at;
		l->cap = cap;
	}
	l->at[l->n++] = v;
	return 0;
}

/*
 * Both sides are named by what they are, since both look alike in a script: "cannot be used between
 * a rate and a time" says more than "type error".
 */
static int unfit(enum value_op op, const struct value *l, const struct value *r, struct err *e)
{
	return err_set(e, ERR_USAGE, "'%s' cannot be used between %s and %s", op_names[op],
		       value_kind_name(l), value_kind_name(r));
}

static int too_large(struct err *e)
{
	return err_set(e, ERR_USAGE, "the result is too large");
}

/*
 * A product of two numbers of which one has no unit, or is a share. A share scales what it is
 * multiplied with; twice a share is a share. A rate times a time has no meaning here, though it
 * could be a size.
 */
static int multiply(const struct value *l, const struct value *r, struct value *out, struct err *e)
{
	const struct value *by = r->unit == UNIT_COUNT || r->unit == UNIT_PPM ? r : l;
	const struct value *what = by == r ? l : r;
	__int128 v = (__int128)what->number * by->number;

	if (by->unit != UNIT_COUNT && by->unit != UNIT_PPM)
		return unfit(OP_MUL, l, r, e);
	if (by->unit == UNIT_PPM && what->unit == UNIT_COUNT) {
		out->unit = UNIT_PPM; /* 2 * 1% */
	} else {
		out->unit = what->unit;
		if (by->unit == UNIT_PPM)
			v /= 1000000;
	}
	if (v > INT64_MAX || v < INT64_MIN)
		return too_large(e);
	out->number = (int64_t)v;
	return 0;
}

/*
 * Like units give a plain number, how often the one fits into the other; a plain divisor leaves the
 * unit.
 */
static int divide(enum value_op op, const struct value *l, const struct value *r, struct value *out,
		  struct err *e)
{
	if (r->unit != UNIT_COUNT && r->unit != l->unit)
		return unfit(op, l, r, e);
	if (r->number == 0)
		return err_set(e, ERR_USAGE, "division by zero");
	if (l->number == INT64_MIN && r->number == -1)
		return too_large(e);
	if (op == OP_DIV) {
		out->unit = r->unit == l->unit ? UNIT_COUNT : l->unit;
		out->number = l->number / r->number;
	} else {
		out->unit = l->unit;
		out->number = l->number % r->number;
	}
	return 0;
}

/*
 * What adds, subtracts or counts from one to the other must be of one unit, and there is no
 * conversion: a script that adds a time to a rate has mixed up two variables.
 */
static int compute_number(enum value_op op, const struct value *l, const struct value *r,
			  struct value *out, struct err *e)
{
	out->kind = VALUE_NUMBER;
	out->unit = l->unit;
	if (op == OP_MUL)
		return multiply(l, r, out, e);
	if (op == OP_DIV || op == OP_MOD)
		return divide(op, l, r, out, e);
	if (l->unit != r->unit)
		return unfit(op, l, r, e);
	if (op == OP_RANGE) {
		if (l->unit != UNIT_COUNT)
			return unfit(op, l, r, e);
		out->kind = VALUE_RANGE;
		out->first = l->number;
		out->last = r->number;
		return 0;
	}
	if (op == OP_ADD ? __builtin_add_overflow(l->number, r->number, &out->number)
			 : __builtin_sub_overflow(l->number, r->number, &out->number))
		return too_large(e);
	return 0;
}

static int join_text(struct arena *a, const struct value *l, const struct value *r,
		     struct value *out, struct err *e)
{
	if (l->len + r->len > VALUE_MAX_TEXT)
		return err_set(e, ERR_USAGE, "the string is longer than %d bytes", VALUE_MAX_TEXT);
	char *text = arena_alloc(a, l->len + r->len + 1);

	memcpy(text, l->text, l->len);
	memcpy(text + l->len, r->text, r->len);
	*out = value_text(text, l->len + r->len);
	return 0;
}

static int join_lists(struct arena *a, const struct value *l, const struct value *r,
		      struct value *out, struct err *e)
{
	if (l->list->n + r->list->n > VALUE_MAX_LIST)
		return err_set(e, ERR_USAGE, "the list has more than %d items", VALUE_MAX_LIST);
	out->kind = VALUE_LIST;
	out->list = value_list_create(a);
	out->list->cap = out->list->n = l->list->n + r->list->n;
	out->list->at = arena_alloc(a, (out->list->n + 1) * sizeof(struct value));
	if (l->list->n)
		memcpy(out->list->at, l->list->at, l->list->n * sizeof(struct value));
	if (r->list->n)
		memcpy(out->list->at + l->list->n, r->list->at, r->list->n * sizeof(struct value));
	return 0;
}

/*
 * 10.0.0.1 + 1 is the next address. Beyond the network that the prefix says it is an error and not
 * the next network's.
 */
static int shift_addr(enum value_op op, const struct value *l, const struct value *r,
		      struct value *out, struct err *e)
{
	char text[64];

	*out = *l;
	if (r->number != INT64_MIN &&
	    addr_add(&out->addr, op == OP_ADD ? r->number : -r->number) == 0)
		return 0;
	addr_format(&l->addr, l->addr.prefix != ADDR_NO_PREFIX, text, sizeof(text));
	return err_set(e, ERR_USAGE, "%s %s %" PRId64 " is outside of the network", text,
		       op_names[op], r->number);
}

/*
 * < 0, 0, > 0 in *order; -1 if the two cannot be ordered. Only what has an order is compared:
 * numbers of like units, strings, addresses.
 */
static int compare(const struct value *l, const struct value *r, int *order)
{
	if (l->kind != r->kind)
		return -1;
	if (l->kind == VALUE_NUMBER && l->unit == r->unit)
		*order = (l->number > r->number) - (l->number < r->number);
	else if (l->kind == VALUE_STRING)
		*order = strcmp(l->text, r->text);
	else if (l->kind == VALUE_ADDR)
		*order = addr_compare(&l->addr, &r->addr);
	else
		return -1;
	return 0;
}

static bool lists_equal(const struct value_list *a, const struct value_list *b)
{
	if (a == b)
		return true;
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!value_equal(&a->at[i], &b->at[i]))
			return false;
	return true;
}

/* Things of the world are equal if they are the same thing, lists if all their items are. */
bool value_equal(const struct value *a, const struct value *b)
{
	int order;

	if (a->kind != b->kind)
		return false;
	if (compare(a, b, &order) == 0)
		return order == 0;
	switch (a->kind) {
	case VALUE_NONE:
		return true;
	case VALUE_BOOL:
		return a->truth == b->truth;
	case VALUE_WORD:
	case VALUE_FILE:
		return !strcmp(a->text, b->text);
	case VALUE_MAC:
		return !memcmp(a->mac, b->mac, sizeof(a->mac));
	case VALUE_LIST:
		return lists_equal(a->list, b->list);
	case VALUE_RANGE:
		return a->first == b->first && a->last == b->last;
	case VALUE_NODE:
		return a->node == b->node;
	case VALUE_NIC:
		return a->nic == b->nic;
	case VALUE_CABLE:
		return a->cable == b->cable;
	case VALUE_VNET:
		return a->vnet == b->vnet;
	case VALUE_SLINK:
		return a->slink == b->slink;
	case VALUE_VLINK:
		return a->vlink == b->vlink;
	default:
		return false;
	}
}

static int compute_order(enum value_op op, const struct value *l, const struct value *r,
			 struct value *out, struct err *e)
{
	int order;

	if (op == OP_EQ || op == OP_NE) {
		*out = value_bool(value_equal(l, r) == (op == OP_EQ));
		return 0;
	}
	if (compare(l, r, &order) < 0)
		return unfit(op, l, r, e);
	*out = value_bool(op == OP_LT   ? order < 0
			  : op == OP_LE ? order <= 0
			  : op == OP_GT ? order > 0
					: order >= 0);
	return 0;
}

static int compute_unary(enum value_op op, const struct value *l, struct value *out, struct err *e)
{
	*out = *l;
	if (op == OP_NOT && l->kind == VALUE_BOOL) {
		out->truth = !l->truth;
		return 0;
	}
	if (op == OP_NEG && l->kind == VALUE_NUMBER) {
		if (__builtin_sub_overflow((int64_t)0, l->number, &out->number))
			return too_large(e);
		return 0;
	}
	return err_set(e, ERR_USAGE, "'%s' cannot be used before %s", op_names[op],
		       value_kind_name(l));
}

int value_compute(struct arena *a, enum value_op op, const struct value *l, const struct value *r,
		  struct value *out, struct err *e)
{
	if (op == OP_NOT || op == OP_NEG)
		return compute_unary(op, l, out, e);
	if (op >= OP_EQ && op <= OP_GE)
		return compute_order(op, l, r, out, e);
	if (l->kind == VALUE_NUMBER && r->kind == VALUE_NUMBER)
		return compute_number(op, l, r, out, e);
	if (op == OP_ADD && l->kind == VALUE_STRING && r->kind == VALUE_STRING)
		return join_text(a, l, r, out, e);
	if (op == OP_ADD && l->kind == VALUE_LIST && r->kind == VALUE_LIST)
		return join_lists(a, l, r, out, e);
	if ((op == OP_ADD || op == OP_SUB) && l->kind == VALUE_ADDR && r->kind == VALUE_NUMBER &&
	    r->unit == UNIT_COUNT)
		return shift_addr(op, l, r, out, e);
	return unfit(op, l, r, e);
}

/* INT64_MIN has no positive counterpart, so its digits are written out. */
int value_print(FILE *out, const struct value *v)
{
	char buf[64];
	struct world_label label;

	switch (v->kind) {
	case VALUE_NUMBER:
		fputs(v->number < 0 ? "-" : "", out);
		if (v->number == INT64_MIN)
			fputs("9223372036854775808", out);
		else
			fputs(unit_format(v->unit, v->number < 0 ? -v->number : v->number, buf,
					  sizeof(buf)),
			      out);
		return 0;
	case VALUE_BOOL:
		fputs(v->truth ? "true" : "false", out);
		return 0;
	case VALUE_STRING:
	case VALUE_WORD:
		fwrite(v->text, 1, v->len, out);
		return 0;
	case VALUE_ADDR:
		fputs(addr_format(&v->addr, v->addr.prefix != ADDR_NO_PREFIX, buf, sizeof(buf)),
		      out);
		return 0;
	case VALUE_MAC:
		fputs(addr_format_mac(v->mac, buf, sizeof(buf)), out);
		return 0;
	case VALUE_NODE:
	case VALUE_VNET:
	case VALUE_SLINK:
	case VALUE_VLINK:
		if (!world_label(v, &label) || !*label.name)
			return -1;
		fputs(*label.name, out);
		return 0;
	default:
		return -1;
	}
}
