/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of a traffic manager: what it knows (tm.c: events, actions), what links would use
 * (tm_demand.c), and how rates follow from it (tm_rates.c).
 */
#ifndef SUBSTRATE_RATE_TM_PRIV_H
#define SUBSTRATE_RATE_TM_PRIV_H

#include "lib/vec.h"
#include "substrate/rate/rateshare.h"
#include "substrate/rate/tm.h"

struct tm_port {
	struct tm *t;
	int64_t rate_bps;
};

/* What the vNet's links that come over a LAN may have together. */
struct tm_aggregate {
	char *vnet; /* owned */
	struct grant_asker asker;
	int64_t heard_ns; /* the VBM */
	int64_t say_ns;   /* when to say it again */
	bool say, answer; /* a message is due */
};

struct tm_lan {
	struct tm *t;
	void *owner;
	VEC(struct tm_aggregate *) aggregates; /* owned */
};

enum tm_stage {
	TM_STAGE_WAITING, /* for the VBM */
	TM_STAGE_RESERVED,
	TM_STAGE_UP,
	TM_STAGE_DEAD, /* refused or revoked: the caller destroys it */
};

/* Actions that are due, in the order in which they are taken. */
enum tm_due {
	TM_DUE_RATE = 1 << 0,
	TM_DUE_VERDICT = 1 << 1, /* l->verdict */
	TM_DUE_GIVE_ANSWER = 1 << 2,
	TM_DUE_GIVE = 1 << 3,
	TM_DUE_ASK_ANSWER = 1 << 4,
	TM_DUE_ASK = 1 << 5,
};

struct tm_link {
	struct tm *t;
	char *vnet; /* owned */
	struct tm_port *out;
	struct tm_aggregate *aggregate; /* NULL: it does not come over a LAN with a VBM */
	struct tm_lan *in_lan;
	bool from_node, to_node;
	void *owner;

	enum tm_stage stage;
	int64_t min_bps, min_asked_bps; /* more is asked than admitted: others have not decided */
	int64_t max_bps;                /* INT64_MAX: none */
	int64_t want_bps;               /* measured, or of the node before */
	int64_t cap_bps;                /* what it is worth to have more than */
	int64_t share_bps;              /* what this node can carry of it */
	int64_t current_bps;
	struct grant_asker asker; /* to_node */
	struct grant_giver giver; /* from_node */
	uint64_t told;            /* serial of the last decision sent of our own accord */
	int64_t say_ns;           /* when to say again what is not settled */
	int64_t created_ns;

	uint64_t offered_bytes; /* since the interval began */
	int64_t offered_bps;    /* in the last interval */
	int64_t measure_ns;     /* end of the interval; INT64_MAX: nothing to measure */
	int64_t busy_ns;        /* when something was offered last */
	unsigned modest;        /* intervals in which much less was offered than it may */

	unsigned due; /* enum tm_due */
	enum tm_action_kind verdict;
	const char *reason;
};

struct tm {
	struct tm_policy policy;
	int64_t now_ns;
	VEC(struct tm_link *) links;   /* in order of creation; owned */
	VEC(struct tm_port *) ports;   /* owned */
	VEC(struct tm_lan *) lans;     /* owned */
	VEC(struct rateshare) parts;   /* scratch */
	VEC(struct tm_link *) members; /* scratch: whose parts they are */
	bool due;                      /* some action is */
};

static inline void tm_link_due(struct tm_link *l, enum tm_due what)
{
	l->due |= what;
	l->t->due = true;
}

static inline bool tm_link_counts(const struct tm_link *l)
{
	return l->stage == TM_STAGE_RESERVED || l->stage == TM_STAGE_UP;
}

/* What a port carries beside control; INT64_MAX: anything. */
int64_t tm_port_usable_bps(const struct tm_port *p);
/* Minima that are reserved on a port, those not decided yet included. */
int64_t tm_port_minima_bps(const struct tm_port *p);
/* Decides what can be decided, and makes all rates follow. */
void tm_rates_settle(struct tm *t);
/* The same, as of now. */
static inline void tm_settle(struct tm *t, int64_t now_ns)
{
	t->now_ns = now_ns;
	tm_rates_settle(t);
}

/* The interval of a link that begins here is over: what it wants from now on. */
void tm_link_measure(struct tm_link *l, int64_t now_ns);
/* The link is dead: verdict follows as an action. */
void tm_link_end(struct tm_link *l, enum tm_action_kind verdict, const char *reason);

#endif
