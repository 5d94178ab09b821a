/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An end: what a cable can be plugged into, a guest's NIC or the port of a device. A frame that is
 * sent at one end of a cable is delivered at the other, or counted with the reason for which it was
 * not.
 */
#ifndef SUBSTRATE_CORE_END_H
#define SUBSTRATE_CORE_END_H

#include "lib/linkspec.h"
#include "substrate/core/substrate.h"

struct cable;
struct capture;
struct end;

/* Why an end dropped a frame. Cables count their own drops (enum cable_drop). */
enum end_drop {
	END_DROP_UNPLUGGED, /* no cable */
	END_DROP_CUT,       /* it was under way when its cable was cut */
	END_DROP_DOWN,      /* the guest is not there, or has not enabled the NIC */
	END_DROP_QUEUE,     /* the guest does not take frames: the queue in front of it is full */
	END_DROP_RUNT,      /* shorter than an Ethernet header */
	END_DROP_GIANT,     /* longer than FRAME_MAX or than the guest's buffers */
	END_DROP_OFFLOAD,   /* wants an offload that was not negotiated */
	END_DROP_FILTER,    /* for a multicast group that the guest has not joined */
	END_DROP_FRAMING,   /* no frame for, or of, the framing of its cable */
	END_DROP_MEMORY,    /* the pool of frames is at its bound */
	END_DROPS,
};

/* What the NIC or port at an end can know of the wire that is plugged in. */
struct end_wire {
	int64_t rate_bps; /* the fastest that frames leave from here; 0: nothing limits them */
	bool shared;      /* others send on it, too: half duplex */
};

struct end_kind {
	/* A frame arrives (with its reference). */
	void (*deliver)(struct end *n, struct frame *f, int64_t now_ns);
	/* The carrier came or went. */
	void (*carrier)(struct end *n, int64_t now_ns);
	/* end.wire changed. NULL: nobody asks. */
	void (*wire)(struct end *n, int64_t now_ns);
	/*
	 * True if deliver() would drop that frame before anybody behind this end could know of it.
	 * NULL: it would not.
	 */
	bool (*drops)(const struct end *n, const struct frame *f);
	/*
	 * What stands here limits who is plugged in at the other end, as the medium of a hub does:
	 * fills in a zeroed wire. NULL: it does not.
	 */
	void (*limits)(const struct end *n, struct end_wire *wire);
	bool is_far; /* the end is in another process: trunk.h */
	/*
	 * The MAC address of the NIC. NULL: frames for many stations leave here, so the framing is
	 * Ethernet.
	 */
	const uint8_t *(*address)(const struct end *n);
	/*
	 * The bits of OFFLOAD_* with which frames may be delivered; others are made real before.
	 * Who takes OFFLOAD_LENT, too, keeps no frame without frame_keep(), and looks no further
	 * than its head. NULL: none.
	 */
	uint16_t (*takes)(const struct end *n);
};

/* What an end asks of the cable in it (cable/cable.h). */
struct cable_hooks {
	/* A frame (with its reference) goes in: a real one, or one that goes straight on. */
	void (*send)(struct end *n, struct frame *f, int64_t now_ns);
	/* The end that frames reach from here in this batch, as they are; NULL: they do not now. */
	struct end *(*straight)(const struct end *n);
	/* What limits() says changed. */
	void (*limits_changed)(struct end *n, int64_t now_ns);
	/* The end goes away: so does the cable. */
	void (*unplug)(struct end *n);
};

struct end_counters {
	uint64_t in_frames, in_bytes;   /* sent from here into the cable */
	uint64_t out_frames, out_bytes; /* delivered here */
	uint64_t dropped[END_DROPS];
	/* Exact time: hash of (time, bytes) of all frames in order. Equal runs, equal digests. */
	uint64_t digest;
};

struct end {
	const struct end_kind *kind;
	struct object *object;      /* whose end it is */
	struct vclock_guest *guest; /* virtual clock: whose NIC this is, or NULL */
	struct cable *cable;        /* NULL: unplugged. This and the next five are the cable's */
	const struct cable_hooks *hooks;
	unsigned side; /* which end of the cable */
	bool carrier;
	struct end_wire wire;
	enum link_framing framing; /* of frames on the cable; here they are Ethernet */
	bool has_own_wire;         /* which is no cable: it can be captured, not plugged */
	bool absent; /* a far end that cannot be reached: there is no carrier at the other end */
	struct end_counters count;
	struct capture *capture; /* the first of those that see each frame; NULL: nobody looks */
};

/* Sends a frame (with its reference) into the cable. */
void end_send(struct end *n, struct frame *f, int64_t now_ns);
/* Sends a copy of a frame that came from elsewhere as bytes, whatever their number. */
void end_take_bytes(struct end *n, const uint8_t *data, size_t len, int64_t now_ns);
/* The same for a frame of which something is left to do. */
void end_take_raw(struct end *n, const uint8_t *data, size_t len, const struct offload *o,
		  int64_t now_ns);
/*
 * The same for what an interface of the host handed over, whose packets have mtu bytes at most: see
 * offload_find().
 */
void end_take_from_host(struct end *n, const uint8_t *data, size_t len, uint32_t mtu,
			int64_t now_ns);
/* A frame (with its reference) reaches an end. */
void end_deliver(struct end *n, struct frame *f, int64_t now_ns);
/*
 * True if that frame, as the cable has it, would be dropped before anybody behind the end could
 * know of it.
 */
bool end_drops(const struct end *n, const struct frame *f);
typedef void (*end_frame_fn)(struct end *n, struct frame *f, int64_t now_ns);
/*
 * True if raw frames with these bits of OFFLOAD_* may be delivered here as they are: nobody looks,
 * and the end can.
 */
bool end_takes(const struct end *n, uint16_t flags);
/* True if such frames go from here to the other end of the cable as they are, now. */
bool end_passes_raw(const struct end *n, uint16_t flags);
/* Calls fn with each real frame that f (with its reference) stands for. */
void end_make_real(struct end *n, struct frame *f, int64_t now_ns, end_frame_fn fn);
/* Counts a drop and gives the reference back; f may be NULL. */
void end_drop(struct end *n, struct frame *f, enum end_drop why);
/* Members of an open JSON object. */
void end_status(const struct end *n, struct json *j);
/* The same, of the reasons for drops alone. */
void end_status_dropped(const struct end *n, struct json *j);
/* The end of an object that has one, or NULL. */
struct end *end_of_object(struct object *o);

/* The end goes away: its cable and its capture go, too. */
void end_finish(struct end *n);

#endif
