/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vkernel/init/power.h"

#include "vkernel/init/agent.h"
#include "vkernel/init/service.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TERM_MS = 2000, /* from TERM to KILL */
	FLUSH_MS = 200,
};

static struct loop *loop;
static struct loop_timer timer;
static bool ending;

static void finish(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	agent_flush(FLUSH_MS);
	sync();
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	/* A restart is the server's: the same as starting the node anew. */
	reboot(RB_POWER_OFF);
	_exit(0);
}

static void time_over(struct loop_timer *t, int64_t now_ns)
{
	finish();
}

void power_child_ended(void)
{
	siginfo_t si;

	if (ending && waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
		finish();
}

void power_off(struct loop *l, const char *how)
{
	if (ending)
		return;
	ending = true;
	loop = l;
	agent_event("power", how);
	service_stop_all();
	kill(-1, SIGTERM);
	kill(-1, SIGHUP); /* shells that talk to people do not heed TERM */
	kill(-1, SIGCONT);
	timer.fire = time_over;
	loop_set_timer(loop, &timer, loop_now_ns(loop) + TERM_MS * 1000000LL);
	power_child_ended();
}
