/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual clock: which of them is needed is known by the substrate alone
 * (substrate/clock/vclock_sleep.c): it says so ("wake"), and later that the guest is whole again
 * ("awake"). Messages to its agent need nobody to be awake: they reach it by the calendar, like
 * frames. What changes a lab otherwise finds all guests awake (input.c).
 *
 * Real clock: a guest's kernel said how long it would have nothing to do when it wrote itself. It
 * is started when that time is over, when the substrate has something for its devices ("wake"), or
 * when somebody speaks to it. Its clock goes on from where the lab did, whenever that is, so what
 * it had to do meanwhile it does late. Right after a restore that may be true of many: those whose
 * time has come, and those who hear what is for many ("wake NAME later"), are started one after the
 * other, so that nobody who is called has to wait for them. While a snapshot is taken nobody is
 * started: who is called then is started behind it.
 */
#include "vbet-server/lab/sleep.h"

#include "lib/container_of.h"
#include "lib/cpus.h"
#include "lib/file.h"
#include "lib/minmax.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Timers may be late: so soon it is tried again to start who has one. */
static const int64_t again_ns = 20000000;

static void set_state(struct guest *gu, enum sleep_state state)
{
	unsigned *n = &gu->lab->n_waking;

	*n += (unsigned)(state == SLEEP_WAKING) - (gu->sleep.state == SLEEP_WAKING);
	gu->sleep.state = state;
}

void sleep_init(struct guest *gu)
{
	gu->sleep = (struct sleep){.fd = -1};
}

static void send_line(struct guest *gu, const char *verb, carrier_answer_fn answer, void *ctx)
{
	char *line = xasprintf("%s %s", verb, gu->name);
	char *agent = xasprintf("%s:agent", gu->name);

	if (gu->lab->clock.is_virtual)
		lab_send_clock(gu->lab, line, answer, ctx);
	else
		lab_send_about(gu->lab, agent, line, answer, ctx);
	free(agent);
	free(line);
}

bool sleep_end(struct guest *gu)
{
	bool was_away = gu->sleep.state != SLEEP_NONE;

	loop_cancel_timer(gu->lab->loop, &gu->sleep.due);
	if (gu->sleep.fd >= 0)
		close(gu->sleep.fd);
	set_state(gu, SLEEP_NONE);
	sleep_init(gu);
	return was_away;
}

static void start(struct guest *gu)
{
	struct sleep *s = &gu->sleep;
	struct err e = {0};

	if (s->fd < 0)
		return;
	loop_cancel_timer(gu->lab->loop, &s->due);
	if (s->wants_news)
		warm_wake_guest(gu);
	s->wants_news = false;
	int rc = guest_resume(gu, s->fd, s->use, &e);

	close(s->fd);
	s->fd = -1;
	set_state(gu, SLEEP_WAKING);
	if (rc < 0)
		guest_lose(gu, e.text);
}

void sleep_call(struct guest *gu)
{
	const struct lab *lab = gu->lab;

	if (gu->sleep.fd < 0)
		return;
	set_state(gu, SLEEP_CALLED);
	if (lab->snapshot.step == SNAPSHOT_THAWING || !snapshot_is_under_way(lab))
		start(gu);
}

void sleep_start_called(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && lab->guests[i]->sleep.state == SLEEP_CALLED)
			start(lab->guests[i]);
}

struct asked {
	struct lab *lab;
	char *name; /* owned: the lab may be about to end */
};

/* The one word that can be refused: whom something reaches at once has to be there. */
static void on_sleep(void *ctx, bool ok, const char *text)
{
	struct asked *a = ctx;
	struct lab *lab = a->lab;
	struct guest *gu = ok || lab->progress.failed ? NULL : lab_find_guest(lab, a->name, NULL);

	if (gu && !lab->clock.is_virtual) {
		sleep_call(gu);
	} else if (gu && gu->sleep.state == SLEEP_ASLEEP) {
		start(gu);
		set_state(gu, SLEEP_NONE);
	}
	free(a->name);
	free(a);
}

bool sleep_may_begin(const struct guest *gu)
{
	return gu->lab->clock.is_virtual || gu->sleep.needs_ns;
}

int sleep_begin(struct guest *gu, const char *file, enum snapshot_use use, struct err *e)
{
	int fd = open(file, snapshot_use_flags(use));

	if (fd < 0)
		return err_sys(e, "%s", file);
	struct asked *a = xmalloc(sizeof(*a));

	*a = (struct asked){.lab = gu->lab, .name = xstrdup(gu->name)};
	set_state(gu, SLEEP_ASLEEP);
	gu->sleep.fd = fd;
	gu->sleep.use = use;
	send_line(gu, "sleep", on_sleep, a);
	return 0;
}

static void on_due(struct loop_timer *t, int64_t now_ns)
{
	struct guest *gu = container_of(t, struct guest, sleep.due);

	if (gu->lab->n_waking >= cpus_online())
		loop_set_timer(gu->lab->loop, t, now_ns + again_ns);
	else
		sleep_call(gu);
}

