/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A library that makes one call fail: the FAIL_AT-th of those that FAIL_WHAT names ("memory":
 * malloc and its like; "calls": system calls that make descriptors, map memory or write; or one of
 * these calls, "epoll_ctl"), in the process whose name is FAIL_PROGRAM. With FAIL_COUNT that file
 * holds how many there were, as a long. Built with -shared, given by LD_PRELOAD.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic long seen;
static long fail_at = -1;
static bool of_memory;
static const char *of_call; /* NULL: all of them */
static _Atomic long *most;  /* in the file of FAIL_COUNT; NULL: nobody wants to know */

__attribute__((constructor)) static void begin(void)
{
	const char *program = getenv("FAIL_PROGRAM");
	const char *at = getenv("FAIL_AT");
	const char *what = getenv("FAIL_WHAT");

	if (!program || !at || !what || strcmp(program, program_invocation_short_name) != 0)
		return;
	int fd = getenv("FAIL_COUNT")
			 ? open(getenv("FAIL_COUNT"), O_RDWR | O_CREAT | O_CLOEXEC, 0600)
			 : -1;

	if (fd >= 0 && ftruncate(fd, sizeof(*most)) == 0)
		most = mmap(NULL, sizeof(*most), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	of_memory = !strcmp(what, "memory");
	of_call = of_memory || !strcmp(what, "calls") ? NULL : what;
	seen = 0;
	fail_at = atol(at);
}

/* Whether this call is the one. */
static bool fails_at(bool memory, const char *call, int error)
{
	if (fail_at < 0 || memory != of_memory || (of_call && strcmp(of_call, call) != 0))
		return false;
	long now = ++seen;

	if (most && now > *most)
		*most = now;
	if (now != fail_at)
		return false;
	errno = error;
	return true;
}

#define fails(memory, error) fails_at(memory, __func__, error)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	return fails(true, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(true, ENOMEM) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails(true, ENOMEM) ? NULL : __libc_realloc(p, size);
}

#define NEXT(name)                       \
	static __typeof__(&(name)) next; \
	if (!next)                       \
		*(void **)&next = dlsym(RTLD_NEXT, #name);

int open(const char *path, int flags, ...)
{
	va_list ap;

	NEXT(open)
	va_start(ap, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;

	va_end(ap);
	return fails(false, EMFILE) ? -1 : next(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	NEXT(fopen)
	return fails(false, EMFILE) ? NULL : next(path, mode);
}

int socket(int domain, int type, int protocol)
{
	NEXT(socket)
	return fails(false, EMFILE) ? -1 : next(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	NEXT(socketpair)
	return fails(false, EMFILE) ? -1 : next(domain, type, protocol, fds);
}

int pipe2(int fds[2], int flags)
{
	NEXT(pipe2)
	return fails(false, EMFILE) ? -1 : next(fds, flags);
}

int accept4(int fd, struct sockaddr *restrict a, socklen_t *restrict len, int flags)
{
	NEXT(accept4)
	return fails(false, EMFILE) ? -1 : next(fd, a, len, flags);
}

int epoll_create1(int flags)
{
	NEXT(epoll_create1)
	return fails(false, EMFILE) ? -1 : next(flags);
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	NEXT(epoll_ctl)
	return op == EPOLL_CTL_ADD && fails(false, ENOSPC) ? -1 : next(epfd, op, fd, event);
}

int memfd_create(const char *name, unsigned flags)
{
	NEXT(memfd_create)
	return fails(false, EMFILE) ? -1 : next(name, flags);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	NEXT(mmap)
	return fails(false, ENOMEM) ? MAP_FAILED : next(at, len, prot, flags, fd, offset);
}

int mkdir(const char *path, mode_t mode)
{
	NEXT(mkdir)
	return fails(false, ENOSPC) ? -1 : next(path, mode);
}

pid_t fork(void)
{
	NEXT(fork)
	return fails(false, EAGAIN) ? -1 : next();
}

/* A copy: to share memory until exec, it would have to be called from where it is needed. */
pid_t vfork(void)
{
	NEXT(fork)
	return fails(false, EAGAIN) ? -1 : next();
}

ssize_t write(int fd, const void *data, size_t len)
{
	NEXT(write)
	return fails(false, ENOSPC) ? -1 : next(fd, data, len);
}
