/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A shared half-duplex medium: CSMA/CD as in IEEE 802.3-2018, clause 4, with the station of each
 * port (its queue, its back-off) kept here, as virtual NICs have none.
 *
 * Theory. A bit needs the propagation time to reach any other station. A station that wants to send
 * waits until it has heard nothing for an interframe gap (96 bit times), and then sends whatever it
 * hears in the last third of the gap (4.2.3.2.2). The first to begin, at s, is alone if nobody else
 * has begun by s + propagation, when all hear it; so that is when its fate is decided. If others
 * have, each sends on until its preamble is out and a jam of 32 bits is, and then backs off: a
 * random number of slots (512 bit times) below 2^min(collisions, 10), and gives up after 16
 * collisions. A slot is longer than two propagations and the shortest frame longer than a slot, so
 * there are no late collisions.
 *
 * On the medium, a frame is preceded by 64 bits of preamble, filled up to 60 bytes and followed by
 * 32 bits of checksum: unlike cables, where a rate counts as tc counts it, this is the wire itself.
 *
 * Who wins a collision begins again at once, with a fresh count, while the others back off longer
 * and longer: the capture effect shows in the counters.
 */
#ifndef VHUB_MEDIUM_H
#define VHUB_MEDIUM_H

#include "lib/json.h"
#include "lib/rng.h"
#include "substrate/device/device.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	MEDIUM_GAP_BITS = 96,
	MEDIUM_SLOT_BITS = 512,
	MEDIUM_JAM_BITS = 32,
	MEDIUM_PREAMBLE_BITS = 64,
	MEDIUM_FCS_BYTES = 4,
	MEDIUM_SHORTEST = 60, /* bytes of a frame without FCS */
	MEDIUM_ATTEMPTS = 16,
	MEDIUM_BACKOFF_LIMIT = 10,
	MEDIUM_PROPAGATION_BITS = 64, /* default */
	MEDIUM_QUEUE = 64,            /* default */
	MEDIUM_QUEUE_MAX = 65536,
};

/* Counters have the names and meanings of RFC 3635 (EtherLike-MIB). */
struct medium_station {
	struct frame **queue; /* owned: ring of medium.queue entries, made when first used */
	uint32_t head, n;
	int64_t ready_ns;  /* the first frame wants to leave from then on */
	unsigned attempts; /* collisions of the first frame */
	bool deferred;     /* the first frame had to wait for the medium */
	uint64_t sent, collisions, single_collision_frames, multiple_collision_frames;
	uint64_t deferred_transmissions, excessive_collisions, queue_full;
};

struct medium {
	int64_t rate_bps;
	int64_t propagation_ns; /* 0: the default */
	uint32_t queue;         /* frames per station */
	struct rng random;
	struct medium_station station[DEVICE_PORTS_MAX];
	int n_stations; /* stations from there on never sent anything */
	bool open;      /* somebody began at open_ns, and not all hear it yet */
	int64_t open_ns;
	int64_t idle_ns;        /* when all hear (will hear) that the medium is idle */
	int64_t sender_idle_ns; /* the same for the last sender, who knows earlier */
	int last_sender;        /* -1: none */
	struct frame *flight;   /* a frame that will reach all others at flight_ns; owned */
	int64_t flight_ns;
	uint16_t flight_from;
	uint64_t frames, collisions;
	int64_t busy_ns; /* time the medium was in use */
};

void medium_init(struct medium *m, uint64_t seed, const char *name);
void medium_finish(struct medium *m);
/* Other parameters; frames that wait are given back. 0: default of propagation. */
void medium_set(struct medium *m, int64_t rate_bps, int64_t propagation_ns, uint32_t queue);
/* The station of a port gets a frame to send. False: its queue is full. */
bool medium_send(struct medium *m, uint16_t port, struct frame *f, int64_t now_ns);
/* A station goes away: what it holds is given back. */
void medium_forget(struct medium *m, uint16_t port);
/* Time of the next event; INT64_MAX: none. */
int64_t medium_next_ns(const struct medium *m);
/*
 * Does the events that are due, up to the first frame that arrives: returns it (with its reference)
 * and the port it came from, or NULL when nothing more is due.
 */
struct frame *medium_run(struct medium *m, int64_t now_ns, uint16_t *from);
void medium_status(const struct medium *m, struct json *j);

#endif
