/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a change to a running lab. It comes as words from a client, from the script ("at 60s
 * ...") or from a record, and one comes after the other: the gate (input.c) lets the next one in
 * when the last one is over.
 *
 * NONE -> BEGINS: change_do() calls the function of its verb. That changes the graph, makes the
 *     plan of it, and sends the difference to the processes that carry the lab. Guests that are to
 *     boot wait: the record is to have the change first, and then what came of it.
 * BEGINS -> DOING: all is said. Each line that was sent owes an answer (change_ask()).
 * DOING -> REFUSED: one of the answers is no. Others may still come, and are waited for.
 * DOING -> NONE: all have come. Guests hear of new NICs and names, and boot.
 * REFUSED -> ROLLING_BACK -> NONE: a statement that could not be carried out was never said: it is
 *     taken out of the script, and the lab is changed back. What was not done cannot be undone, so
 *     refusals mean nothing here. A refused link goes back by itself (link.c); for all else there
 * is nothing to take back, and it is NONE at once.
 *
 * The answers of the set-up are counted here, too, in NONE; a refusal ends the lab then.
 */
#include "vbet-server/lab/change.h"

#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/statement.h"
#include "vbet-server/lab/verb.h"

#include <assert.h>
#include <string.h>

bool change_is_over(const struct lab *lab)
{
	return lab->change.state == CHANGE_NONE && !lab->change.outstanding;
}

void change_take_refusal(struct lab *lab, struct err *e)
{
	if (lab->change.refused.kind)
		*e = lab->change.refused;
	lab->change.refused.kind = ERR_NONE;
}

void change_refuse(struct lab *lab, const struct err *e)
{
	struct change_run *c = &lab->change;

	/* Only the first no is the reason; and when the lab ends, everything is refused. */
	if (c->state == CHANGE_REFUSED || c->state == CHANGE_ROLLING_BACK || lab->progress.failed)
		return;
	if (c->state == CHANGE_DOING)
		c->state = CHANGE_REFUSED;
	if (!lab->progress.setting_up && !c->refused.kind) {
		c->refused = *e;
		if (c->state !=
		    CHANGE_BEGINS) /* else it would stand in the record before the change */
			input_note_refused(lab);
	}
	progress_fail(lab, e);
}

/* Takes a refused statement back out of the script. */
static void roll_back(struct lab *lab)
{
	struct err e;

	lab->change.state = CHANGE_ROLLING_BACK;
	if (statement_take_back(lab, &e) < 0)
		fprintf(stderr, "a refused statement stays: %s\n", e.text);
}

/* Leaves the states in which something was waited for, if nothing is any more. */
static void settle(struct lab *lab)
{
	struct change_run *c = &lab->change;

	if (lab->progress.failed || c->state == CHANGE_BEGINS || c->outstanding)
		return;
	/* By now the substrate has the NICs to which the host's interfaces are handed. */
	if (outside_pump(lab))
		return;
	if (c->state == CHANGE_REFUSED && c->is_statement) {
		roll_back(lab);
		if (c->outstanding || outside_pump(lab))
			return;
	}
	c->state = CHANGE_NONE;
	hotplug_tell(lab, false);
	mtu_update(lab);
	progress_check(lab);
}

void change_ask(struct lab *lab)
{
	lab->change.outstanding++;
}

void change_answered(struct lab *lab, const struct err *refused)
{
	assert(lab->change.outstanding);
	if (refused)
		change_refuse(lab, refused);
	lab->change.outstanding--;
	settle(lab);
}

/* From here on only answers move it. */
static void end_saying(struct lab *lab, bool is_done)
{
	struct change_run *c = &lab->change;

	if (is_done && c->refused.kind)
		input_note_refused(lab);
	/*
	 * A statement that failed half way is taken back like a refused one; its reason is not
	 * kept, for whoever said it is told now.
	 */
	c->state = c->refused.kind || (!is_done && c->is_statement) ? CHANGE_REFUSED : CHANGE_DOING;
	if (!is_done)
		c->refused.kind = ERR_NONE;
	settle(lab);
}

int change_do(struct lab *lab, enum change_origin origin, const struct words *w, FILE *out,
	      struct err *e)
{
	const struct verb *v = verb_find(w, e);
	bool only_shows = w->n > 1 && !strcmp(w->at[w->n - 1], "show");

	if (!v)
		return -1;
	assert(change_is_over(lab));
	lab->change = (struct change_run){.state = CHANGE_BEGINS, .origin = origin};
	int rc = v->run(lab, w, out, e);

	if (rc == 0 && !v->is_silent && !only_shows)
		input_record(lab, w->at, w->n);
	end_saying(lab, rc == 0);
	return rc;
}
