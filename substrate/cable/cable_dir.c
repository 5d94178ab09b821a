/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Six stages (cable_stage.h), one per impairment, each pure in its state, the parameters and a
 * random stream of its own, seeded by the lab's seed, the name of the direction and the stage: a
 * change of one impairment draws no other number for another, and cables do not know of each other.
 *
 * A frame costs what its parameters ask for: when they change, each stage is asked whether it wants
 * frames at all, and only those that do are in the two lists that a frame goes through. The gate is
 * passed once per frame, the path by each copy. A stage may want frames for a while after its
 * parameter went, so that nothing overtakes what is still under way; from settle_ns on, when all
 * that is through, they are asked again. A direction that no stage wants anything of is plain.
 *
 * Parameters may follow a schedule (cable_schedule.h). It has no timer: what it says is looked up
 * when a frame comes, the only time at which it matters. spec is what was asked for, live what
 * holds now.
 *
 * Nothing here reads a clock or keeps a frame: time comes in with each frame and never goes
 * backwards, and the answer is a time of arrival, or the reason for which there is none.
 */
#include "substrate/cable/cable_dir.h"

#include "lib/xalloc.h"
#include "substrate/cable/cable_dist.h"
#include "substrate/cable/cable_schedule.h"
#include "substrate/cable/cable_stage.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which a frame meets them. */
enum stage {
	STAGE_MTU,
	STAGE_LOSS,
	STAGE_DUPLICATE,
	STAGE_RATE,
	STAGE_CORRUPT,
	STAGE_DELAY,
	STAGES,
	STAGE_PATH = STAGE_RATE, /* the first that each copy passes; those before are the gate */
};

static const struct cable_stage *const stages[] = {
	[STAGE_MTU] = &cable_stage_mtu,
	[STAGE_LOSS] = &cable_stage_loss,
	[STAGE_DUPLICATE] = &cable_stage_duplicate,
	[STAGE_RATE] = &cable_stage_rate,
	[STAGE_CORRUPT] = &cable_stage_corrupt,
	[STAGE_DELAY] = &cable_stage_delay,
};
_Static_assert(ARRAY_LEN(stages) == STAGES, "a stage is missing");

struct stage_box {
	const struct cable_stage *kind; /* borrowed, static */
	void *state;                    /* owned */
	struct rng random;
};

