/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parent learns from a pipe whether exec worked: its end in the child closes on exec, or
 * carries the reason. Until then the child must call nothing but what signal-safety(7) allows, as
 * another thread may have held a lock at the moment of fork(); and it writes to no memory but its
 * stack, as it runs on the parent's, which waits (vfork): to copy that of a server of a large lab
 * takes longer than all the rest.
 *
 * A child dies with its parent (PR_SET_PDEATHSIG). The parent may have died before the child asked
 * for that, so the child compares its parent with the pid that it was told. Process ids are used
 * again; a start time (field 22 of /proc/PID/stat) tells one process from a later one.
 */
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned long long process_start_time(pid_t pid)
{
	char path[64];
	char buf[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	/* The name in parentheses may hold anything: count fields from the last ')' (field 2). */
	char *p = strrchr(buf, ')');

	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

/* Moves descriptors so that s->fds[i] becomes i, and closes all others but `report`. */
static int place_fds(const struct spawn *s, int *report)
{
	int high[SPAWN_FDS_MAX];

	/* First out of the way of one another. */
	*report = fcntl(*report, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX + 16);
	for (size_t i = 0; i < s->n_fds; i++) {
		high[i] =
			s->fds[i] < 0 ? -1 : fcntl(s->fds[i], F_DUPFD_CLOEXEC, SPAWN_FDS_MAX + 16);
		if (s->fds[i] >= 0 && high[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < s->n_fds; i++) {
		if (high[i] < 0)
			close((int)i);
		else if (dup2(high[i], (int)i) < 0)
			return -1;
	}
	if (*report < 0)
		return -1;
	/* The rest is close-on-exec by rule; this makes sure, and of what prepare() may show. */
	close_range((unsigned)s->n_fds, (unsigned)*report - 1, 0);
	close_range((unsigned)*report + 1, ~0U, 0);
	return 0;
}

/* Before it has descriptors or children: what it makes later is in its group, too. */
static int enter_cgroup(const char *procs)
{
	if (!procs)
		return 0;
	int fd = open(procs, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, "0", 1);

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

__attribute__((noreturn)) static void run_child(const struct spawn *s, int report, pid_t parent)
{
	static char *const no_env[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before prctl */
		_exit(127);
	if (setsid() >= 0 && enter_cgroup(s->cgroup) == 0 && place_fds(s, &report) == 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	    (!s->prepare || s->prepare(s->prepare_ctx) == 0))
		execve(s->argv[0], s->argv, s->envp ? s->envp : no_env);
	int why = errno;

	if (write(report, &why, sizeof(why)) < 0)
		_exit(126);
	_exit(127); /* never exit(): atexit handlers are the parent's */
}

/*
 * Who is attended to while it prepares itself cannot hold up its parent. Signals are blocked: a
 * handler that ran in the child would run in the parent's memory.
 */
static __attribute__((noinline)) pid_t fork_child(const struct spawn *s, int report)
{
	pid_t parent = getpid();
	sigset_t all;
	sigset_t old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork, clang-analyzer-unix.Vfork) */
	pid_t pid = s->attend ? fork() : vfork();

	if (pid == 0)
		run_child(s, report, parent); /* NOLINT(clang-analyzer-unix.Vfork) */
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

int spawn_child(const struct spawn *s, struct child *c, struct err *e)
{
	int report[2];
	int why = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	c->pid = fork_child(s, report[1]);
	if (c->pid < 0) {
		c->pid = 0;
		close(report[0]);
		close(report[1]);
		return err_sys(e, "fork");
	}
	close(report[1]);
	if (s->attend)
		s->attend(s->prepare_ctx);
	ssize_t n;

	do {
		n = read(report[0], &why, sizeof(why));
	} while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n != 0) {
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
		errno = n == sizeof(why) ? why : EIO;
		return err_sys(e, "start %s", s->argv[0]);
	}
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd < 0) {
		err_sys(e, "pidfd_open");
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
		return -1;
	}
	fcntl(c->pidfd, F_SETFD, FD_CLOEXEC);
	c->start_time = process_start_time(c->pid);
	return 0;
}
