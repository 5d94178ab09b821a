/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. The giver must never count as free what the asker may still use. Its held_bps is an upper
 * bound of the asker's have_bps, and moves by two rules.
 *
 *   Up:   when the giver raises the limit, at once: the asker will use it as soon as it hears.
 *   Down: when the asker confirms it. Each decrease gets a new serial ("lowered"), and the asker
 *         says which serial it has put into effect ("seen"). Once that is as high, no more than
 *         the present limit can be in use.
 *
 * What could break that is an old message of the giver that arrives late and raises the limit. So
 * an asker takes a higher limit only from a message that knows its latest wish (give.seen equals
 * ask.serial), and never an older serial than it has known. In turn, when a new wish arrives, the
 * giver may lower its bound to what the asker says it has: all earlier answers are void by then.
 *
 * Both sides repeat their whole state until the other has confirmed it; the order of messages, and
 * how many are lost, changes how long it takes and nothing else.
 */
#include "substrate/rate/grant.h"

#include <inttypes.h>
#include <string.h>

void grant_asker_init(struct grant_asker *a, int64_t min_bps, int64_t now_ns)
{
	*a = (struct grant_asker){
		.ask = {.serial = (uint64_t)now_ns + 1,
			.min_bps = min_bps,
			.want_bps = min_bps,
			.have_bps = min_bps},
		.limit_bps = min_bps,
		.admitted_bps = min_bps,
	};
}

bool grant_asker_want(struct grant_asker *a, int64_t min_bps, int64_t want_bps)
{
	if (a->ask.min_bps == min_bps && a->ask.want_bps == want_bps)
		return false;
	a->ask.min_bps = min_bps;
	a->ask.want_bps = want_bps;
	if (a->ask.have_bps > want_bps)
		a->ask.have_bps = want_bps;
	if (a->limit_bps > want_bps)
		a->limit_bps = want_bps;
	a->ask.serial++;
	a->answered = false;
	return true;
}

/* A new serial with the same wish: the giver's answer then belongs to what now goes with it. */
void grant_asker_again(struct grant_asker *a)
{
	a->ask.serial++;
	a->answered = false;
}

bool grant_asker_hear(struct grant_asker *a, const struct grant_give *g)
{
	bool answers = g->seen == a->ask.serial;
	bool changed = answers && !a->answered;

	if (g->serial < a->known)
		return false;
	a->known = g->serial;
	a->answered |= answers;
	if (answers && a->admitted_bps != g->min_bps) {
		a->admitted_bps = g->min_bps;
		changed = true;
	}
	if (g->limit_bps < a->limit_bps) {
		a->limit_bps = g->limit_bps;
		a->owes = changed = true;
	} else if (g->limit_bps > a->limit_bps && answers) {
		/* If the giver does not know our last wish, it may count with a lower limit. */
		a->limit_bps = g->limit_bps;
		changed = true;
	}
	if (a->ask.have_bps < a->limit_bps)
		a->ask.have_bps = a->limit_bps;
	return changed;
}

bool grant_asker_confirm(struct grant_asker *a)
{
	bool owes = a->owes;

	a->ask.seen = a->known;
	a->ask.have_bps = a->limit_bps;
	a->owes = false;
	return owes;
}

bool grant_asker_fall(struct grant_asker *a, int64_t limit_bps)
{
	if (a->limit_bps <= limit_bps)
		return false;
	a->limit_bps = limit_bps;
	a->ask.serial++;
	a->answered = false;
	return true;
}

void grant_giver_init(struct grant_giver *g, int64_t min_bps, int64_t now_ns)
{
	*g = (struct grant_giver){
		.give = {.serial = (uint64_t)now_ns + 1, .min_bps = min_bps, .limit_bps = min_bps},
		.want_bps = min_bps,
		.asked_min_bps = min_bps,
		.held_bps = min_bps,
	};
}

static void set_limit(struct grant_giver *g, int64_t limit_bps)
{
	g->give.serial++;
	if (limit_bps < g->give.limit_bps)
		g->lowered = g->give.serial;
	g->give.limit_bps = limit_bps;
	if (g->held_bps < limit_bps)
		g->held_bps = limit_bps;
}

