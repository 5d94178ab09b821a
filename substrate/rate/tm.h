/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The traffic manager of a substrate node (Kuhns, Wilson, Turner, section III.4). Pure: events and
 * time in, actions out.
 *
 * A virtual link is a chain of hops. At each node that it touches there is a tm_link: where it
 * begins (fed by a virtual interface), where it passes, where it ends. Its current rate there is
 * between minimum and maximum, and at most what the node can carry (its interfaces; for links that
 * come over a LAN with a VBM the vNet's aggregate) and what the next node lends (struct
 * grant_asker). A node lends to the node before it (struct grant_giver). So the rates of all hops
 * follow
 *
 *   - demand: where the link begins, what is offered is measured, and more or less is asked for;
 *   - policy: a link that is idle for idle_ns goes back to its minimum (struct tm_policy);
 *   - requests of the node before;
 *   - a changed aggregate: links that come over the LAN are lowered or raised, and the nodes before
 *     are told;
 *   - configuration: links, interfaces, minima and maxima come, go and change.
 *
 * A decrease is in effect at once where it is decided, and counts as free when the node before has
 * confirmed it.
 *
 * After each call the caller performs the actions: while (tm_next_action(t, &a)) ...
 */
#ifndef SUBSTRATE_RATE_TM_H
#define SUBSTRATE_RATE_TM_H

#include "lib/err.h"
#include "substrate/rate/grant.h"

#include <stddef.h>

#define TM_MEASURE_NS INT64_C(100000000)  /* default: demand is measured over this */
#define TM_IDLE_NS    INT64_C(1000000000) /* default: an idle link goes back to its minimum */
#define TM_RAISE_PPM  880000              /* default: more is asked for above this part */
#define TM_LOWER_PPM  600000              /* default: less is asked for below this part */
#define TM_REFRESH_NS \
	INT64_C(1000000000) /* what is not settled is said again, and leases renewed */
#define TM_LEASE_NS    INT64_C(3500000000) /* without a word of the VBM: back to the minimum */
#define TM_PATIENCE_NS INT64_C(4000000000) /* then a link that waits for the VBM is refused */

struct tm;
struct tm_port; /* a substrate interface, as an output */
struct tm_lan;  /* a LAN with a VBM, as an input */
struct tm_link; /* a virtual link at this node */

/*
 * What a node decides by itself of the links that begin there. Beyond raise_ppm of what a link has
 * asked for it asks for a quarter more than is offered, so it uses 800000 ppm then: raise_ppm is
 * that or more, lower_ppm that or less, or it would take back at once what it got.
 */
struct tm_policy {
	int64_t measure_ns; /* the offered rate is that of an interval of this length; 1 or more */
	int64_t idle_ns;    /* so long without a frame: back to the minimum */
	int64_t raise_ppm;  /* 800000 to 1000000 */
	int64_t lower_ppm;  /* 0 to 800000; four intervals below it */
};

extern const struct tm_policy tm_policy_default;

struct tm_link_spec {
	const char *vnet;      /* copied */
	int64_t min_bps;       /* guaranteed */
	int64_t max_bps;       /* where it begins: min_bps or more; 0: as much as there is */
	struct tm_port *out;   /* where it leaves; NULL: it ends here (or never leaves this node) */
	struct tm_lan *in_lan; /* it comes over this LAN; NULL: it does not, or there is no VBM */
	bool from_node;        /* it comes from another node; else it begins here */
	bool to_node;          /* it goes on to another node; else it ends here */
	void *owner;
};

enum tm_action_kind {
	TM_ADMITTED,  /* link: its minimum is reserved at this node, and its rate */
	TM_REFUSED,   /* link: it is not; reason. The caller destroys it */
	TM_REVOKED,   /* link: its minimum can no longer be kept; reason. The caller destroys it */
	TM_MIN_KEPT,  /* link: that of tm_link_set() is refused, the old one holds; reason */
	TM_SET_RATE,  /* link: rate_bps is its current rate here from now on, min_bps its minimum */
	TM_ASK_NEXT,  /* link: ask, to the next node ("rate", or "rate-ok" if answer) */
	TM_GIVE_PREV, /* link: give, to the node before ("rate", or "rate-ok" if answer) */
	TM_ASK_VBM,   /* lan, vnet: ask, to the VBM ("aggregate", or "aggregate-ok" if answer) */
};

