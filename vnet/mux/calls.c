/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The filter of system calls, as a list of what is allowed; calls.h says what for. libseccomp makes
 * a program of it that the kernel runs for every call.
 *
 * The list is made in the parent, where memory may be allocated, and put in force by the child
 * after fork. Two things cannot be in it. Who the process is, is not known yet: that signals go to
 * oneself only is a filter of its own (restrict_signals()). And the one execve() that must be
 * allowed is not different from any later one: it is referred to a listener, which answers once.
 */
#include "vnet/mux/calls.h"

#include "lib/seccomp.h"
#include "lib/xalloc.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const int allowed[] = {
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(mincore),
	SCMP_SYS(msync),
	SCMP_SYS(membarrier),
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	/* threads, and itself */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	SCMP_SYS(getcpu),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getpgrp),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getgroups),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresgid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(times),
	SCMP_SYS(getrandom),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	/* signals that it gets, or sends to itself: see below */
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(pause),
	SCMP_SYS(signalfd),
	SCMP_SYS(signalfd4),
	/* time */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(nanosleep),
	SCMP_SYS(alarm),
	SCMP_SYS(getitimer),
	SCMP_SYS(setitimer),
	SCMP_SYS(timer_create),
	SCMP_SYS(timer_settime),
	SCMP_SYS(timer_gettime),
	SCMP_SYS(timer_getoverrun),
	SCMP_SYS(timer_delete),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	/* waiting */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(eventfd),
	SCMP_SYS(eventfd2),
	/* descriptors that it has */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(preadv2),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(pwritev2),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(fstat),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	/* files to read, as far as there are any */
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(fadvise64),
};

/* Allowed with these arguments. A signal that a descriptor sends (F_SETOWN, FIOSETOWN) may kill
 * others, a datagram socket may be connected to anybody. */
#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_PATH | (O_TMPFILE & ~O_DIRECTORY))
#define ONLY(call, n, ...)          \
	{                           \
		SCMP_SYS(call), n,  \
		{                   \
			__VA_ARGS__ \
		}                   \
	}
#define IS(arg, value)                     \
	{                                  \
		arg, SCMP_CMP_EQ, value, 0 \
	}
#define HAS(arg, mask, value)                        \
	{                                            \
		arg, SCMP_CMP_MASKED_EQ, mask, value \
	}

static const struct {
	int call;
	unsigned n;
	struct scmp_arg_cmp args[2];
} restricted[] = {
	ONLY(open, 1, HAS(1, WRITES, 0)),
	ONLY(openat, 1, HAS(2, WRITES, 0)),
	/* Threads are accounted with their process, a process of its own would not be. */
	ONLY(clone, 1, HAS(0, CLONE_THREAD, CLONE_THREAD)),
	ONLY(prlimit64, 2, IS(0, 0), IS(2, 0)),
	ONLY(socketpair, 2, IS(0, AF_UNIX), HAS(1, 0xf, SOCK_STREAM)),
	ONLY(socketpair, 2, IS(0, AF_UNIX), HAS(1, 0xf, SOCK_SEQPACKET)),
	ONLY(prctl, 1, IS(0, PR_SET_NAME)),
	ONLY(prctl, 1, IS(0, PR_GET_NAME)),
	ONLY(prctl, 1, IS(0, PR_GET_DUMPABLE)),
	ONLY(prctl, 2, IS(0, PR_SET_DUMPABLE), IS(1, 0)),
	ONLY(prctl, 1, IS(0, PR_SET_VMA)),
	ONLY(ioctl, 1, IS(1, FIONREAD)),
	ONLY(ioctl, 1, IS(1, FIONBIO)),
	ONLY(ioctl, 1, IS(1, FIOCLEX)),
	ONLY(ioctl, 1, IS(1, TCGETS)),
	ONLY(ioctl, 1, IS(1, TIOCGWINSZ)),
	ONLY(fcntl, 1, IS(1, F_DUPFD)),
	ONLY(fcntl, 1, IS(1, F_DUPFD_CLOEXEC)),
	ONLY(fcntl, 1, IS(1, F_GETFD)),
	ONLY(fcntl, 1, IS(1, F_SETFD)),
	ONLY(fcntl, 1, IS(1, F_GETFL)),
	ONLY(fcntl, 1, IS(1, F_SETFL)),
	ONLY(fcntl, 1, IS(1, F_ADD_SEALS)),
	ONLY(fcntl, 1, IS(1, F_GET_SEALS)),
};

