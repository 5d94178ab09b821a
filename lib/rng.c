/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * splitmix64: one addition and a mixing function, so a stream is 8 octets and any number is a good
 * start. Its start is a hash of seed, object and purpose, each with its zero at the end, or ("ab",
 * "c") and ("a", "bc") would draw the same. All in integers: streams must be equal on all machines,
 * which floating point would not promise.
 */
#include "lib/rng.h"

#include <string.h>

uint64_t hash_fnv1a(const void *data, uint64_t len, uint64_t start)
{
	const unsigned char *p = data;

	for (uint64_t i = 0; i < len; i++)
		start = (start ^ p[i]) * UINT64_C(0x100000001b3);
	return start;
}

void rng_init(struct rng *r, uint64_t seed, const char *object, const char *purpose)
{
	uint64_t h = hash_fnv1a(&seed, sizeof(seed), HASH_FNV1A_START);

	h = hash_fnv1a(object, strlen(object) + 1, h);
	h = hash_fnv1a(purpose, strlen(purpose) + 1, h);
	r->state = h;
}

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
	/* Uniform: what lies past the last whole multiple of bound is drawn again. */
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
	uint64_t v;

	do {
		v = rng_next(r);
	} while (v >= limit);
	return v % bound;
}

bool rng_chance_ppm(struct rng *r, uint32_t ppm)
{
	if (ppm == 0)
		return false;
	return rng_below(r, 1000000) < ppm;
}
