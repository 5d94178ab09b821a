/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel's process takes upon itself before it becomes the kernel. None of it can be taken
 * back. Address randomisation is turned off, and the stack has a fixed size, since addresses reach
 * the guest's own randomness and timing: with a seed, two runs must be the same.
 */
#include "vkernel/launch/launch.h"

#include "lib/guest_processes.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	FILES_MAX = 65536, /* one for every file that the guest has open */
	STACK = 8 << 20,   /* a fixed size, or addresses differ between machines */
};

static void lower(int what, rlim_t to)
{
	struct rlimit r;

	if (getrlimit(what, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max < to ? r.rlim_max : to;
	r.rlim_max = r.rlim_cur;
	setrlimit(what, &r);
}

/*
 * RLIMIT_NPROC is that of a user, and since Linux 5.14 of a user in one user namespace; before, it
 * would count all that the user runs. It is not for root.
 */
static bool is_counted_by_namespace(const struct launch *l, unsigned missing)
{
	struct utsname u;
	int major = 0;
	int minor = 0;

	return !(missing & MISSING_USERNS) && l->uid != 0 && uname(&u) == 0 &&
	       sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 14));
}

int limits_apply(const struct launch *l, unsigned *missing, struct err *e)
{
	cpu_set_t set;

	/* No limit of what is written: the console has a bound of its own (console.c), and waits
	 * for ever at a limit; the file of memory reaches over the gap before a heap at random. */
	if (personality(ADDR_NO_RANDOMIZE) < 0)
		*missing |= MISSING_ASLR;
	lower(RLIMIT_CORE, 0);
	lower(RLIMIT_NOFILE, FILES_MAX);
	lower(RLIMIT_STACK, STACK);
	if (l->processes && is_counted_by_namespace(l, *missing))
		lower(RLIMIT_NPROC, l->processes + GUEST_OWN_PROCESSES);
	else if (l->processes)
		*missing |= MISSING_PROCESSES;
	if (l->nice)
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + l->nice);
	umask(077);
	if (l->cpu >= 0 && l->cpu < CPU_SETSIZE) {
		CPU_ZERO(&set);
		CPU_SET((size_t)l->cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) < 0)
			*missing |= MISSING_CPU;
	}
	return 0;
}

int limits_drop_caps(struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* fails only if it is not ours to drop */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	if (syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, "drop capabilities");
	return 0;
}