bool grant_giver_hear(struct grant_giver *g, const struct grant_ask *a)
{
	struct grant_giver before = *g;

	/* The wish of an older message is outdated, but what it confirms stays confirmed. */
	if (a->serial > g->give.seen) {
		/* No earlier answer can raise it: every later one carries this serial. */
		g->give.seen = a->serial;
		g->want_bps = a->want_bps > a->min_bps ? a->want_bps : a->min_bps;
		g->asked_min_bps = a->min_bps;
		g->held_bps = a->have_bps;
		if (g->give.limit_bps > g->want_bps)
			set_limit(g, g->want_bps);
		/* An earlier life of ours lent it more: it must hear the limit, and confirm it. */
		if (a->have_bps > g->give.limit_bps && g->confirmed >= g->lowered)
			g->lowered = ++g->give.serial;
		if (g->held_bps < g->give.limit_bps)
			g->held_bps = g->give.limit_bps;
	}
	if (a->seen > g->confirmed)
		g->confirmed = a->seen;
	if (g->confirmed >= g->lowered)
		g->held_bps = g->give.limit_bps;
	return g->give.seen != before.give.seen || g->held_bps != before.held_bps ||
	       g->confirmed != before.confirmed;
}

bool grant_giver_set(struct grant_giver *g, int64_t min_bps, int64_t limit_bps)
{
	if (min_bps == g->give.min_bps && limit_bps == g->give.limit_bps)
		return false;
	g->give.min_bps = min_bps;
	set_limit(g, limit_bps);
	return true;
}

void grant_ask_put(FILE *out, const struct grant_ask *a)
{
	fprintf(out,
		"serial=%" PRIu64 " seen=%" PRIu64 " min=%" PRId64 " want=%" PRId64
		" have=%" PRId64,
		a->serial, a->seen, a->min_bps, a->want_bps, a->have_bps);
}

void grant_give_put(FILE *out, const struct grant_give *g)
{
	fprintf(out, "serial=%" PRIu64 " seen=%" PRIu64 " min=%" PRId64 " limit=%" PRId64,
		g->serial, g->seen, g->min_bps, g->limit_bps);
}

static int get(const struct words *w, const char *key, uint64_t max, uint64_t *value, struct err *e)
{
	const char *text = words_get(w, key);
	uint64_t v = 0;

	if (!text || !*text || strlen(text) > 19)
		return err_set(e, ERR_USAGE, "%s=NUMBER is missing or no number", key);
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return err_set(e, ERR_USAGE, "%s= is no number", key);
		v = v * 10 + (uint64_t)(*text - '0');
	}
	if (v > max)
		return err_set(e, ERR_USAGE, "%s= is too large", key);
	*value = v;
	return 0;
}

static int get_rate(const struct words *w, const char *key, int64_t *bps, struct err *e)
{
	uint64_t v = 0;

	if (get(w, key, (uint64_t)GRANT_MAX_BPS, &v, e) < 0)
		return -1;
	*bps = (int64_t)v;
	return 0;
}

static int get_serials(const struct words *w, uint64_t *serial, uint64_t *seen, struct err *e)
{
	if (get(w, "serial", INT64_MAX, serial, e) < 0)
		return -1;
	return get(w, "seen", INT64_MAX, seen, e);
}

int grant_ask_get(const struct words *w, struct grant_ask *a, struct err *e)
{
	if (get_serials(w, &a->serial, &a->seen, e) < 0 || get_rate(w, "min", &a->min_bps, e) < 0 ||
	    get_rate(w, "want", &a->want_bps, e) < 0)
		return -1;
	return get_rate(w, "have", &a->have_bps, e);
}

int grant_give_get(const struct words *w, struct grant_give *g, struct err *e)
{
	if (get_serials(w, &g->serial, &g->seen, e) < 0 || get_rate(w, "min", &g->min_bps, e) < 0)
		return -1;
	return get_rate(w, "limit", &g->limit_bps, e);
}