struct cable_dir {
	struct linkspec spec; /* as given */
	struct linkspec live; /* what the stages obey: spec, changed by the schedule */
	struct cable_schedule schedule;
	struct rng schedule_random;
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

/* Asked only when something changes, so that a frame pays for nothing that it does not meet. */
static void choose_stages(struct cable_dir *d, int64_t now_ns)
{
	d->n_gate = d->n_path = 0;
	for (unsigned i = 0; i < STAGES; i++) {
		const struct stage_box *b = &d->stage[i];

		if (!b->kind->wanted(b->state, &d->live, now_ns))
			continue;
		if (i < STAGE_PATH)
			d->gate[d->n_gate++] = (uint8_t)i;
		else
			d->path[d->n_path++] = (uint8_t)i;
	}
}

/* What is under way by the old values has arrived by settle_ns. */
static void change_stages(struct cable_dir *d, int64_t now_ns)
{
	for (unsigned i = 0; i < STAGES; i++)
		if (d->stage[i].kind->change)
			d->stage[i].kind->change(d->stage[i].state, &d->live, now_ns);
	choose_stages(d, now_ns);
	d->settle_ns = d->latest_ns;
}

void cable_dir_change(struct cable_dir *d, const struct linkspec *spec, int64_t now_ns)
{
	/* The same schedule goes on where it is, whatever else changes. */
	if (strcmp(d->spec.schedule, spec->schedule) != 0) {
		cable_schedule_finish(&d->schedule);
		cable_schedule_init(&d->schedule, spec->schedule, now_ns);
	}
	d->spec = d->live = *spec;
	cable_schedule_apply(&d->schedule, &d->schedule_random, now_ns, &d->live);
	change_stages(d, now_ns);
}

void cable_dir_start(struct cable_dir *d, int64_t now_ns)
{
	d->schedule.epoch_ns = now_ns;
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
	rng_init(&d->schedule_random, seed, name, "schedule");
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
	cable_schedule_finish(&d->schedule);
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

		b->kind->pass(b->state, &d->live, &b->random, p);
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

bool cable_dir_pass(struct cable_dir *d, unsigned frames, uint64_t bytes)
{
	if (!cable_dir_is_plain(d))
		return false;
	d->counters.frames += frames;
	d->counters.bytes += bytes;
	return true;
}

/*
 * The copy of a duplicated frame goes through the path again, behind the first: it takes its own
 * time of the rate, its own place in the queue, and may be dropped or corrupted for itself.
 */
struct cable_verdict cable_dir_offer(struct cable_dir *d, uint32_t len, const uint8_t *data,
				     int64_t now_ns)
{
	struct cable_verdict v = {.drop = CABLE_PASS};

	if (cable_dir_pass(d, 1, len)) {
		v.n_copies = 1;
		v.copy[0] = (struct cable_copy){.due_ns = now_ns, .corrupt_bit = -1};
		return v;
	}
	struct cable_passage p = {
		.len = len, .data = data, .at_ns = now_ns, .corrupt_bit = -1, .drop = CABLE_PASS};

	if (d->schedule.plan.n &&
	    cable_schedule_apply(&d->schedule, &d->schedule_random, now_ns, &d->live))
		change_stages(d, now_ns);
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
		v.drop = CABLE_PASS; /* a duplicate that found no room is not a loss */
		d->counters.frames++;
		d->counters.bytes += len;
	} else {
		d->counters.dropped[v.drop]++;
	}
	return v;
}

int64_t cable_dir_min_delay_ns(const struct cable_dir *d)
{
	/* A guest may run as far as this says: it must hold whatever the schedule does later. */
	struct linkspec fastest = d->spec;
	struct linkspec largest = d->spec;
	int64_t ns = 0;

	cable_schedule_bound(&d->schedule, true, &largest);
	cable_schedule_bound(&d->schedule, false, &fastest);
	fastest.rate_bps = fastest.rate_bps ? largest.rate_bps : 0; /* 0 is unlimited */
	fastest.jitter_ns = largest.jitter_ns;
	fastest.reorder_ppm = largest.reorder_ppm;
	for (unsigned i = STAGE_PATH; i < STAGES; i++)
		if (d->stage[i].kind->min_ns)
			ns += d->stage[i].kind->min_ns(d->stage[i].state, &fastest);
	return ns;
}

/*
 * A schedule makes a direction not plain even while its values do nothing: it is looked up when
 * frames come, and plain frames are not looked at.
 */
bool cable_dir_is_plain(const struct cable_dir *d)
{
	return d->up && d->n_gate == 0 && d->n_path == 0 && d->schedule.plan.n == 0;
}

const char *cable_dir_file(const struct cable_dir *d, size_t i)
{
	if (d->spec.table[0] && i-- == 0)
		return d->spec.table;
	for (size_t k = 0; k < d->schedule.plan.n; k++)
		if (d->schedule.plan.item[k].shape == LINKSCHED_TRACE && i-- == 0)
			return d->schedule.plan.item[k].path;
	return NULL;
}

static int give_trace(struct cable_dir *d, size_t item, const char *text, size_t len, struct err *e)
{
	struct cable_course *c = &d->schedule.course[item];
	size_t n;
	struct cable_point *points =
		cable_trace_parse(text, len, d->schedule.plan.item[item].key, &n, e);

	if (!points)
		return -1;
	free(c->point);
	c->point = points;
	c->n_points = n;
	return 0;
}

static int give_table(struct cable_dir *d, const char *text, size_t len, struct err *e)
{
	const struct stage_box *delay = &d->stage[STAGE_DELAY];
	uint32_t n;
	int32_t *values = cable_dist_parse(text, len, &n, e);

	if (!values)
		return -1;
	delay->kind->take_table(delay->state, values, n);
	delay->kind->change(delay->state, &d->live, 0);
	return 0;
}

int cable_dir_give_file(struct cable_dir *d, size_t i, const char *text, size_t len, struct err *e)
{
	if (d->spec.table[0] && i-- == 0)
		return give_table(d, text, len, e);
	for (size_t k = 0; k < d->schedule.plan.n; k++)
		if (d->schedule.plan.item[k].shape == LINKSCHED_TRACE && i-- == 0)
			return give_trace(d, k, text, len, e);
	return err_set(e, ERR_USAGE, "the link names no such file");
}

const struct cable_counters *cable_dir_counters(const struct cable_dir *d)
{
	return &d->counters;
}

const struct linkspec *cable_dir_spec(const struct cable_dir *d)
{
	return &d->spec;
}

const struct linkspec *cable_dir_spec_now(const struct cable_dir *d)
{
	return &d->live;
}

int64_t cable_dir_top_rate_bps(const struct cable_dir *d, const struct linkspec *asked)
{
	struct linkspec top = *asked;

	cable_schedule_bound(&d->schedule, true, &top);
	return top.rate_bps;
}

void cable_dir_queue(struct cable_dir *d, int64_t now_ns, uint32_t *frames, uint64_t *bytes)
{
	const struct stage_box *rate = &d->stage[STAGE_RATE];

	rate->kind->waiting(rate->state, now_ns, frames, bytes);
}
