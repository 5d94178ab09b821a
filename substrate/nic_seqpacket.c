/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC as a SOCK_SEQPACKET socket: one raw frame per message, one client at a time (the vector
 * transport "bess" of User-Mode Linux, libvnet, and anything else). Real clock only. A client that
 * asks is told of the carrier and the MTU (docs/substrate.md, "End systems").
 */
#include "substrate/door.h"
#include "substrate/nic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, SEND_BUFFER = 4 << 20 };

struct nic {
	struct object object;
	struct end end;
	struct door door;
	uint16_t mtu;
	uint16_t mtu_max; /* as it was declared: set may make it less */
	bool tells;       /* the client wants to know of the carrier and the MTU */
	uint8_t buf[FRAME_MAX + 1];
};

static const uint8_t ask[] = {0, 1, 0, 0}; /* the client's message: "tell me" */

static void hang_up(struct nic *n)
{
	substrate_event(n->object.sub, "event down %s \"the client closed the connection\"",
			n->object.name);
	door_hang_up(&n->door);
}

static void tell(struct nic *n)
{
	uint8_t message[] = {0, 1, n->end.carrier, 0, (uint8_t)(n->mtu >> 8), (uint8_t)n->mtu};

	/* A client that does not read loses this as it loses frames. */
	if (n->tells && n->door.client.fd >= 0 &&
	    send(n->door.client.fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		end_drop(&n->end, NULL, END_DROP_QUEUE);
}

static void take(struct nic *n, size_t len, int64_t now_ns)
{
	if (len != sizeof(ask) || memcmp(n->buf, ask, sizeof(ask)) != 0) {
		end_take_bytes(&n->end, n->buf, len, now_ns);
		return;
	}
	n->tells = true;
	tell(n);
}

static void conn_ready(struct door *d, int64_t now_ns)
{
	struct nic *n = (struct nic *)((char *)d - offsetof(struct nic, door));

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = recv(d->client.fd, n->buf, sizeof(n->buf), MSG_DONTWAIT);

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		/* It closed with something unread; what it sent before is still to come. */
		if (len < 0 && errno == ECONNRESET)
			continue;
		if (len <= 0) {
			hang_up(n);
			break;
		}
		take(n, (size_t)len, now_ns);
	}
	substrate_drain(n->object.sub, now_ns);
}

static void came(struct door *d)
{
	struct nic *n = (struct nic *)((char *)d - offsetof(struct nic, door));
	int size = SEND_BUFFER;

	n->tells = false;
	setsockopt(d->client.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	substrate_event(n->object.sub, "event up %s", n->object.name);
}

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic *n = (struct nic *)end->object;

	if (n->door.client.fd < 0) {
		end_drop(end, f, END_DROP_DOWN);
	} else if (f->len > n->mtu + 18u) {
		end_drop(end, f, END_DROP_GIANT);
	} else if (send(n->door.client.fd, f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		end_drop(end, f, END_DROP_QUEUE);
	} else {
		frame_unref(f);
	}
}

static void carrier(struct end *end, int64_t now_ns)
{
	tell((struct nic *)end->object);
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

static void destroy(struct object *o)
{
	struct nic *n = (struct nic *)o;

	end_finish(&n->end);
	if (n->door.path && n->door.client.fd >= 0)
		hang_up(n);
	door_close(&n->door);
	object_finish(o);
	free(n);
}

static int set(struct object *o, char *const *words, size_t n_words, struct err *e)
{
	struct nic *n = (struct nic *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n_words};
	uint16_t mtu;

	if (!words_get(&w, "mtu"))
		return err_set(e, ERR_USAGE, "only mtu= can be set on a NIC");
	if (nic_read_mtu(&w, &mtu, e) < 0)
		return -1;
	if (mtu > n->mtu_max)
		return err_set(e, ERR_USAGE, "mtu: %s was made for packets of at most %u octets",
			       o->name, n->mtu_max);
	n->mtu = mtu;
	tell(n);
	return 0;
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;

	json_string(j, "backend", "seqpacket");
	json_bool(j, "up", n->door.client.fd >= 0);
	json_uint(j, "mtu", n->mtu);
	end_status(&n->end, j);
}

static struct end *end_of(struct object *o)
{
	return &((struct nic *)o)->end;
}

static const struct object_kind nic_kind = {
	.name = "nic", .destroy = destroy, .set = set, .status = status, .end = end_of};

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	const char *path;
	uint16_t mtu;

	if (nic_read_words(w, &path, &mtu, e) < 0 || nic_want_real_clock(s, "seqpacket", e) < 0)
		return NULL;
	struct nic *n = xcalloc(1, sizeof(*n));

	n->mtu = n->mtu_max = mtu;
	n->end = (struct end){.kind = &end_kind, .object = &n->object};
	n->door.came = came;
	n->door.ready = conn_ready;
	if (object_add(&n->object, s, &nic_kind, name, e) < 0) {
		free(n);
		return NULL;
	}
	if (door_open(&n->door, s->loop, path, SOCK_SEQPACKET, e) < 0) {
		destroy(&n->object);
		return NULL;
	}
	return &n->object;
}

const struct nic_backend nic_seqpacket = {.name = "seqpacket", .create = create};
