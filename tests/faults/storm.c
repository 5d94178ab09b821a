/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * storm SEED SECONDS [KIND...]: what programs can do to the kernel that they run on. In a guest, as
 * root. Rounds of a second, each with a kind and a seed of its own, which the console is told
 * before: the same two make the same calls again. Whoever storms is the user nobody, so that all
 * that it can break is its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	NOBODY = 65534,
	PAGE = 4096,
	ARENA = 4 << 20,
	CALLS = 463, /* numbers of system calls */
	FDS = 24,
	WORKERS = 4,
	THREADS = 3,
};

static uint8_t *arena;

static uint64_t next(uint64_t *rng)
{
	uint64_t z = *rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t below(uint64_t *rng, uint64_t n)
{
	return next(rng) % n;
}

/* ---- calls: any system call, with anything ---- */

/* They would end the round, or only wait. */
static const int left_out[] = {SYS_exit, SYS_exit_group, SYS_pause,       SYS_rt_sigsuspend,
			       SYS_kill, SYS_vfork,      SYS_rt_sigreturn};

static long anything(uint64_t *rng)
{
	static const uint64_t odd[] = {UINT64_MAX,
				       INT64_MAX,
				       (uint64_t)INT64_MIN,
				       UINT32_MAX,
				       INT32_MAX,
				       0x7ffffffff000,
				       0xffff800000000000,
				       0xffffffffff600000,
				       UINT64_C(1) << 47,
				       PAGE,
				       PAGE - 1,
				       65536};

	switch (below(rng, 8)) {
	case 0:
		return (long)odd[below(rng, sizeof(odd) / sizeof(odd[0]))];
	case 1:
		return (long)(UINT64_C(1) << below(rng, 64));
	case 2:
		return (long)below(rng, FDS);
	case 3:
		return (long)next(rng);
	case 4:
		return (long)below(rng, 8);
	case 5:
		return -(long)below(rng, 200);
	default:
		/* Often where there is something, and sometimes over its end. */
		return (long)(arena + below(rng, ARENA + PAGE));
	}
}

static void open_some(uint64_t *rng)
{
	static const char *const paths[] = {"/dev/null", "/dev/zero",       "/proc/self/maps",
					    "/",         "/proc/self/mem",  "/dev/tty",
					    "/tmp",      "/dev/shm",        "/proc/self/fd",
					    "/dev/full", "/sys/kernel",     "/etc/hosts",
					    "/dev/ptmx", "/proc/self/stat", "/dev/urandom"};
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};
	int pair[2];

	for (int i = 0; i < 4; i++) {
		(void)!open(paths[below(rng, sizeof(paths) / sizeof(paths[0]))],
			    below(rng, 2) ? O_RDWR : O_RDONLY);
		(void)!socket(families[below(rng, 5)], (int)(1 + below(rng, 3)),
			      (int)below(rng, 20));
	}
	(void)!pipe2(pair, O_NONBLOCK);
	(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static bool is_left_out(long nr)
{
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (left_out[i] == nr)
			return true;
	return false;
}

static void calls(uint64_t seed)
{
	uint64_t rng = seed;

	open_some(&rng);
	/* What the arena says is taken for structs, lengths and addresses. */
	for (size_t i = 0; i < ARENA; i += 8 + below(&rng, 512)) {
		uint64_t value = (uint64_t)anything(&rng);

		memcpy(arena + (i & ~(size_t)7), &value, sizeof(value));
	}
	for (;;) {
		long nr = (long)below(&rng, CALLS);

		if (is_left_out(nr))
			continue;
		/* Most that wait are cut short. */
		ualarm(2000, 5000);
		if (below(&rng, 200) == 0)
			open_some(&rng);
		syscall(nr, anything(&rng), anything(&rng), anything(&rng), anything(&rng),
			anything(&rng), anything(&rng));
	}
}

/* ---- maps: threads that change, touch and fork one address space ---- */

static void change_map(uint64_t *rng)
{
	static const int advice[] = {MADV_DONTNEED,   MADV_FREE,          MADV_WILLNEED,
				     MADV_COLD,       MADV_PAGEOUT,       MADV_DONTFORK,
				     MADV_DOFORK,     MADV_HUGEPAGE,      MADV_MERGEABLE,
				     MADV_WIPEONFORK, MADV_POPULATE_WRITE};
	uint8_t *at = arena + below(rng, ARENA / PAGE) * PAGE;
	size_t len = (1 + below(rng, 64)) * PAGE;
	int prot = (int)below(rng, 8);
	int how = below(rng, 2) ? MAP_PRIVATE : MAP_SHARED;

	switch (below(rng, 7)) {
	case 0:
		mmap(at, len, prot, how | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		return;
	case 1:
		mprotect(at, len, prot);
		return;
	case 2:
		madvise(at, len, advice[below(rng, sizeof(advice) / sizeof(advice[0]))]);
		return;
	case 3:
		mremap(at, len, (1 + below(rng, 64)) * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       arena + below(rng, ARENA / PAGE) * PAGE);
		return;
	case 4:
		munmap(at, len);
		return;
	case 5:
		mlock(at, len);
		return;
	default:
		msync(at, len, MS_ASYNC);
	}
}

/* A fault is no end: the page is made anew. */
static void mend(int sig, siginfo_t *si, void *context)
{
	uintptr_t at = (uintptr_t)si->si_addr & ~(uintptr_t)(PAGE - 1);

	if (at < (uintptr_t)arena || at >= (uintptr_t)arena + ARENA + 64 * PAGE ||
	    mmap((void *)at, PAGE, PROT_READ | PROT_WRITE, // NOLINT(performance-no-int-to-ptr)
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
}

static void *mapper(void *seed)
{
	uint64_t rng = *(uint64_t *)seed;

	for (;;) {
		change_map(&rng);
		for (uint64_t i = below(&rng, 16); i; i--) {
			volatile uint8_t *p = arena + below(&rng, ARENA);

			*p = (uint8_t)(*p + 1);
		}
		if (below(&rng, 100) == 0) {
			pid_t pid = fork();

			if (pid == 0) {
				for (int i = 0; i < 50; i++)
					arena[below(&rng, ARENA)] = 1;
				_exit(0);
			}
			if (pid > 0)
				waitpid(pid, NULL, 0);
		}
	}
	return NULL;
}

static void in_threads(void *(*run)(void *seed), uint64_t seed)
{
	static uint64_t seeds[THREADS];
	pthread_t t;

	for (size_t i = 0; i < THREADS; i++) {
		seeds[i] = seed + i;
		if (pthread_create(&t, NULL, run, &seeds[i]) != 0)
			run(&seeds[i]);
	}
	pthread_join(t, NULL);
}

static void maps(uint64_t seed)
{
	struct sigaction sa = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	in_threads(mapper, seed);
}

/* ---- signals: threads that interrupt each other, on stacks of their own ---- */

static void count(int sig)
{
	volatile double x = sig;

	x = x / 3 + 1; /* with registers of the floating point unit in use */
	if (sig == SIGUSR1)
		raise(SIGUSR2);
}

static void *signaller(void *seed)
{
	uint64_t rng = *(uint64_t *)seed;
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
	struct timespec nap = {.tv_nsec = 1000};
	sigset_t set;

	sigaltstack(&stack, NULL);
	for (;;) {
		int sig = (int)(below(&rng, 2)   ? SIGRTMIN + below(&rng, 30)
				: below(&rng, 2) ? SIGUSR1
						 : SIGUSR2);

		syscall(SYS_tkill, getpid() + (int)below(&rng, THREADS + 1), sig);
		sigemptyset(&set);
		sigaddset(&set, sig);
		pthread_sigmask(below(&rng, 2) ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
		if (below(&rng, 64) == 0)
			sigtimedwait(&set, NULL, &nap);
		if (below(&rng, 256) == 0)
			nanosleep(&nap, NULL);
	}
	return NULL;
}

static void signals(uint64_t seed)
{
	struct sigaction sa = {.sa_handler = count, .sa_flags = SA_ONSTACK | SA_RESTART};
	struct itimerval often = {{0, 500}, {0, 500}};

	for (int i = 1; i < 65; i++)
		sigaction(i, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	in_threads(signaller, seed);
}

/* ---- forks: as many processes as there can be ---- */

static void forks(uint64_t seed)
{
	uint64_t rng = seed;

	for (;;) {
		if (fork() == 0)
			rng += (uint64_t)getpid();
		arena[below(&rng, ARENA)] = 1;
		if (below(&rng, 16) == 0)
			execl("/bin/true", "true", (char *)NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

/* ---- memory: all that there is, in pages, files and sockets ---- */

static void memory(uint64_t seed)
{
	uint64_t rng = seed;
	int pair[2];
	int file = (int)syscall(SYS_memfd_create, "storm", 0);

	for (uint64_t at = 0;; at++) {
		size_t len = (1 + below(&rng, 256)) * PAGE;
		uint8_t *p =
			mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED)
			memset(p, (int)at, len);
		(void)!pwrite(file, arena, PAGE, (off_t)(below(&rng, 1 << 18) * PAGE));
		if (at % 8 == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0)
			while (write(pair[0], arena, PAGE) > 0)
				;
		if (p != MAP_FAILED && below(&rng, 4) == 0)
			munmap(p, len);
	}
}

/* ---- rounds ---- */

static const struct kind {
	const char *name;
	void (*run)(uint64_t seed);
} kinds[] = {
	{"calls", calls}, {"maps", maps},     {"signals", signals},
	{"forks", forks}, {"memory", memory},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void become_nobody(void)
{
	struct rlimit core = {0};

	setrlimit(RLIMIT_CORE, &core);
	write_file("/proc/self/oom_score_adj", "500");
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(1);
}

static void work(const struct kind *k, uint64_t seed)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	signal(SIGALRM, count);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	become_nobody();
	arena = mmap(NULL, ARENA + (size_t)64 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena != MAP_FAILED)
		k->run(seed);
	_exit(1);
}

/* Ends all that storms. Whose parents are gone are our children, so we know when none is left. */
static bool is_somebody_left(void)
{
	pid_t killer = fork();
	pid_t pid = killer;

	if (killer == 0) {
		if (setuid(NOBODY) == 0)
			kill(-1, SIGKILL);
		_exit(0);
	}
	if (killer > 0)
		waitpid(killer, NULL, 0);
	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0);
	return pid == 0 || killer < 0;
}

static void run_round(const struct kind *k, uint64_t seed)
{
	struct timespec nap = {.tv_nsec = 50000000};
	char line[80];
	int n = snprintf(line, sizeof(line), "storm: %s %llu\n", k->name, (unsigned long long)seed);
	int console = open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	(void)!write(console, line, (size_t)n);
	close(console);
	for (uint64_t i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			work(k, seed * WORKERS + i);
	}
	for (int i = 0; i < 20; i++) {
		nanosleep(&nap, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	while (is_somebody_left())
		nanosleep(&nap, NULL);
}

static bool is_wanted(const struct kind *k, char **names)
{
	bool wanted = !*names;

	for (; *names; names++)
		wanted = wanted || !strcmp(*names, k->name);
	return wanted;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: storm SEED SECONDS [KIND...]\n");
		return 2;
	}
	uint64_t seed = strtoull(argv[1], NULL, 10);
	time_t end = time(NULL) + atol(argv[2]);
	uint64_t rounds = 0;

	/* Children of children are ours, and we are the last to be killed for memory. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	write_file("/proc/self/oom_score_adj", "-1000");
	for (uint64_t rng = seed; time(NULL) < end;) {
		const struct kind *k = &kinds[below(&rng, KINDS)];
		uint64_t of_round = next(&rng) % 1000000000;

		if (!is_wanted(k, argv + 3))
			continue;
		run_round(k, of_round);
		rounds++;
	}
	printf("%llu rounds\n", (unsigned long long)rounds);
	return 0;
}
