/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One after the other, while the clock stands for it: the guests write themselves into files that
 * the substrate opens for them, or by the real clock the server (still.c); the substrate process
 * writes itself; what the run directory has is copied; the server writes itself, last, for it knows
 * by then that all others have. The directory gets its name when all of it is there, in one step.
 *
 * Back: the server is first (imprint/). It starts the substrate process; when that listens, the
 * guests; when all have come, the lab is what it was.
 */
#include "vbet-server/lab/snapshot.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *snapshot_guest_file(const char *dir, const struct guest *gu)
{
	return xasprintf("%s/%s.guest", dir, gu->name);
}

bool snapshot_is_under_way(const struct lab *lab)
{
	return lab->snapshot.step > SNAPSHOT_ASKED;
}

bool snapshot_is_over(const struct lab *lab)
{
	return lab->snapshot.step == SNAPSHOT_NONE && !lab->snapshot.asked;
}

void snapshot_end(struct lab *lab, const struct err *failed)
{
	struct snapshot *s = &lab->snapshot;

	if (failed)
		s->failed = *failed;
	/* The old one, if there is one, goes when the new one has its place. */
	else if (s->made)
		snapshot_dir_swap(s->made, s->dir, &s->failed);
	if (s->made)
		snapshot_dir_remove(s->made);
	free(s->made);
	free(s->dir);
	s->made = s->dir = NULL;
	s->step = SNAPSHOT_NONE;
	if (!lab->clock.is_virtual)
		still_end(lab);
	move_end(lab);
	back_ended(lab);
	/* Who waits for it looks again, and the clock may go on. */
	if (lab->listener.changed)
		lab->listener.changed(lab->listener.ctx);
	input_pump(lab);
	progress_check(lab);
}

/* The first reason is the one that is told. */
static void note_failure(struct lab *lab, const char *why)
{
	if (!lab->snapshot.failed.kind)
		err_set(&lab->snapshot.failed, ERR_ENV, "%s", why);
}

static void end_failed(struct lab *lab)
{
	struct err e = lab->snapshot.failed;

	snapshot_end(lab, &e);
}

void snapshot_spoil(struct lab *lab, const char *name, bool none_answers)
{
	enum snapshot_step step = lab->snapshot.step;

	if (step <= SNAPSHOT_ASKED || step == SNAPSHOT_THAWING)
		return;
	char *why = xasprintf("%s has ended while the snapshot was being taken", name);

	note_failure(lab, why);
	free(why);
	/* By the real clock nobody else tells of it, and later answers of others have a number. */
	if (none_answers || step == SNAPSHOT_SERVER ||
	    (step == SNAPSHOT_GUESTS && lab->snapshot.still.held))
		end_failed(lab);
}

static void freeze_real(struct lab *lab);
static void copy_files(struct lab *lab);

/*
 * A substrate process has done its part, or cannot. All answer, also if one has failed: else its
 * answer would count for the next.
 */
static void carrier_answered(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	if (--s->carriers)
		return;
	if (s->failed.kind)
		end_failed(lab);
	else if (s->step == SNAPSHOT_GUESTS && s->move.guest)
		move_freeze(lab);
	else if (s->step == SNAPSHOT_GUESTS)
		freeze_real(lab);
	else
		copy_files(lab);
}

/* True between a question to all substrate processes and the last answer. */
static bool carriers_are_asked(const struct lab *lab)
{
	const struct snapshot *s = &lab->snapshot;

	return s->step == SNAPSHOT_SUBSTRATE ||
	       (s->step == SNAPSHOT_GUESTS && s->still.asked && !s->still.held);
}

void snapshot_hear_refusal(struct lab *lab, const char *why)
{
	if (!carriers_are_asked(lab))
		return;
	note_failure(lab, why);
	carrier_answered(lab);
}

static void on_save_asked(void *ctx, bool ok, const char *text)
{
	if (!ok)
		snapshot_hear_refusal(ctx, text);
}

static void ask(struct carrier *c, const char *what, const char *name, char *file,
		carrier_answer_fn answer, void *ctx)
{
	struct arena a = {0};
	char *word = arena_printf(&a, "file=%s", file);

	carrier_send(c, arena_printf(&a, "%s%s %s", what, name, words_quote(&a, word)), answer,
		     ctx);
	arena_finish(&a);
	free(file);
}

static char *carrier_file(const char *dir, const struct carrier *c)
{
	return xasprintf("%s/%s", dir, c->name);
}

/* One behind the other: by the real clock all stand. */
static void save_substrate(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	s->step = SNAPSHOT_SUBSTRATE;
	s->carriers = carriers_count(&lab->carriers);
	for (unsigned i = 1; i <= lab->carriers.at.n && s->step == SNAPSHOT_SUBSTRATE; i++) {
		struct carrier *c = carriers_at(&lab->carriers, i);

		if (c)
			ask(c, "save", "", carrier_file(s->made, c), on_save_asked, lab);
	}
}

