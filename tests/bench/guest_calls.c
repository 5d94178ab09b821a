/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guest_calls: what system calls, switches, signals, faults and new processes cost where it runs. A
 * line for each: its name, and the microseconds of one, in the best of some batches. Arguments:
 * programs to execute.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 9, PAGES = 64 };

static int ping[2], pong[2];
static char *program;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void call(void)
{
	syscall(SYS_getppid);
}

static void pipe_octet(void)
{
	char c = 0;

	if (write(ping[1], &c, 1) != 1 || read(ping[0], &c, 1) != 1)
		fail("pipe");
}

static void handler(int sig)
{
	(void)sig;
}

static void signal_self(void)
{
	raise(SIGUSR1);
}

static void round_trip(void)
{
	char c = 0;

	if (write(ping[1], &c, 1) != 1 || read(pong[0], &c, 1) != 1)
		fail("pipe");
}

static void *answer(void *unused)
{
	char c;

	while (read(ping[0], &c, 1) == 1 && c == 0)
		if (write(pong[1], &c, 1) != 1)
			break;
	return unused;
}

static void fault_pages(void)
{
	char *p = mmap(NULL, PAGES * 4096UL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	for (int i = 0; i < PAGES; i++)
		p[i * 4096L] = 1;
	munmap(p, PAGES * 4096UL);
}

static void fork_and_exit(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		fail("fork");
}

static void fork_and_execute(void)
{
	char *argv[] = {program, "-S", "-c", "pass", NULL};
	int status;
	pid_t pid = fork();

	if (!strstr(program, "python"))
		argv[1] = NULL;
	if (pid == 0) {
		execv(program, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		fail(program);
}

/* The best batch tells what it costs when nothing else runs. */
static void measure(const char *name, void (*once)(void), int times, double per)
{
	double best = 0;

	for (int b = 0; b < BATCHES; b++) {
		struct timespec begin, end;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		for (int i = 0; i < times; i++)
			once();
		clock_gettime(CLOCK_MONOTONIC, &end);
		double us = ((double)(end.tv_sec - begin.tv_sec) * 1e6 +
			     (double)(end.tv_nsec - begin.tv_nsec) / 1e3) /
			    times / per;

		if (b == 0 || us < best)
			best = us;
	}
	printf("%s\t%.2f\n", name, best);
	fflush(stdout);
}

static void measure_round_trips(void)
{
	char end = 1;
	pthread_t thread;
	pid_t pid;

	pthread_create(&thread, NULL, answer, NULL);
	measure("round trip between two threads", round_trip, 300, 1);
	if (write(ping[1], &end, 1) != 1)
		fail("pipe");
	pthread_join(thread, NULL);
	pid = fork();
	if (pid == 0) {
		answer(NULL);
		_exit(0);
	}
	measure("round trip between two processes", round_trip, 300, 1);
	if (write(ping[1], &end, 1) != 1)
		fail("pipe");
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (pipe(ping) || pipe(pong))
		fail("pipe");
	signal(SIGUSR1, handler);
	measure("getppid", call, 3000, 1);
	measure("pipe, an octet", pipe_octet, 1500, 1);
	measure("signal to self", signal_self, 500, 1);
	measure_round_trips();
	measure("write fault, anonymous", fault_pages, 10, PAGES);
	measure("fork and exit", fork_and_exit, 20, 1);
	for (int i = 1; i < argc; i++) {
		char name[256];

		program = argv[i];
		snprintf(name, sizeof(name), "fork and execute %s",
			 strrchr(program, '/') ? strrchr(program, '/') + 1 : program);
		measure(name, fork_and_execute, strstr(program, "python") ? 1 : 5, 1);
	}
	return 0;
}
