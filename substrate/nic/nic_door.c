/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three kinds of NIC differ only in what comes through their door: nic_seqpacket has its frames
 * there, nic_tap and nic_uml_switch a descriptor by which frames come. What they share is one
 * object here, told apart by a table (struct nic_door_kind): the door, the end, status, and what to
 * do with a frame that does not go out.
 *
 * Nothing ever waits: a client that does not read fills its socket, and its frames are dropped and
 * counted as those of a full queue. A NIC is up while it has a descriptor for frames; "event up"
 * and "event down" come in pairs.
 */
#include "substrate/nic/nic_door.h"

#include "lib/container_of.h"
#include "substrate/core/thaw.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct nic_door *nic_door_of(struct door *d)
{
	return container_of(d, struct nic_door, door);
}

int nic_door_fd(const struct nic_door *n)
{
	return n->kind->by_client ? n->door.client.fd : n->frames.fd;
}

int nic_door_up(struct nic_door *n, int fd,
		void (*ready)(struct loop_watch *w, uint32_t events, int64_t now_ns), struct err *e)
{
	n->frames = (struct loop_watch){.fd = fd, .ready = ready};
	return loop_add(n->object.sub->loop, &n->frames, EPOLLIN, e);
}

void nic_door_hang_up(struct nic_door *n, const char *why)
{
	struct substrate *s = n->object.sub;

	if (nic_door_fd(n) >= 0)
		substrate_event(s, "event down %s \"%s\"", n->object.name, why);
	door_close_watch(s->loop, &n->frames);
	door_hang_up(&n->door);
}

void nic_door_destroy(struct object *o)
{
	struct nic_door *n = (struct nic_door *)o;

	end_finish(&n->end);
	/* "down" is for those who heard "up". */
	if (n->door.path && nic_door_fd(n) >= 0)
		nic_door_hang_up(n, "it was removed");
	door_close(&n->door);
	object_finish(o);
	free(n);
}

struct end *nic_door_end(struct object *o)
{
	return &((struct nic_door *)o)->end;
}

void nic_door_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic_door *n = (struct nic_door *)o;

	json_string(j, "backend", n->kind->backend);
	json_bool(j, "up", nic_door_fd(n) >= 0);
	end_status(&n->end, j);
}

int nic_door_thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct nic_door *n = (struct nic_door *)o;

	if (nic_door_fd(n) >= 0)
		substrate_event(o->sub, "event down %s \"it was restored\"", o->name);
	n->frames.fd = -1;
	return door_thaw(&n->door, t, e);
}

/* What sockets and devices say when they do not take a frame: anything else is a full queue. */
static enum end_drop reason_of(int error)
{
	return error == EMSGSIZE                                     ? END_DROP_GIANT
	       : error == EIO || error == ENETDOWN || error == ENXIO ? END_DROP_DOWN
								     : END_DROP_QUEUE;
}

static ssize_t put(const struct nic_door *n, const struct frame *f)
{
	if (n->kind->put)
		return n->kind->put(n, f);
	return send(nic_door_fd(n), f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A frame may be 18 bytes longer than the MTU: the Ethernet header and one VLAN tag. */
void nic_door_deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic_door *n = (struct nic_door *)end->object;

	if (nic_door_fd(n) < 0)
		end_drop(end, f, END_DROP_DOWN);
	else if (frame_longest(f) > n->mtu + 18u)
		end_drop(end, f, END_DROP_GIANT);
	else if (put(n, f) < 0)
		end_drop(end, f, reason_of(errno));
	else
		frame_unref(f);
}

struct object *nic_door_create(const struct nic_door_kind *kind, struct substrate *s,
			       const char *name, const struct words *w, struct err *e)
{
	const char *path;
	uint16_t mtu;

	if (nic_read_words(w, &path, &mtu, e) < 0 || nic_want_real_clock(s, kind->backend, e) < 0)
		return NULL;
	struct nic_door *n = xcalloc(1, kind->size);

	n->kind = kind;
	n->mtu = mtu;
	n->frames.fd = n->door.client.fd = -1;
	n->end = (struct end){.kind = kind->end, .object = &n->object};
	n->door.came = kind->came;
	n->door.ready = kind->ready;
	if (object_add(&n->object, s, kind->object, name, e) < 0) {
		free(n);
		return NULL;
	}
	if (door_open(&n->door, s->loop, path, kind->socket_type, e) < 0) {
		nic_door_destroy(&n->object);
		return NULL;
	}
	return &n->object;
}
