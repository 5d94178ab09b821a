/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work that is killed at a moment that no clock has a say in: before its n-th system call. */
#ifndef TESTS_SUPPORT_KILLED_H
#define TESTS_SUPPORT_KILLED_H

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int killed_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		ck_assert_int_eq(errno, EINTR);
	return status;
}

/*
 * Runs it in a process of its own, which is killed where system call `calls` (from 0) of its first
 * thread begins, and does not do it; other threads end where they are. How many began: more than
 * `calls` if it was killed; all that there are for UINT_MAX.
 */
static inline unsigned killed_at_call(void (*work)(void), unsigned calls)
{
	unsigned begun = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		raise(SIGSTOP);
		work();
		_exit(0);
	}
	int status = killed_wait(pid);

	ck_assert(WIFSTOPPED(status));
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL);
	/* A stop where each call begins, and one where it is done. */
	for (unsigned stops = 0;; stops++) {
		if (stops % 2 == 1 && begun++ == calls)
			kill(pid, SIGKILL);
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		status = killed_wait(pid);
		if (!WIFSTOPPED(status))
			break;
		ck_assert_int_eq(WSTOPSIG(status), SIGTRAP);
	}
	if (WIFEXITED(status))
		ck_assert_int_eq(WEXITSTATUS(status), 0);
	return begun;
}

#endif
