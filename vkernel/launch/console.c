/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The launcher stays as the parent of the guest's kernel and has one thing left to do: to keep the
 * console's log from filling the disk. It sleeps until something was printed, gives back what is
 * too much (lib/console_log.h), and rests for PAUSE_MS, so a guest that prints without end costs
 * ten looks a second. At the end it looks once more: the size that is left depends on what was
 * printed alone.
 *
 * The log is its own standard output, so inotify watches that by its link in /proc.
 */
#include "lib/console_log.h"
#include "vkernel/launch/launch.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAUSE_MS = 100 }; /* between two looks: what a console prints in that time is on top */

/* True: the child has ended. timeout_ms as poll(2). */
static bool wait_for(int child, int changes, int timeout_ms)
{
	struct pollfd p[] = {{.fd = child, .events = POLLIN}, {.fd = changes, .events = POLLIN}};

	while (poll(p, 2, timeout_ms) < 0)
		if (errno != EINTR)
			return true;
	return p[0].revents != 0;
}

void console_watch(pid_t child)
{
	char events[4096];
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bool watched =
		changes >= 0 && inotify_add_watch(changes, "/proc/self/fd/1", IN_MODIFY) >= 0;

	/* Without /proc or inotify it is looked at every now and then. */
	while (pidfd >= 0 &&
	       !wait_for(pidfd, watched ? changes : -1, watched ? -1 : 10 * PAUSE_MS)) {
		/* What changes while we look, or pause, is heard of next. */
		while (changes >= 0 && read(changes, events, sizeof(events)) > 0)
			;
		console_log_trim(STDOUT_FILENO);
		if (wait_for(pidfd, -1, PAUSE_MS))
			break;
	}
	console_log_trim(STDOUT_FILENO);
	if (pidfd >= 0)
		close(pidfd);
	if (changes >= 0)
		close(changes);
}
