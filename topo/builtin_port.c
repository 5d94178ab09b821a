/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parameters of the ports of switches: VLANs and mirrors. They go to the substrate as words; what
 * can be said of them without knowing the switch is checked here.
 */
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VLAN_MAX = 4094, PORT_MAX = 1024 };

static const char *all_word(size_t i)
{
	static const char *const words[] = {"all"};

	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

static const char *none_word(size_t i)
{
	static const char *const words[] = {"none"};

	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

static const struct port_param {
	const char *name;
	const char *word; /* that may stand instead of numbers, or NULL */
	int64_t max;
	bool many; /* 10,20-29 */
	bool off;  /* may be off */
	const char *wants;
} params[] = {
	{"vlan", NULL, VLAN_MAX, false, false, "a VLAN from 1 to 4094"},
	{"trunk", "all", VLAN_MAX, true, false, "VLANs such as [10, 20], \"10,20-29\" or all"},
	{"native", "none", VLAN_MAX, false, false, "a VLAN from 1 to 4094, or none"},
	{"mirror", "all", PORT_MAX, true, true, "ports such as [1, 3], all or off"},
	{"cost", NULL, 200000000, false, false, "a number up to 200000000"},
	{"point_to_point", "on", 0, false, true, "on or off"},
};

/* "10", and where many are allowed "10,20-29". */
static bool is_numbers(const struct port_param *p, const char *text)
{
	char *end = (char *)(uintptr_t)text;

	do {
		long from = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : 0;
		long to = from;

		if (p->many && *end == '-')
			to = isdigit((unsigned char)end[1]) ? strtol(end + 1, &end, 10) : 0;
		if (from < 1 || to < from || to > p->max)
			return false;
		text = end + 1;
	} while (p->many && *end == ',');
	return *end == '\0';
}

/* A value as the text the substrate takes, or NULL if it cannot be one. */
static const char *word_of(struct eval *ev, const struct value *v)
{
	if (v->kind == VALUE_NUMBER && v->unit == UNIT_COUNT)
		return arena_printf(ev->arena, "%" PRId64, v->number);
	if (v->kind == VALUE_STRING || v->kind == VALUE_WORD)
		return v->text;
	if (v->kind == VALUE_BOOL)
		return v->truth ? "on" : "off";
	return NULL;
}

static const char *words_of(struct eval *ev, const struct value *v)
{
	const char *text = NULL;

	for (size_t i = 0; i < v->list->n; i++) {
		const char *item = word_of(ev, &v->list->at[i]);

		if (!item)
			return NULL;
		text = text ? arena_printf(ev->arena, "%s,%s", text, item) : item;
	}
	return text;
}

/*
 * The last value of a key holds, as with all parameters; the list keeps the earlier ones, and the
 * substrate, which is told all of them in order, comes to the same.
 */
static bool set_param(struct eval *ev, struct world_nic *nic, const struct builtin_field *field,
		      const struct arg *f)
{
	const struct port_param *p = params;

	while (strcmp(p->name, field->name) != 0)
		p++;
	const char *text =
		f->v.kind == VALUE_LIST && p->many ? words_of(ev, &f->v) : word_of(ev, &f->v);

	if (!text || !(is_numbers(p, text) || (p->word && !strcmp(text, p->word)) ||
		       (p->off && !strcmp(text, "off")))) {
		eval_wrong(ev, f->loc, "%s wants %s", p->name, p->wants);
		return false;
	}
	struct world_pair *pair = arena_alloc(ev->arena, sizeof(*pair));

	pair->key = p->name;
	pair->value = text;
	world_append(&nic->params_end, pair);
	return true;
}

static const struct builtin_field fields[] = {
	{.name = "vlan", .set_nic = set_param},
	{.name = "trunk", .set_nic = set_param, .words = all_word},
	{.name = "native", .set_nic = set_param, .words = none_word},
	{.name = "mirror", .set_nic = set_param, .words = all_word},
	{.name = "cost", .set_nic = set_param},
	{.name = "point_to_point", .set_nic = set_param},
};
_Static_assert(ARRAY_LEN(fields) == ARRAY_LEN(params), "fields out of step");

const struct builtin_part builtin_port_part = {.fields = fields, .n_fields = ARRAY_LEN(fields)};
