/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/clock/cpu.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

int cpu_pick(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) == 0)
		return 0;
	int skip = (int)getpid() % CPU_COUNT(&set);

	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set) && skip-- == 0)
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

pid_t cpu_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}
