/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a lab has of the host: vbet-outside, the process that works on the host's interfaces, and
 * the lines that tell it which interfaces to make or take.
 *
 * Lines for vbet-outside wait until the substrate has answered everything: it hands interfaces over
 * to NICs that must be there. The process is started with the first line, and never for a lab that
 * has nothing of the host.
 *
 * Its answers count as those of the substrate do (change_ask(), change_answered()): a change of the
 * lab is over when both have said yes. If it ends, the lab has failed.
 */
#include "vbet-server/lab/outside.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/thaw.h"
#include "vbet-server/store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void outside_tell(struct lab *lab, const char *line)
{
	vec_push(&lab->outside.waiting, xstrdup(line));
}

static void on_event(struct carrier *s, const char *line)
{
	fprintf(stderr, "%s: %s\n", s->name, line);
}

static void on_lost(struct carrier *s)
{
	struct err e;

	err_set(&e, ERR_ENV, "the process %s (%d) has ended; see outside.log", s->name,
		(int)s->child.pid);
	fprintf(stderr, "%s\n", e.text);
	progress_fail(s->ctx, &e);
}

static int start(struct lab *lab, struct err *e)
{
	struct outside *o = &lab->outside;
	char *program = paths_find_part("vbet-outside", e);
	int log = program ? lab_open_log(lab, "outside.log", e) : -1;
	int rc = -1;

	o->link = (struct carrier){
		.name = "outside", .on_event = on_event, .on_lost = on_lost, .ctx = lab};
	if (log >= 0) {
		rc = carrier_start(&o->link, lab->loop, program, log, e);
		close(log);
	}
	if (rc == 0) {
		o->started = true;
		lab_note_pid(lab, &o->link.child, "vbet-outside");
	}
	free(program);
	return rc;
}

static void on_answer(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	struct err e;

	if (!ok)
		err_set(&e, ERR_ENV, "%s", text);
	else if (*text)
		snprintf(lab->outside.place, sizeof(lab->outside.place), "%s", text);
	change_answered(lab, ok ? NULL : &e);
}

static void forget_waiting(struct outside *o)
{
	while (o->waiting.n)
		free(o->waiting.at[--o->waiting.n]);
}

/* Called whenever the last answer has come, so most of the time nothing waits. */
bool outside_pump(struct lab *lab)
{
	struct outside *o = &lab->outside;
	bool any = o->waiting.n > 0;
	struct err e;

	if (any && !o->started && start(lab, &e) < 0) {
		forget_waiting(o);
		change_refuse(lab, &e);
		return false;
	}
	/* A process that has ended answers while we send, and its last answer calls us again. */
	struct outside_lines lines = o->waiting;

	o->waiting = (struct outside_lines){0};
	for (size_t i = 0; i < lines.n; i++)
		change_ask(lab);
	for (size_t i = 0; i < lines.n; i++) {
		carrier_send(&o->link, lines.at[i], on_answer, lab);
		free(lines.at[i]);
	}
	vec_free(&lines);
	return any;
}

void outside_forget(struct lab *lab)
{
	struct outside *o = &lab->outside;

	if (!o->started)
		return;
	conn_forget(&o->link.conn);
	o->link.child = (struct child){.pidfd = -1};
	o->started = false;
	o->is_to_thaw = true;
}

static void on_thaw_answer(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	struct outside *o = &lab->outside;

	if (lab->progress.failed)
		return;
	if (!ok && !o->failed) {
		o->failed = true;
		thaw_failed(lab, text);
	}
	if (!--o->thawing)
		thaw_check(lab);
}

/* All that the plan has of the host is made anew. */
int outside_thaw(struct lab *lab, struct err *e)
{
	struct outside *o = &lab->outside;

	if (!o->is_to_thaw)
		return 0;
	o->is_to_thaw = false;
	if (start(lab, e) < 0)
		return -1;
	o->thawing = 1;
	for (size_t i = 0; i < lab->plan->n_steps; i++) {
		const struct plan_step *s = &lab->plan->steps[i];

		if (s->op != PLAN_OUTSIDE)
			continue;
		o->thawing++;
		carrier_send(&o->link, s->text, on_thaw_answer, lab);
	}
	on_thaw_answer(lab, true, "");
	return 0;
}

void outside_stop(struct lab *lab)
{
	struct outside *o = &lab->outside;

	if (o->started)
		carrier_stop(&o->link);
	o->started = false;
	forget_waiting(o);
	vec_free(&o->waiting);
}