/* All that were asked answer, also if one has failed: else its answer would count for the next. */
static void guest_answered(struct lab *lab)
{
	if (lab->snapshot.step != SNAPSHOT_GUESTS || --lab->snapshot.guests)
		return;
	if (lab->snapshot.failed.kind)
		end_failed(lab);
	else
		save_substrate(lab);
}

static void on_freeze_asked(void *ctx, bool ok, const char *text)
{
	if (ok)
		return;
	note_failure(ctx, text);
	guest_answered(ctx);
}

/* Whatever its kernel is about, booting or halting: while the clock stands it waits. */
static int check_guest(const struct guest *gu, struct err *e)
{
	bool is_virtual = gu->lab->clock.is_virtual;

	if (gu->state == GUEST_DOWN)
		return 0;
	if (gu->dying || (is_virtual && !gu->joined))
		return err_set(e, ERR_ENV, "%s is %s: its kernel cannot be kept now", gu->name,
			       guest_state_name(gu->state));
	return is_virtual || still_can(gu, e) ? 0 : -1;
}

static int check(const struct lab *lab, struct err *e)
{
	if (lab_is_lost(lab, -1, e))
		return -1;
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && check_guest(lab->guests[i], e) < 0)
			return -1;
	return 0;
}

static int make_dir(struct lab *lab, struct err *e)
{
	struct snapshot *s = &lab->snapshot;
	const struct snapshot_mark mark = {.lab = (char *)lab->graph->lab, .run = lab->dir};
	char *made = xasprintf("%s.new", s->dir);
	int rc = snapshot_dir_check_place(s->dir, e);

	/* Of one that was interrupted. */
	snapshot_dir_remove(made);
	if (rc == 0 && mkdir(made, 0700) < 0)
		rc = err_sys(e, "make %s", made);
	if (rc < 0) {
		free(made);
		return -1;
	}
	s->made = made;
	return snapshot_dir_write_mark(made, &mark, e);
}

/* Nobody is the last before all are asked. */
static void freeze_virtual(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	s->guests = 1;
	for (size_t i = 0; i < lab->n_guests && s->step == SNAPSHOT_GUESTS; i++) {
		const struct guest *gu = lab->guests[i];

		if (!gu || !gu->child.pid)
			continue;
		s->guests++;
		ask(carriers_at(&lab->carriers, 1), "freeze ", gu->name,
		    snapshot_guest_file(s->made, gu), on_freeze_asked, lab);
	}
	guest_answered(lab);
}

static void freeze_real(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;
	struct err e = {0};

	if (still_freeze(lab, s->made, &s->guests, &e) < 0)
		snapshot_end(lab, &e);
	else if (!s->guests)
		save_substrate(lab);
}

void snapshot_begin(struct lab *lab, const char *dir)
{
	struct snapshot *s = &lab->snapshot;
	struct err e = {0};

	free(s->dir);
	s->dir = xstrdup(dir);
	s->failed.kind = ERR_NONE;
	if (check(lab, &e) < 0 || make_dir(lab, &e) < 0) {
		snapshot_end(lab, &e);
		return;
	}
	s->step = SNAPSHOT_GUESTS;
	s->carriers = carriers_count(&lab->carriers);
	if (lab->clock.is_virtual)
		freeze_virtual(lab);
	else
		still_begin(lab);
}

static void begin_asked(struct lab *lab, void *ctx)
{
	char *dir = lab->snapshot.asked;

	lab->snapshot.asked = NULL;
	snapshot_begin(lab, dir);
	free(dir);
}

/* One of the lab's own (back.h) may be under way: this one comes after it. */
int snapshot_ask(struct lab *lab, const char *dir, struct err *e)
{
	struct snapshot *s = &lab->snapshot;

	if (s->asked || (s->step != SNAPSHOT_NONE && !lab->back.saving))
		return err_set(e, ERR_USAGE, "a snapshot is being taken");
	if (lab->progress.setting_up)
		return err_set(e, ERR_USAGE, "the lab is not ready");
	s->asked = xstrdup(dir);
	input_add(lab, begin_asked, NULL);
	return 0;
}

char *snapshot_server_file(const struct lab *lab)
{
	return xasprintf("%s/server", lab->snapshot.made);
}

