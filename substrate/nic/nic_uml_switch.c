/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC for a client of the uml_switch protocol (umlswitch.h), one at a time: an old guest, or
 * anything else that speaks it, plugs into a lab. Real clock only.
 */
#include "lib/container_of.h"
#include "substrate/nic/nic_door.h"
#include "substrate/nic/umlswitch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 4 << 20 };

struct nic {
	struct nic_door door; /* of the stream */
	struct umlswitch_session session;
	uint8_t buf[FRAME_MAX + 1];
};

static void frames_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct nic *n = container_of(w, struct nic, door.frames);

	for (int i = 0; i < DOOR_BATCH; i++) {
		ssize_t len = door_read(w->fd, false, n->buf, sizeof(n->buf));

		if (len <= 0)
			break;
		end_take_bytes(&n->door.end, n->buf, (size_t)len, now_ns);
	}
	substrate_drain(n->door.object.sub, now_ns);
}

/* The answer comes last: a client that has it sends at once, and there must be somebody to read. */
static int begin(struct nic *n, int fd, struct err *e)
{
	int size = BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (nic_door_up(&n->door, fd, frames_ready, e) < 0 ||
	    umlswitch_answer(&n->session, n->door.door.client.fd, e) < 0)
		return -1;
	substrate_event(n->door.object.sub, "event up %s", n->door.object.name);
	return 0;
}

static void stream_ready(struct door *d, int64_t now_ns)
{
	struct nic *n = (struct nic *)nic_door_of(d);
	enum umlswitch_step step;
	struct err e = {0};
	int fd = -1;

	step = umlswitch_read(&n->session, d->client.fd, &fd, &e);
	if (step == UMLSWITCH_READY && begin(n, fd, &e) < 0)
		step = UMLSWITCH_OVER;
	if (step != UMLSWITCH_OVER)
		return;
	if (e.kind)
		fprintf(stderr, "%s: client refused: %s\n", n->door.object.name, e.text);
	nic_door_hang_up(&n->door, "the client closed the connection");
	n->session = (struct umlswitch_session){0};
}

static void carrier(struct end *end, int64_t now_ns)
{
	/* The protocol cannot signal carrier. */
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	json_string(j, "path", ((struct nic *)o)->door.door.path);
	nic_door_status(o, j, now_ns);
}

static const struct end_kind end_kind = {.deliver = nic_door_deliver, .carrier = carrier};
static const struct object_kind nic_kind = {.name = "nic",
					    .destroy = nic_door_destroy,
					    .status = status,
					    .end = nic_door_end,
					    .thaw = nic_door_thaw};
static const struct nic_door_kind kind = {.backend = "uml_switch",
					  .size = sizeof(struct nic),
					  .socket_type = SOCK_STREAM,
					  .object = &nic_kind,
					  .end = &end_kind,
					  .ready = stream_ready};

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	return nic_door_create(&kind, s, name, w, e);
}

const struct nic_backend nic_uml_switch = {.name = "uml_switch", .create = create};
