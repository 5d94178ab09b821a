/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delay, jitter and reordering (tc-netem(8)). */
#include "substrate/cable_stage.h"

struct delay_state {
	struct cable_chance reorder;
	int64_t last_ns; /* the latest arrival so far */
};

static bool delay_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	const struct delay_state *s = state;

	return spec->delay_ns > 0 || spec->jitter_ns > 0 || s->last_ns > now_ns;
}

static int64_t draw_delay(const struct linkspec *spec, struct rng *random)
{
	int64_t ns = spec->delay_ns;

	if (spec->jitter_ns > 0)
		ns += (int64_t)rng_below(random, 2 * (uint64_t)spec->jitter_ns + 1) -
		      spec->jitter_ns;
	return ns > 0 ? ns : 0;
}

static void delay_pass(void *state, const struct linkspec *spec, struct rng *random,
		       struct cable_passage *p)
{
	struct delay_state *s = state;
	bool jump = cable_chance_draw(&s->reorder, random, spec->reorder_ppm, 0);

	if (!jump)
		p->at_ns += draw_delay(spec, random);
	if (p->at_ns >= s->last_ns)
		s->last_ns = p->at_ns;
	else if (spec->jitter_ns > 0 || spec->reorder_ppm > 0)
		p->reordered = true;
	else
		p->at_ns = s->last_ns; /* a shorter delay lets nobody overtake */
}

static int64_t delay_min_ns(const void *state, const struct linkspec *spec)
{
	if (spec->reorder_ppm > 0 || spec->delay_ns < spec->jitter_ns)
		return 0;
	return spec->delay_ns - spec->jitter_ns;
}

const struct cable_stage cable_stage_delay = {
	.name = "delay",
	.state_size = sizeof(struct delay_state),
	.wanted = delay_wanted,
	.pass = delay_pass,
	.min_ns = delay_min_ns,
};
