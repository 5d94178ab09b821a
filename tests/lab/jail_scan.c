/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Run by an unprivileged user of a guest: what of its own address space can it read that its kernel
 * did not give it? Says "readable ADDRESS" for each such page, "found ADDRESS" where the word WORD
 * is in it, and at the end "scanned N".
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, MAPS_MAX = 64, NOBODY = 65534 };

static sigjmp_buf back;
static struct {
	uintptr_t start, end;
} maps[MAPS_MAX];
static size_t n_maps;
static unsigned long scanned;

static void fault(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void read_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long start;
	unsigned long end;

	while (f && fgets(line, sizeof(line), f) && n_maps < MAPS_MAX) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		maps[n_maps].start = start;
		maps[n_maps++].end = end;
	}
	if (f)
		fclose(f);
}

static int is_ours(uintptr_t at)
{
	for (size_t i = 0; i < n_maps; i++)
		if (at >= maps[i].start && at < maps[i].end)
			return 1;
	return 0;
}

static void look_at(uintptr_t at, const char *word)
{
	static char copy[PAGE];

	scanned++;
	if (is_ours(at) || sigsetjmp(back, 1))
		return;
	for (size_t i = 0; i < PAGE; i += 8)
		*(uint64_t *)(void *)(copy + i) = *(volatile uint64_t *)(at + i);
	printf("readable %lx\n", (unsigned long)at);
	if (memmem(copy, PAGE, word, strlen(word)))
		printf("found %lx\n", (unsigned long)at);
}

int main(int argc, char **argv)
{
	static const struct {
		uintptr_t from, to, step;
	} ranges[] = {
		{0x60000000, 0x61000000, PAGE},                /* the guest kernel's text */
		{0x7fbfff000000, 0x7fc000000000, PAGE},        /* below and above the top of */
		{0x7fc000000000, 0x7fc001000000, PAGE},        /* what a program is given */
		{0x7f8000000000, 0x7ffff0000000, 64ULL << 20}, /* samples of the rest */
		{0x7ffff0000000, 0x7ffff7000000, 64 * PAGE},
		{0x7ffff7000000, 0x7ffff8000000, PAGE}, /* libraries without ASLR */
		{0x7fffff000000, 0x7ffffffff000, PAGE}, /* the stack, with the environment */
	};
	struct sigaction sa = {.sa_handler = fault, .sa_flags = SA_NODEFER};

	if (argc != 2 || (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)))
		return 2;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	read_maps();
	for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++)
		for (uintptr_t at = ranges[r].from; at < ranges[r].to; at += ranges[r].step)
			look_at(at, argv[1]);
	printf("scanned %lu\n", scanned);
	return 0;
}
