/* SPDX-License-Identifier: GPL-3.0-or-later */
/* So many in so much time, such as lines of a log that others have a say in. */
#ifndef LIB_QUOTA_H
#define LIB_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: nothing was taken yet. */
struct quota {
	int64_t since_ns;
	uint32_t taken;
};

enum quota_answer { QUOTA_YES, QUOTA_LAST, QUOTA_NO };

/*
 * Takes one of `most` in any span of per_ns that begins when the last one is over. QUOTA_LAST: this
 * is the first that is one too many.
 */
static inline enum quota_answer quota_take(struct quota *q, uint32_t most, int64_t per_ns,
					   int64_t now_ns)
{
	if (!q->taken || now_ns - q->since_ns >= per_ns)
		*q = (struct quota){.since_ns = now_ns};
	if (q->taken > most)
		return QUOTA_NO;
	return q->taken++ < most ? QUOTA_YES : QUOTA_LAST;
}

#endif
