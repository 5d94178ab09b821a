/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a program can see of the machine that it runs on, without asking a kernel that could lie. */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_tsc(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* The page of old programs at a fixed address, if the host has one. */
static void look_at_vsyscall(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "vsyscall") || strstr(line, "vvar"))
			fputs(line, stdout);
	if (f)
		fclose(f);
}

static void print_bytes(const char *name, const void *data, size_t n)
{
	const uint8_t *p = data;

	printf("%s ", name);
	while (n--)
		printf("%02x", *p++);
	putchar('\n');
}

int main(int argc, char **argv)
{
	uint8_t bytes[16];
	struct timespec t;
	int here;

	for (int i = 0; i < 3; i++)
		printf("tsc %llu\n", (unsigned long long)read_tsc());
	clock_gettime(CLOCK_REALTIME, &t);
	printf("time %lld.%09ld\n", (long long)t.tv_sec, t.tv_nsec);
	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("monotonic %lld.%09ld\n", (long long)t.tv_sec, t.tv_nsec);
	if (getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes))
		print_bytes("getrandom", bytes, sizeof(bytes));
	print_bytes("at_random", (void *)getauxval(AT_RANDOM), 16);
	printf("stack %p code %p argv %p\n", (void *)&here, (void *)main, (void *)argv);
	printf("pid %d parent %d\n", (int)getpid(), (int)getppid());
	look_at_vsyscall();
	return 0;
}
