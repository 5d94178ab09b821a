/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest goes from down over booting, up and ready to stopping, and is down again. What it is
 * supposed to be (`wanted`, `queued`, `restart`) is kept apart from what it is (`state`): its
 * end is a failure only if it was wanted.
 *
 * Boot: the server connects to the guest's agent first, by a socket that the substrate holds,
 * so that not a byte of it is lost; then it starts the launcher, which builds the jail and starts
 * the kernel in it. The launcher says over a pipe how well it is confined, or why it does not start
 * the guest. Process 1 says hello (up), and later that all services are there (ready-all).
 *
 * End: whatever the reason, the launcher's process ends, and its pidfd tells. All of a guest is one
 * process group; what is left of it is killed. A guest that is asked to power off and does not is
 * killed after a while; one whose kernel has left the virtual clock is not asked any more.
 *
 * By the virtual clock a guest also `joins` the calendar and goes from it, which the substrate
 * says. That its process is there and that the calendar has it are told by two sockets, in any
 * order: until both agree the lab is not at rest (input.c).
 */
#include "vbet-server/lab/guest.h"

#include "lib/console_log.h"
#include "lib/container_of.h"
#include "lib/visible.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/launcher.h"
#include "vbet-server/lab/snapshot.h"
#include "vbet-server/lab/spin.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TAIL_LINES = 15, TAIL_OCTETS = 16384 };
static const int64_t stop_timeout_ns = INT64_C(5000000000);

static const char *const state_names[] = {
	[GUEST_DOWN] = "down",   [GUEST_BOOTING] = "booting",   [GUEST_UP] = "up",
	[GUEST_READY] = "ready", [GUEST_STOPPING] = "stopping",
};
_Static_assert(ARRAY_LEN(state_names) == GUEST_STATES, "state_names out of step");

const char *guest_state_name(enum guest_state s)
{
	return state_names[s];
}

/* How many boot at once is bounded, so it is counted where every state is set. */
static void set_state(struct guest *gu, enum guest_state s)
{
	if (gu->state == s)
		return;
	if (gu->state == GUEST_BOOTING)
		gu->lab->progress.booting--;
	if (s == GUEST_BOOTING)
		gu->lab->progress.booting++;
	fprintf(stderr, "%s: %s -> %s\n", gu->name, state_names[gu->state], state_names[s]);
	gu->state = s;
}

/* The last lines of its console, malloc'ed; "" if there is none. */
static char *console_tail(const struct guest *gu)
{
	char *path = xasprintf("%s/n/%s/console.log", gu->lab->dir, gu->name);
	char *text = console_log_tail(path, TAIL_OCTETS, TAIL_LINES);
	/* It goes to somebody's terminal. */
	char *shown = visible_text(text);

	free(path);
	free(text);
	return shown;
}

static void begin_anew(struct guest *gu)
{
	gu->failed.kind = ERR_NONE;
	progress_forget_failures(gu);
}

/* The reason is on its console, as a rule: its last lines go with the error. */
static void fail_guest(struct guest *gu, const char *why)
{
	char *tail = console_tail(gu);
	char *shown = visible_text(why);
	struct err e;

	err_set(&e, ERR_ENV, "%s: %s%s%s", gu->name, shown,
		*tail ? "; the end of its console:\n" : "", tail);
	progress_note_failure(gu, ERR_ENV, shown, tail);
	free(tail);
	fprintf(stderr, "%s: %s\n", gu->name, shown);
	free(shown);
	gu->failed = e;
}

/* Somebody in the guest powers it off, or wants it to boot anew: that is no failure. */
static void powers_off(struct guest *gu, const char *how)
{
	struct lab *lab = gu->lab;

	if (lab->progress.setting_up || (gu->state != GUEST_UP && gu->state != GUEST_READY))
		return;
	gu->wanted = false;
	gu->restart = !strcmp(how, "reboot");
	set_state(gu, GUEST_STOPPING);
	loop_set_timer(lab->loop, &gu->deadline, loop_now_ns(lab->loop) + stop_timeout_ns);
}