/* What people look at, and what guests are started with. */
static void copy_files(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;
	char *run = xasprintf("%s/run", s->made);
	struct err e = {0};

	/* What agents have said must be in no socket any more. */
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			conn_poll(&lab->guests[i]->agent.conn);
	s->recorded = lab->inputs.record ? ftell(lab->inputs.record) : 0;
	copy_tree_but(lab->dir, run, BACK_DIR, &e);
	free(run);
	if (e.kind)
		snapshot_end(lab, &e);
	else
		s->step = SNAPSHOT_SERVER;
}

/* Memory that is adopted counts for who wrote it, so where a group is held to its memory it is
 * copied. */
static bool may_adopt(const struct lab *lab)
{
	return !lab->bounds.group && snapshot_dir_is_for_once(lab->snapshot.dir);
}

static void start_guests(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;
	bool adopt = may_adopt(lab);
	struct err e = {0};

	for (size_t i = 0; i < lab->n_guests && !e.kind; i++) {
		struct guest *gu = lab->guests[i];

		if (!gu || !gu->resumes)
			continue;
		char *file = snapshot_guest_file(s->dir, gu);

		if (guest_thaw(gu, file, adopt, &e) < 0)
			err_wrap(&e, "%s", gu->name);
		free(file);
	}
	if (!e.kind)
		outside_thaw(lab, &e);
	if (e.kind && lab->listener.failed)
		lab->listener.failed(lab->listener.ctx, &e);
}

static void thaw_failed(struct lab *lab, const char *why)
{
	struct err e;

	err_set(&e, ERR_ENV, "%s", why);
	if (lab->listener.failed)
		lab->listener.failed(lab->listener.ctx, &e);
}

/* Virtual time goes on when the substrate has all; by the real clock the guests wait for each
 * other. */
static void thawed_if_all(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	if (s->step != SNAPSHOT_THAWING || s->carriers || lab->outside.thawing)
		return;
	for (size_t i = 0; !lab->clock.is_virtual && i < lab->n_guests; i++)
		if (lab->guests[i] && lab->guests[i]->resumes &&
		    lab->guests[i]->freezer.state != FREEZER_WAITS)
			return;
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			lab->guests[i]->resumes = false;
	still_run_guests(lab);
	s->step = SNAPSHOT_NONE;
	progress_check(lab);
}

void snapshot_hear_outside(struct lab *lab)
{
	thawed_if_all(lab);
}

void snapshot_hear_guest(struct guest *gu)
{
	struct lab *lab = gu->lab;
	struct snapshot *s = &lab->snapshot;
	const struct freezer *f = &gu->freezer;
	struct err e;

	if (s->move.guest) {
		if (s->move.guest == gu)
			move_hear_guest(lab);
		return;
	}
	if (s->step == SNAPSHOT_THAWING)
		thawed_if_all(lab);
	if (s->step != SNAPSHOT_GUESTS || !s->still.held)
		return;
	if (f->state == FREEZER_STANDS && !f->error) {
		if (!--s->guests)
			save_substrate(lab);
		return;
	}
	if (f->state == FREEZER_STANDS)
		err_set(&e, ERR_ENV, "%s: its kernel cannot write itself: %s", gu->name,
			strerror(f->error));
	else
		err_set(&e, ERR_ENV, "%s: its kernel has ended", gu->name);
	snapshot_end(lab, &e);
}

void snapshot_hear(struct lab *lab, const struct words *w)
{
	struct snapshot *s = &lab->snapshot;
	const char *what = w->at[0];

	if (s->step == SNAPSHOT_NONE)
		return;
	if (!strcmp(what, "thaw-failed")) {
		thaw_failed(lab, w->at[1]);
		return;
	}
	if (strstr(what, "failed"))
		note_failure(lab, w->at[w->n - 1]);
	if (!strcmp(what, "frozen") || !strcmp(what, "freeze-failed"))
		guest_answered(lab);
	else if (strcmp(what, "thawed") != 0 && carriers_are_asked(lab))
		carrier_answered(lab);
	else if (!strcmp(what, "thawed") && s->step == SNAPSHOT_THAWING && !--s->carriers)
		thawed_if_all(lab);
}

static int thaw_files(struct lab *lab, bool goes_on, struct err *e)
{
	char *pids = xasprintf("%s/pids", lab->dir);
	char *inputs = xasprintf("%s/inputs", lab->record.dir);

	/* The old streams have no descriptors: they are left to themselves. */
	lab->lock_fd = paths_lock(lab->dir);
	lab->pids = fopen(pids, "we");
	if (lab->inputs.record && goes_on)
		lab->inputs.record =
			truncate(inputs, lab->snapshot.recorded) < 0 ? NULL : fopen(inputs, "ae");
	int rc = lab->lock_fd >= 0 && lab->pids ? 0 : err_sys(e, "%s", lab->dir);

	free(pids);
	free(inputs);
	return rc;
}

