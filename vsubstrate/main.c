/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vsubstrate: carries all frames of one lab. The server starts it with a stream socket as
 * descriptor 0 and says what there is (docs/protocols.md, "Substrate control"); it ends when that
 * closes. Or it listens at a unix socket, is told there, and runs until it gets a signal: a
 * substrate node on a machine of its own.
 *
 * One thread and one loop. A turn waits no longer than until the first frame or timer of the
 * substrate is due, and then lets the substrate do all that is due by now (turn()); with the
 * virtual clock the substrate itself says what time it is. The kinds of devices are put in here, so
 * that the substrate room knows none by name.
 */
#include "lib/conn.h"
#include "lib/slice.h"
#include "substrate/control/control.h"
#include "substrate/control/control_server.h"
#include "substrate/core/thaw.h"
#include "substrate/virtio/guestmem.h"
#include "vhub/hub.h"
#include "vsubstrate/snapshot.h"
#include "vswitch/switch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const struct device_kind *const kinds[] = {&hub_kind, &switch_kind, NULL};

/* Every NIC has several descriptors. */
static void raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static struct substrate *create(struct loop *l)
{
	struct substrate *s = substrate_create(l, kinds);
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	/* The time of day when the real clock was 0; the virtual one sets its own. */
	s->epoch_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - clock_monotonic_ns();
	s->seed = 1;
	return s;
}

/*
 * Everything that happens is a descriptor that is ready or a time that has come; there is no
 * polling between the two.
 */
static int turn(struct loop *l, struct substrate *s, struct err *e)
{
	int rc = loop_turn(l, substrate_due_ns(s), e);

	if (rc == 0)
		substrate_run(s);
	return rc;
}

/* What a process has of the system besides its descriptors. */
static void prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* Timers to the nanosecond: the kernel would let them come 50 us late to save wake-ups. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	slice_want_short();
	raise_limits();
	guestmem_guard();
}

/* A lab's server, what it asked for, and the clock when that began. */
struct served {
	struct loop *loop;
	struct substrate *sub;
	struct control_session control;
	struct snapshot saving;
	bool thawing; /* restored, and awaiting others */
};

static int go_on(struct served *v, struct err *e)
{
	prepare();
	v->sub->held = false;
	v->thawing = true;
	if (loop_thaw(v->loop, v->saving.then_ns, e) < 0 ||
	    control_thaw(&v->control, dup(0), e) < 0)
		return -1;
	int rc = snapshot_thaw(v->sub, e);

	if (rc < 0)
		substrate_event(v->sub, "event thaw-failed \"%s\"", e->text);
	return rc;
}

/* From here a process goes on that was made of what is saved. */
static int save(struct served *v, struct err *e)
{
	if (snapshot_save(v->loop, v->sub, &v->saving) == SNAPSHOT_RESTORED)
		return go_on(v, e);
	return 0;
}

/* False: all of them stand. */
static bool answer_guests(const struct served *v)
{
	int64_t now_ns = loop_now_ns(v->loop);

	for (size_t i = 0; !v->saving.sub && i < v->sub->objects.n; i++) {
		struct object *o = v->sub->objects.at[i];

		if (o->kind->answer_held)
			o->kind->answer_held(o, now_ns);
	}
	return !v->saving.sub;
}

/*
 * Nothing is looked at but what the server says, and what guests must know to stand: whatever
 * others do waits where it is, in sockets and in the epoll, and is found as it was.
 */
