/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In a guest, as root: takes the agent's port from process 1 and writes what is no message. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	int init = (int)syscall(SYS_pidfd_open, 1, 0);
	DIR *fds = opendir("/proc/1/fd");
	char garbage[4096];
	int wrote = 0;

	memset(garbage, 0xff, sizeof(garbage));
	for (struct dirent *d; fds && (d = readdir(fds));) {
		char target[256] = "";

		if (readlinkat(dirfd(fds), d->d_name, target, sizeof(target) - 1) < 0 ||
		    !strstr(target, "vport"))
			continue;
		int port = (int)syscall(SYS_pidfd_getfd, init, atoi(d->d_name), 0);

		wrote += write(port, garbage, sizeof(garbage)) > 0;
	}
	return !wrote;
}