struct tm_action {
	enum tm_action_kind kind;
	struct tm_link *link;
	struct tm_lan *lan;
	const char *vnet;   /* the tm's own, until the next call */
	const char *reason; /* static */
	int64_t rate_bps, min_bps;
	struct grant_ask ask;
	struct grant_give give;
	bool answer; /* it answers the message just heard */
};

/* policy: NULL for the defaults. */
struct tm *tm_create(const struct tm_policy *policy, int64_t now_ns);
/* With all that is left in it. */
void tm_destroy(struct tm *t);
/*
 * From now on. Intervals that have begun begin anew (what they have counted is forgotten), as do
 * the counts of low ones; a policy like the present one changes nothing.
 */
void tm_set_policy(struct tm *t, const struct tm_policy *policy, int64_t now_ns);
/* The present one; the tm's own. */
const struct tm_policy *tm_policy(const struct tm *t);

/* rate_bps: of the wire; 0: without a bound. Part of it is kept for control (reserve_bps()). */
struct tm_port *tm_port_create(struct tm *t, int64_t rate_bps);
void tm_port_set_rate(struct tm_port *p, int64_t rate_bps, int64_t now_ns);
/* No link may use it any more. */
void tm_port_destroy(struct tm_port *p);
struct tm_lan *tm_lan_create(struct tm *t, void *owner);
/* No link may use it any more. */
void tm_lan_destroy(struct tm_lan *l);
void *tm_lan_owner(const struct tm_lan *l);

/*
 * A virtual link wants to pass. TM_ADMITTED or TM_REFUSED follows, perhaps only when the VBM has
 * answered. Its rate is then its minimum.
 */
struct tm_link *tm_link_create(struct tm *t, const struct tm_link_spec *spec, int64_t now_ns);
/* The whole link is set up (all nodes have admitted it): its rate may move. */
void tm_link_up(struct tm_link *l, int64_t now_ns);
/* Gives back what it had. NULL is fine. */
void tm_link_destroy(struct tm_link *l, int64_t now_ns);
/*
 * Another minimum and maximum, where the link begins; the other nodes learn of it by "rate". 0, or
 * -1 with the error set if this node cannot admit the minimum; another may refuse it later
 * (TM_MIN_KEPT).
 */
int tm_link_set(struct tm_link *l, int64_t min_bps, int64_t max_bps, int64_t now_ns, struct err *e);
/* Something that goes with what is said to the next node has changed: say it again. */
void tm_link_again(struct tm_link *l, int64_t now_ns);
/* Was this wish of the node before not heard yet? */
bool tm_link_is_news(const struct tm_link *l, const struct grant_ask *a);
void *tm_link_owner(const struct tm_link *l);

/*
 * A frame was offered to a link that begins here (counted_bytes of htb_enqueue()), sent or not.
 * True: tm_due_ns() may be earlier now.
 */
bool tm_link_offered(struct tm_link *l, uint32_t bytes, int64_t now_ns);
/*
 * Messages of the node before, of the next node, of the VBM. request: it waits for an answer (which
 * follows as an action), else it answers one of ours.
 */
void tm_hear_prev(struct tm_link *l, const struct grant_ask *a, bool request, int64_t now_ns);
void tm_hear_next(struct tm_link *l, const struct grant_give *g, bool request, int64_t now_ns);
void tm_hear_vbm(struct tm_lan *l, const char *vnet, const struct grant_give *g, bool request,
		 int64_t now_ns);

int64_t tm_due_ns(const struct tm *t);
void tm_tick(struct tm *t, int64_t now_ns);
bool tm_next_action(struct tm *t, struct tm_action *a);

/* For people. */
struct tm_link_state {
	int64_t min_bps, current_bps, max_bps; /* max: INT64_MAX if there is none */
	int64_t offered_bps;                   /* in the last interval; where it begins */
	int64_t want_bps;
	bool admitted, up;
};
void tm_link_state(const struct tm_link *l, struct tm_link_state *s);

#endif
