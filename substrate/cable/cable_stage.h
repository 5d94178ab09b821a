/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of a cable: one stage per impairment, all with this interface. A stage is pure in (its
 * state, the parameters, the frame's passage, its random stream): it reads no clock, keeps no frame
 * and allocates nothing but in change().
 *
 *   gate (once per frame):  mtu -> loss -> duplicate
 *   path (once per copy):   rate and queue -> corrupt -> delay
 *
 * As with tc-netem, what is lost at the gate takes no time of the rate. Loss comes before
 * duplication, so that a loss of 100 % lets nothing pass.
 */
#ifndef SUBSTRATE_CABLE_CABLE_STAGE_H
#define SUBSTRATE_CABLE_CABLE_STAGE_H

#include "lib/linkspec.h"
#include "lib/rng.h"
#include "substrate/cable/cable_dir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happens to one frame, or one copy of it, on its way through the stages. */
struct cable_passage {
	uint32_t len;        /* bytes, Ethernet header included, without preamble and FCS (as tc) */
	const uint8_t *data; /* the frame, or NULL if it is not known */
	int64_t at_ns;       /* when it stands before this stage; a stage moves it on */
	enum cable_drop drop;
	int64_t corrupt_bit; /* -1: none */
	bool duplicate;
	bool mark_ce;
	bool reordered; /* overtook a frame that came before it */
};

struct cable_stage {
	const char *name; /* also the purpose of its random stream */
	size_t state_size;
	/*
	 * False: with these parameters every frame that comes at now_ns or later is left alone.
	 * What is still under way from before may want the stage a while longer.
	 */
	bool (*wanted)(const void *state, const struct linkspec *spec, int64_t now_ns);
	/* New parameters from now on. May be NULL. */
	void (*change)(void *state, const struct linkspec *spec, int64_t now_ns);
	void (*pass)(void *state, const struct linkspec *spec, struct rng *random,
		     struct cable_passage *p);
	/* The shortest time the stage can take. NULL: none. */
	int64_t (*min_ns)(const void *state, const struct linkspec *spec);
	/* What waits in this stage at now_ns. The rate alone has this; NULL elsewhere. */
	void (*waiting)(void *state, int64_t now_ns, uint32_t *frames, uint64_t *bytes);
	/*
	 * Takes over the values of the table that the parameters name; change() comes after it. The
	 * delay alone has this; NULL elsewhere.
	 */
	void (*take_table)(void *state, int32_t *values, uint32_t n);
	/* Frees what change() and take_table() left in the state, not the state. May be NULL. */
	void (*finish)(void *state);
};

extern const struct cable_stage cable_stage_mtu;
extern const struct cable_stage cable_stage_loss;
extern const struct cable_stage cable_stage_duplicate;
extern const struct cable_stage cable_stage_rate;
extern const struct cable_stage cable_stage_corrupt;
extern const struct cable_stage cable_stage_delay;

/*
 * A yes or no of probability ppm whose answers are correlated: with probability correlation_ppm the
 * last answer is given again. The share of yes stays exactly ppm and the autocorrelation at lag n
 * is correlation^n (which netem's own formula does not hold: tc-netem(8), BUGS).
 */
struct cable_chance {
	bool primed, last;
};
bool cable_chance_draw(struct cable_chance *c, struct rng *random, int64_t ppm,
		       int64_t correlation_ppm);

#endif
