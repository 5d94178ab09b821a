/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks of guests: disk, disk_size, disk_read_only. What they must have in common is in check.c. */
#include "topo/builtin.h"

static const int64_t min_bytes = INT64_C(1) << 20;
static const int64_t max_bytes = INT64_C(64) << 30;

static bool set_disk(struct eval *ev, struct world_node *n, const struct builtin_field *f,
		     const struct arg *a)
{
	return builtin_want_path(ev, a, &n->disk);
}

static bool set_size(struct eval *ev, struct world_node *n, const struct builtin_field *f,
		     const struct arg *a)
{
	const struct value *v = &a->v;

	if (v->kind == VALUE_NUMBER && (v->unit == UNIT_SIZE || v->unit == UNIT_COUNT) &&
	    v->number >= min_bytes && v->number <= max_bytes) {
		n->disk_bytes = v->number;
		return true;
	}
	eval_wrong(ev, a->loc, "disk_size is between 1M and 64G");
	return false;
}

static bool set_read_only(struct eval *ev, struct world_node *n, const struct builtin_field *f,
			  const struct arg *a)
{
	n->disk_loc = a->loc;
	return builtin_want_bool(ev, a, &n->disk_read_only);
}

static const struct builtin_field fields[] = {
	{.name = "disk", .kinds = BUILTIN_GUESTS, .set_node = set_disk},
	{.name = "disk_size", .kinds = BUILTIN_GUESTS, .set_node = set_size},
	{.name = "disk_read_only", .kinds = BUILTIN_GUESTS, .set_node = set_read_only},
};

const struct builtin_part builtin_disk_part = {.fields = fields, .n_fields = ARRAY_LEN(fields)};