/*
 * What has the old run directory in it: the plan, which is made anew of the same graph, and the
 * record, if it was there.
 */
static int move_lab(struct lab *lab, const char *run, struct err *e)
{
	char *old = lab->dir;
	const char *name = strrchr(run, '/') + 1;

	if (!strcmp(old, run))
		return 0;
	lab->dir = xstrdup(run);
	lab->env.lab_dir = lab->dir;
	if (!strcmp(lab->record.dir, old)) {
		free(lab->record.dir);
		lab->record.dir = xstrdup(run);
	}
	free(old);
	topo_set_lab(lab->script, name);
	lab->graph->lab = arena_strdup(&lab->graph->arena, name);
	struct plan *plan = plan_make(lab->graph, &lab->env, e);

	if (!plan)
		return -1;
	plan_destroy(lab->plan);
	lab->plan = plan;
	lab->env.running = plan;
	return 0;
}

static void bound_carrier(const struct lab *lab, const struct carrier *c)
{
	for (size_t i = 0; i < lab->plan->n_steps; i++) {
		const struct plan_step *s = &lab->plan->steps[i];

		if (s->op == PLAN_PROCESS && s->text && !strcmp(s->name, c->name))
			bounds_hold_carrier(&c->child, s->text);
	}
}

static int thaw_carrier(struct lab *lab, struct carrier *c, const char *moved, struct err *e)
{
	char *name = xasprintf("%s.log", c->name);
	char *file = carrier_file(lab->snapshot.dir, c);
	int log = lab_open_log(lab, name, e);
	int rc = log < 0 ? -1 : carrier_thaw(c, lab->loop, lab->env.substrate, file, moved, log, e);

	if (log >= 0)
		close(log);
	if (rc == 0) {
		lab_note_pid(lab, &c->child, c->name);
		bound_carrier(lab, c);
	}
	free(file);
	free(name);
	return rc;
}

/* All are told something when they listen. One that does not tells of it by itself. */
static void on_listening(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;

	if (ok && !lab->progress.failed && lab->snapshot.step == SNAPSHOT_THAWING)
		start_guests(lab);
}

static int thaw_carriers(struct lab *lab, const char *moved, struct err *e)
{
	struct carriers *c = &lab->carriers;
	int rc = 0;

	lab->snapshot.carriers = carriers_count(c);
	for (unsigned i = 1; i <= c->at.n && rc == 0; i++)
		if (carriers_at(c, i))
			rc = thaw_carrier(lab, carriers_at(c, i), moved, e);
	if (rc == 0)
		carriers_ask_whole(c, on_listening, lab);
	return rc;
}

void snapshot_forget(struct lab *lab)
{
	/* What the other process was about to finish, it has. */
	free(lab->snapshot.made);
	lab->snapshot.made = NULL;
	lab->lock_fd = -1;
	for (unsigned i = 1; i <= lab->carriers.at.n; i++) {
		struct carrier *c = carriers_at(&lab->carriers, i);

		if (!c)
			continue;
		conn_forget(&c->conn);
		c->child = (struct child){.pidfd = -1};
	}
	outside_forget(lab);
	for (size_t i = 0; i < lab->n_guests; i++) {
		struct guest *gu = lab->guests[i];

		if (!gu)
			continue;
		gu->resumes = gu->child.pid != 0;
		gu->child = (struct child){.pidfd = -1};
		gu->report.fd = -1;
		conn_hold(&gu->agent.conn);
		freezer_forget(&gu->freezer);
	}
}

int snapshot_thaw(struct lab *lab, const char *dir, const char *run, bool goes_on, struct err *e)
{
	struct snapshot *s = &lab->snapshot;
	char *moved = xasprintf("%s/=%s/", lab->dir, run);

	free(s->dir);
	free(s->asked);
	loop_cancel_timer(lab->loop, &s->still.deadline);
	*s = (struct snapshot){
		.step = SNAPSHOT_THAWING, .dir = xstrdup(dir), .recorded = s->recorded};
	int rc = move_lab(lab, run, e) < 0 ? -1 : thaw_files(lab, goes_on, e);

	if (rc == 0)
		rc = bounds_thaw(lab, e);
	if (rc == 0)
		rc = thaw_carriers(lab, moved, e);
	free(moved);
	back_thaw(lab);
	return rc;
}

void snapshot_finish(struct lab *lab)
{
	loop_cancel_timer(lab->loop, &lab->snapshot.still.deadline);
	move_finish(lab);
	/* The lab goes down before it is whole. */
	if (lab->snapshot.made)
		snapshot_dir_remove(lab->snapshot.made);
	free(lab->snapshot.asked);
	free(lab->snapshot.dir);
	free(lab->snapshot.made);
}
