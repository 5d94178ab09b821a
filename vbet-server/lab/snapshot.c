/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One after the other, while the clock stands for it: the guests write themselves into files that
 * the substrate opens for them, or by the real clock the server (still.c); the substrate process
 * writes itself; what the run directory has is copied; the server writes itself, last, for it knows
 * by then that all others have. The directory gets its name when all of it is there, in one step.
 * Back: thaw.c.
 */
#include "vbet-server/lab/snapshot.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/disks.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/thaw.h"
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
	if (!lab->clock.is_virtual)
		sleep_start_called(lab);
	back_ended(lab);
	moment_ended(lab);
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
	const struct guest *moving = lab->snapshot.move.guest;

	if (step <= SNAPSHOT_ASKED || step == SNAPSHOT_THAWING)
		return;
	/* What becomes of others is no matter for who moves. */
	if (moving && !none_answers && strcmp(name, moving->name) != 0)
		return;
	char *why = xasprintf(moving ? "%s has ended while it was being moved"
				     : "%s has ended while the snapshot was being taken",
			      name);

	note_failure(lab, why);
	free(why);
	/* By the real clock nobody else tells of it, and later answers of others have a number. */
	if (none_answers || step == SNAPSHOT_SERVER || step == SNAPSHOT_MOVING ||
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

/* Takes over file. */
static void ask(struct carrier *c, const char *what, char *file, carrier_answer_fn answer,
		void *ctx)
{
	struct arena a = {0};
	char *word = arena_printf(&a, "file=%s", file);

	carrier_send(c, arena_printf(&a, "%s %s", what, words_quote(&a, word)), answer, ctx);
	arena_finish(&a);
	free(file);
}

char *snapshot_carrier_file(const char *dir, const struct carrier *c)
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
			ask(c, "save", snapshot_carrier_file(s->made, c), on_save_asked, lab);
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
	return is_virtual || sleep_is_in_file(gu) || still_can(gu, e) ? 0 : -1;
}

static int check(const struct lab *lab, struct err *e)
{
	if (lab_is_lost(lab, -1, e) || disks_check_snapshot(lab, e) < 0)
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

/* What the newest snapshot of the lab's own has of it holds for this one, too. */
static int link_last(struct guest *gu, struct err *e)
{
	char *last = back_last_file(gu);
	char *file = snapshot_guest_file(gu->lab->snapshot.made, gu);
	int rc = last && link(last, file) == 0 ? 0 : err_sys(e, "%s", file);

	if (rc == 0)
		back_note_guest(gu, NULL);
	free(last);
	free(file);
	return rc;
}

/* One that sleeps is in a file. */
static void copy_sleeper(struct guest *gu)
{
	char *file = snapshot_guest_file(gu->lab->snapshot.made, gu);
	struct err e = {0};

	if (link_last(gu, NULL) < 0 && sleep_save(gu, file, &e) < 0)
		note_failure(gu->lab, e.text);
	free(file);
}

static void freeze_guest(struct lab *lab, const struct guest *gu)
{
	struct snapshot *s = &lab->snapshot;
	char *last = back_last_file(gu);
	char *what = xasprintf("freeze %s%s%s%s", gu->name, s->shares ? " share=on" : "",
			       last ? " unless_moves=" : "", last ? gu->kept.moves : "");

	s->guests++;
	ask(carriers_at(&lab->carriers, 1), what, snapshot_guest_file(s->made, gu), on_freeze_asked,
	    lab);
	free(what);
	free(last);
}

/* Nobody is the last before all are asked. */
static void freeze_virtual(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	s->guests = 1;
	for (size_t i = 0; i < lab->n_guests && s->step == SNAPSHOT_GUESTS; i++) {
		struct guest *gu = lab->guests[i];

		if (gu && sleep_is_in_file(gu))
			copy_sleeper(gu);
		else if (gu && gu->child.pid)
			freeze_guest(lab, gu);
	}
	guest_answered(lab);
}

static void freeze_real(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;
	struct err e = {0};

	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && sleep_is_in_file(lab->guests[i]))
			copy_sleeper(lab->guests[i]);
	e = s->failed;
	if (e.kind || still_freeze(lab, s->made, &s->guests, &e) < 0)
		snapshot_end(lab, &e);
	else if (!s->guests)
		save_substrate(lab);
}

void snapshot_begin(struct lab *lab, const char *dir, bool shares)
{
	struct snapshot *s = &lab->snapshot;
	struct err e = {0};

	free(s->dir);
	s->dir = xstrdup(dir);
	s->shares = shares;
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
	snapshot_begin(lab, dir, lab->snapshot.asked_shares);
	free(dir);
}

