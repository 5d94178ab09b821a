/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/cpus.h"

#include <unistd.h>

unsigned cpus_online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}
