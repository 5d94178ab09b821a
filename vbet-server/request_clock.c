/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/clock.h"
#include "vbet-server/request.h"

#include <stdlib.h>

static void on_now(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct lab *lab = q->server->lab;
	long long now_ns;

	if (query_client(q)) {
		if (ok && sscanf(text, "%lld", &now_ns) == 1)
			lab->clock.now_ns = now_ns;
		struct reply r;

		fprintf(reply_open(&r), "%.9f s, pace %s%s\n", (double)lab->clock.now_ns / 1e9,
			lab->clock.pace, lab->clock.stopped ? ", paused" : "");
		reply_send(&r, q->client);
		client_ok(q->client);
	}
	free(q);
}

static bool clock_is_stopped(const struct client *c, struct err *e)
{
	struct lab_clock *clock = &c->server->lab->clock;

	if (clock->refused.kind) {
		*e = clock->refused;
		clock->refused.kind = ERR_NONE;
		return true;
	}
	return clock->stopped;
}

int request_clock(struct client *c, const struct words *w, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (w->n == 1 && lab->clock.is_virtual) {
		struct query *q = query_create(c);

		substrate_send(&lab->substrate, "now", on_now, q);
		return REQUEST_ANSWERED;
	}
	int rc = clock_command(lab, w, NULL, e);

	if (rc == 1) {
		c->state = CLIENT_WAIT;
		c->is_over = clock_is_stopped;
	}
	return rc;
}
