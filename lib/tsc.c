/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/tsc.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_FAULTED, CHILD_READ };

/* Handled, so that nothing of it is in a log or a core file. */
static void on_fault(int sig)
{
	(void)sig;
	_exit(CHILD_FAULTED);
}

static void try_it(void)
{
	struct sigaction sa = {.sa_handler = on_fault};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (sigaction(SIGSEGV, &sa, NULL) < 0 || prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) < 0)
		_exit(CHILD_READ);
	__asm__ volatile("rdtsc" : : : "eax", "edx", "memory");
	_exit(CHILD_READ);
}

bool tsc_can_be_hidden(void)
{
	int status;
	pid_t pid = fork();
	pid_t got;

	if (pid == 0)
		try_it();
	if (pid < 0)
		return false;
	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_FAULTED;
}
