/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stages that decide at once and know nothing of time: MTU, loss, duplication, corruption.
 *
 * Each has a random stream of its own, so that what one stage draws moves no number of another.
 * Only the three models of loss share theirs, and count and draw for every frame that reaches them.
 */
#include "substrate/cable/cable_stage.h"
#include "substrate/core/framing.h"

enum { VLAN_TAG = 4 };

bool cable_chance_draw(struct cable_chance *c, struct rng *random, int64_t ppm,
		       int64_t correlation_ppm)
{
	/* Never and always draw no number: what else is drawn from the stream stays as it was. */
	if (ppm <= 0)
		return false;
	if (ppm >= 1000000)
		return true;
	if (c->primed && rng_chance_ppm(random, (uint32_t)correlation_ppm))
		return c->last;
	c->primed = true;
	c->last = rng_chance_ppm(random, (uint32_t)ppm);
	return c->last;
}

static bool mtu_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	return spec->mtu > 0;
}

/* The MTU counts what follows the header of the frame; one VLAN tag is free, as on real ports. */
static void mtu_pass(void *state, const struct linkspec *spec, struct rng *random,
		     struct cable_passage *p)
{
	uint32_t header = framing_header((enum link_framing)spec->framing);
	const uint8_t *type = p->data ? p->data + header - 2 : NULL;
	bool tagged =
		type && p->len >= header + VLAN_TAG &&
		((type[0] == 0x81 && type[1] == 0x00) || (type[0] == 0x88 && type[1] == 0xa8));

	if (p->len > spec->mtu + header + (tagged ? VLAN_TAG : 0))
		p->drop = CABLE_DROP_MTU;
}

const struct cable_stage cable_stage_mtu = {
	.name = "mtu",
	.wanted = mtu_wanted,
	.pass = mtu_pass,
};

/*
 * Three models of loss, which may be combined: independent (with correlation), Gilbert and
 * Elliott's two states, and every n-th frame, which needs no chance and suits tests that count.
 */
struct loss_state {
	struct cable_chance independent;
	bool bad; /* Gilbert-Elliott: in the bad state */
	int64_t count;
};

static bool loss_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	return spec->loss_ppm > 0 || spec->gemodel.p_ppm > 0 || spec->gemodel.loss_good_ppm > 0 ||
	       spec->loss_every > 0;
}

/* A frame is lost by the state in which it finds the link; then the link may change its state. */
static bool gemodel_loses(struct loss_state *s, const struct link_gemodel *g, struct rng *random)
{
	int64_t loss = s->bad ? g->loss_bad_ppm : g->loss_good_ppm;
	int64_t leave = s->bad ? g->r_ppm : g->p_ppm;

	if (rng_chance_ppm(random, (uint32_t)leave))
		s->bad = !s->bad;
	return rng_chance_ppm(random, (uint32_t)loss);
}

static void loss_pass(void *state, const struct linkspec *spec, struct rng *random,
		      struct cable_passage *p)
{
	struct loss_state *s = state;
	/* All three count and draw for each frame, whether it is lost already or not. */
	bool lost = cable_chance_draw(&s->independent, random, spec->loss_ppm,
				      spec->loss_correlation_ppm);

	if (spec->gemodel.p_ppm > 0 || spec->gemodel.loss_good_ppm > 0)
		lost |= gemodel_loses(s, &spec->gemodel, random);
	if (spec->loss_every > 0 && ++s->count >= spec->loss_every) {
		s->count = 0;
		lost = true;
	}
	if (lost)
		p->drop = CABLE_DROP_LOSS;
}

const struct cable_stage cable_stage_loss = {
	.name = "loss",
	.state_size = sizeof(struct loss_state),
	.wanted = loss_wanted,
	.pass = loss_pass,
};

static bool duplicate_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	return spec->duplicate_ppm > 0;
}

static void duplicate_pass(void *state, const struct linkspec *spec, struct rng *random,
			   struct cable_passage *p)
{
	p->duplicate = cable_chance_draw(state, random, spec->duplicate_ppm,
					 spec->duplicate_correlation_ppm);
}

const struct cable_stage cable_stage_duplicate = {
	.name = "duplicate",
	.state_size = sizeof(struct cable_chance),
	.wanted = duplicate_wanted,
	.pass = duplicate_pass,
};

static bool corrupt_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	return spec->corrupt_ppm > 0;
}

/* One bit anywhere in the frame, as netem. The far end sees it as there is no FCS to catch it. */
static void corrupt_pass(void *state, const struct linkspec *spec, struct rng *random,
			 struct cable_passage *p)
{
	if (p->len &&
	    cable_chance_draw(state, random, spec->corrupt_ppm, spec->corrupt_correlation_ppm))
		p->corrupt_bit = (int64_t)rng_below(random, (uint64_t)p->len * 8);
}

const struct cable_stage cable_stage_corrupt = {
	.name = "corrupt",
	.state_size = sizeof(struct cable_chance),
	.wanted = corrupt_wanted,
	.pass = corrupt_pass,
};
