/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Functions that compute: no node, cable or guest is changed by them. They are here rather than in
 * value.c because they take arguments from a script, and so must say what is wrong with one, and
 * where.
 *
 * What can grow is paid for (eval_spend()): a script that appends to a list in a loop must end,
 * too.
 */
#include "lib/addr.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <stdlib.h>
#include <string.h>

/* A range of two 64-bit numbers may have more items than a number can say. */
static struct value run_len(struct eval *ev, const struct call *c)
{
	const struct value *v = &c->args[0].v;

	if (v->kind == VALUE_LIST)
		return value_number((int64_t)v->list->n);
	if (v->kind == VALUE_STRING)
		return value_number((int64_t)v->len);
	if (v->kind == VALUE_RANGE) {
		int64_t n = 0;

		if (v->last >= v->first && (__builtin_sub_overflow(v->last, v->first, &n) ||
					    __builtin_add_overflow(n, 1, &n)))
			return eval_wrong(ev, c->loc, "the range is too large");
		return value_number(n);
	}
	return eval_wrong(ev, c->args[0].loc, "%s has no length", value_kind_name(v));
}

/*
 * A new list each time: lists are values to the script (eval_value.c), and the one that is appended
 * to may have other names.
 */
static struct value run_append(struct eval *ev, const struct call *c)
{
	const struct value *v = &c->args[0].v;
	struct value out = {.kind = VALUE_LIST, .list = value_list_create(ev->arena)};

	if (v->kind != VALUE_LIST)
		return eval_wrong(ev, c->args[0].loc, "expected a list, not %s",
				  value_kind_name(v));
	if (!eval_spend(ev, c->loc, v->list->n / 16, 2 * v->list->n * sizeof(struct value)))
		return value_wrong;
	for (size_t i = 0; i < v->list->n; i++)
		value_list_push(ev->arena, out.list, v->list->at[i]);
	for (size_t i = 1; i < c->n_args; i++)
		if (value_list_push(ev->arena, out.list, c->args[i].v) < 0)
			return eval_wrong(ev, c->loc, "the list has more than %d items",
					  VALUE_MAX_LIST);
	return out;
}

static struct value run_name(struct eval *ev, const struct call *c)
{
	const struct value *v = &c->args[0].v;
	struct world_label label;

	if (!world_label(v, &label))
		return eval_wrong(ev, c->args[0].loc, "%s has no name", value_kind_name(v));
	const char *name = *label.name;

	if (!name)
		return eval_wrong(ev, c->args[0].loc,
				  "this has no name yet; it gets that of the first variable it is "
				  "assigned to");
	return value_text(name, strlen(name));
}

static struct value run_text(struct eval *ev, const struct call *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	int rc = value_print(f, &c->args[0].v);

	fclose(f);
	struct value v = value_text(arena_strndup(ev->arena, text, len), len);

	free(text);
	if (rc < 0)
		return eval_wrong(ev, c->args[0].loc, "%s has no text form",
				  value_kind_name(&c->args[0].v));
	return eval_spend(ev, c->loc, len / 64, len) ? v : value_wrong;
}

/*
 * The address alone, without its prefix: for commands and configurations, where a prefix is one too
 * many.
 */
static struct value run_ip(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_ADDR};

	if (c->args[0].v.kind == VALUE_NIC) {
		const struct world_nic *nic = c->args[0].v.nic;

		if (!nic->addrs)
			return eval_wrong(ev, c->args[0].loc, "%s has no address (so far)",
					  world_describe_nic(ev->world, nic));
		v.addr = nic->addrs->addr;
	} else if (!builtin_want_addr(ev, &c->args[0], &v.addr)) {
		return value_wrong;
	}
	v.addr.prefix = ADDR_NO_PREFIX;
	return v;
}

/*
 * The n-th part of a network that is divided into parts of that prefix length. What lies beyond its
 * end is refused, not wrapped into somebody else's network.
 */
