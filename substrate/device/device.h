/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a hub or a switch is to the substrate: a pure function from (in port, frame, now) to a set
 * of ports. It holds no descriptor, reads no clock and sends nothing itself; what it wants done
 * later (ageing, hello timers) it says by next_due_ns. Each kind of device is one struct
 * device_kind.
 */
#ifndef SUBSTRATE_DEVICE_DEVICE_H
#define SUBSTRATE_DEVICE_DEVICE_H

#include "lib/err.h"
#include "lib/json.h"
#include "substrate/core/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEVICE_PORTS_MAX = 1024 };

/* The ports a frame leaves by; a port may get another frame (VLAN tag added or removed). */
struct device_out {
	uint32_t n;
	struct {
		uint16_t port;
		struct frame *frame; /* the caller's (borrowed), or another (owned by the list) */
	} at[DEVICE_PORTS_MAX];
};

struct device; /* the kind's own state */

/* Why a device sent a frame nowhere. */
enum device_drop {
	DEVICE_FORWARDED,        /* it did send it, or took it for itself */
	DEVICE_DROP_RUNT,        /* shorter than an Ethernet header */
	DEVICE_DROP_NOBODY,      /* no other port is up, or may have it */
	DEVICE_DROP_QUEUE,       /* hub: the queue of the port's station is full */
	DEVICE_DROP_STP,         /* switch: a port does not forward */
	DEVICE_DROP_SOURCE,      /* switch: from a group address */
	DEVICE_DROP_FOREIGN,     /* switch: its sender lives behind another port */
	DEVICE_DROP_RESERVED,    /* switch: to an address that switches keep to themselves */
	DEVICE_DROP_VLAN,        /* switch: a port is not in the frame's VLAN */
	DEVICE_DROP_SAME_PORT,   /* switch: its receiver is behind the port it came from */
	DEVICE_DROP_MIRROR_PORT, /* switch: it came in at a port that only listens */
	DEVICE_DROP_MEMORY,
	DEVICE_DROPS,
};
/* As `status` names it: "same port". */
const char *device_drop_name(enum device_drop why);

struct device_kind {
	const char *name; /* "hub", "switch" */
	/* Makes one; seed and name give it its random stream. NULL with the error set. */
	struct device *(*create)(const char *name, uint64_t seed);
	void (*destroy)(struct device *d);
	/* Sets a parameter of the device ("ageing", "300s") or of one port. 0 or -1. */
	int (*set)(struct device *d, const char *key, const char *value, struct err *e);
	int (*set_port)(struct device *d, uint16_t port, const char *key, const char *value,
			struct err *e);
	/* A port comes, goes, gets or loses carrier. Numbers are from 0, chosen by the caller. */
	void (*port_change)(struct device *d, uint16_t port, bool up, int64_t now_ns);
	/*
	 * Where does this frame go? Fills out (emptied by the caller). The reason for which it goes
	 * nowhere is counted by the caller.
	 */
	enum device_drop (*forward)(struct device *d, uint16_t in, struct frame *f, int64_t now_ns,
				    struct device_out *out);
	/*
	 * True if it only looks at addresses, and sends on at once what it gets: then it may get
	 * frames that are not yet as on a wire, or still lent (frame.h). May be NULL: never.
	 */
	bool (*takes_raw)(const struct device *d);
	/*
	 * True if all ports send on one medium, as stations at half duplex; *rate_bps (0 before) is
	 * its rate, if it has one. May be NULL: never.
	 */
	bool (*is_shared)(const struct device *d, int64_t *rate_bps);
	/* Time at which tick() wants to be called next; INT64_MAX: not. May be NULL. */
	int64_t (*next_due_ns)(const struct device *d);
	/* Does what is due; may send frames of its own (BPDUs) through out. May be NULL. */
	void (*tick)(struct device *d, int64_t now_ns, struct frame_pool *pool,
		     struct device_out *out);
	/* Tables and counters as members of an open JSON object. */
	void (*status)(const struct device *d, int64_t now_ns, struct json *j);
};

/* A parameter of a device. */
struct device_setting {
	const char *key;
	int (*set)(struct device *d, const char *value, struct err *e);
};
/* Sets the one of that key, or says which is meant; what: "a hub". 0 or -1. */
int device_set_key(const struct device_setting *settings, size_t n, const char *what,
		   struct device *d, const char *key, const char *value, struct err *e);

#endif
