/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a process asks to run at a stretch where others want its core. */
#ifndef LIB_SLICE_H
#define LIB_SLICE_H

/*
 * Asks for the shortest time slice there is (100 us) for this process and those that it starts: a
 * frame then waits less for a core that others keep busy, and the share of the core stays the same.
 * Linux 6.12 and later (kernel/sched/syscalls.c, __setparam_fair()); older ones take no notice.
 * Needs no rights.
 */
void slice_want_short(void);

#endif