/*
 * A NIC that was added while the guest booted: its init.conf may have it already, its kernel was
 * not told of it. It is plugged in when the guest is up (hotplug.h).
 */
static bool is_to_come(const struct guest *gu, const char *nic)
{
	int node = graph_find_node(gu->lab->graph, gu->name);
	int i = node < 0 ? -1 : graph_find_nic(&gu->lab->graph->nodes[node], nic);

	return i >= 0 && (size_t)i >= gu->n_nics;
}

/* What may fail leaves the guest as good as it was, and the lab. */
static void tolerate(struct guest *gu, const struct words *w)
{
	char *why = xasprintf("%s failed: %s", w->at[1], w->n > 2 ? w->at[2] : "");
	char *shown = visible_text(why);

	fprintf(stderr, "%s: %s\n", gu->name, shown);
	progress_note_failure(gu, ERR_NONE, shown, "");
	free(shown);
	free(why);
}

/*
 * Process 1 of the guest speaks. All that it can move is its own state, and whether the set-up
 * fails.
 */
static void on_agent_event(void *ctx, const struct words *w)
{
	struct guest *gu = ctx;
	const char *what = w->at[0];
	int64_t now = loop_now_ns(gu->lab->loop);

	if (!strcmp(what, "hello") && gu->state == GUEST_BOOTING) {
		gu->up_ns = now;
		set_state(gu, GUEST_UP);
		mtu_forget(gu->lab, gu->name);
		hotplug_tell(gu->lab, true);
		mtu_update(gu->lab);
		names_update(gu->lab);
	} else if (!strcmp(what, "ready-all") && gu->state == GUEST_UP) {
		gu->ready_ns = now;
		gu->is_late = false;
		set_state(gu, GUEST_READY);
		gu->failed.kind = ERR_NONE;
		failures_forget_late(&gu->lab->progress.failures, gu->name);
		loop_cancel_timer(gu->lab->loop, &gu->deadline);
	} else if (!strcmp(what, "address")) {
		learned_hear(gu, w);
		gu->lab->names_changed = true;
		names_update(gu->lab);
	} else if (!strcmp(what, "power") && w->n >= 2) {
		powers_off(gu, w->at[1]);
	} else if (!strcmp(what, "failed") && w->n >= 2 && !is_to_come(gu, w->at[1])) {
		char *why = xasprintf("%s failed: %s", w->at[1], w->n > 2 ? w->at[2] : "");

		fail_guest(gu, why);
		free(why);
	} else if (!strcmp(what, "tolerated") && w->n >= 2) {
		tolerate(gu, w);
	}
	progress_check(gu->lab);
}

static void kill_late(struct lab *lab, void *ctx)
{
	char *words[] = {"kill", ctx};
	struct words w = {.at = words, .n = 2};
	struct guest *gu = lab_find_guest(lab, ctx, NULL);

	if (gu && gu->state == GUEST_STOPPING)
		change_do(lab, CHANGE_OF_LAB, &w, NULL, NULL);
	free(ctx);
}

/* Power-off timed out; its virtual clock may stand still. */
static void give_up_stopping(struct guest *gu)
{
	struct lab *lab = gu->lab;

	if (lab->clock.is_virtual && clock_is_at_goal(lab))
		loop_set_timer(lab->loop, &gu->deadline, loop_now_ns(lab->loop) + stop_timeout_ns);
	else if (!input_is_replaying(lab))
		input_add_change(lab, kill_late, xstrdup(gu->name));
}

void guest_hear(struct lab *lab, const struct words *w)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], NULL);

	if (!gu)
		return;
	gu->joined = !strcmp(w->at[0], "joined");
	/* The lab is not at rest before its process ends, and nothing else ends it. */
	if (!gu->joined && gu->state > GUEST_BOOTING)
		loop_set_timer(lab->loop, &gu->deadline, loop_now_ns(lab->loop) + stop_timeout_ns);
}

void guest_say_late(const struct guest *gu, const char *others, struct err *e)
{
	char *tail = console_tail(gu);

	err_set(e, ERR_TIMEOUT, "%s: not ready after %g s%s; the end of its console:\n%s", gu->name,
		(double)gu->lab->progress.boot_timeout_ns / 1e9, others, tail);
	free(tail);
}

