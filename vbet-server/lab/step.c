/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps of a plan are not waited for: what is done here at once (files, processes) is done,
 * what others do is asked for, and the answers are counted by change.c. What may be undone, and
 * what a changed step becomes, is the plan's to say (plan_op.c); here are the functions.
 */
#include "vbet-server/lab/step.h"

#include "lib/vec.h"
#include "vbet-server/lab/bounds.h"
#include "vbet-server/lab/hear.h"
#include "vbet-server/lab/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- processes ---- */

static int start_process(struct lab *lab, const struct plan_step *s, struct err *e)
{
	struct carrier *c = carriers_add(&lab->carriers, s->process, s->name);
	char *name = xasprintf("%s.log", s->name);
	int log = lab_open_log(lab, name, e);
	int rc = -1;

	free(name);
	c->on_event = hear_event;
	c->on_lost = hear_lost;
	c->ctx = lab;
	if (log >= 0) {
		rc = carrier_start(c, lab->loop, lab->env.substrate, log, e);
		close(log);
	}
	if (rc == 0) {
		bounds_hold_carrier(&c->child, s->text);
		lab_note_pid(lab, &c->child, s->name);
	}
	return rc;
}

static void bound_process(struct lab *lab, const struct plan_step *s)
{
	const struct carrier *c = carriers_at(&lab->carriers, s->process);

	if (c && !c->lost)
		bounds_hold_carrier(&c->child, s->text);
}

static void stop_process(struct lab *lab, const struct plan_step *s)
{
	carriers_stop(&lab->carriers, s->process);
}

/* ---- the run directory ---- */

static int make_dir(struct lab *lab, const struct plan_step *s, struct err *e)
{
	char *path = xasprintf("%s/%s", lab->dir, s->name);
	int rc = mkdir(path, 0700) < 0 && errno != EEXIST ? err_sys(e, "make %s", path) : 0;

	free(path);
	return rc;
}

static int write_file(struct lab *lab, const struct plan_step *s, struct err *e)
{
	return lab_write_file(lab, s->name, s->text, e);
}

/* ---- lines ---- */

struct step_answer {
	struct lab *lab;
	char *line, *name; /* owned */
};

static void on_answer(void *ctx, bool ok, const char *text)
{
	struct step_answer *a = ctx;
	struct err e;

	if (!ok)
		err_set(&e, ERR_ENV, "substrate: %s (for '%s')", text, a->line);
	link_answered(a->lab, a->name, ok);
	change_answered(a->lab, ok ? NULL : &e);
	free(a->name);
	free(a->line);
	free(a);
}

static void send_line(struct lab *lab, const struct plan_step *s, const char *line)
{
	struct step_answer *a = xcalloc(1, sizeof(*a));

	a->lab = lab;
	a->line = xstrdup(line);
	a->name = xstrdup(s->name);
	change_ask(lab);
	carriers_send(&lab->carriers, s->process, line, on_answer, a);
}

static int tell(struct lab *lab, const struct plan_step *s, struct err *e)
{
	vlinks_begin(&lab->vlinks, s->text);
	send_line(lab, s, s->text);
	return 0;
}

static void tell_change(struct lab *lab, const struct plan_step *s)
{
	link_asked(lab, s->name);
	send_line(lab, s, s->set);
}

/* What a process had went with it. */
static bool is_lost(const struct lab *lab, unsigned process)
{
	const struct carrier *c = carriers_at(&lab->carriers, process);

	return !c || c->lost;
}

static void untell(struct lab *lab, const struct plan_step *s)
{
	if (!s->undo)
		return;
	vlinks_end(&lab->vlinks, s->name);
	captures_forget(lab, s->name);
	if (is_lost(lab, s->process))
		return;
	send_line(lab, s, s->undo);
}

static int tell_outside(struct lab *lab, const struct plan_step *s, struct err *e)
{
	outside_tell(lab, s->text);
	return 0;
}

static void untell_outside(struct lab *lab, const struct plan_step *s)
{
	outside_tell(lab, s->undo);
}

/* ---- what runs ---- */

static int queue_guest(struct lab *lab, const struct plan_step *s, struct err *e)
{
	lab->guests[s->node]->wanted = true;
	lab->guests[s->node]->queued = true;
	return 0;
}

static void stop_guest(struct lab *lab, const struct plan_step *s)
{
	struct guest *gu = lab_find_guest(lab, s->name, NULL);

	if (gu) /* else it went with its node */
		guest_stop(gu, true);
}

static void stop_program(struct lab *lab, const struct plan_step *s)
{
	programs_stop(&lab->programs, s->name);
}

static int add_program(struct lab *lab, const struct plan_step *s, struct err *e)
{
	stop_program(lab, s);
	programs_add(&lab->programs, s->name, lab->graph->nodes[s->node].name, s->text);
	return 0;
}

/* ---- all of them ---- */

struct doer {
	int (*act)(struct lab *lab, const struct plan_step *s, struct err *e);
	void (*undo)(struct lab *lab, const struct plan_step *s);   /* NULL: it stays */
	void (*change)(struct lab *lab, const struct plan_step *s); /* NULL: it is done again */
};

static const struct doer doers[] = {
	[PLAN_PROCESS] = {start_process, stop_process, bound_process},
	[PLAN_DIR] = {make_dir, NULL, NULL},
	[PLAN_FILE] = {write_file, NULL, NULL},
	[PLAN_SUBSTRATE] = {tell, untell, tell_change},
	[PLAN_OUTSIDE] = {tell_outside, untell_outside, NULL},
	[PLAN_GUEST] = {queue_guest, stop_guest, NULL},
	[PLAN_PROGRAM] = {add_program, stop_program, NULL},
	[PLAN_BOUND] = {bounds_make, NULL, NULL},
};
_Static_assert(ARRAY_LEN(doers) == PLAN_OPS, "doers out of step with enum plan_op");

static int take_step(struct lab *lab, const struct plan_diff_item *item, struct err *e)
{
	const struct doer *d = &doers[item->step->op];

	if (item->change == PLAN_REMOVE) {
		if (d->undo)
			d->undo(lab, item->step);
		return 0;
	}
	if (item->change == PLAN_SET && d->change && item->step->set) {
		d->change(lab, item->step);
		return 0;
	}
	return d->act(lab, item->step, e);
}

int step_apply(struct lab *lab, const struct plan *from, const struct plan *to, struct err *e)
{
	struct plan_diff_item *items;
	size_t n = plan_diff(from, to, &items);
	int rc = 0;

	/*
	 * A process that has ended answers at once: this keeps the last answer from being the
	 * last before all steps are taken.
	 */
	change_ask(lab);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = take_step(lab, &items[i], e);
	lab->change.outstanding--;
	free(items);
	return rc;
}
