/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes go down and come up; who waits for that. */
#include "lib/units.h"
#include "vbet-server/request.h"

#include <stddef.h>
#include <string.h>

static bool is_option(const char *word)
{
	return strchr(word, '=') != NULL;
}

/* In virtual time a start is done when the calendar has the kernel: from there on it is exact. */
static bool start_is_over(const struct client *c, struct err *e)
{
	return c->guest->joined || (c->guest->state == GUEST_DOWN && !c->guest->queued);
}

int request_start(struct client *c, const struct words *w, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu || lab_start_guest(c->server->lab, gu, e) < 0)
		return -1;
	if (!c->server->lab->clock.is_virtual || gu->joined)
		return 0;
	c->guest = gu;
	c->state = CLIENT_WAIT;
	c->is_over = start_is_over;
	return REQUEST_ANSWERED;
}

int request_stop(struct client *c, const struct words *w, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu)
		return -1;
	if (gu->state == GUEST_DOWN && !gu->queued)
		return err_set(e, ERR_USAGE, "%s is down", gu->name);
	lab_stop_guest(c->server->lab, gu, !strcmp(w->at[0], "kill"));
	return 0;
}

int request_restart(struct client *c, const struct words *w, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu)
		return -1;
	gu->restart = true;
	lab_stop_guest(c->server->lab, gu, false);
	return 0;
}

static bool wait_is_over(const struct client *c, struct err *e)
{
	const struct lab *lab = c->server->lab;

	if (!c->guest)
		return lab_is_ready(lab);
	if (c->guest->state == GUEST_DOWN && !c->guest->queued && c->guest->wanted == false) {
		err_set(e, ERR_ENV, "%s is down", c->guest->name);
		return true;
	}
	return c->guest->state == GUEST_READY;
}

static void on_wait_timeout(struct loop_timer *t, int64_t now_ns)
{
	struct client *c = (struct client *)((char *)t - offsetof(struct client, timeout));
	struct err e;

	err_set(&e, ERR_TIMEOUT, "not ready in time");
	if (c->guest)
		err_set(&e, ERR_TIMEOUT, "%s is %s, not ready in time", c->guest->name,
			guest_state_name(c->guest->state));
	c->state = CLIENT_LINE;
	client_error(c, &e);
}

/* wait [NODE] [timeout=60s] */
int request_wait(struct client *c, const struct words *w, struct err *e)
{
	const char *timeout = words_get(w, "timeout");
	int64_t ns = INT64_C(60000000000);
	struct err why = {0};

	if (timeout && unit_parse(UNIT_TIME, timeout, &ns, e) < 0)
		return -1;
	c->guest = NULL;
	if (w->n > 1 && !is_option(w->at[1])) {
		c->guest = lab_find_guest(c->server->lab, w->at[1], e);
		if (!c->guest)
			return -1;
	}
	if (wait_is_over(c, &why)) {
		*e = why;
		return why.kind ? -1 : 0;
	}
	c->state = CLIENT_WAIT;
	c->is_over = wait_is_over;
	c->timeout.fire = on_wait_timeout;
	loop_set_timer(c->server->loop, &c->timeout, loop_now_ns(c->server->loop) + ns);
	return REQUEST_ANSWERED;
}
