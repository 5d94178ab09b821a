/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said of a lab as a whole, by assignments to names of their own: lab, clock, seed and so
 * on. They look like variables and can be read like them, but only outside of functions do they set
 * anything. Each is a row in a table; the third column says which words mean something behind the
 * equals sign, so that `clock = virtual` needs no quotes.
 */
#include "topo/settings.h"

#include "lib/xalloc.h"
#include "topo/packages.h"

#include <string.h>

static bool set_lab(struct eval *ev, struct loc loc, const struct value *v)
{
	if (v->kind != VALUE_STRING || strlen(v->text) != v->len || !topo_is_lab_name(v->text)) {
		eval_wrong(ev, loc,
			   "the name of a lab is a string of at most %d small letters, digits "
			   "and '-'",
			   TOPO_MAX_LAB);
		return false;
	}
	ev->world->lab = v->text;
	ev->world->lab_loc = loc;
	return true;
}

static bool set_clock(struct eval *ev, struct loc loc, const struct value *v)
{
	bool is_text = v->kind == VALUE_WORD || v->kind == VALUE_STRING;

	if (is_text && !strcmp(v->text, "virtual")) {
		ev->world->clock = CLOCK_VIRTUAL;
	} else if (is_text && !strcmp(v->text, "real")) {
		ev->world->clock = CLOCK_REAL;
	} else {
		eval_wrong(ev, loc, "the clock is real or virtual");
		return false;
	}
	return true;
}

static const char *spin_word(size_t i)
{
	return i < SPINS ? graph_spin_name((enum graph_spin)i) : NULL;
}

static bool set_spin(struct eval *ev, struct loc loc, const struct value *v)
{
	bool is_text = v->kind == VALUE_WORD || v->kind == VALUE_STRING;

	if (is_text && graph_find_spin(v->text, &ev->world->spin))
		return true;
	eval_wrong(ev, loc, "spin is report, stop or charge");
	return false;
}

static bool set_seed(struct eval *ev, struct loc loc, const struct value *v)
{
	if (v->kind != VALUE_NUMBER || v->unit != UNIT_COUNT || v->number < 0) {
		eval_wrong(ev, loc, "the seed is a whole number from 0");
		return false;
	}
	ev->world->seed = (uint64_t)v->number;
	return true;
}

/*
 * At this place on and off are words (switch_word()); true and false are constants of the language.
 */
static bool set_bool(struct eval *ev, struct loc loc, const struct value *v, bool *out)
{
	bool is_on = v->kind == VALUE_WORD && !strcmp(v->text, "on");
	bool is_off = v->kind == VALUE_WORD && !strcmp(v->text, "off");

	if (v->kind != VALUE_BOOL && !is_on && !is_off) {
		eval_wrong(ev, loc, "expected on or off, not %s", value_kind_name(v));
		return false;
	}
	*out = is_on || (v->kind == VALUE_BOOL && v->truth);
	return true;
}

static bool set_auto_address(struct eval *ev, struct loc loc, const struct value *v)
{
	return set_bool(ev, loc, v, &ev->world->auto_address);
}

static bool set_allow_duplicates(struct eval *ev, struct loc loc, const struct value *v)
{
	return set_bool(ev, loc, v, &ev->world->allow_duplicates);
}

static bool set_packages(struct eval *ev, struct loc loc, const struct value *v)
{
	struct arg a = {.v = *v, .loc = loc, .name = "packages", .name_loc = loc};

	return packages_take(ev, &a, &ev->world->packages);
}

static const char *clock_word(size_t i)
{
	static const char *const words[] = {"real", "virtual"};

	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

static const char *switch_word(size_t i)
{
	static const char *const words[] = {"on", "off"};

	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

static const char *no_word(size_t i)
{
	return NULL;
}

static const struct {
	const char *name;
	bool (*set)(struct eval *ev, struct loc loc, const struct value *v);
	eval_words *words;
} settings[] = {
	{"lab", set_lab, no_word},
	{"clock", set_clock, clock_word},
	{"seed", set_seed, no_word},
	{"spin", set_spin, spin_word},
	{"auto_address", set_auto_address, switch_word},
	{"allow_duplicates", set_allow_duplicates, switch_word},
	{"packages", set_packages, no_word},
};

bool setting_assign(struct eval *ev, const char *name, struct loc loc, const struct value *v)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!strcmp(settings[i].name, name))
			return settings[i].set(ev, loc, v);
	return false;
}

/*
 * Never NULL for a setting, also if it has no words: that is how the evaluator knows that it is
 * one.
 */
eval_words *setting_words(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!strcmp(settings[i].name, name))
			return settings[i].words;
	return NULL;
}
