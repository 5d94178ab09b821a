/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lab stands for as long as the guest writes itself and its cables are laid anew (still.c), and
 * goes on when its kernel is started again: what reaches its NICs from then on waits there.
 *
 * Until its old kernel is ended the guest is here: whatever fails then, it goes on as it was. From
 * then on it is there: if that fails, it is down, and its end is told as that of any guest.
 *
 * In virtual time there is one process, and the clock stands: the guest writes itself, and a new
 * process of this machine goes on from that. Its devices stay, and await it.
 *
 * By the real clock, what the devices know goes by a file from one process to the other; all else
 * of them is in the lines of the plan, which is made anew with the node in its other place. Answers
 * come in the order of the lines, so that to the last line says that all before it were carried
 * out.
 */
#include "vbet-server/lab/move.h"

#include "lib/container_of.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By the real clock the lab stands still meanwhile; in virtual time nobody notices. */
static const int64_t patience_ns = INT64_C(10000000000);
static const int64_t virtual_patience_ns = INT64_C(60000000000);

/* By the name of the process, or its number. NULL with the error set. */
static const struct carrier *find_process(const struct lab *lab, const char *to, struct err *e)
{
	const struct carriers *s = &lab->carriers;
	unsigned number = (unsigned)strtoul(to, NULL, 10);

	for (unsigned i = 1; i <= s->at.n; i++) {
		const struct carrier *c = carriers_at(s, i);

		if (!c || (i != number && strcmp(c->name, to) != 0))
			continue;
		if (!c->lost)
			return c;
		lab_is_lost(lab, -1, e);
		return NULL;
	}
	err_set(e, ERR_USAGE,
		carriers_count(s) > 1
			? "there is no substrate process '%s': 'vbet status' shows them"
			: "'%s': this lab has one substrate process (up --substrate-processes)",
		to);
	return NULL;
}

/* In virtual time the one there is. */
static const struct carrier *choose_process(const struct lab *lab, const char *to, struct err *e)
{
	if (to)
		return find_process(lab, to, e);
	if (lab->clock.is_virtual)
		return carriers_at(&lab->carriers, 1);
	err_set(e, ERR_USAGE, "where to? move NODE --to PROCESS ('vbet status' shows them)");
	return NULL;
}

static char *file_of(const struct guest *gu, const char *what)
{
	return xasprintf("%s/n/%s/moved.%s", gu->lab->dir, gu->name, what);
}

static int check(const struct lab *lab, const struct guest *gu, struct err *e)
{
	bool is_virtual = lab->clock.is_virtual;

	if (lab_is_lost(lab, -1, e))
		return -1;
	if ((gu->state != GUEST_READY && gu->state != GUEST_UP) || gu->dying ||
	    (is_virtual && !gu->joined))
		return err_set(e, ERR_ENV, "%s is %s", gu->name, guest_state_name(gu->state));
	if (is_virtual)
		return 0;
	return sleep_is_in_file(gu) || still_can(gu, e) ? 0 : -1;
}

static void end_failed(struct lab *lab, const struct err *e)
{
	struct err why = *e;

	err_wrap(&why, "move %s", lab->snapshot.move.guest->name);
	snapshot_end(lab, &why);
}

static void ask(struct lab *lab, unsigned process, const char *what, const char *file_name,
		carrier_answer_fn answer)
{
	const struct guest *gu = lab->snapshot.move.guest;
	char *file = file_name ? file_of(gu, file_name) : NULL;
	struct arena a = {0};
	const char *word = file ? words_quote(&a, arena_printf(&a, "file=%s", file)) : "";

	carriers_send(&lab->carriers, process, arena_printf(&a, "%s %s %s", what, gu->name, word),
		      answer, lab);
	arena_finish(&a);
	free(file);
}

static void too_late(struct loop_timer *t, int64_t now_ns)
{
	struct lab *lab = container_of(t, struct lab, snapshot.move.deadline);
	struct err e;

	err_set(&e, ERR_TIMEOUT, "its kernel has not answered");
	if (lab->snapshot.step == SNAPSHOT_GUESTS)
		end_failed(lab, &e);
	else
		/* Its end is told by its process. */
		guest_kill(lab->snapshot.move.guest);
}

static void begin_to_stand(struct lab *lab)
{
	struct move *m = &lab->snapshot.move;
	int64_t for_ns = lab->clock.is_virtual ? virtual_patience_ns : patience_ns;

	m->began_ns = clock_monotonic_ns();
	m->deadline.fire = too_late;
	loop_set_timer(lab->loop, &m->deadline, loop_now_ns(lab->loop) + for_ns);
}

