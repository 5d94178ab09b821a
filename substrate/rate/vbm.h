/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The vNet bandwidth manager of a LAN (Kuhns, Wilson, Turner, section III.4). Pure: messages and
 * time in, messages out.
 *
 * The LAN is one segment with the rate of its slowest link, of which a part is kept for control. A
 * vNet has a share of it, which is divided into aggregates, one per node: the node's traffic
 * manager keeps the sum of the rates of the virtual links that enter it over the LAN within the
 * aggregate. A node gets its minimum (the sum of its links' minima) or is refused it; what is left
 * goes to those who want more, in proportion to minima, and is taken back when others ask. A rate
 * that is taken back is given to another only when its holder has said that it no longer uses it,
 * so that what is in use never exceeds the vNet's share, nor all of it the LAN (grant.h).
 *
 * A node that says nothing for VBM_SILENT_NS has given back all that it had, its minimum too. A
 * traffic manager speaks every TM_REFRESH_NS and falls back to its minimum after TM_LEASE_NS
 * without an answer, which is sooner.
 */
#ifndef SUBSTRATE_RATE_VBM_H
#define SUBSTRATE_RATE_VBM_H

#include "lib/err.h"
#include "substrate/rate/grant.h"

#include <stddef.h>

#define VBM_SILENT_NS INT64_C(5000000000)

struct vbm;

/* To the traffic manager of a node: "aggregate", or "aggregate-ok" if it answers. */
struct vbm_message {
	const char *node, *vnet; /* the VBM's own, until the next call */
	struct grant_give give;
	const char *refused; /* static: why the minimum asked for is not admitted; or NULL */
	bool answer;         /* to the message just heard; else of the VBM's own accord */
};

/* rate_bps: of the slowest link of the LAN. */
struct vbm *vbm_create(int64_t rate_bps);
void vbm_destroy(struct vbm *v);
/* 0, or -1 with the error set: the minima admitted so far would not fit. */
int vbm_set_rate(struct vbm *v, int64_t rate_bps, int64_t now_ns, struct err *e);
/*
 * Gives a vNet a part of the LAN in parts per million; 0 takes it away. 0, or -1 with the error
 * set: more than there is, or less than its nodes' minima.
 */
int vbm_set_share(struct vbm *v, const char *vnet, int64_t share_ppm, int64_t now_ns,
		  struct err *e);
/*
 * A node's traffic manager speaks. request: it waits for an answer, which is the first message
 * afterwards that has answer set; else it answers one of ours.
 */
void vbm_hear(struct vbm *v, const char *node, const char *vnet, const struct grant_ask *a,
	      bool request, int64_t now_ns);
/* A node has left: all that it had is given back. */
void vbm_forget(struct vbm *v, const char *node, int64_t now_ns);
/* When tick() wants to be called; INT64_MAX: not. */
int64_t vbm_due_ns(const struct vbm *v);
void vbm_tick(struct vbm *v, int64_t now_ns);
/* The next message to be sent; false: there is none. */
bool vbm_next_message(struct vbm *v, struct vbm_message *m);

/* For people: the i-th row, each vNet as a whole and then its nodes. False: no more. */
struct vbm_row {
	const char *vnet, *node; /* node NULL: the vNet */
	int64_t share_bps;       /* the most that all of them together may have */
	int64_t min_bps, want_bps, limit_bps, held_bps;
};
bool vbm_row(const struct vbm *v, size_t i, struct vbm_row *r);

#endif
