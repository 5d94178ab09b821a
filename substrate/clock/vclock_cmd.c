/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the control protocol says about the clock (docs/protocols.md). Commands take effect at the
 * time at which they are read; whoever wants runs that repeat stops the clock first, says what is
 * to happen, and goes on.
 */
#include "lib/units.h"
#include "substrate/clock/vclock_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * So many guests may run side by side if the lab does not say otherwise (at_once=). What happens,
 * and when, does not depend on it (vclock_turn.c). Nor does the time of day at which a lab begins
 * depend on today's: the guests' programs see it.
 */
enum { GUESTS_AT_ONCE = 8 };
static const int64_t default_tod_s = 1767225600; /* 2026-01-01 00:00 UTC */

static int need_virtual(struct substrate *s, struct err *e)
{
	return vclock_of(s) ? 0 : err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_create(struct substrate *s, const struct words *w, struct err *e)
{
	const char *tod = words_get(w, "tod");
	const char *spin = words_get(w, "spin");
	const char *at_once = words_get(w, "at_once");
	int64_t most = GUESTS_AT_ONCE;

	if (at_once && unit_parse(UNIT_COUNT, at_once, &most, e) < 0)
		return err_wrap(e, "at_once");
	if (most < 1 || most > UINT32_MAX)
		return err_set(e, ERR_USAGE, "at_once is at least 1");
	struct vclock *c = xcalloc(1, sizeof(*c));

	c->tod_ns = (tod ? strtoll(tod, NULL, 10) : default_tod_s) * 1000000000;
	c->charges_spin = spin && !strcmp(spin, "charge");
	c->at_once = (unsigned)most;
	vclock_take_over(c, s);
	return 0;
}

static struct vclock_guest *find_guest(struct vclock *c, const char *name)
{
	for (size_t i = 0; i < c->guests.n; i++)
		if (!strcmp(c->guests.at[i]->object.name, name))
			return c->guests.at[i];
	return NULL;
}

int vclock_find_guest(struct substrate *s, const struct words *w, struct vclock_guest **g,
		      struct err *e)
{
	const char *name = words_get(w, "guest");
	struct vclock *c = vclock_of(s);

	*g = NULL;
	if (!c)
		return 0;
	if (!name)
		return err_set(e, ERR_USAGE, "with the virtual clock this needs guest=");
	*g = find_guest(c, name);
	return *g ? 0 : err_set(e, ERR_USAGE, "there is no guest '%s'", name);
}

int vclock_cmd_guest(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const char *path = words_get(w, "time");

	if (need_virtual(s, e) < 0)
		return -1;
	if (!path)
		return err_set(e, ERR_USAGE, "a guest needs time=");
	return vclock_guest_create(vclock_of(s), w->at[1], path, e) ? 0 : -1;
}

/* The guest that a line names, in virtual time. NULL with the error set. */
static struct vclock_guest *find_named(struct substrate *s, const struct words *w, struct err *e)
{
	if (need_virtual(s, e) < 0)
		return NULL;
	struct vclock_guest *g = find_guest(vclock_of(s), w->at[1]);

	if (!g)
		err_set(e, ERR_USAGE, "there is no guest '%s'", w->at[1]);
	return g;
}

/* The same, while the time stands. */
static struct vclock_guest *find_standing(struct substrate *s, const struct words *w, struct err *e)
{
	struct vclock_guest *g = find_named(s, w, e);

	return g && s->time->freeze(s, e) == 0 ? g : NULL;
}

int vclock_cmd_freeze(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const char *path = words_get(w, "file");
	const char *moves = words_get(w, "unless_moves");
	const char *share = words_get(w, "share");
	struct vclock_guest *g = find_standing(s, w, e);

	if (!g)
		return -1;
	if (!path)
		return err_set(e, ERR_USAGE, "a guest is frozen into a file: file=");
	if (!moves || strtoull(moves, NULL, 10) != g->moves)
		return vclock_guest_write_out(g, path, share && !strcmp(share, "on"), e);
	substrate_event(s, "event same %s", g->object.name);
	return 0;
}

int vclock_cmd_moved(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const struct vclock *c = vclock_of(s);
	unsigned n = 0;

	if (need_virtual(s, e) < 0)
		return -1;
	for (size_t i = 0; i < c->guests.n; i++)
		n += c->guests.at[i]->moves != c->guests.at[i]->written_moves;
	fprintf(answer, " %u", n);
	return 0;
}

int vclock_cmd_await(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct vclock_guest *g = find_standing(s, w, e);

	return g ? vclock_guest_await(g, e) : -1;
}

int vclock_cmd_sleep(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct vclock_guest *g = find_standing(s, w, e);

	return g ? vclock_guest_sleep(g, e) : -1;
}

int vclock_cmd_wake(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct vclock_guest *g = find_named(s, w, e);

	if (g)
		vclock_guest_wake(g);
	return g ? 0 : -1;
}

int vclock_cmd_start(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct vclock *c = vclock_of(s);

	if (c)
		c->started = true;
	return 0;
}

int vclock_cmd_now(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const struct vclock *c = vclock_of(s);

	fprintf(answer, " %lld %s", (long long)substrate_now_ns(s),
		c && c->stopped ? "stopped" : "running");
	return 0;
}

int vclock_cmd_pace(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	double pace = 0;
	char *end;

	if (need_virtual(s, e) < 0)
		return -1;
	if (strcmp(w->at[1], "max") != 0) {
		pace = strtod(w->at[1], &end);
		if (*end || !(pace > 0) || pace > 1e6)
			return err_set(e, ERR_USAGE, "a pace is a number above 0, or max");
	}
	vclock_set_pace(vclock_of(s), pace);
	return 0;
}

int vclock_cmd_pause(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	if (need_virtual(s, e) < 0)
		return -1;
	struct vclock *c = vclock_of(s);
	int64_t now = vclock_now_ns(c);

	/* It stands when the guests that run have come to where they are allowed to go already. */
	if (!c->stopped)
		c->until_ns = now < c->until_ns ? now : c->until_ns;
	fprintf(answer, " %lld", (long long)now);
	return 0;
}

int vclock_cmd_run(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	if (need_virtual(s, e) < 0)
		return -1;
	vclock_go(vclock_of(s), INT64_MAX);
	return 0;
}

/*
 * Going to a time that is over is refused and not taken as "now": who says so believes the lab to
 * be elsewhere.
 */
static int go_until(struct substrate *s, const char *text, bool relative, struct err *e)
{
	int64_t t;

	if (need_virtual(s, e) < 0 || unit_parse(UNIT_TIME, text, &t, e) < 0)
		return -1;
	int64_t now = vclock_now_ns(vclock_of(s));

	if (relative)
		t = time_plus(now, t);
	if (t < now)
		return err_set(e, ERR_USAGE, "it is later already: %lld ns", (long long)now);
	vclock_go(vclock_of(s), t);
	return 0;
}

int vclock_cmd_step(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return go_until(s, w->at[1], true, e);
}

int vclock_cmd_until(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return go_until(s, w->at[1], false, e);
}
