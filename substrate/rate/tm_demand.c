/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. A link asks for a quarter more than was offered (headroom), asks anew once it uses 88 %
 * of what it asked for, and for less after four intervals in which it used less than 60 %: quick to
 * rise and slow to fall, so that a pause does not cost it its rate. A node's policy may say
 * otherwise.
 */
#include "lib/minmax.h"
#include "substrate/rate/tm_priv.h"

#include <assert.h>

enum { HEADROOM_PPM = 1250000, MODEST_INTERVALS = 4 };

const struct tm_policy tm_policy_default = {.measure_ns = TM_MEASURE_NS,
					    .idle_ns = TM_IDLE_NS,
					    .raise_ppm = TM_RAISE_PPM,
					    .lower_ppm = TM_LOWER_PPM};

/*
 * What was counted in the old length would be divided by the new one: the interval begins anew. Its
 * end is found by the caller's next look at tm_due_ns().
 */
void tm_set_policy(struct tm *t, const struct tm_policy *policy, int64_t now_ns)
{
	const struct tm_policy *old = &t->policy;

	assert(policy->measure_ns > 0 && policy->idle_ns >= 0 && policy->lower_ppm >= 0 &&
	       policy->lower_ppm <= policy->raise_ppm);
	if (old->measure_ns == policy->measure_ns && old->idle_ns == policy->idle_ns &&
	    old->raise_ppm == policy->raise_ppm && old->lower_ppm == policy->lower_ppm)
		return;
	t->policy = *policy;
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		l->modest = 0;
		l->offered_bytes = 0;
		if (l->measure_ns != INT64_MAX)
			l->measure_ns = now_ns + policy->measure_ns;
	}
	tm_settle(t, now_ns);
}

const struct tm_policy *tm_policy(const struct tm *t)
{
	return &t->policy;
}

bool tm_link_offered(struct tm_link *l, uint32_t bytes, int64_t now_ns)
{
	l->offered_bytes += bytes;
	l->busy_ns = now_ns;
	if (l->measure_ns != INT64_MAX || l->from_node)
		return false;
	l->measure_ns = now_ns + l->t->policy.measure_ns;
	return true;
}

static int64_t part(int64_t value, int64_t ppm)
{
	return (int64_t)((__int128)value * ppm / 1000000);
}

static int64_t demand_of(struct tm_link *l, int64_t now_ns)
{
	const struct tm_policy *p = &l->t->policy;
	int64_t goal = part(l->offered_bps, HEADROOM_PPM);

	if (now_ns - l->busy_ns >= p->idle_ns)
		return 0;
	if (l->offered_bps > part(l->want_bps, p->raise_ppm)) {
		l->modest = 0;
		return goal;
	}
	if (l->offered_bps >= part(l->want_bps, p->lower_ppm) || l->want_bps <= l->min_bps) {
		l->modest = 0;
		return l->want_bps;
	}
	return ++l->modest >= MODEST_INTERVALS && l->offered_bps ? goal : l->want_bps;
}

void tm_link_measure(struct tm_link *l, int64_t now_ns)
{
	int64_t interval_ns = l->t->policy.measure_ns;

	l->offered_bps = (int64_t)((__int128)l->offered_bytes * INT64_C(8000000000) / interval_ns);
	l->offered_bytes = 0;
	int64_t want_bps = demand_of(l, now_ns);

	if (want_bps > l->max_bps)
		want_bps = l->max_bps;
	if (want_bps < l->min_bps)
		want_bps = l->min_bps;
	l->want_bps = want_bps;
	l->measure_ns = now_ns + interval_ns;
	if (!l->offered_bps && want_bps == l->min_bps)
		l->measure_ns = INT64_MAX;
}
