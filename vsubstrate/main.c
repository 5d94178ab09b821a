/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vsubstrate: carries all frames of one lab. The server starts it with a stream socket as
 * descriptor 0 and says what there is (docs/protocols.md, "Substrate control"); it ends when that
 * closes.
 */
#include "lib/conn.h"
#include "substrate/control.h"
#include "substrate/guestmem.h"
#include "vhub/hub.h"
#include "vswitch/switch.h"

#include <fcntl.h>
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

static int serve(struct loop *l, struct err *e)
{
	struct substrate *s = substrate_create(l, kinds);
	struct control_session control;
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	s->epoch_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - clock_monotonic_ns();
	int rc = control_open(&control, l, s, dup(0), e);

	while (rc == 0 && conn_is_open(&control.conn)) {
		rc = loop_turn(l, substrate_due_ns(s), e);
		if (rc == 0)
			substrate_run(s);
	}
	control_finish(&control);
	substrate_destroy(s);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	if (argc > 1) {
		puts("usage: vsubstrate <SOCKET\n"
		     "Carries the frames of a lab. Descriptor 0 is a stream socket on which it is\n"
		     "told what there is; vbet starts it.");
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1UL);
	raise_limits();
	guestmem_guard();
	struct loop *l = loop_create(&e);
	int rc = l ? serve(l, &e) : -1;

	loop_destroy(l);
	if (rc < 0)
		fprintf(stderr, "vsubstrate: %s\n", e.text);
	return rc < 0 ? 3 : 0;
}
