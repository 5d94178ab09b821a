/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock_reads READS: reads each of a guest's clocks READS times, mixed by the C library and by
 * system calls, and says how often one went back. Then "library: N system calls": how many of a
 * thousand reads by the library were such, as a filter that refuses these tells.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

static int64_t ns_of(const struct timespec *t)
{
	return t->tv_sec * NS_PER_S + t->tv_nsec;
}

static int64_t read_by_library(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) ? -1 : ns_of(&t);
}

static int64_t read_by_kernel(clockid_t clock)
{
	struct timespec t;

	return syscall(SYS_clock_gettime, clock, &t) ? -1 : ns_of(&t);
}

/* One in eight by a system call, irregularly. */
static void read_often(const char *name, clockid_t clock, long reads)
{
	int64_t last = 0;
	int64_t worst = 0;
	uint32_t mix = 1;
	long back = 0;

	for (long i = 0; i < reads; i++) {
		mix = mix * 1664525 + 1013904223;

		int64_t now = mix >> 29 ? read_by_library(clock) : read_by_kernel(clock);

		if (now < last) {
			back++;
			if (last - now > worst)
				worst = last - now;
		}
		last = now;
	}
	printf("%s: back %ld times, by at most %lld ns\n", name, back, (long long)worst);
}

/* gettimeofday() and time() by the library tell what the clock tells. */
static void compare_old_calls(void)
{
	for (int i = 0; i < 10000; i++) {
		struct timeval tv;
		time_t before = time(NULL);
		int64_t a = read_by_library(CLOCK_REALTIME);

		gettimeofday(&tv, NULL);

		int64_t b = read_by_kernel(CLOCK_REALTIME);
		int64_t us = tv.tv_sec * (NS_PER_S / 1000) + tv.tv_usec;
		time_t after = time(NULL);

		if (us < a / 1000 || us > b / 1000 || before > after || before > a / NS_PER_S ||
		    after < a / NS_PER_S - 1) {
			printf("old calls: time %lld clock %lld gettimeofday %lld us clock %lld "
			       "time %lld\n",
			       (long long)before, (long long)a, (long long)us, (long long)b,
			       (long long)after);
			return;
		}
	}
	printf("old calls: agree\n");
}

/* From here on clock_gettime() as a system call fails. */
static int refuse_system_calls(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0);
}

int main(int argc, char **argv)
{
	long reads = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	int refused = 0;

	read_often("realtime", CLOCK_REALTIME, reads);
	read_often("monotonic", CLOCK_MONOTONIC, reads);
	read_often("boottime", CLOCK_BOOTTIME, reads / 4);
	read_often("realtime coarse", CLOCK_REALTIME_COARSE, reads / 4);
	read_often("monotonic coarse", CLOCK_MONOTONIC_COARSE, reads / 4);
	compare_old_calls();

	if (refuse_system_calls() || read_by_kernel(CLOCK_REALTIME) >= 0) {
		printf("no filter: %m\n");
		return 1;
	}
	for (int i = 0; i < 1000; i++) {
		/* Virtual time would stand where the kernel is needed for it to go on: sleep past
		 * that. */
		if (read_by_library(CLOCK_MONOTONIC) < 0) {
			refused++;
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
	}
	printf("library: %d system calls\n", refused);
	return 0;
}
