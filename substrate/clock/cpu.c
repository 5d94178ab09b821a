/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests and the process that gives them their turns pass messages back and forth. On one CPU such
 * a message is a switch from one process to the other; between two the second one is asleep, and
 * waking its CPU takes longer than most turns. So where guests cannot run side by side all are tied
 * to one.
 */
#include "substrate/clock/cpu.h"

#include <unistd.h>

int cpu_pick(cpu_set_t *all)
{
	if (sched_getaffinity(0, sizeof(*all), all) < 0 || CPU_COUNT(all) == 0) {
		CPU_ZERO(all);
		CPU_SET(0, all);
		return 0;
	}
	/* Labs that run at the same time should not all sit on the first one. */
	int skip = (int)getpid() % CPU_COUNT(all);

	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, all) && skip-- == 0)
			return i;
	return 0;
}

void cpu_tie(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(pid, sizeof(set), &set);
}

void cpu_untie(pid_t pid, const cpu_set_t *all)
{
	(void)sched_setaffinity(pid, sizeof(*all), all);
}
