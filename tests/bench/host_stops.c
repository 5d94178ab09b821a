/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest's system call cannot be cheaper than: one process makes a call, another one gets it
 * and answers, on one processor. By ptrace, as our kernels do it, and by a signal of seccomp and
 * two futexes, as kernels since 6.16 can; an octet through two pipes beside it, for the switches
 * alone. A line "WHAT<tab>MICROSECONDS" each, the best of ROUNDS.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { ROUNDS = 20, CALLS = 2000, ANSWER = 5 };

static unsigned *word; /* 0: the other one runs; 1: a call waits for its answer */

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void call_forever(void)
{
	for (;;)
		syscall(SYS_getppid);
}

/* --- ptrace --- */

static pid_t start_traced(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		call_forever();
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	return pid;
}

static void answer_traced(pid_t pid)
{
	struct user_regs_struct regs;
	int status;

	if (ptrace(PTRACE_SYSEMU, pid, 0, 0) < 0 || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0 ||
	    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), ANSWER) < 0)
		die("ptrace");
}

/* --- seccomp --- */

static void wait_while(unsigned value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void set_word(unsigned value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	set_word(1);
	wait_while(1);
	c->uc_mcontext.gregs[REG_RAX] = ANSWER;
}

static pid_t start_trapped(void)
{
	struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, filter};

	word = mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (word == MAP_FAILED)
		die("mmap");
	pid_t pid = fork();

	if (pid == 0) {
		sigaction(SIGSYS, &action, NULL);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
			die("seccomp");
		call_forever();
	}
	return pid;
}

static void answer_trapped(pid_t pid)
{
	wait_while(0);
	set_word(0);
}

/* --- two pipes --- */

static int to[2];
static int from[2];

static pid_t start_piped(void)
{
	char c = 0;

	if (pipe(to) < 0 || pipe(from) < 0)
		die("pipe");
	pid_t pid = fork();

	while (pid == 0)
		if (read(to[0], &c, 1) != 1 || write(from[1], &c, 1) != 1)
			_exit(1);
	return pid;
}

static void answer_piped(pid_t pid)
{
	char c = 0;

	if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
		die("pipe");
}

static void measure(const char *what, pid_t (*start)(void), void (*answer)(pid_t pid))
{
	double best = 1e9;
	pid_t pid = start();

	for (int round = 0; round < ROUNDS; round++) {
		double begin = now_us();

		for (int i = 0; i < CALLS; i++)
			answer(pid);
		double each = (now_us() - begin) / CALLS;

		if (each < best)
			best = each;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%s\t%.2f\n", what, best);
}

int main(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	measure("a bare stop by ptrace", start_traced, answer_traced);
	measure("a bare trap by seccomp and futex", start_trapped, answer_trapped);
	measure("an octet through two pipes", start_piped, answer_piped);
	return 0;
}
