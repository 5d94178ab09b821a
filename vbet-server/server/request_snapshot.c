/* SPDX-License-Identifier: GPL-3.0-or-later */
/* save DIR [share], move NODE PROCESS: answered when the lab is in the directory. And who restores
 * one, when all is back. */
#include "vbet-server/server/request.h"

#include <string.h>

static bool is_saved(const struct client *c, struct err *e)
{
	const struct lab *lab = c->server->lab;

	if (snapshot_is_over(lab) && lab->snapshot.failed.kind)
		*e = lab->snapshot.failed;
	return snapshot_is_over(lab) || lab_is_stuck(lab, e);
}

int request_save(struct client *c, const struct words *w, struct err *e)
{
	if (w->at[1][0] != '/')
		return err_set(e, ERR_USAGE, "save needs an absolute path");
	bool shares = w->n > 2 && !strcmp(w->at[2], "share");

	if (snapshot_ask(c->server->lab, w->at[1], shares, e) < 0)
		return -1;
	request_wait_until(c, is_saved);
	request_check_waiting(c->server);
	return REQUEST_ANSWERED;
}

/* kept: whether the lab is, as it was at a moment of the run that it repeats (lab/moment.h). */
int request_kept(struct client *c, const struct words *w, struct err *e)
{
	return moment_is_kept(c->server->lab, e);
}

int request_move(struct client *c, const struct words *w, struct err *e)
{
	if (move_ask(c->server->lab, w->at[1], w->n > 2 ? w->at[2] : NULL, e) < 0)
		return -1;
	request_wait_until(c, is_saved);
	request_check_waiting(c->server);
	return REQUEST_ANSWERED;
}

int request_moved(struct client *c, const struct words *w, struct err *e)
{
	const char *told = c->server->lab->snapshot.move.told;
	struct reply r;

	fprintf(reply_open(&r), "%s\n", told ? told : "no node was moved");
	reply_send(&r, c);
	return 0;
}

/* By the real clock, too, a lab that loses a part of the substrate before it is back never will be.
 */
static bool is_back(const struct client *c, struct err *e)
{
	const struct lab *lab = c->server->lab;

	if (lab_is_lost(lab, -1, e))
		return true;
	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		/* One that was down when the lab was saved is none of those that are awaited. */
		if (gu && gu->resumes && gu->state == GUEST_DOWN) {
			*e = gu->failed;
			return true;
		}
	}
	return lab->snapshot.step == SNAPSHOT_NONE;
}

void request_await_thaw(struct client *c)
{
	request_wait_until(c, is_back);
}
