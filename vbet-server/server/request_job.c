/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/job.h"
#include "vbet-server/server/request.h"

/* job NODE [timeout_ms=N] [text_max=N] -- ARGV...; look [timeout_ms=N] ...; result NUMBER */
int request_job(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;
	FILE *f = reply_open(&r);
	int rc = job_command(c->server->lab, w, f, e);

	reply_send(&r, c);
	return rc;
}
