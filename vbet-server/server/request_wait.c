/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting until a node, or the lab, is ready. */
#include "lib/container_of.h"
#include "lib/units.h"
#include "vbet-server/server/request.h"

#include <stddef.h>
#include <string.h>

static bool is_option(const char *word)
{
	return strchr(word, '=') != NULL;
}

static bool wait_is_over(const struct client *c, struct err *e)
{
	const struct lab *lab = c->server->lab;

	if (!c->guest)
		return progress_is_ready(lab);
	if (c->guest->state == GUEST_DOWN && !c->guest->queued && c->guest->wanted == false) {
		err_set(e, ERR_ENV, "%s is down", c->guest->name);
		return true;
	}
	return c->guest->state == GUEST_READY;
}

static void on_wait_timeout(struct loop_timer *t, int64_t now_ns)
{
	struct client *c = container_of(t, struct client, timeout);
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
	request_tell_clock(c);
	c->state = CLIENT_WAIT;
	c->is_over = wait_is_over;
	c->timeout.fire = on_wait_timeout;
	loop_set_timer(c->server->loop, &c->timeout, loop_now_ns(c->server->loop) + ns);
	return REQUEST_ANSWERED;
}
