/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a guest. Everything is asked to end and has TERM_MS for it; when the last child has
 * been reaped, or the time is over, the agent's last words are sent, the file systems are settled,
 * and the kernel powers off. A restart that is asked for inside is the server's business, as it is
 * the same as to start the node anew.
 */
#include "vkernel/init/power.h"

#include "vkernel/init/agent.h"
#include "vkernel/init/service.h"

#include <errno.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

/*
 * A disk that was unmounted can be the base of another, which is read-only: there a journal cannot
 * be played back. Nobody is left who could hold a file open.
 */
static void unmount_disks(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (mounts && (m = getmntent(mounts)))
		if (!strncmp(m->mnt_fsname, "/dev/vd", 7))
			umount2(m->mnt_dir, MNT_DETACH);
	if (mounts)
		endmntent(mounts);
}

static void finish(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	agent_flush(FLUSH_MS);
	unmount_disks();
	sync();
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
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
	kill(-1, SIGHUP); /* interactive shells ignore TERM */
	kill(-1, SIGCONT);
	timer.fire = time_over;
	loop_set_timer(loop, &timer, loop_now_ns(loop) + TERM_MS * 1000000LL);
	power_child_ended();
}
