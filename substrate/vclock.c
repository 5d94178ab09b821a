/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/vclock.h"

struct calendar *vclock_calendar(struct substrate *s, struct guest *g)
{
	return &s->calendar;
}

void vclock_add(struct substrate *s, struct guest *g, struct event *ev, int64_t at_ns,
		struct event_source *from)
{
	calendar_add(vclock_calendar(s, g), ev, at_ns, from);
}

void vclock_cables_changed(struct substrate *s)
{
}

int64_t vclock_now_ns(const struct vclock *c)
{
	return 0;
}

int64_t vclock_due_ns(const struct vclock *c)
{
	return INT64_MAX;
}

void vclock_run(struct vclock *c)
{
}

void vclock_destroy(struct vclock *c)
{
}

int64_t guest_now_ns(const struct guest *g)
{
	return 0;
}

bool guest_is_running(const struct guest *g)
{
	return false;
}

bool guest_hear(struct guest *g, enum guest_hears what, int64_t now_ns)
{
	return true;
}

int vclock_find_guest(struct substrate *s, const struct words *w, struct guest **g, struct err *e)
{
	*g = NULL;
	return 0;
}

int vclock_create(struct substrate *s, const struct words *w, struct err *e)
{
	return err_set(e, ERR_USAGE, "there is no virtual clock yet");
}

void vclock_status(struct substrate *s, struct json *j)
{
}

int vclock_cmd_start(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return 0;
}

int vclock_cmd_guest(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_cmd_now(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_cmd_pace(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_cmd_pause(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_cmd_run(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_cmd_step(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}

int vclock_cmd_until(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return err_set(e, ERR_USAGE, "only with the virtual clock");
}
