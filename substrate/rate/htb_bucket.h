/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A token bucket in exact integers: tokens are counted in units of 1e-9 bit, so that a rate in
 * bit/s times a time in nanoseconds is a number of tokens.
 */
#ifndef SUBSTRATE_RATE_HTB_BUCKET_H
#define SUBSTRATE_RATE_HTB_BUCKET_H

#include <stdint.h>

struct htb_bucket {
	int64_t rate_bps;
	int64_t depth;  /* tokens */
	int64_t tokens; /* at at_ns; may be negative: a debt */
	int64_t at_ns;
};

/* Far more than any debt or depth, far from overflow. */
#define HTB_TOKENS_MAX (INT64_MAX / 4)

static inline int64_t htb_tokens(uint64_t bytes)
{
	return (int64_t)(bytes < 100000000 ? bytes : 100000000) * INT64_C(8000000000);
}

/* Fills up to now, to limit tokens at most; if it holds more already, that stays. */
static inline void htb_bucket_fill(struct htb_bucket *b, int64_t limit, int64_t now_ns)
{
	__int128 more = (__int128)b->rate_bps * (now_ns - b->at_ns);

	b->at_ns = now_ns;
	if (b->tokens < limit)
		b->tokens = more > limit - b->tokens ? limit : b->tokens + (int64_t)more;
}

/* When it holds (or held first) that many tokens, if it had no rim. INT64_MAX: never. */
static inline int64_t htb_bucket_ready_ns(const struct htb_bucket *b, int64_t cost)
{
	int64_t lack = cost - b->tokens;

	if (!b->rate_bps)
		return lack > 0 ? INT64_MAX : b->at_ns;
	if (lack > 0)
		return b->at_ns + (lack - 1) / b->rate_bps + 1;
	return b->at_ns - -lack / b->rate_bps;
}

#endif
