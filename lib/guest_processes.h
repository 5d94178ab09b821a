/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many processes the machine has for a guest: the plan's group and the launcher's limit agree.
 */
#ifndef LIB_GUEST_PROCESSES_H
#define LIB_GUEST_PROCESSES_H

/*
 * Beside a process for each of the guest's own: launcher, process 1 of the jail, kernel; and one
 * more for each program that is being started.
 */
enum { GUEST_OWN_PROCESSES = 8 };

#endif
