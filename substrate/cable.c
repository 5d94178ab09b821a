/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/cable.h"

#include "lib/xalloc.h"
#include "substrate/cable_stage.h"

#include <stdlib.h>
#include <string.h>

/* In the order a frame meets them; the gate is passed once, the path by each copy. */
static const struct cable_stage *const stages[] = {
	&cable_stage_mtu,  &cable_stage_loss,    &cable_stage_duplicate,
	&cable_stage_rate, &cable_stage_corrupt, &cable_stage_delay,
};

enum { STAGES = ARRAY_LEN(stages), STAGE_RATE = 3, STAGE_PATH = STAGE_RATE };

struct stage_box {
	const struct cable_stage *kind; /* borrowed, static */
	void *state;                    /* owned */
	struct rng random;
};

struct cable_dir {
	struct linkspec spec;
	bool up;
	struct stage_box stage[STAGES];
	uint8_t gate[STAGES], path[STAGES]; /* indices of the stages that have something to do */
	unsigned n_gate, n_path;
	int64_t latest_ns; /* the latest arrival promised so far */
	int64_t settle_ns; /* from then on, what was under way at the last change is gone */
	struct cable_counters counters;
};

static const char *const drop_names[] = {
	[CABLE_PASS] = "passed",      [CABLE_DROP_DOWN] = "down", [CABLE_DROP_LOSS] = "loss",
	[CABLE_DROP_QUEUE] = "queue", [CABLE_DROP_AQM] = "aqm",   [CABLE_DROP_MTU] = "mtu",
};
_Static_assert(ARRAY_LEN(drop_names) == CABLE_DROPS, "a reason without a name");

const char *cable_drop_name(enum cable_drop why)
{
	return drop_names[why];
}

static void choose_stages(struct cable_dir *d, int64_t now_ns)
{
	d->n_gate = d->n_path = 0;
	for (unsigned i = 0; i < STAGES; i++) {
		const struct stage_box *b = &d->stage[i];

		if (!b->kind->wanted(b->state, &d->spec, now_ns))
			continue;
		if (i < STAGE_PATH)
			d->gate[d->n_gate++] = (uint8_t)i;
		else
			d->path[d->n_path++] = (uint8_t)i;
	}
}

void cable_dir_change(struct cable_dir *d, const struct linkspec *spec, int64_t now_ns)
{
	d->spec = *spec;
	for (unsigned i = 0; i < STAGES; i++)
		if (d->stage[i].kind->change)
			d->stage[i].kind->change(d->stage[i].state, &d->spec, now_ns);
	choose_stages(d, now_ns);
	d->settle_ns = d->latest_ns;
}

struct cable_dir *cable_dir_create(const struct linkspec *spec, uint64_t seed, const char *name)
{
	struct cable_dir *d = xcalloc(1, sizeof(*d));

	d->up = true;
	for (unsigned i = 0; i < STAGES; i++) {
		d->stage[i].kind = stages[i];
		d->stage[i].state = xcalloc(1, stages[i]->state_size + 1);
		rng_init(&d->stage[i].random, seed, name, stages[i]->name);
	}
	cable_dir_change(d, spec, 0);
	return d;
}

void cable_dir_destroy(struct cable_dir *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < STAGES; i++) {
		if (d->stage[i].kind->finish)
			d->stage[i].kind->finish(d->stage[i].state);
		free(d->stage[i].state);
	}
	free(d);
}

void cable_dir_set_up(struct cable_dir *d, bool up)
{
	d->up = up;
}

/* Takes the passage through some stages; stops where it is dropped. */
static void pass_stages(struct cable_dir *d, const uint8_t *list, unsigned n,
			struct cable_passage *p)
{
	for (unsigned i = 0; i < n && p->drop == CABLE_PASS; i++) {
		struct stage_box *b = &d->stage[list[i]];

		b->kind->pass(b->state, &d->spec, &b->random, p);
	}
}

static void count_copy(struct cable_dir *d, const struct cable_passage *p)
{
	d->counters.corrupted += p->corrupt_bit >= 0;
	d->counters.reordered += p->reordered;
	d->counters.marked += p->mark_ce;
}

/* One copy through the path; false if it was dropped. */
static bool pass_copy(struct cable_dir *d, struct cable_passage p, struct cable_verdict *v)
{
	pass_stages(d, d->path, d->n_path, &p);
	if (p.drop != CABLE_PASS) {
		v->drop = p.drop;
		return false;
	}
	count_copy(d, &p);
	if (p.at_ns > d->latest_ns)
		d->latest_ns = p.at_ns;
	v->copy[v->n_copies++] = (struct cable_copy){
		.due_ns = p.at_ns,
		.corrupt_bit = p.corrupt_bit,
		.mark_ce = p.mark_ce,
	};
	return true;
}

struct cable_verdict cable_dir_offer(struct cable_dir *d, uint32_t len, const uint8_t *data,
				     int64_t now_ns)
{
	struct cable_verdict v = {.drop = CABLE_PASS};
	struct cable_passage p = {
		.len = len, .data = data, .at_ns = now_ns, .corrupt_bit = -1, .drop = CABLE_PASS};

	if (now_ns >= d->settle_ns) {
		d->settle_ns = INT64_MAX;
		choose_stages(d, now_ns);
	}
	if (!d->up)
		p.drop = CABLE_DROP_DOWN;
	pass_stages(d, d->gate, d->n_gate, &p);
	if (p.drop != CABLE_PASS)
		v.drop = p.drop;
	else if (pass_copy(d, p, &v) && p.duplicate && pass_copy(d, p, &v))
		d->counters.duplicated++;
	if (v.n_copies) {
		v.drop = CABLE_PASS; /* that the second copy found no room is nobody's loss */
		d->counters.frames++;
		d->counters.bytes += len;
	} else {
		d->counters.dropped[v.drop]++;
	}
	return v;
}

int64_t cable_dir_min_delay_ns(const struct cable_dir *d)
{
	int64_t ns = 0;

	for (unsigned i = 0; i < d->n_path; i++) {
		const struct stage_box *b = &d->stage[d->path[i]];

		if (b->kind->min_ns)
			ns += b->kind->min_ns(b->state, &d->spec);
	}
	return ns;
}

bool cable_dir_is_plain(const struct cable_dir *d)
{
	return d->up && d->n_gate == 0 && d->n_path == 0;
}

const struct cable_counters *cable_dir_counters(const struct cable_dir *d)
{
	return &d->counters;
}

const struct linkspec *cable_dir_spec(const struct cable_dir *d)
{
	return &d->spec;
}

void cable_dir_queue(struct cable_dir *d, int64_t now_ns, uint32_t *frames, uint64_t *bytes)
{
	cable_rate_waiting(d->stage[STAGE_RATE].state, now_ns, frames, bytes);
}
