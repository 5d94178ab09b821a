/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Delay, jitter and reordering (tc-netem(8)). A frame is due after delay + jitter * x, where x is
 * drawn from the distribution: uniform in -1..1, or by a table of quantiles. By netem's way, which
 * is the default, a frame may be due before one that was sent earlier, and overtakes it; with
 * order=keep it arrives together with that one.
 *
 * A delay that is cut short, or jitter that is taken away, must not let what is sent now overtake
 * what is under way: so the latest arrival is remembered, and the stage wants frames until it is
 * over.
 */
#include "substrate/cable/cable_dist.h"
#include "substrate/cable/cable_stage.h"

#include <stdlib.h>

struct delay_state {
	struct cable_chance reorder;
	uint32_t since_jump; /* frames delayed since the last one that jumped */
	int64_t last_ns;     /* the latest arrival so far */
	struct cable_dist dist;
	struct cable_dist normal;
	int32_t *table; /* owned: from a file */
	uint32_t n_table;
	bool primed;  /* z is valid */
	double z;     /* the last normal deviate, if correlated */
	double fresh; /* sqrt(1 - correlation^2) */
};

static bool delay_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	const struct delay_state *s = state;

	return spec->delay_ns > 0 || spec->jitter_ns > 0 || s->last_ns > now_ns;
}

/* Newton's way, so that the same bits come out everywhere. */
static double square_root(double x)
{
	double y = 1;

	for (int i = 0; i < 40 && x > 0; i++)
		y = (y + x / y) / 2;
	return x > 0 ? y : 0;
}

static void delay_change(void *state, const struct linkspec *spec, int64_t now_ns)
{
	struct delay_state *s = state;
	double rho = (double)spec->delay_correlation_ppm / 1000000;

	s->dist = (struct cable_dist){0};
	if (spec->table[0] && s->table)
		s->dist = (struct cable_dist){s->n_table, s->table};
	else if (spec->jitter_ns > 0)
		s->dist = cable_dist_builtin((enum link_distribution)spec->distribution);
	if (spec->delay_correlation_ppm > 0) {
		s->normal = cable_dist_builtin(LINK_NORMAL);
		s->fresh = square_root(1 - rho * rho);
	}
}

static void delay_take_table(void *state, int32_t *values, uint32_t n)
{
	struct delay_state *s = state;

	free(s->table);
	s->table = values;
	s->n_table = n;
}

/*
 * A number uniform in [0, 2^64) that resembles the last one: an autoregressive normal process,
 * mapped back through the normal distribution (a Gaussian copula). So the distribution of the delay
 * stays exactly what was asked for, whatever the correlation; with netem's formula it does not.
 */
static uint64_t draw_rank(struct delay_state *s, const struct linkspec *spec, struct rng *random)
{
	uint64_t u = rng_next(random);

	if (!spec->delay_correlation_ppm)
		return u;
	double rho = (double)spec->delay_correlation_ppm / 1000000;
	double z = (double)cable_dist_quantile(&s->normal, u);

	s->z = s->primed ? rho * s->z + s->fresh * z : z;
	s->primed = true;
	return cable_dist_rank(&s->normal, s->z);
}

/* spread * value / 2^29, rounded to the nearest nanosecond. */
static int64_t scale(int64_t spread_ns, int64_t value)
{
	__int128 half = (__int128)1 << (CABLE_DIST_SHIFT - 1);

	return (int64_t)(((__int128)spread_ns * value + half) >> CABLE_DIST_SHIFT);
}

static int64_t draw_delay(struct delay_state *s, const struct linkspec *spec, struct rng *random)
{
	int64_t j = spec->jitter_ns;
	int64_t ns = spec->delay_ns;

	if (j > 0) {
		uint64_t u = draw_rank(s, spec, random);

		if (s->dist.n)
			ns += scale(j, cable_dist_quantile(&s->dist, u));
		else /* one of 2j + 1 whole nanoseconds, each as likely as the others */
			ns += (int64_t)(((unsigned __int128)u * (2 * (uint64_t)j + 1)) >> 64) - j;
	}
	return ns > 0 ? ns : 0;
}

static bool may_jump(const struct linkspec *spec)
{
	return spec->reorder_ppm > 0 || spec->gap > 0;
}

/* As netem: after gap - 1 delayed frames, one jumps the delay with the given probability. */
static bool draw_jump(struct delay_state *s, const struct linkspec *spec, struct rng *random)
{
	int64_t ppm = spec->reorder_ppm ? spec->reorder_ppm : 1000000;

	if (!may_jump(spec))
		return false;
	if (s->since_jump + 1 >= spec->gap &&
	    cable_chance_draw(&s->reorder, random, ppm, spec->reorder_correlation_ppm)) {
		s->since_jump = 0;
		return true;
	}
	s->since_jump++;
	return false;
}

static void delay_pass(void *state, const struct linkspec *spec, struct rng *random,
		       struct cable_passage *p)
{
	struct delay_state *s = state;

	if (!draw_jump(s, spec, random))
		p->at_ns += draw_delay(s, spec, random);
	if (p->at_ns >= s->last_ns)
		s->last_ns = p->at_ns;
	else if (spec->order == LINK_ORDER_FREE && (spec->jitter_ns > 0 || may_jump(spec)))
		p->reordered = true;
	else
		p->at_ns = s->last_ns;
}

static int64_t delay_min_ns(const void *state, const struct linkspec *spec)
{
	const struct delay_state *s = state;
	int64_t least = -spec->jitter_ns;

	if (may_jump(spec))
		return 0;
	/* A table is flat past its ends: its first value is the smallest that can be drawn. */
	if (s->dist.n)
		least = scale(spec->jitter_ns, (int64_t)s->dist.value[0] * 65536);
	return spec->delay_ns + least > 0 ? spec->delay_ns + least : 0;
}

static void delay_finish(void *state)
{
	struct delay_state *s = state;

	free(s->table);
}

const struct cable_stage cable_stage_delay = {
	.name = "delay",
	.state_size = sizeof(struct delay_state),
	.wanted = delay_wanted,
	.change = delay_change,
	.pass = delay_pass,
	.min_ns = delay_min_ns,
	.take_table = delay_take_table,
	.finish = delay_finish,
};