void guest_give_up(struct guest *gu)
{
	char *why =
		xasprintf("not ready after %g s", (double)gu->lab->progress.boot_timeout_ns / 1e9);
	char *tail = console_tail(gu);

	progress_note_failure(gu, ERR_TIMEOUT, why, tail);
	err_set(&gu->failed, ERR_TIMEOUT, "%s: %s; the end of its console:\n%s", gu->name, why,
		tail);
	fprintf(stderr, "%s\n", gu->failed.text);
	free(tail);
	free(why);
	gu->is_late = gu->state == GUEST_UP;
	if (gu->is_late)
		return;
	/* A kernel that has said nothing so far cannot be asked for anything, nor looked into. */
	gu->wanted = gu->queued = false;
	guest_kill(gu);
}

void guest_lacks(struct guest *gu, const char *device, const char *why)
{
	if (gu->state != GUEST_BOOTING || !gu->wanted)
		return;
	char *text = xasprintf("its %s cannot be carried: %s (vsubstrate)",
			       strchr(device, ':') ? strchr(device, ':') + 1 : device, why);

	fail_guest(gu, text);
	free(text);
	gu->wanted = gu->queued = false;
	guest_kill(gu);
	progress_check(gu->lab);
}

/*
 * One timer for whatever a guest is waited for: to be ready, to power off, or for its process
 * to end when its kernel has said that it does.
 */
static void on_deadline(struct loop_timer *t, int64_t now_ns)
{
	struct guest *gu = container_of(t, struct guest, deadline);

	if (gu->lab->clock.is_virtual && !gu->joined && gu->state > GUEST_BOOTING) {
		guest_kill(gu);
		return;
	}
	if (gu->state == GUEST_STOPPING) {
		give_up_stopping(gu);
		return;
	}
	guest_give_up(gu);
	progress_check(gu->lab);
}

static void close_report(struct guest *gu)
{
	loop_remove(gu->lab->loop, &gu->report);
	if (gu->report.fd >= 0)
		close(gu->report.fd);
	gu->report.fd = -1;
}

static void tell_unconfined(struct lab *lab)
{
	if (lab->progress.told_unconfined)
		return;
	lab->progress.told_unconfined = true;
	progress_say(lab, "note: there are no namespaces here, and --insecure: guests are not "
			  "confined, and can read your files");
}

static void tell_lost(struct lab *lab)
{
	if (lab->progress.told_lost)
		return;
	lab->progress.told_lost = true;
	progress_say(
		lab,
		"note: personality() is refused here, so guests have random addresses, and up to "
		"16 MB less memory%s",
		lab->clock.is_virtual ? ": a run need not repeat" : "");
}

static void on_report(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct guest *gu = container_of(w, struct guest, report);
	char line[1024];
	ssize_t n = read(w->fd, line, sizeof(line) - 1);

	if (n < 0 && errno == EAGAIN)
		return;
	close_report(gu);
	if (n <= 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, "jail ", 5))
		snprintf(gu->jail, sizeof(gu->jail), "%.100s", line + 5);
	else
		fail_guest(gu, line + (strncmp(line, "error ", 6) ? 0 : 6));
	if (!strncmp(gu->jail, "level=none", strlen("level=none")))
		tell_unconfined(gu->lab);
	if (strstr(gu->jail, "aslr-off"))
		tell_lost(gu->lab);
}

struct leaving {
	struct lab *lab;
	char *name; /* owned: the guest may have gone from the lab */
};

/* Where it cannot boot again, that is said when it tries to: its devices are not there. */
static void on_left(void *ctx, bool ok, const char *text)
{
	struct leaving *l = ctx;
	struct guest *gu = l->lab->progress.failed ? NULL : lab_find_guest(l->lab, l->name, NULL);

	if (!ok)
		fprintf(stderr, "%s: %s\n", l->name, text);
	if (gu)
		gu->leaving = false;
	if (gu && gu->queued)
		progress_check(l->lab);
	free(l->name);
	free(l);
}

