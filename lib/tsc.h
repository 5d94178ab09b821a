/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The processor's time stamp counter, which programs read without asking the kernel. */
#ifndef LIB_TSC_H
#define LIB_TSC_H

#include <stdbool.h>

/*
 * True if PR_SET_TSC (prctl(2)) works here: an attempt to read the counter is then a fault, for
 * which the kernels of guests in virtual time put the virtual time. On some hosts the call succeeds
 * and the counter can be read as before. Tried in a child process, which has ended on return.
 */
bool tsc_can_be_hidden(void);

#endif
