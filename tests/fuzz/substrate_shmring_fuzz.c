/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader of a trunk's ring while the other process writes anything into it: pairs of (offset,
 * word). Whatever is taken lies within the ring.
 */
#include "substrate/trunk/shmring.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RING = 2 * SHMRING_RECORD_MAX, PAIR = 8, TAKES = 64 };

static void take_some(struct shmring *in)
{
	struct shmring_record rec;
	volatile uint8_t sum = 0;

	for (int i = 0; i < TAKES && shmring_take(in, &rec) > 0; i++) {
		if (rec.len > SHMRING_RECORD_MAX)
			abort();
		for (uint32_t k = 0; k < rec.len; k += 61)
			sum = (uint8_t)(sum + rec.data[k]);
		if (rec.len)
			sum = (uint8_t)(sum + rec.data[rec.len - 1]);
	}
	shmring_give_back(in);
	shmring_sleep(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *memory;
	struct shmring in;

	if (!memory)
		memory = aligned_alloc(4096, SHMRING_HEAD + RING);
	memset(memory, 0, SHMRING_HEAD + RING);
	shmring_init(&in, memory, RING);
	for (; size >= PAIR; data += PAIR, size -= PAIR) {
		uint32_t at, word;

		memcpy(&at, data, 4);
		memcpy(&word, data + 4, 4);
		/* The indices, or something near the start of the data. */
		at = at & 1 ? at / 2 % 40 : SHMRING_HEAD / 4 + at / 2 % 16384;
		memcpy(memory + (size_t)at * 4, &word, 4);
		take_some(&in);
	}
	return 0;
}
