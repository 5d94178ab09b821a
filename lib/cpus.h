/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many processors this machine has in use; 1 if nobody knows. */
#ifndef LIB_CPUS_H
#define LIB_CPUS_H

unsigned cpus_online(void);

#endif
