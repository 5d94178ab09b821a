/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC as a SOCK_SEQPACKET socket: one raw frame per message, one client at a time (the vector
 * transport "bess" of User-Mode Linux, libvnet, and anything else). Real clock only. A client that
 * asks is told of the carrier and the MTU (docs/substrate.md, "End systems").
 */
#include "substrate/nic/nic_door.h"

#include <string.h>
#include <sys/socket.h>

enum { SEND_BUFFER = 4 << 20 };

struct nic {
	struct nic_door door;
	uint16_t mtu_max; /* as it was declared, 0: it still is; set may make it less */
	bool tells;       /* the client wants to know of the carrier and the MTU */
	uint8_t buf[FRAME_MAX + 1];
};

static const uint8_t ask[] = {0, 1, 0, 0}; /* the client's message: "tell me" */

static struct nic *of(struct door *d)
{
	return (struct nic *)nic_door_of(d);
}

static void tell(struct nic *n)
{
	struct nic_door *d = &n->door;
	uint8_t message[] = {0, 1, d->end.carrier, 0, (uint8_t)(d->mtu >> 8), (uint8_t)d->mtu};
	int fd = nic_door_fd(d);

	/* A client that does not read loses this as it loses frames. */
	if (n->tells && fd >= 0 &&
	    send(fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		end_drop(&d->end, NULL, END_DROP_QUEUE);
}

static void take(struct nic *n, size_t len, int64_t now_ns)
{
	if (len != sizeof(ask) || memcmp(n->buf, ask, sizeof(ask)) != 0) {
		end_take_bytes(&n->door.end, n->buf, len, now_ns);
		return;
	}
	n->tells = true;
	tell(n);
}

static void conn_ready(struct door *d, int64_t now_ns)
{
	struct nic *n = of(d);

	for (int i = 0; i < DOOR_BATCH; i++) {
		ssize_t len = door_read(d->client.fd, true, n->buf, sizeof(n->buf));

		if (len < 0)
			nic_door_hang_up(&n->door, "the client closed the connection");
		if (len <= 0)
			break;
		take(n, (size_t)len, now_ns);
	}
	substrate_drain(n->door.object.sub, now_ns);
}

static void came(struct door *d)
{
	struct nic *n = of(d);
	int size = SEND_BUFFER;

	n->tells = false;
	setsockopt(d->client.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	substrate_event(n->door.object.sub, "event up %s", n->door.object.name);
}

static void carrier(struct end *end, int64_t now_ns)
{
	tell((struct nic *)end->object);
}

/*
 * An MTU may be lowered and raised again, up to that with which the NIC was made: programs may have
 * made their buffers for it.
 */
static int set(struct object *o, char *const *words, size_t n_words, struct err *e)
{
	struct nic *n = (struct nic *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n_words};
	uint16_t mtu;

	if (!words_get(&w, "mtu"))
		return err_set(e, ERR_USAGE, "only mtu= can be set on a NIC");
	if (nic_read_mtu(&w, &mtu, e) < 0)
		return -1;
	if (!n->mtu_max)
		n->mtu_max = n->door.mtu;
	if (mtu > n->mtu_max)
		return err_set(e, ERR_USAGE, "mtu: %s was made for packets of at most %u octets",
			       o->name, n->mtu_max);
	n->door.mtu = mtu;
	tell(n);
	return 0;
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	json_uint(j, "mtu", ((struct nic *)o)->door.mtu);
	nic_door_status(o, j, now_ns);
}

static const struct end_kind end_kind = {.deliver = nic_door_deliver, .carrier = carrier};
static const struct object_kind nic_kind = {.name = "nic",
					    .destroy = nic_door_destroy,
					    .set = set,
					    .status = status,
					    .end = nic_door_end,
					    .thaw = nic_door_thaw};
static const struct nic_door_kind kind = {.backend = "seqpacket",
					  .size = sizeof(struct nic),
					  .socket_type = SOCK_SEQPACKET,
					  .by_client = true,
					  .object = &nic_kind,
					  .end = &end_kind,
					  .came = came,
					  .ready = conn_ready};

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	return nic_door_create(&kind, s, name, w, e);
}

const struct nic_backend nic_seqpacket = {.name = "seqpacket", .create = create};
