/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state table of one vNet in the multiplexer: which endpoint a frame belongs to, and what an
 * endpoint may send. Pure: no descriptor is read or written here.
 */
#ifndef VNET_MUX_DEMUX_H
#define VNET_MUX_DEMUX_H

#include "lib/vec.h"
#include "vnet/mux/filter.h"

/* Why a frame of an endpoint is not sent. */
enum demux_verdict {
	DEMUX_PASS,
	DEMUX_RUNT,   /* shorter than an Ethernet header */
	DEMUX_SOURCE, /* not from the NIC's own address */
	DEMUX_FILTER, /* the endpoint's outgoing filter does not match */
	DEMUX_VERDICTS,
};

struct demux_binding {
	unsigned id;
	int priority;
	struct filter in, out;
};

struct demux {
	VEC(struct demux_binding *) bindings; /* owned by who added them; by priority, then age */
};

/* Compiles the filters of a binding. 0 or -1 with the error set; to be finished by the caller. */
int demux_binding_init(struct demux_binding *b, unsigned id, int priority, const char *in,
		       const char *out, struct err *e);
void demux_binding_finish(struct demux_binding *b);
/* 0, or -1: that id is bound. */
int demux_add(struct demux *d, struct demux_binding *b, struct err *e);
void demux_remove(struct demux *d, struct demux_binding *b);
struct demux_binding *demux_find_id(const struct demux *d, unsigned id);
/* Whose frame this is, or NULL: nobody's. */
struct demux_binding *demux_find(const struct demux *d, const uint8_t *frame, size_t len);
/* May the endpoint send this by the NIC with that address? */
enum demux_verdict demux_check(const struct demux_binding *b, const uint8_t mac[6],
			       const uint8_t *frame, size_t len);
/* "filter", ... */
const char *demux_verdict_name(enum demux_verdict v);
void demux_finish(struct demux *d);

#endif