/* Libraries fall back to older calls if these are not there, but not if they are refused. */
static const int absent[] = {
	SCMP_SYS(clone3),
	SCMP_SYS(openat2),
	SCMP_SYS(faccessat2),
	SCMP_SYS(futex_waitv),
};

/*
 * A call of another architecture (the 32-bit entry of the same machine) is told that it does not
 * exist: its numbers would mean other calls.
 */
static int add_rules(scmp_filter_ctx c)
{
	int rc = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(allowed); i++)
		rc = seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(restricted); i++)
		rc = seccomp_rule_add_array(c, SCMP_ACT_ALLOW, restricted[i].call, restricted[i].n,
					    restricted[i].args);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(absent); i++)
		rc = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), absent[i], 0);
	if (rc == 0)
		rc = seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(execve), 0);
	/* As a tree: every frame costs calls. */
	return rc ? rc : seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

/* libseccomp writes filters to descriptors. */
static int export(scmp_filter_ctx c, struct sock_fprog *program)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int rc = fd < 0 ? -errno : seccomp_export_bpf(c, fd);
	off_t len = rc == 0 ? lseek(fd, 0, SEEK_END) : 0;

	if (rc == 0) {
		program->filter = xcalloc(1, (size_t)len);
		program->len = (unsigned short)((size_t)len / sizeof(*program->filter));
		rc = pread(fd, program->filter, (size_t)len, 0) == len ? 0 : -EIO;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int calls_compile(struct sock_fprog *program, struct err *e)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = c ? add_rules(c) : -ENOMEM;

	*program = (struct sock_fprog){0};
	if (rc == 0)
		rc = export(c, program);
	if (c)
		seccomp_release(c);
	if (rc == 0)
		return 0;
	return err_set(e, ERR_ENV, "a filter of system calls: %s", strerror(-rc));
}

/* A signal to oneself (abort, assert) only: the list is made before it is known who that is. */
static int restrict_signals(void)
{
	struct sock_filter f[] = {
		SECCOMP_LOAD(nr),      SKIP_UNLESS_EQUAL(SYS_tgkill, 3),
		SECCOMP_LOAD(args[0]), SKIP_IF_EQUAL((unsigned)getpid(), 1),
		SECCOMP_REFUSE(EPERM), SECCOMP_RETURN(SECCOMP_RET_ALLOW),
	};

	return seccomp_install(f, ARRAY_LEN(f));
}

int calls_install(const struct sock_fprog *program)
{
	if (restrict_signals() < 0)
		return -1;
	/* Without SPEC_ALLOW some hosts slow down every filtered process, for what does not matter
	 * here. */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    program);
}

/*
 * The listener is closed behind this answer. From then on the kernel refuses what would be asked
 * there, so that the first execve() was the last.
 */
bool calls_permit_exec(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	struct seccomp_notif *asked;
	struct seccomp_notif_resp *answer;

	if (poll(&p, 1, -1) != 1 || !(p.revents & POLLIN) ||
	    seccomp_notify_alloc(&asked, &answer) < 0)
		return false;
	bool ok = seccomp_notify_receive(listener, asked) == 0;

	answer->id = asked->id;
	answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ok = ok && seccomp_notify_respond(listener, answer) == 0;
	seccomp_notify_free(asked, answer);
	return ok;
}
