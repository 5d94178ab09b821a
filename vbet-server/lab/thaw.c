/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server is first (imprint/). It starts the substrate processes; when they listen, the guests;
 * when all have come, the lab is what it was.
 */
#include "vbet-server/lab/thaw.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory that is in files counts for who wrote it, so where a group is held to its memory it is
 * copied. */
static enum snapshot_use use_of_files(const struct lab *lab)
{
	return lab->bounds.group ? SNAPSHOT_READ : snapshot_dir_use(lab->snapshot.dir);
}

/*
 * The first is started, to see whether kernel and processor fit, and of the others each when it is
 * needed.
 */
static void start_guests(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;
	enum snapshot_use use = use_of_files(lab);
	bool is_first = true;
	struct err e = {0};

	for (size_t i = 0; i < lab->n_guests && !e.kind; i++) {
		struct guest *gu = lab->guests[i];

		if (!gu || !gu->resumes)
			continue;
		char *file = snapshot_guest_file(s->dir, gu);

		if (guest_thaw(gu, &e) < 0 ||
		    (!is_first && sleep_may_begin(gu) ? sleep_begin(gu, file, use, &e)
						      : guest_go_on(gu, file, use, &e)) < 0)
			err_wrap(&e, "%s", gu->name);
		is_first = false;
		free(file);
	}
	if (!e.kind)
		outside_thaw(lab, &e);
	if (e.kind && lab->listener.failed)
		lab->listener.failed(lab->listener.ctx, &e);
}

void thaw_failed(struct lab *lab, const char *why)
{
	struct err e;

	err_set(&e, ERR_ENV, "%s", why);
	if (lab->listener.failed)
		lab->listener.failed(lab->listener.ctx, &e);
}

static bool is_awaited(const struct guest *gu)
{
	return gu && gu->resumes && !sleep_is_in_file(gu) && gu->freezer.state != FREEZER_WAITS;
}

/* Virtual time goes on when the substrate has all; by the real clock the guests wait for each
 * other. */
void thaw_check(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	if (s->step != SNAPSHOT_THAWING || s->carriers || lab->outside.thawing)
		return;
	for (size_t i = 0; !lab->clock.is_virtual && i < lab->n_guests; i++)
		if (is_awaited(lab->guests[i]))
			return;
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			lab->guests[i]->resumes = false;
	s->went_on_ns = clock_host_ns();
	if (!lab->clock.is_virtual)
		sleep_go_on(lab);
	s->step = SNAPSHOT_NONE;
	progress_check(lab);
}

static int thaw_record(struct lab *lab, const char *record, bool is_other, struct err *e)
{
	struct err why;

	if (!record || !lab->inputs.record)
		return 0;
	if (lab->snapshot.recorded == SNAPSHOT_NO_RECORD) {
		lab->inputs.record = NULL;
		return 0;
	}
	if (*record)
		return record_thaw(lab, record, e);
	if (!is_other && record_thaw(lab, lab->record.dir, &why) == 0)
		return 0;
	if (!is_other)
		fprintf(stderr, "the record goes on in the run directory: %s\n", why.text);
	return record_thaw(lab, lab->dir, e);
}

/* The old streams, and that of the record, have no descriptors: they are left to themselves. */
static int thaw_files(struct lab *lab, struct err *e)
{
	char *pids = xasprintf("%s/pids", lab->dir);

	lab->lock_fd = paths_lock(lab->dir);
	lab->pids = fopen(pids, "we");
	int rc = lab->lock_fd >= 0 && lab->pids ? 0 : err_sys(e, "%s", lab->dir);

	free(pids);
	return rc;
}

/*
 * What has the old run directory in it: the plan, which is made anew of the same graph, and the
 * place of the record, if it was there. What was elsewhere stays with the other one, which may go
 * on, unless somebody has said where it is now.
 */
static int move_lab(struct lab *lab, const char *run, struct err *e)
{
	char *old = lab->dir;
	const char *name = strrchr(run, '/') + 1;

	lab->dir = xstrdup(run);
	lab->env.lab_dir = lab->dir;
	if (!strcmp(lab->record.dir, old)) {
		free(lab->record.dir);
		lab->record.dir = xstrdup(run);
	}
	if (lab->captures.dir && !lab->warm.from) {
		lab->warm.from = xasprintf("%s/", lab->captures.dir);
		lab->warm.to = xstrdup("");
		captures_leave(&lab->captures);
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

static int thaw_carrier(struct lab *lab, struct carrier *c, char *const moved[], struct err *e)
{
	char *name = xasprintf("%s.log", c->name);
	char *file = snapshot_carrier_file(lab->snapshot.dir, c);
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

/* from, to: the run directory as it was, and is. */
static int thaw_carriers(struct lab *lab, char *from, char *to, struct err *e)
{
	struct carriers *c = &lab->carriers;
	char *moved[] = {from, to, lab->warm.from, lab->warm.to, NULL};
	int rc = 0;

	lab->snapshot.carriers = carriers_count(c);
	for (unsigned i = 1; i <= c->at.n && rc == 0; i++)
		if (carriers_at(c, i))
			rc = thaw_carrier(lab, carriers_at(c, i), moved, e);
	if (rc == 0)
		carriers_ask_whole(c, on_listening, lab);
	return rc;
}

void thaw_forget(struct lab *lab)
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
		gu->resumes = gu->child.pid != 0 || gu->sleep.state != SLEEP_NONE;
		sleep_forget(gu, lab->snapshot.went_on_ns, lab->snapshot.still.at_ns);
		gu->child = (struct child){.pidfd = -1};
		gu->report.fd = -1;
		conn_hold(&gu->agent.conn);
		freezer_forget(&gu->freezer);
	}
}

int thaw_begin(struct lab *lab, const char *dir, const char *run, const char *record, struct err *e)
{
	struct snapshot *s = &lab->snapshot;
	char *from = xasprintf("%s/", lab->dir), *to = xasprintf("%s/", run);
	bool is_other = strcmp(lab->dir, run) != 0;

	free(s->dir);
	free(s->asked);
	loop_cancel_timer(lab->loop, &s->still.deadline);
	*s = (struct snapshot){
		.step = SNAPSHOT_THAWING, .dir = xstrdup(dir), .recorded = s->recorded};
	int rc = is_other ? move_lab(lab, run, e) : 0;

	if (rc == 0)
		rc = thaw_files(lab, e);
	if (rc == 0)
		rc = thaw_record(lab, record, is_other, e);
	if (rc == 0)
		rc = bounds_thaw(lab, e);
	if (rc == 0)
		rc = thaw_carriers(lab, from, to, e);
	free(from);
	free(to);
	back_thaw(lab);
	return rc;
}
