/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress_check() is called whenever something may have changed, by whoever changed it, and
 * finds out by itself what that means: who may boot next, whether all is ready, whether inputs
 * can go on. Nothing is remembered of what happened, so no event can be missed, and calling it
 * once too often costs a look at each guest.
 *
 * A lab is ready when all guests that are wanted are ready, the substrate has answered, and, in
 * virtual time, a whole step of the set-up is over. From then on it does not fail: what goes
 * wrong later concerns a part of it.
 */
#include "vbet-server/lab/progress.h"

#include "lib/container_of.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { OTHERS_MAX = 300 }; /* bytes of names in a message */

/* Where a wire is cut, no virtual link over it ever comes up. */
static const int64_t vlinks_patience_ns = 5000000000;
/* So long after the last thing that happened in a guest those that are not ready need not be named.
 */
static const int64_t grace_ns = 5000000000;

void progress_say(struct lab *lab, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (lab->progress.setting_up && lab->listener.progress)
		lab->listener.progress(lab->listener.ctx, text);
}

void progress_say_size(struct lab *lab)
{
	const struct graph *g = lab->graph;

	progress_say(lab, "lab %s: %zu node%s, %zu cable%s", g->lab, g->n_nodes,
		     g->n_nodes == 1 ? "" : "s", g->n_cables, g->n_cables == 1 ? "" : "s");
}

void progress_tell(struct lab *lab)
{
	if (lab->listener.changed)
		lab->listener.changed(lab->listener.ctx);
}

void progress_fail(struct lab *lab, const struct err *e)
{
	struct progress *p = &lab->progress;

	if (p->failed || !p->setting_up)
		return;
	p->failed = true;
	p->setting_up = false;
	if (lab->listener.failed)
		lab->listener.failed(lab->listener.ctx, e);
}

void progress_note_failure(struct guest *gu, enum err_kind kind, const char *why,
			   const char *console)
{
	failures_add(&gu->lab->progress.failures, kind, gu->name, why, console);
}

/* In the set-up a guest that boots a second time has failed all the same. */
void progress_forget_failures(struct guest *gu)
{
	struct progress *p = &gu->lab->progress;

	if (!p->setting_up)
		failures_forget(&p->failures, gu->name);
}

static void fail_as_noted(struct lab *lab)
{
	struct err e;

	failures_make_error(&lab->progress.failures, &e);
	progress_fail(lab, &e);
}

static void on_grace(struct loop_timer *t, int64_t now_ns)
{
	fail_as_noted(container_of(t, struct lab, progress.grace));
}

/*
 * A mistake in a script is often in more than one node, so all that fail are named. The others are
 * waited for as long as they get on: some may wait for one that has failed.
 */
static void fail_if_settled(struct lab *lab)
{
	struct progress *p = &lab->progress;
	size_t settled = 0;
	size_t moved = 0;

	if (!p->setting_up || p->keep_going || !p->failures.n_fatal)
		return;
	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		settled += !gu || !gu->wanted || gu->state == GUEST_READY ||
			   failures_has(&p->failures, gu->name);
		moved += gu ? (size_t)gu->state : 0;
	}
	if (settled == lab->n_guests) {
		fail_as_noted(lab);
	} else if (!p->grace.heap_index || settled + moved != p->settled) {
		p->settled = settled + moved;
		p->grace.fire = on_grace;
		loop_set_timer(lab->loop, &p->grace, loop_now_ns(lab->loop) + grace_ns);
	}
}

/* The set-up does not wait for those that will not be ready, if it is to go on without them. */
static bool is_set_up(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		if (gu && gu->wanted && gu->state != GUEST_READY && !gu->is_late)
			return false;
	}
	return lab->change.outstanding == 0;
}

bool progress_is_ready(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && lab->guests[i]->wanted &&
		    lab->guests[i]->state != GUEST_READY)
			return false;
	return lab->change.outstanding == 0;
}

static void report_counts(struct lab *lab)
{
	size_t total = 0;
	size_t up = 0;
	size_t ready = 0;

	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		total += gu && gu->wanted;
		up += gu && gu->wanted && (gu->state == GUEST_UP || gu->state == GUEST_READY);
		ready += gu && gu->wanted && gu->state == GUEST_READY;
	}
	progress_say(lab, "guests: %zu of %zu booted, %zu ready", up, total, ready);
}

static void stop_waiting_for_vlinks(struct lab *lab)
{
	const struct vlink_state *down = vlinks_down(&lab->vlinks);

	lab->progress.vlinks_waited = true;
	if (down)
		progress_say(lab, "the virtual link %s is down: %s", down->name,
			     down->reason ? down->reason : "nothing was heard of it");
}

static void on_vlinks_deadline(struct loop_timer *t, int64_t now_ns)
{
	struct lab *lab = container_of(t, struct lab, progress.vlinks_deadline);

	stop_waiting_for_vlinks(lab);
	progress_check(lab);
}

/* When a lab in virtual time is ready must not depend on the machine: its own clock counts. */
static bool virtual_patience_is_over(struct lab *lab)
{
	struct progress *p = &lab->progress;

	if (!p->vlinks_until_ns)
		p->vlinks_until_ns = lab->clock.now_ns + vlinks_patience_ns;
	if (lab->clock.now_ns < p->vlinks_until_ns)
		return false;
	stop_waiting_for_vlinks(lab);
	return true;
}

/*
 * A lab is ready only with its virtual links, but those that never come up must not hold it up. In
 * virtual time this is asked only while the clock stands.
 */
