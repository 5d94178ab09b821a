/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the machine's memory allows one core: bytes per second copied between buffers that no cache
 * holds, and small frames per second copied within what the caches hold. Prints both.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BIG = 256 << 20, FRAME = 76, SLOTS = 256, STRIDE = 2048, FRAMES = 20000000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
	static uint8_t from[BIG];
	static uint8_t to[BIG];
	double best = 1e9;

	memset(from, 1, BIG);
	memset(to, 2, BIG);
	for (int i = 0; i < 3; i++) {
		double begin = now();

		memcpy(to, from, BIG);
		__asm__ volatile("" : : "r"(to) : "memory");
		double took = now() - begin;

		best = took < best ? took : best;
	}
	double begin = now();

	for (long i = 0; i < FRAMES; i++) {
		size_t slot = (size_t)(i % SLOTS) * STRIDE;

		memcpy(to + slot, from + slot, FRAME);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	printf("%.0f %.0f\n", BIG / best, FRAMES / (now() - begin));
	return 0;
}