/*
 * Its next kernel may connect before the substrate has seen that this one has gone, and nobody
 * would listen: it waits until that is so (substrate/virtio/vhost.c).
 */
static void leave_devices(struct guest *gu)
{
	struct lab *lab = gu->lab;

	if (lab->progress.failed)
		return;
	struct leaving *l = xmalloc(sizeof(*l));
	char *agent = xasprintf("%s:agent", gu->name);
	char *line = xasprintf("listen %s", gu->name);

	*l = (struct leaving){.lab = lab, .name = xstrdup(gu->name)};
	gu->leaving = true;
	lab_send_about(lab, agent, line, on_left, l);
	free(line);
	free(agent);
}

/*
 * Everything that belongs to one boot goes here, in whatever state it is: the next boot finds
 * the guest as if it had never run.
 */
static void finish_child(struct guest *gu)
{
	struct loop *l = gu->lab->loop;
	bool ran = gu->child.pid && !gu->lab->clock.is_virtual;

	loop_remove(l, &gu->exited);
	loop_cancel_timer(l, &gu->deadline);
	close_report(gu);
	agent_close(&gu->agent);
	freezer_close(&gu->freezer);
	learned_forget(gu);
	names_forget(gu);
	if (gu->child.pid)
		launcher_finish(&gu->child);
	gu->dying = false;
	spin_end(gu);
	set_state(gu, GUEST_DOWN);
	if (sleep_end(gu) || ran)
		leave_devices(gu);
}

static void queue_restart(struct guest *gu)
{
	if (!gu->restart)
		return;
	gu->restart = false;
	gu->wanted = gu->queued = true;
}

static void on_exited(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct guest *gu = container_of(w, struct guest, exited);
	bool expected = gu->state == GUEST_STOPPING || !gu->wanted;

	/* The report may have come in the same turn. */
	if (gu->report.fd >= 0)
		on_report(&gu->report, EPOLLIN, now_ns);
	finish_child(gu);
	if (!expected) {
		gu->wanted = false;
		if (!gu->failed.kind) /* else that is why */
			fail_guest(gu, bounds_ran_out(&gu->lab->bounds)
					       ? "its kernel has ended: the lab's memory was full"
					       : "its kernel has ended");
	}
	snapshot_spoil(gu->lab, gu->name, false);
	queue_restart(gu);
	progress_check(gu->lab);
}

struct guest *guest_create(struct lab *lab, const char *name)
{
	struct guest *gu = xcalloc(1, sizeof(*gu));

	gu->lab = lab;
	gu->name = xstrdup(name);
	gu->report.fd = -1;
	sleep_init(gu);
	gu->report.ready = on_report;
	gu->exited.ready = on_exited;
	gu->deadline.fire = on_deadline;
	gu->agent.on_event = on_agent_event;
	gu->agent.ctx = gu;
	still_init(gu);
	return gu;
}

void guest_lose(struct guest *gu, const char *why)
{
	finish_child(gu);
	gu->wanted = false;
	fail_guest(gu, why);
}

/* Only the signal: the loop hears of the end, so that nothing blocks. */
void guest_kill(struct guest *gu)
{
	if (!gu || !gu->child.pid)
		return;
	gu->dying = true;
	launcher_end(&gu->child);
}

void guest_destroy(struct guest *gu)
{
	if (!gu)
		return;
	finish_child(gu);
	free(gu->name);
	free(gu);
}

static int watch_launcher(struct guest *gu, struct err *e)
{
	struct loop *l = gu->lab->loop;

	lab_note_pid(gu->lab, &gu->child, gu->name);
	gu->exited.fd = gu->child.pidfd;
	return loop_add(l, &gu->exited, EPOLLIN, e) < 0 ? -1 : loop_add(l, &gu->report, EPOLLIN, e);
}

static int spawn(struct guest *gu, int state_fd, enum snapshot_use use, struct err *e)
{
	int report[2];

	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	int rc = launcher_spawn(gu, report[1], state_fd, use, e);

	close(report[1]);
	gu->report.fd = report[0];
	return rc;
}

