/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random numbers that repeat: a stream is seeded by (lab seed, object name, purpose), so that
 * adding an object to a lab does not change what another object draws. splitmix64 (Steele, Lea,
 * Flood 2014).
 */
#ifndef LIB_RNG_H
#define LIB_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

void rng_init(struct rng *r, uint64_t seed, const char *object, const char *purpose);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);
/* True with probability ppm / 1,000,000: never at 0, always at 1,000,000. */
bool rng_chance_ppm(struct rng *r, uint32_t ppm);
/* FNV-1a, 64 bit: a stable hash for names. */
uint64_t hash_fnv1a(const void *data, uint64_t len, uint64_t start);

#define HASH_FNV1A_START UINT64_C(0xcbf29ce484222325)

#endif
