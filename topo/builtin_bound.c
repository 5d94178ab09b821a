/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest may take of the machine: cpu, cpu_weight, processes. Its memory is in builtin_net.c.
 */
#include "topo/builtin.h"

#include <stddef.h>
#include <string.h>

/* The ranges are those of cpu.max, cpu.weight and pids.max (cgroup-v2.rst); with fewer than 16
 * processes no guest boots. */
static const int64_t cpu_min_ppm = 10000;
static const int64_t cpu_max_ppm = 1000000;

static bool set_cpu(struct eval *ev, struct world_node *n, const struct builtin_field *f,
		    const struct arg *a)
{
	const struct value *v = &a->v;

	if (v->kind == VALUE_NUMBER && v->unit == UNIT_PPM && v->number >= cpu_min_ppm &&
	    v->number <= cpu_max_ppm) {
		n->cpu_ppm = v->number;
		return true;
	}
	eval_wrong(ev, a->loc,
		   "cpu is a share of the one processor that a guest has, from 1%% to 100%%");
	return false;
}

static bool set_count(struct eval *ev, struct world_node *n, const struct builtin_field *f,
		      const struct arg *a)
{
	int64_t count;

	if (!builtin_want_count(ev, a, f->min, f->max, &count))
		return false;
	memcpy((char *)n + f->offset, &count, sizeof(count));
	return true;
}

static const struct builtin_field fields[] = {
	{.name = "cpu", .kinds = BUILTIN_GUESTS, .set_node = set_cpu},
	{.name = "cpu_weight",
	 .kinds = BUILTIN_GUESTS,
	 .set_node = set_count,
	 .offset = offsetof(struct world_node, cpu_weight),
	 .min = 1,
	 .max = 10000},
	{.name = "processes",
	 .kinds = BUILTIN_GUESTS,
	 .set_node = set_count,
	 .offset = offsetof(struct world_node, processes),
	 .min = 16,
	 .max = 32768},
};

const struct builtin_part builtin_bound_part = {.fields = fields, .n_fields = ARRAY_LEN(fields)};
