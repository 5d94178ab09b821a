/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the small C library (musl) lacks. Included before everything else in the guest's build of
 * lib/ and vkernel/init/ (module.mk), so that the same sources serve both libraries.
 */
#ifndef VKERNEL_INIT_COMPAT_H
#define VKERNEL_INIT_COMPAT_H

#include <stdlib.h> /* any header: tells which library this is */
#ifndef __GLIBC__

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct epoll_event;

static inline int compat_epoll_pwait2(int fd, struct epoll_event *ev, int n,
				      const struct timespec *ts, const void *mask)
{
	return (int)syscall(SYS_epoll_pwait2, fd, ev, n, ts, mask, 8);
}
#define epoll_pwait2 compat_epoll_pwait2

static inline int compat_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}
#define close_range compat_close_range

#endif
#endif