static void on_freeze_asked(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	struct err e;

	if (ok || lab->snapshot.step != SNAPSHOT_GUESTS)
		return;
	err_set(&e, ERR_ENV, "%s", text);
	end_failed(lab, &e);
}

/* That it stands here is an input: a replay stands here, too, and need not do more. */
static void begin_virtual(struct lab *lab)
{
	const struct move *m = &lab->snapshot.move;
	char *words[] = {"move", m->guest->name};

	input_record(lab, words, 2);
	begin_to_stand(lab);
	ask(lab, m->from, "freeze", "guest", on_freeze_asked);
}

static void begin(struct lab *lab, void *ctx)
{
	struct snapshot *s = &lab->snapshot;
	struct err e;

	if (check(lab, s->move.guest, &e) < 0) {
		end_failed(lab, &e);
		return;
	}
	s->step = SNAPSHOT_GUESTS;
	s->carriers = carriers_count(&lab->carriers);
	if (lab->clock.is_virtual)
		begin_virtual(lab);
	else
		still_begin(lab);
}

int move_ask(struct lab *lab, const char *node, const char *to, struct err *e)
{
	struct snapshot *s = &lab->snapshot;
	int i = graph_find_node(lab->graph, node);

	if (!snapshot_is_over(lab))
		return err_set(e, ERR_USAGE, "a snapshot is being taken, or a node moved");
	if (lab->progress.setting_up)
		return err_set(e, ERR_USAGE, "the lab is not ready");
	if (i < 0)
		return err_set(e, ERR_USAGE, "no node '%s' in lab %s", node, lab->graph->lab);
	if (!lab->guests[i])
		return err_set(e, ERR_USAGE,
			       "%s has no kernel of its own: it is a part of its process", node);
	const struct carrier *c = choose_process(lab, to, e);

	if (!c)
		return -1;
	if (!lab->clock.is_virtual && lab->plan->places[i].process == c->number)
		return err_set(e, ERR_USAGE, "%s is in %s", node, c->name);
	if (check(lab, lab->guests[i], e) < 0)
		return -1;
	s->move.guest = lab->guests[i];
	s->move.from = lab->plan->places[i].process;
	s->move.to = c->number;
	s->failed.kind = ERR_NONE;
	s->step = SNAPSHOT_ASKED;
	if (lab->clock.is_virtual) {
		input_add_change(lab, begin, NULL);
	} else {
		sleep_call(lab->guests[i]);
		input_add_when(lab, sleep_all_settled, begin, NULL);
	}
	return 0;
}

void move_freeze(struct lab *lab)
{
	struct move *m = &lab->snapshot.move;
	char *file = file_of(m->guest, "guest");
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e;
	int rc = fd < 0 ? err_sys(&e, "%s", file) : 0;

	begin_to_stand(lab);
	lab->snapshot.still.held = true;
	if (rc == 0)
		rc = freezer_freeze(&m->guest->freezer, fd, false, 0, &e);
	if (fd >= 0)
		close(fd);
	free(file);
	if (rc < 0)
		end_failed(lab, &e);
}

/* Its processes are ended. Whoever talks to it does not notice. */
static void end_kernel(struct guest *gu)
{
	struct loop *l = gu->lab->loop;
	struct conn *agent = &gu->agent.conn;

	/* What it has said is in no socket any more; nobody writes there now. */
	conn_poll(agent);
	loop_remove(l, &gu->exited);
	loop_remove(l, &gu->report);
	if (gu->report.fd >= 0)
		close(gu->report.fd);
	gu->report.fd = -1;
	/* Before its sockets go: a kernel that lives would complain. */
	launcher_finish(&gu->child);
	freezer_close(&gu->freezer);
	/* In virtual time the process that it is connected to is the same then. */
	if (gu->lab->clock.is_virtual || !conn_is_open(agent))
		return;
	loop_remove(l, &agent->watch);
	close(agent->watch.fd);
	conn_hold(agent);
}

/* It is nowhere. */
static void lose(struct lab *lab, const char *why)
{
	struct guest *gu = lab->snapshot.move.guest;
	struct err e;

	err_set(&e, ERR_ENV, "%s", why);
	guest_lose(gu, why);
	end_failed(lab, &e);
}

/* What was asked is done, and the move goes on; if not, the node is lost. */
static bool goes_on(struct lab *lab, bool ok, const char *text)
{
	/* The server may be about to end, and the guest with it. */
	if (lab->snapshot.step != SNAPSHOT_MOVING || lab->progress.failed)
		return false;
	if (!ok)
		lose(lab, text);
	return ok;
}

