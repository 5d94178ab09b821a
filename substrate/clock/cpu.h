/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which CPU does the work. It has no effect on what happens in virtual time, only on how soon. */
#ifndef SUBSTRATE_CLOCK_CPU_H
#define SUBSTRATE_CLOCK_CPU_H

#include <sched.h>
#include <sys/types.h>

/* One of the CPUs that this process may use, not the same for every process; *all: all of them. */
int cpu_pick(cpu_set_t *all);
/* Ties a process (0: this one) and what it will start to a CPU, if that is allowed. */
void cpu_tie(pid_t pid, int cpu);
/* It may run on any of them again. */
void cpu_untie(pid_t pid, const cpu_set_t *all);

#endif
