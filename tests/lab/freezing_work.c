/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Process 1 of a guest that is frozen and resumed: work of all kinds, each with lines on the
 * console that say how far it is, when, and what has come of it. Nothing of it may be lost or done
 * twice.
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const size_t room = 4 << 20;

static void say(const char *who, long step, double value)
{
	struct timespec t;
	char line[128];

	clock_gettime(CLOCK_MONOTONIC, &t);
	int n = snprintf(line, sizeof(line), "%s %ld %.17g %lld.%09ld\n", who, step, value,
			 (long long)t.tv_sec, t.tv_nsec);

	(void)!write(1, line, (size_t)n);
}

static void nap_us(long us)
{
	struct timespec t = {0, us * 1000};

	nanosleep(&t, NULL);
}

/* A number that is in a vector register while the program sleeps. */
static void in_register(void)
{
	double x = 1.0, y = 1.0000001;

	for (long i = 0;; i++) {
		struct timespec t = {0, 7300000};
		struct timespec *p = &t;

		__asm__ volatile("movsd %2, %%xmm15\n\t"
				 "mov $35, %%eax\n\t"
				 "mov %1, %%rdi\n\t"
				 "xor %%esi, %%esi\n\t"
				 "syscall\n\t"
				 "mulsd %%xmm15, %0"
				 : "+x"(x), "+r"(p)
				 : "m"(y)
				 : "rax", "rdi", "rsi", "rcx", "r11", "xmm15", "memory");
		if (i % 10 == 0)
			say("register", i, x);
	}
}

static int there[2], back[2];

static void *pong(void *unused)
{
	volatile float v = 3;
	char c;

	for (long i = 0;; i++) {
		(void)!read(there[0], &c, 1);
		v = v * 0.99f + sinf((float)i);
		(void)!write(back[1], &c, 1);
		if (i % 70 == 0)
			say("pong", i, (double)v);
	}
	return unused;
}

/* Two threads, each with its own numbers, one of them in the old registers. */
static void threads(void)
{
	long double v = 0.1L;
	pthread_t other;
	char c = 'x';

	if (pipe(there) || pipe(back) || pthread_create(&other, NULL, pong, NULL))
		_exit(1);
	for (long i = 0;; i++) {
		v = sqrtl(v + 1.0L / (long double)(i + 1));
		(void)!write(there[1], &c, 1);
		(void)!read(back[0], &c, 1);
		if (i % 50 == 0)
			say("ping", i, (double)v);
		nap_us(900);
	}
}

static volatile double sum;
static volatile long ticks;

static void tick(int unused)
{
	ticks++;
	sum += 1.0 / (double)ticks;
}

/* Computes all the time, looks at the clock, and is interrupted. */
static void timers(void)
{
	struct itimerspec each = {{0, 3100000}, {0, 3100000}};
	struct timespec now;
	double z = 1;
	timer_t t;

	signal(SIGALRM, tick);
	timer_create(CLOCK_MONOTONIC, NULL, &t);
	timer_settime(t, 0, &each, NULL);
	for (long i = 0;; i++) {
		for (int k = 0; k < 3000; k++)
			z = z * 1.0000003 + 1e-9 * k;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (i % 2000 == 0)
			say("timer", ticks, z + sum);
	}
}

/* Processes that come and go. */
static void processes(void)
{
	for (long i = 0;; i++) {
		pid_t p = fork();

		if (p == 0) {
			char number[24];

			snprintf(number, sizeof(number), "%ld", i);
			if (i % 2)
				execl("/init", "init", "again", number, NULL);
			say("forked", i, (double)i / 3.0);
			_exit(0);
		}
		waitpid(p, NULL, 0);
		nap_us(11000);
	}
}

/* A file of the host that is open and mapped, and memory that fills up. */
static void files(void)
{
	int fd = open("/data", O_RDONLY);
	unsigned long h = 1;
	unsigned char part[512];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		_exit(1);
	size_t size = (size_t)st.st_size;
	const unsigned char *file = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char *own =
		mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0;; i++) {
		(void)!pread(fd, part, sizeof(part),
			     (off_t)(i * 7919 * sizeof(part) % (size - sizeof(part))));
		for (size_t k = 0; k < sizeof(part); k++)
			h = h * 31 + part[k];
		h = h * 33 + file[i * 104729 % size];
		own[i * 40961 % room] += (unsigned char)h;
		h += own[i * 977 % room];
		if (i % 5 == 0)
			say("file", (long)i, (double)(h % 1000003));
		nap_us(5000);
	}
}

static void (*const jobs[])(void) = {in_register, threads, timers, processes, files};

int main(int argc, char **argv)
{
	if (argc > 2) {
		say("executed", atol(argv[2]), sqrt((double)atol(argv[2])));
		return 0;
	}
	for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++)
		if (fork() == 0)
			jobs[i]();
	for (long i = 0;; i++) {
		struct rusage used;

		nap_us(50000);
		/* A fault of the host's is none of the guest's. */
		getrusage(RUSAGE_SELF, &used);
		say("faults", i, (double)used.ru_minflt);
	}
}
