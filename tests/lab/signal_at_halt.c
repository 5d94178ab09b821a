/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends a guest's kernel a signal when it has halted and stops its timer, as the timer itself or a
 * device may at any moment.
 *
 *     signal_at_halt PID SIGNAL     prints "ready", and at the end how often it did
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

/* timer_settime(): nothing to wait for, and no interval? */
static int stops_timer(pid_t pid)
{
	struct user_regs_struct regs;
	unsigned long bits = 0;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0 || regs.orig_rax != SYS_timer_settime)
		return 0;
	for (unsigned long i = 0; i < 4; i++)
		bits |= (unsigned long)ptrace(PTRACE_PEEKDATA, pid, regs.rdx + i * sizeof(long), 0);
	return bits == 0;
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 3 ? atoi(argv[1]) : 0;
	int signal = argc == 3 ? atoi(argv[2]) : 0;
	int sent = 0;
	int status;

	if (pid <= 0 || ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0) {
		perror("signal_at_halt");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		int stop = WSTOPSIG(status);
		int pass = stop == (SIGTRAP | 0x80) || status >> 16 ? 0 : stop;

		if (stop == (SIGTRAP | 0x80) && stops_timer(pid)) {
			kill(pid, signal);
			sent++;
		}
		ptrace(PTRACE_SYSCALL, pid, 0, pass);
	}
	printf("sent %d\n", sent);
	return 0;
}
