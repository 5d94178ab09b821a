/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What NICs have in common whose frames come and go by a socket, or a descriptor, that one client
 * at a time brings. Real clock only.
 */
#ifndef SUBSTRATE_NIC_NIC_DOOR_H
#define SUBSTRATE_NIC_NIC_DOOR_H

#include "substrate/nic/door.h"
#include "substrate/nic/nic.h"

struct nic_door;

/* A back end of that kind. */
struct nic_door_kind {
	const char *backend;
	size_t size;     /* of the struct that begins with a struct nic_door */
	int socket_type; /* of the door */
	bool by_client; /* frames come by the client's socket, not by a descriptor that it brings */
	/* How a frame goes out: as write(2). NULL: frames go by a socket, one in a message. */
	ssize_t (*put)(const struct nic_door *n, const struct frame *f);
	const struct object_kind *object;
	const struct end_kind *end;
	void (*came)(struct door *d); /* see door.h; came may be NULL */
	void (*ready)(struct door *d, int64_t now_ns);
};

struct nic_door {
	struct object object; /* first */
	struct end end;
	const struct nic_door_kind *kind;
	struct door door;
	struct loop_watch frames; /* what the client brought; fd -1: nothing */
	uint16_t mtu;
};

/* The object of the "nic" command; NULL with the error set. */
struct object *nic_door_create(const struct nic_door_kind *kind, struct substrate *s,
			       const char *name, const struct words *w, struct err *e);
struct nic_door *nic_door_of(struct door *d);
/* What frames come by; -1: the NIC is down. */
int nic_door_fd(const struct nic_door *n);
/* Frames come by this descriptor from now on (taken over): the NIC is up. 0 or -1. */
int nic_door_up(struct nic_door *n, int fd,
		void (*ready)(struct loop_watch *w, uint32_t events, int64_t now_ns),
		struct err *e);
/* The client has to go; if the NIC was up, an event says why it is down. */
void nic_door_hang_up(struct nic_door *n, const char *why);

/* For the tables of kinds: */
void nic_door_destroy(struct object *o);
struct end *nic_door_end(struct object *o);
/* Backend and whether it is up; the counters of the end. */
void nic_door_status(struct object *o, struct json *j, int64_t now_ns);
/* A snapshot: the NIC is down until a client comes. */
int nic_door_thaw(struct object *o, const struct thaw *t, struct err *e);
/* A frame that does not go out is counted, with its reason. */
void nic_door_deliver(struct end *end, struct frame *f, int64_t now_ns);

#endif