static struct value run_subnet(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_ADDR};
	int64_t len;
	int64_t n;

	if (!builtin_want_addr(ev, &c->args[0], &v.addr) ||
	    !builtin_want_count(ev, &c->args[1], 0, 128, &len) ||
	    !builtin_want_count(ev, &c->args[2], 0, INT64_MAX, &n))
		return value_wrong;
	struct addr whole = v.addr;

	if (whole.prefix == ADDR_NO_PREFIX || addr_has_host_bits(&whole))
		return eval_wrong(ev, c->args[0].loc, "expected a network such as 10.0.0.0/8");
	if ((unsigned)len < whole.prefix || (unsigned)len > addr_bits(&whole))
		return eval_wrong(ev, c->args[1].loc, "the prefix length is between %u and %u",
				  whole.prefix, addr_bits(&whole));
	v.addr.prefix = (unsigned)len;
	if (addr_add_shifted(&v.addr, (uint64_t)n, addr_bits(&whole) - (unsigned)len) < 0 ||
	    !addr_in_net(&v.addr, &whole))
		return eval_wrong(ev, c->args[2].loc, "the network has fewer parts than that");
	return v;
}

/*
 * Of a single list its items are meant, of several arguments these. What cannot be compared with
 * each other is found out by the comparison itself.
 */
static struct value find_extreme(struct eval *ev, const struct call *c, enum value_op op)
{
	struct value best = c->args[0].v;

	if (best.kind == VALUE_LIST && c->n_args == 1) {
		if (!best.list->n)
			return eval_wrong(ev, c->args[0].loc, "the list is empty");
		best = best.list->at[0];
	}
	const struct value *list =
		c->args[0].v.kind == VALUE_LIST && c->n_args == 1 ? c->args[0].v.list->at : NULL;
	size_t n = list ? c->args[0].v.list->n : c->n_args;

	for (size_t i = 1; i < n; i++) {
		const struct value *v = list ? &list[i] : &c->args[i].v;
		struct value less;
		struct err e;

		if (value_compute(ev->arena, op, v, &best, &less, &e) < 0)
			return eval_wrong(ev, c->loc, "%s", e.text);
		if (less.truth)
			best = *v;
	}
	return best;
}

static struct value run_min(struct eval *ev, const struct call *c)
{
	return find_extreme(ev, c, OP_LT);
}

static struct value run_max(struct eval *ev, const struct call *c)
{
	return find_extreme(ev, c, OP_GT);
}

static struct value run_assert(struct eval *ev, const struct call *c)
{
	const char *text = "the assertion does not hold";

	if (c->args[0].v.kind != VALUE_BOOL)
		return eval_wrong(ev, c->args[0].loc, "a condition is true or false, not %s",
				  value_kind_name(&c->args[0].v));
	if (c->n_args > 1 && !builtin_want_text(ev, &c->args[1], "the message", &text))
		return value_wrong;
	return c->args[0].v.truth ? value_none : eval_wrong(ev, c->loc, "%.200s", text);
}

static const struct builtin functions[] = {
	{.name = "len", .run = run_len, .min = 1, .max = 1, .usage = "len(list)"},
	{.name = "append",
	 .run = run_append,
	 .min = 1,
	 .max = -1,
	 .usage = "append(list, item, ...)"},
	{.name = "name", .run = run_name, .min = 1, .max = 1, .usage = "name(node or cable)"},
	{.name = "text", .run = run_text, .min = 1, .max = 1, .usage = "text(value)"},
	{.name = "ip", .run = run_ip, .min = 1, .max = 1, .usage = "ip(address or NIC)"},
	{.name = "subnet",
	 .run = run_subnet,
	 .min = 3,
	 .max = 3,
	 .usage = "subnet(network, prefix length, number)"},
	{.name = "min", .run = run_min, .min = 1, .max = -1, .usage = "min(a, b, ...)"},
	{.name = "max", .run = run_max, .min = 1, .max = -1, .usage = "max(a, b, ...)"},
	{.name = "assert",
	 .run = run_assert,
	 .min = 1,
	 .max = 2,
	 .usage = "assert(condition, \"message\")"},
};

const struct builtin_part builtin_value_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
};
