/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A virtio device for a guest, spoken over a vhost-user socket (QEMU docs/interop/vhost-user.rst,
 * and arch/um/drivers/virtio_uml.c for what User-Mode Linux makes of it): we listen, the guest
 * connects, shares its memory and its rings. When it goes, we listen again (vhost_listen()). A
 * guest that does something wrong loses its connection, with a reason, and nothing else.
 *
 * Real clock: kicks come by eventfd, calls go by the descriptors the guest gave. Virtual clock:
 * both go through the memory that guest and clock share (mail.h).
 */
#ifndef SUBSTRATE_VIRTIO_VHOST_H
#define SUBSTRATE_VIRTIO_VHOST_H

#include "substrate/clock/vclock_guest.h"
#include "substrate/core/substrate.h"
#include "substrate/virtio/vring.h"

enum {
	VHOST_QUEUES_MAX = 6,
	VHOST_CONFIG_MAX = 64, /* bytes of device configuration space */
	VHOST_PAYLOAD_MAX = 512,
	VHOST_FDS_MAX = 4,
};

struct vhost;

struct vhost_kind {
	uint64_t features; /* virtio features to offer, besides those of the transport */
	unsigned n_queues;
	uint64_t last_needs; /* the last queue is there if this feature was negotiated; 0: always */
	/*
	 * Bits of queues by which the driver only gets back what it sent: in virtual time such
	 * calls come a little later, and many become one, as a real NIC does it.
	 */
	uint32_t late_queues;
	/* Virtual clock: so long after a kick something may come back; NULL: at once. */
	int64_t (*answer_ns)(const struct vhost *v, unsigned queue);
	uint32_t sends; /* bits of queues by which the driver sends: what is there is to be taken */
	bool last_is_waited_for; /* the driver does nothing else until the last queue has answered
				  */
	bool config_changes;     /* vhost_config_changed() is called */
	/* Fills config (zeroed). */
	void (*read_config)(struct vhost *v, uint8_t config[VHOST_CONFIG_MAX]);
	/* All queues are enabled; from now on kicked() may come. */
	void (*up)(struct vhost *v, int64_t now_ns);
	/* The guest or its driver is gone: from now on rings and memory must not be touched. */
	void (*down)(struct vhost *v, int64_t now_ns);
	/* The driver put something into a queue. */
	void (*kicked)(struct vhost *v, unsigned queue, int64_t now_ns);
};

struct vhost_queue {
	struct vhost *vhost;
	struct virtq ring;
	bool enabled;
	bool was_enabled;    /* when it was restored */
	struct virtq kept;   /* the ring, then */
	struct virtq coming; /* and of the connection that is awaited, until all of it is there */
	struct loop_watch kick; /* fd -1: none */
	int call_fd;
	bool call_is_socket;     /* it takes send(2); a pipe takes write(2) */
	struct event call_event; /* virtual clock: a call that waits until the guest stands still */
	int64_t call_ns;         /* when, if it is in the calendar */
};

struct vhost {
	const struct vhost_kind *kind;
	struct object *object;             /* borrowed */
	struct vclock_guest *guest;        /* virtual clock: whose device; NULL: real clock */
	struct vclock_guest_device device; /* the same, once its kernel has told its number */
	char *path;                        /* owned */
	struct loop_watch listener, conn;
	int slave_fd; /* messages from us: SET_SLAVE_REQ_FD; -1: none */
	bool connected, up;
	bool awaited;               /* it was restored, and the guest has not connected anew */
	bool arrives;               /* so it is, and nobody but this device waits for that */
	bool asleep;                /* real clock: the same, until something is there for it */
	bool owes;                  /* when it was kept, the guest had sent what was not taken */
	uint64_t offers;            /* features, besides those of the kind; before vhost_open() */
	uint64_t features;          /* negotiated */
	uint64_t protocol_features; /* negotiated */
	struct guestmem mem;
	struct vhost_queue queue[VHOST_QUEUES_MAX];
	struct event config_event;
	struct event_source source;
	/* The message that is coming in. */
	struct {
		uint32_t request, flags, size;
	} head;
	uint8_t payload[VHOST_PAYLOAD_MAX];
	size_t have; /* bytes of head and payload */
	int fds[VHOST_FDS_MAX];
	size_t n_fds;
	char reason[160]; /* why the last connection ended */
};

/* Listens at path. v is zeroed but for kind and offers. 0 or -1. */
int vhost_open(struct vhost *v, struct object *o, struct vclock_guest *g, const char *path,
	       struct err *e);
/* Ends the connection, if there is one, and waits for the next. 0, or -1: nobody can connect. */
int vhost_listen(struct vhost *v, struct err *e);
/* Ends it all and removes the socket; v may be freed. */
void vhost_close(struct vhost *v);
/* Queues that the driver uses, by the features that were negotiated. */
unsigned vhost_queues(const struct vhost *v);
/* Publishes what was given back on a queue, and calls the guest if it wants to be. */
void vhost_publish(struct vhost *v, unsigned queue, int64_t now_ns);
/* The same in virtual time, where the call may wait until call_ns: others then go with it. */
void vhost_publish_by(struct vhost *v, unsigned queue, int64_t now_ns, int64_t call_ns);
/* The configuration space changed. */
void vhost_config_changed(struct vhost *v, int64_t now_ns);
/*
 * While a snapshot is taken by the real clock: a guest's kernel that asks for its configuration
 * waits for it in the middle of whatever it does, and cannot stand still before. That is answered,
 * as it changes nothing. What is something else, or not whole, stays there.
 */
void vhost_answer_held(struct vhost *v);
/* Ends the connection if a ring is broken or the memory shrank. True if so. */
bool vhost_check(struct vhost *v, int64_t now_ns);
/*
 * A snapshot (object_kind). Restored, the device counts as what it was and is awaited: the guest
 * connects, and says all that it says when it boots. Where the rings were is known here, so
 * SET_VRING_BASE is not obeyed then; nobody hears of it.
 */
int vhost_freeze(struct vhost *v, struct err *e);
int vhost_thaw(struct vhost *v, const struct thaw *t, struct err *e);
/*
 * The real clock (object_kind): nobody waits for the guest before something is there for it: then
 * vhost_wake() says so, once. 0, or -1 if something is there already.
 */
int vhost_sleep(struct vhost *v, struct err *e);
void vhost_wake(struct vhost *v);
/* "event WHAT NAME MORE", with the name of its guest; more: with a space in front, or empty. */
void vhost_tell_of_guest(const struct vhost *v, const char *what, const char *more);
/* The same in this process (object_kind): the connection that is here is closed when the next one
 * comes. */
int vhost_await(struct vhost *v, struct err *e);
/*
 * The same for a guest that goes to another process, which has made the device by the same words
 * (object_kind). Nobody else waits for the guest.
 */
int vhost_move(struct vhost *v, struct mover *m, struct err *e);
/* Members of an open JSON object. */
void vhost_status(const struct vhost *v, struct json *j);

#endif
