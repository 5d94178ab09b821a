/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fp_registers [ROUNDS]: each of some threads and processes keeps values of its own in the floating
 * point registers, while it makes system calls, is signalled by a handler that overwrites them, and
 * forks. A debugger reads and writes those of its child. Prints "lost 0 of N" and "debugger agrees"
 * if nothing got mixed up.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4

static int rounds = 500;
static int lost, checks, have_avx512;
static volatile sig_atomic_t signals;

/* A system call between loading and reading, with nothing of the compiler's or the library's in
 * between. */
static long call_with_registers(long number, uint64_t value, uint64_t seen[4])
{
	long ret;

	seen[3] = value;
	if (have_avx512)
		__asm__ volatile(
			"vpbroadcastq %[v], %%zmm3\n\tvpbroadcastq %[v], %%zmm20\n\tkmovw %k[v], "
			"%%k3\n\t"
			"syscall\n\t"
			"vmovq %%xmm3, 0(%[s])\n\tvextracti64x4 $1, %%zmm20, %%ymm5\n\t"
			"vmovq %%xmm5, 8(%[s])\n\tkmovw %%k3, %%ecx\n\tmovq %%rcx, 16(%[s])"
			: "=a"(ret)
			: "0"(number), [v] "r"(value), [s] "r"(seen), "D"(0L), "S"(0L), "d"(0L)
			: "rcx", "r11", "memory", "xmm3", "xmm5");
	else
		__asm__ volatile("movq %[v], %%xmm3\n\tsyscall\n\tmovq %%xmm3, 0(%[s])"
				 : "=a"(ret)
				 : "0"(number), [v] "r"(value), [s] "r"(seen), "D"(0L), "S"(0L),
				   "d"(0L)
				 : "rcx", "r11", "memory", "xmm3");
	return ret;
}

static void check(const uint64_t seen[4])
{
	int bad = seen[0] != seen[3] ||
		  (have_avx512 && (seen[1] != seen[3] || seen[2] != (seen[3] & 0xffff)));

	__atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);
	if (bad)
		__atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
}

static void overwrite(int sig)
{
	(void)sig;
	signals++;
	if (have_avx512)
		__asm__ volatile("vpxorq %%zmm3, %%zmm3, %%zmm3\n\tvpxorq %%zmm20, %%zmm20, "
				 "%%zmm20\n\tkxorw %%k3, %%k3, %%k3" ::
					 : "xmm3");
	else
		__asm__ volatile("pxor %%xmm3, %%xmm3" ::: "xmm3");
}

static void *keep_values(void *arg)
{
	uint64_t base = (uint64_t)(uintptr_t)arg << 32, seen[4] = {0};

	for (int i = 0; i < rounds; i++) {
		long pid = 0;

		/* sched_yield: the others run; now and then the child of a fork has the same
		 * registers */
		if (i % 50 == 49) {
			pid = call_with_registers(SYS_fork, base + (uint64_t)i * 3 + 1, seen);
			check(seen);
			if (pid == 0) {
				int before = lost;

				for (int n = 0; n < 20; n++) {
					call_with_registers(SYS_sched_yield,
							    base + 77 + (uint64_t)n, seen);
					check(seen);
				}
				_exit(seen[0] != seen[3] || lost != before);
			}
			int status = 1;

			if (pid < 0 || waitpid((pid_t)pid, &status, 0) < 0 || status != 0)
				__atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
		} else {
			call_with_registers(SYS_sched_yield, base + (uint64_t)i * 3 + 1, seen);
			check(seen);
		}
	}
	return NULL;
}

/* A handler that spoils the frame it returns through: the program ends or goes on, the guest lives.
 */
static void spoil(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	memset((char *)uc->uc_mcontext.fpregs + 24, 0xff, 4);
	memset((char *)uc->uc_mcontext.fpregs + 512, 0xff, 64);
}

static void return_through_a_bad_frame(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct sigaction sa = {.sa_sigaction = spoil, .sa_flags = SA_SIGINFO};

		sigaction(SIGUSR2, &sa, NULL);
		raise(SIGUSR2);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("bad frame: the program %s\n", WIFSIGNALED(status) ? "was ended" : "went on");
}

static void debug_child(void)
{
	uint64_t seen[4] = {0};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		/* stops in kill(getpid(), SIGSTOP) with 0x1234 in xmm3, and sees what the debugger
		 * has written */
		long me = getpid(), ret;

		__asm__ volatile("movq %[v], %%xmm3\n\tsyscall\n\tmovq %%xmm3, 0(%[s])"
				 : "=a"(ret)
				 : "0"(SYS_kill), [v] "r"(0x1234L), [s] "r"(seen), "D"(me),
				   "S"((long)SIGSTOP)
				 : "rcx", "r11", "memory", "xmm3");
		_exit(seen[0] == 0x5678 ? 0 : 1);
	}
	struct user_fpregs_struct fp;

	waitpid(pid, &status, 0);
	memset(&fp, 0, sizeof(fp));
	ptrace(PTRACE_GETFPREGS, pid, 0, &fp);
	int read = fp.xmm_space[4 * 3] == 0x1234;

	fp.xmm_space[4 * 3] = 0x5678;
	ptrace(PTRACE_SETFPREGS, pid, 0, &fp);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("debugger %s\n",
	       read && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "agrees" : "DISAGREES");
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = overwrite, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	pthread_t threads[THREADS];

	if (argc > 1)
		rounds = atoi(argv[1]);
	__builtin_cpu_init();
	have_avx512 = __builtin_cpu_supports("avx512f");
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, keep_values, (void *)(i + 1));
	keep_values((void *)(uintptr_t)9);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("lost %d of %d, %d signals, %s\n", lost, checks, (int)signals,
	       have_avx512 ? "avx512" : "sse");
	debug_child();
	return_through_a_bad_frame();
	return lost != 0;
}