static int hold(struct served *v, struct err *e)
{
	int64_t then_ns = clock_monotonic_ns();
	struct err why;
	int rc = 0;

	/* What a snapshot changes in the memory of guests is changed before they are written. */
	v->sub->held = substrate_freeze(v->sub, &why) == 0;
	if (v->sub->held)
		substrate_event(v->sub, "event held");
	else
		substrate_event(v->sub, "event hold-failed \"%s\"", why.text);

	while (rc == 0 && v->sub->held && conn_is_open(&v->control.conn)) {
		int writer = v->saving.sub ? v->saving.done.fd : -1;
		struct pollfd p[] = {{.fd = v->control.conn.watch.fd, .events = POLLIN},
				     {.fd = writer, .events = POLLIN}};
		int wait_ms = answer_guests(v) ? 1 : -1;

		if (poll(p, 2, wait_ms) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (p[1].revents)
			snapshot_written(&v->saving);
		conn_poll(&v->control.conn);
		loop_set_back(v->loop, then_ns);
		rc = save(v, e);
	}
	return rc;
}

/* The server of a lab is at descriptor 0. */
static int serve(struct loop *l, struct err *e)
{
	struct served v = {.loop = l, .sub = create(l)};
	int rc = control_open(&v.control, l, v.sub, dup(0), e);

	v.sub->can_save = true;
	while (rc == 0 && conn_is_open(&v.control.conn)) {
		rc = turn(l, v.sub, e);
		if (rc == 0)
			rc = save(&v, e);
		if (rc == 0 && v.sub->held)
			rc = hold(&v, e);
		/* While others came back no time has passed. */
		if (v.thawing && !v.sub->awaited) {
			v.thawing = false;
			loop_set_back(l, v.saving.then_ns);
		}
	}
	snapshot_finish(l, &v.saving);
	control_finish(&v.control);
	substrate_destroy(v.sub);
	return rc;
}

static bool stopped;

static void signal_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	stopped = true;
}

/* By itself, told at a unix socket. */
static int serve_at(struct loop *l, const char *path, struct err *e)
{
	struct substrate *s = create(l);
	struct loop_watch signals = {.ready = signal_ready};
	struct control_server *server = NULL;
	int rc = loop_add_signals(l, &signals, 0, e);

	if (rc == 0)
		server = control_server_create(l, s, path, e);
	if (!server)
		rc = -1;
	while (rc == 0 && !stopped)
		rc = turn(l, s, e);
	control_server_destroy(server);
	substrate_destroy(s);
	loop_remove(l, &signals);
	close(signals.fd);
	return rc;
}

static const char usage[] = "usage: vsubstrate <SOCKET\n"
			    "       vsubstrate --restore FILE [FROM TO]... <SOCKET\n"
			    "       vsubstrate --listen PATH\n"
			    "       vsubstrate --connect PATH [WORD...]\n"
			    "Carries the frames of a lab. Descriptor 0 is a stream socket on which "
			    "it is told what there is;\n"
			    "vbet starts it so. With --listen it is told at a unix socket, and "
			    "runs until it gets a signal: a\n"
			    "substrate node on a machine of its own (docs/substrate.md). --connect "
			    "says one command there, or\n"
			    "each line of standard input, and prints the answers.\n";

int main(int argc, char **argv)
{
	struct err e = {0};
	bool listen = argc == 3 && !strcmp(argv[1], "--listen");
	int rc;

	if (argc > 2 && !strcmp(argv[1], "--connect")) {
		rc = control_client(argv[2], argv + 3, (size_t)argc - 3, 0, stdout, &e);
		if (rc < 0)
			fprintf(stderr, "vsubstrate: %s\n", e.text);
		return rc < 0 ? 3 : rc;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("vsubstrate %s\n", VBET_VERSION);
		control_print_libraries(stdout);
		return 0;
	}
	if (argc > 2 && argc % 2 && !strcmp(argv[1], "--restore")) {
		snapshot_restore(argv[2], argv + 3, (size_t)argc - 3, &e);
		fprintf(stderr, "vsubstrate: %s\n", e.text);
		return 3;
	}
	if (argc > 1 && !listen) {
		fputs(usage, stdout);
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	prepare();
	struct loop *l = loop_create(&e);

	rc = !l ? -1 : listen ? serve_at(l, argv[2], &e) : serve(l, &e);
	loop_destroy(l);
	if (rc < 0)
		fprintf(stderr, "vsubstrate: %s\n", e.text);
	return rc < 0 ? 3 : 0;
}