static void is_due_in(struct guest *gu, int64_t ns)
{
	struct loop *l = gu->lab->loop;

	gu->sleep.due.fire = on_due;
	loop_set_timer(l, &gu->sleep.due, loop_now_ns(l) + ns);
}

static void goes_on(struct guest *gu)
{
	freezer_run(&gu->freezer, gu->lab->snapshot.went_on_ns - gu->sleep.behind_ns);
	set_state(gu, SLEEP_NONE);
	gu->sleep.behind_ns = 0;
}

void sleep_go_on(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++) {
		struct guest *gu = lab->guests[i];

		if (gu && gu->freezer.state == FREEZER_WAITS)
			goes_on(gu);
		if (gu && gu->sleep.state == SLEEP_ASLEEP)
			is_due_in(gu, gu->sleep.needs_ns);
	}
}

bool sleep_hear_guest(struct guest *gu)
{
	if (gu->sleep.state != SLEEP_WAKING || gu->freezer.state != FREEZER_WAITS ||
	    gu->lab->snapshot.step == SNAPSHOT_THAWING)
		return false;
	goes_on(gu);
	input_pump(gu->lab);
	return true;
}

bool sleep_wake_all(struct lab *lab)
{
	bool all_awake = true;

	for (size_t i = 0; i < lab->n_guests; i++) {
		struct guest *gu = lab->guests[i];

		if (!gu || gu->sleep.state == SLEEP_NONE)
			continue;
		all_awake = false;
		if (gu->sleep.state != SLEEP_ASLEEP)
			continue;
		if (!lab->clock.is_virtual) {
			sleep_call(gu);
			continue;
		}
		set_state(gu, SLEEP_CALLED);
		send_line(gu, "wake", NULL, NULL);
	}
	return all_awake;
}

bool sleep_is_settled(const struct guest *gu)
{
	return gu->sleep.state == SLEEP_NONE || gu->sleep.state == SLEEP_ASLEEP;
}

bool sleep_all_settled(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && !sleep_is_settled(lab->guests[i]))
			return false;
	return true;
}

bool sleep_is_in_file(const struct guest *gu)
{
	return gu->sleep.fd >= 0;
}

int sleep_save(const struct guest *gu, const char *to, struct err *e)
{
	int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 || file_copy(gu->sleep.fd, fd) < 0 ? err_sys(e, "%s", to) : 0;

	if (fd >= 0)
		close(fd);
	/* Its kernel will read from the beginning. */
	lseek(gu->sleep.fd, 0, SEEK_SET);
	return rc;
}

void sleep_forget(struct guest *gu, int64_t went_on_ns, int64_t stood_ns)
{
	struct sleep was = gu->sleep;
	bool was_in_file = was.fd >= 0;
	int64_t ran_ns = stood_ns - went_on_ns;

	loop_cancel_timer(gu->lab->loop, &gu->sleep.due);
	set_state(gu, SLEEP_NONE);
	sleep_init(gu);
	gu->sleep.wants_news = was_in_file && was.wants_news;
	gu->sleep.behind_ns = was_in_file ? was.behind_ns + ran_ns : 0;
	gu->sleep.needs_ns = was_in_file ? max_i64(was.needs_ns - ran_ns, 1) : gu->freezer.idle_ns;
}

void sleep_hear(struct lab *lab, const struct words *w)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], NULL);

	if (!gu || gu->sleep.state == SLEEP_NONE)
		return;
	if (!strcmp(w->at[0], "wake")) {
		if (lab->clock.is_virtual)
			start(gu);
		else if (w->n == 2)
			sleep_call(gu);
		else
			is_due_in(gu, 0);
		return;
	}
	set_state(gu, SLEEP_NONE);
	input_pump(lab);
}

/* A guest of which no address is known may have any. */
static bool may_have(const struct graph_node *n, const struct addr *a)
{
	bool has_any = false;

	for (size_t i = 0; i < n->n_nics; i++) {
		for (size_t k = 0; k < n->nics[i].n_addrs; k++) {
			has_any = has_any || n->nics[i].addrs[k].family == a->family;
			if (addr_same(&n->nics[i].addrs[k], a))
				return true;
		}
	}
	return !has_any;
}

void sleep_hear_asked(struct lab *lab, const struct words *w)
{
	int node = graph_find_node(lab->graph, w->at[1]);
	struct arena a = {0};
	struct addr asked;

	if (node < 0 || !lab->guests[node] || !sleep_is_in_file(lab->guests[node]) ||
	    addr_parse(w->at[2], strlen(w->at[2]), &asked, NULL) < 0)
		return;
	if (may_have(learned_node(lab, (size_t)node, &a), &asked))
		sleep_call(lab->guests[node]);
	arena_finish(&a);
}
