/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the control protocol says about the clock. */
#include "lib/units.h"
#include "substrate/clock/vclock_priv.h"
#include "substrate/core/end.h"
#include "substrate/virtio/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUESTS_AT_ONCE = 8 };
static const int64_t default_tod_s = 1767225600; /* 2026-01-01 00:00 UTC */

static int need_virtual(struct substrate *s, struct err *e)
{
	return s->vclock ? 0 : err_set(e, ERR_USAGE, "only with the virtual clock");
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

	c->sub = s;
	c->tod_ns = (tod ? strtoll(tod, NULL, 10) : default_tod_s) * 1000000000;
	c->until_ns = c->due_wall_ns = INT64_MAX;
	c->core = -1;
	c->charges_spin = spin && !strcmp(spin, "charge");
	c->at_once = (unsigned)most;
	event_source_init(&c->source, s);
	s->vclock = c;
	s->epoch_ns = c->tod_ns;
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

	*g = NULL;
	if (!s->vclock)
		return 0;
	if (!name)
		return err_set(e, ERR_USAGE, "with the virtual clock this needs guest=");
	*g = find_guest(s->vclock, name);
	return *g ? 0 : err_set(e, ERR_USAGE, "there is no guest '%s'", name);
}

struct vclock_guest *vclock_guest_of(struct object *o)
{
	struct end *n = end_of_object(o);

	return n ? n->guest : channel_guest(o);
}

int vclock_cmd_guest(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const char *path = words_get(w, "time");

	if (need_virtual(s, e) < 0)
		return -1;
	if (!path)
		return err_set(e, ERR_USAGE, "a guest needs time=");
	return vclock_guest_create(s->vclock, w->at[1], path, e) ? 0 : -1;
}

int vclock_cmd_start(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	if (s->vclock)
		s->vclock->started = true;
	return 0;
}

int vclock_cmd_now(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	fprintf(answer, " %lld %s", (long long)substrate_now_ns(s),
		s->vclock && s->vclock->stopped ? "stopped" : "running");
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
	vclock_set_pace(s->vclock, pace);
	return 0;
}

int vclock_cmd_pause(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	if (need_virtual(s, e) < 0)
		return -1;
	struct vclock *c = s->vclock;
	int64_t now = vclock_now_ns(c);

	if (!c->stopped)
		c->until_ns = now < c->until_ns ? now : c->until_ns;
	fprintf(answer, " %lld", (long long)now);
	return 0;
}

int vclock_cmd_run(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	if (need_virtual(s, e) < 0)
		return -1;
	vclock_go(s->vclock, INT64_MAX);
	return 0;
}

static int go_until(struct substrate *s, const char *text, bool relative, struct err *e)
{
	int64_t t;

	if (need_virtual(s, e) < 0 || unit_parse(UNIT_TIME, text, &t, e) < 0)
		return -1;
	int64_t now = vclock_now_ns(s->vclock);

	if (relative)
		t = time_plus(now, t);
	if (t < now)
		return err_set(e, ERR_USAGE, "it is later already: %lld ns", (long long)now);
	vclock_go(s->vclock, t);
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

void vclock_status(struct substrate *s, struct json *j)
{
	struct vclock *c = s->vclock;

	json_string(j, "clock", c ? "virtual" : "real");
	if (!c)
		return;
	json_bool(j, "begun", c->begun);
	json_bool(j, "stopped", c->stopped);
	json_uint(j, "running", c->running);
	json_uint(j, "most_at_once", c->most_at_once);
	json_uint(j, "events", c->fired);
}