static bool vlinks_are_ready(struct lab *lab)
{
	struct progress *p = &lab->progress;

	if (!vlinks_down(&lab->vlinks) || p->vlinks_waited) {
		loop_cancel_timer(lab->loop, &p->vlinks_deadline);
		return true;
	}
	if (lab->clock.is_virtual)
		return virtual_patience_is_over(lab);
	if (!p->vlinks_deadline.heap_index) {
		p->vlinks_deadline.fire = on_vlinks_deadline;
		loop_set_timer(lab->loop, &p->vlinks_deadline,
			       loop_now_ns(lab->loop) + vlinks_patience_ns);
	}
	return false;
}

/* A program that cannot be started is no reason for the lab to fail: it is in the logs. */
static void start_programs(struct lab *lab)
{
	struct err e;

	if (programs_start(&lab->programs, lab, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
}

/* As others come up, the next ones boot. */
static void boot_next(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests && lab->progress.booting < lab->progress.jobs; i++) {
		struct guest *gu = lab->guests[i];
		struct err e = {0};

		if (!gu || !gu->queued || gu->leaving || lab->change.outstanding ||
		    !input_may_boot(lab, gu))
			continue;
		if (guest_boot(gu, &e) < 0) {
			progress_note_failure(gu, e.kind, e.text, "");
			err_wrap(&e, "%s", gu->name);
			gu->failed = e;
			gu->wanted = false;
		}
	}
}

static bool is_late(const struct guest *gu)
{
	return gu && gu->wanted && gu->state != GUEST_READY;
}

/* Those that wait for their turn, too: they do not boot any more. */
static void go_on_without_late(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (is_late(lab->guests[i]))
			guest_give_up(lab->guests[i]);
	progress_check(lab);
}

/* Each guest has its own time, which begins with its boot: those that wait for their turn have
 * none. */
static void on_limit(struct loop_timer *t, int64_t now_ns)
{
	struct lab *lab = container_of(t, struct lab, progress.limit);
	const struct guest *first = NULL;
	char *others = NULL;
	size_t len = 0;
	struct err e;

	if (lab->progress.keep_going) {
		go_on_without_late(lab);
		return;
	}
	if (lab->progress.failures.n_fatal) {
		fail_as_noted(lab);
		return;
	}
	FILE *f = xmemstream(&others, &len);

	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		if (!is_late(gu))
			continue;
		if (first && ftell(f) > OTHERS_MAX)
			continue;
		if (first)
			fprintf(f, "%s %s (%s)", ftell(f) ? "," : ", nor are", gu->name,
				gu->queued ? "waits for its turn" : guest_state_name(gu->state));
		else
			first = gu;
	}
	fclose(f);
	if (first)
		guest_say_late(first, others, &e);
	else
		err_set(&e, ERR_TIMEOUT, "the substrate is not ready after %g s",
			(double)lab->progress.boot_timeout_ns / 1e9);
	free(others);
	progress_fail(lab, &e);
}

void progress_limit(struct lab *lab, int64_t limit_ns)
{
	lab->progress.limit.fire = on_limit;
	loop_set_timer(lab->loop, &lab->progress.limit, loop_now_ns(lab->loop) + limit_ns);
}

static void say_ready(struct lab *lab)
{
	double wall_s = (double)(loop_now_ns(lab->loop) - lab->progress.began_ns) / 1e9;
	time_t booted = (time_t)lab->warm.booted_s;
	char from[64] = "";
	struct tm tm;

	if (booted && localtime_r(&booted, &tm))
		strftime(from, sizeof(from), ", restored from a boot of %F %H:%M", &tm);
	if (lab->clock.is_virtual)
		progress_say(lab, "ready after %.2f s, at %.2f s of the lab's clock%s", wall_s,
			     (double)lab->clock.now_ns / 1e9, from);
	else
		progress_say(lab, "ready after %.2f s%s", wall_s, from);
}

static void end_set_up(struct lab *lab)
{
	say_ready(lab);
	lab->progress.setting_up = false;
	loop_cancel_timer(lab->loop, &lab->progress.limit);
	if (lab->warm.booted_s && !lab->clock.is_virtual)
		warm_wake_guests(lab);
	start_programs(lab);
	input_begin(lab);
	if (lab->listener.ready)
		lab->listener.ready(lab->listener.ctx);
}

void progress_check(struct lab *lab)
{
	if (lab->progress.failed)
		return;
	bool was_kept = warm_has_ended(lab);

	boot_next(lab);
	fail_if_settled(lab);
	if (lab->progress.failed)
		return;
	report_counts(lab);
	if (lab->progress.setting_up && is_set_up(lab) && clock_allows_ready(lab) &&
	    vlinks_are_ready(lab) && !warm_holds_up(lab))
		end_set_up(lab);
	/* Something has ended meanwhile: it is waited for again. */
	if (was_kept && lab->progress.setting_up)
		clock_go_on_set_up(lab);
	if (!lab->progress.setting_up)
		start_programs(lab); /* those that a statement has added */
	input_pump(lab);
	progress_tell(lab);
}

void progress_finish(struct lab *lab)
{
	loop_cancel_timer(lab->loop, &lab->progress.vlinks_deadline);
	loop_cancel_timer(lab->loop, &lab->progress.limit);
	loop_cancel_timer(lab->loop, &lab->progress.grace);
	failures_finish(&lab->progress.failures);
}