/* All of the substrate awaits it: a new process goes on from its file. False: it is lost. */
static bool go_on_anew(struct lab *lab)
{
	struct guest *gu = lab->snapshot.move.guest;
	char *file = file_of(gu, "guest");
	struct err e;
	int rc = guest_thaw(gu, &e) < 0 ? -1 : guest_go_on(gu, file, SNAPSHOT_READ, &e);

	free(file);
	if (rc < 0)
		lose(lab, e.text);
	return rc == 0;
}

static void on_arrived(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;

	/* What comes for it from now on waits at its NICs. */
	if (goes_on(lab, ok, text) && go_on_anew(lab))
		still_end(lab);
}

static void on_left(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	const struct move *m = &lab->snapshot.move;
	struct err e;

	if (!goes_on(lab, ok, text))
		return;
	int node = graph_find_node(lab->graph, m->guest->name);

	lab->plan->places[node].process = m->to;
	struct plan *plan = plan_make(lab->graph, &lab->env, &e);

	if (!plan || lab_replace_plan(lab, plan, &e) < 0) {
		lose(lab, e.text);
		return;
	}
	ask(lab, m->to, "arrive", "devices", on_arrived);
}

static void leave(struct lab *lab)
{
	struct snapshot *s = &lab->snapshot;

	s->step = SNAPSHOT_MOVING;
	end_kernel(s->move.guest);
	ask(lab, s->move.from, "leave", "devices", on_left);
}

static void arrived(struct lab *lab)
{
	struct move *m = &lab->snapshot.move;
	int64_t stood_ns = clock_monotonic_ns() - m->began_ns;

	m->awaited = false;
	still_run_guests(lab);
	free(m->told);
	if (lab->clock.is_virtual)
		m->told = xasprintf("%s goes on in a new process: made in %.0f ms, in which no "
				    "time of the lab passed",
				    m->guest->name, (double)stood_ns / 1e6);
	else
		m->told =
			xasprintf("%s is in %s: it stood still for %.0f ms", m->guest->name,
				  carriers_at(&lab->carriers, m->to)->name, (double)stood_ns / 1e6);
	fprintf(stderr, "%s\n", m->told);
	snapshot_end(lab, NULL);
}

/* Virtual time: its process lets go of it, and awaits the next kernel. */
static void on_awaited(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	struct move *m = &lab->snapshot.move;

	if (lab->snapshot.step != SNAPSHOT_MOVING || lab->progress.failed)
		return;
	m->awaited = true;
	if (!goes_on(lab, ok, text))
		return;
	end_kernel(m->guest);
	go_on_anew(lab);
}

void move_hear(struct lab *lab, const struct words *w)
{
	struct snapshot *s = &lab->snapshot;
	const char *what = w->at[0];
	struct err e;

	if (s->step == SNAPSHOT_GUESTS && !strcmp(what, "frozen")) {
		s->step = SNAPSHOT_MOVING;
		ask(lab, s->move.from, "await", NULL, on_awaited);
	} else if (s->step == SNAPSHOT_GUESTS && !strcmp(what, "freeze-failed")) {
		err_set(&e, ERR_ENV, "%s", w->at[w->n - 1]);
		end_failed(lab, &e);
	} else if (s->step == SNAPSHOT_MOVING && s->move.awaited && !strcmp(what, "thawed")) {
		arrived(lab);
	}
}

void move_hear_guest(struct lab *lab)
{
	const struct snapshot *s = &lab->snapshot;
	const struct freezer *f = &s->move.guest->freezer;
	struct err e;

	if (s->step == SNAPSHOT_MOVING && f->state == FREEZER_WAITS)
		arrived(lab);
	if (s->step != SNAPSHOT_GUESTS || !s->still.held)
		return;
	if (f->state == FREEZER_STANDS && !f->error) {
		leave(lab);
		return;
	}
	freezer_fail(f, &e);
	end_failed(lab, &e);
}

void move_end(struct lab *lab)
{
	struct move *m = &lab->snapshot.move;
	static const char *const files[] = {"guest", "devices", "devices.disk"};

	if (!m->guest)
		return;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *file = file_of(m->guest, files[i]);

		unlink(file);
		free(file);
	}
	loop_cancel_timer(lab->loop, &m->deadline);
	/* Virtual time stands until it has come, or it is said that it does not. */
	if (m->awaited && !lab->progress.failed)
		ask(lab, m->to, "listen", NULL, NULL);
	m->awaited = false;
	m->guest = NULL;
}

void move_finish(struct lab *lab)
{
	loop_cancel_timer(lab->loop, &lab->snapshot.move.deadline);
	free(lab->snapshot.move.told);
}