/* One of the lab's own (back.h) may be under way: this one comes after it. */
int snapshot_ask(struct lab *lab, const char *dir, bool shares, struct err *e)
{
	struct snapshot *s = &lab->snapshot;

	if (s->asked || (s->step != SNAPSHOT_NONE && !lab->back.saving))
		return err_set(e, ERR_USAGE, "a snapshot is being taken");
	if (lab->progress.setting_up)
		return err_set(e, ERR_USAGE, "the lab is not ready");
	s->asked = xstrdup(dir);
	s->asked_shares = shares;
	input_add_when(lab, sleep_all_settled, begin_asked, NULL);
	return 0;
}

char *snapshot_server_file(const struct lab *lab)
{
	return xasprintf("%s/server", lab->snapshot.made);
}

/* Somebody may have removed it: then what is restored has none, and goes on all the same. */
static void copy_record(struct lab *lab, const char *run)
{
	struct snapshot *s = &lab->snapshot;
	struct err e;

	s->recorded = lab->inputs.record ? ftell(lab->inputs.record) : 0;
	if (record_copy_inputs(lab, run, &e) == 0)
		return;
	fprintf(stderr, "this moment is kept without the run's record: %s\n", e.text);
	s->recorded = SNAPSHOT_NO_RECORD;
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
	if (copy_tree_but(lab->dir, run, BACK_DIR, &e) == 0 &&
	    warm_keep_captures(lab, run, &e) == 0)
		copy_record(lab, run);
	free(run);
	if (e.kind)
		snapshot_end(lab, &e);
	else
		s->step = SNAPSHOT_SERVER;
}

void snapshot_hear_guest(struct guest *gu)
{
	struct lab *lab = gu->lab;
	struct snapshot *s = &lab->snapshot;
	const struct freezer *f = &gu->freezer;
	struct err e;

	if (sleep_hear_guest(gu))
		return;
	if (s->move.guest) {
		if (s->move.guest == gu)
			move_hear_guest(lab);
		return;
	}
	if (s->step == SNAPSHOT_THAWING)
		thaw_check(lab);
	if (s->step != SNAPSHOT_GUESTS || !s->still.held)
		return;
	if (f->state == FREEZER_STANDS && !f->error) {
		if (!--s->guests)
			save_substrate(lab);
		return;
	}
	freezer_fail(f, &e);
	err_wrap(&e, "%s", gu->name);
	snapshot_end(lab, &e);
}

/* frozen NAME BYTES MOVES, same NAME */
static void note_guest(struct lab *lab, const struct words *w)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], NULL);
	struct err e = {0};

	if (gu && w->n > 3)
		back_note_guest(gu, w->at[3]);
	else if (gu && !strcmp(w->at[0], "same") && link_last(gu, &e) < 0)
		note_failure(lab, e.text);
}

void snapshot_hear(struct lab *lab, const struct words *w)
{
	struct snapshot *s = &lab->snapshot;
	const char *what = w->at[0];

	if (s->step == SNAPSHOT_NONE)
		return;
	if (s->move.guest && lab->clock.is_virtual) {
		move_hear(lab, w);
		return;
	}
	if (!strcmp(what, "thaw-failed")) {
		thaw_failed(lab, w->at[1]);
		return;
	}
	if (strstr(what, "failed"))
		note_failure(lab, w->at[w->n - 1]);
	if (!strcmp(what, "frozen") || !strcmp(what, "same"))
		note_guest(lab, w);
	if (!strcmp(what, "frozen") || !strcmp(what, "same") || !strcmp(what, "freeze-failed"))
		guest_answered(lab);
	else if (strcmp(what, "thawed") != 0 && carriers_are_asked(lab))
		carrier_answered(lab);
	else if (!strcmp(what, "thawed") && s->step == SNAPSHOT_THAWING && !--s->carriers)
		thaw_check(lab);
}

void snapshot_drop(struct lab *lab)
{
	if (lab->snapshot.made)
		snapshot_dir_remove(lab->snapshot.made);
	free(lab->snapshot.made);
	lab->snapshot.made = NULL;
}

void snapshot_finish(struct lab *lab)
{
	loop_cancel_timer(lab->loop, &lab->snapshot.still.deadline);
	move_finish(lab);
	/* The lab goes down before it is whole. */
	snapshot_drop(lab);
	free(lab->snapshot.asked);
	free(lab->snapshot.dir);
}