int guest_boot(struct guest *gu, struct err *e)
{
	struct lab *lab = gu->lab;
	char *path = xasprintf("%s/n/%s/agent", lab->dir, gu->name);

	gu->queued = gu->joined = gu->dying = gu->is_late = false;
	begin_anew(gu);
	gu->jail[0] = '\0';
	int rc = agent_connect(&gu->agent, lab->loop, path, e);

	if (rc == 0 && still_listen(gu, e) < 0) {
		agent_close(&gu->agent);
		rc = -1;
	}
	free(path);
	if (rc < 0)
		return -1;
	if (spawn(gu, -1, SNAPSHOT_READ, e) < 0) {
		agent_close(&gu->agent);
		close_report(gu);
		return -1;
	}
	gu->n_nics = lab->graph->nodes[graph_find_node(lab->graph, gu->name)].n_nics;
	if (watch_launcher(gu, e) < 0)
		return -1;
	gu->started_ns = loop_now_ns(lab->loop);
	loop_set_timer(lab->loop, &gu->deadline, gu->started_ns + lab->progress.boot_timeout_ns);
	set_state(gu, GUEST_BOOTING);
	back_wake(lab);
	return 0;
}

int guest_thaw(struct guest *gu, struct err *e)
{
	char *path = xasprintf("%s/n/%s/agent", gu->lab->dir, gu->name);
	int rc = agent_thaw(&gu->agent, gu->lab->loop, path, e);

	free(path);
	return rc < 0 ? -1 : still_listen(gu, e);
}

int guest_resume(struct guest *gu, int state_fd, enum snapshot_use use, struct err *e)
{
	return spawn(gu, state_fd, use, e) < 0 ? -1 : watch_launcher(gu, e);
}

int guest_go_on(struct guest *gu, const char *state, enum snapshot_use use, struct err *e)
{
	int fd = open(state, snapshot_use_flags(use));
	int rc = fd < 0 ? err_sys(e, "%s", state) : guest_resume(gu, fd, use, e);

	if (fd >= 0)
		close(fd);
	return rc;
}

bool guest_can_hear(const struct guest *gu, struct err *e)
{
	const struct lab *lab = gu->lab;

	if (gu->agent.said_hello)
		return true;
	if (gu->state != GUEST_DOWN && lab_is_lost(lab, graph_find_node(lab->graph, gu->name), e))
		err_wrap(e, "%s is lost", gu->name);
	else if (gu->state == GUEST_UP || gu->state == GUEST_READY)
		err_set(e, ERR_ENV,
			"%s runs, but nobody can speak to it any more: what came from its "
			"agent was no message ('vbet restart %s' boots it anew)",
			gu->name, gu->name);
	else
		err_set(e, ERR_ENV, "%s is %s", gu->name, guest_state_name(gu->state));
	return false;
}

int guest_start(struct guest *gu, struct err *e)
{
	if (gu->state != GUEST_DOWN &&
	    lab_is_lost(gu->lab, graph_find_node(gu->lab->graph, gu->name), e))
		return err_wrap(e, "%s", gu->name);
	if (gu->state != GUEST_DOWN)
		return err_set(e, ERR_USAGE, "%s is %s", gu->name, guest_state_name(gu->state));
	begin_anew(gu);
	gu->wanted = gu->queued = true;
	progress_check(gu->lab);
	return 0;
}

void guest_stop(struct guest *gu, bool at_once)
{
	gu->wanted = gu->queued = false;
	/* One that sleeps has no kernel that could be asked, or ended. */
	if (!gu->lab->clock.is_virtual)
		sleep_call(gu);
	begin_anew(gu);
	if (gu->state == GUEST_DOWN) {
		queue_restart(gu);
		progress_check(gu->lab);
		return;
	}
	set_state(gu, GUEST_STOPPING);
	if (at_once || !gu->agent.said_hello) {
		guest_kill(gu);
		return;
	}
	agent_control(&gu->agent, "poweroff");
	loop_set_timer(gu->lab->loop, &gu->deadline, loop_now_ns(gu->lab->loop) + stop_timeout_ns);
}
