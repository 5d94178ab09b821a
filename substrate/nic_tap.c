/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC that is an interface of the host: a descriptor that vbet-outside makes and hands over, so
 * that this process needs no rights. It is a TAP device, or a packet socket (packet(7)) at the far
 * side of a pair of veth. Real clock only.
 */
#include "lib/sock.h"
#include "substrate/door.h"
#include "substrate/nic.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 64, TAG = 4, ADDRESSES = 12 };

struct nic {
	struct object object;
	struct end end;
	struct door door; /* for who hands the descriptor over; it is told of the carrier */
	struct loop_watch frames;
	bool packet;
	uint16_t mtu;
	uint8_t buf[TAG + FRAME_MAX + 1]; /* room in front for a tag that comes beside the frame */
};

static void hang_up(struct nic *n, const char *why)
{
	struct substrate *s = n->object.sub;

	if (n->frames.fd >= 0)
		substrate_event(s, "event down %s \"%s\"", n->object.name, why);
	door_close_watch(s->loop, &n->frames);
	door_hang_up(&n->door);
}

static void tell_carrier(struct nic *n)
{
	const char *line = n->end.carrier ? "carrier 1" : "carrier 0";

	if (n->frames.fd >= 0)
		send(n->door.client.fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- frames ---- */

/* The kernel takes the outer tag of a frame off and says it apart: it is put back. */
static ssize_t read_packet(struct nic *n, uint8_t **frame)
{
	union {
		struct cmsghdr head;
		uint8_t room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov = {.iov_base = n->buf + TAG, .iov_len = FRAME_MAX + 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(n->frames.fd, &m, MSG_DONTWAIT);
	struct tpacket_auxdata aux = {0};

	*frame = n->buf + TAG;
	if (len < ADDRESSES)
		return len;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return len;
	uint16_t type = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : 0x8100;

	*frame = n->buf;
	memmove(n->buf, n->buf + TAG, ADDRESSES);
	n->buf[ADDRESSES] = (uint8_t)(type >> 8);
	n->buf[ADDRESSES + 1] = (uint8_t)type;
	n->buf[ADDRESSES + 2] = (uint8_t)(aux.tp_vlan_tci >> 8);
	n->buf[ADDRESSES + 3] = (uint8_t)aux.tp_vlan_tci;
	return len + TAG;
}

static ssize_t read_frame(struct nic *n, uint8_t **frame)
{
	if (n->packet)
		return read_packet(n, frame);
	*frame = n->buf;
	return read(n->frames.fd, n->buf, FRAME_MAX + 1);
}

static void frames_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct nic *n = (struct nic *)((char *)w - offsetof(struct nic, frames));
	uint8_t *frame;

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = read_frame(n, &frame);

		/* ENETDOWN: somebody on the host set it down; it may come up again. */
		if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ENETDOWN))
			break;
		if (len <= 0) {
			hang_up(n, len < 0 ? strerror(errno) : "the interface is gone");
			break;
		}
		end_take_bytes(&n->end, frame, (size_t)len, now_ns);
	}
	substrate_drain(n->object.sub, now_ns);
}

static enum end_drop reason_of(int error)
{
	return error == EMSGSIZE                                     ? END_DROP_GIANT
	       : error == EIO || error == ENETDOWN || error == ENXIO ? END_DROP_DOWN
								     : END_DROP_QUEUE;
}

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic *n = (struct nic *)end->object;

	if (n->frames.fd < 0) {
		end_drop(end, f, END_DROP_DOWN);
	} else if (f->len > n->mtu + 18u) {
		end_drop(end, f, END_DROP_GIANT);
	} else if (write(n->frames.fd, f->data, f->len) < 0) {
		end_drop(end, f, reason_of(errno));
	} else {
		frame_unref(f);
	}
}

static void carrier(struct end *end, int64_t now_ns)
{
	tell_carrier((struct nic *)end->object);
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

/* ---- the descriptor ---- */

/* "tap" or "packet", with the descriptor. */
static void take_descriptor(struct nic *n)
{
	char kind[16] = "";
	int fd = -1;
	size_t n_fds = 0;
	ssize_t len = sock_recv_fds(n->door.client.fd, kind, sizeof(kind) - 1, &fd, 1, &n_fds,
				    MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	n->packet = !strcmp(kind, "packet");
	if (len <= 0 || !n_fds || (!n->packet && strcmp(kind, "tap") != 0)) {
		if (n_fds)
			close(fd);
		hang_up(n, "");
		return;
	}
	sock_set_nonblock(fd);
	n->frames = (struct loop_watch){.fd = fd, .ready = frames_ready};
	if (loop_add(n->object.sub->loop, &n->frames, EPOLLIN, NULL) < 0) {
		hang_up(n, "it cannot be watched");
		return;
	}
	tell_carrier(n);
	substrate_event(n->object.sub, "event up %s", n->object.name);
}

static void holder_ready(struct door *d, int64_t now_ns)
{
	struct nic *n = (struct nic *)((char *)d - offsetof(struct nic, door));
	char rest[16];

	if (n->frames.fd < 0) {
		take_descriptor(n);
		return;
	}
	ssize_t len = recv(d->client.fd, rest, sizeof(rest), MSG_DONTWAIT);

	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
		hang_up(n, "who made the interface is gone");
}

static void destroy(struct object *o)
{
	struct nic *n = (struct nic *)o;

	end_finish(&n->end);
	if (n->frames.fd >= 0)
		hang_up(n, "it was removed");
	door_close(&n->door);
	object_finish(o);
	free(n);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;

	json_string(j, "backend", "tap");
	json_string(j, "by", n->frames.fd < 0 ? NULL : n->packet ? "veth" : "tun");
	json_bool(j, "up", n->frames.fd >= 0);
	end_status(&n->end, j);
}

static struct end *end_of(struct object *o)
{
	return &((struct nic *)o)->end;
}

static const struct object_kind nic_kind = {
	.name = "nic", .destroy = destroy, .status = status, .end = end_of};

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	const char *path;
	uint16_t mtu;

	if (nic_read_words(w, &path, &mtu, e) < 0 || nic_want_real_clock(s, "tap", e) < 0)
		return NULL;
	struct nic *n = xcalloc(1, sizeof(*n));

	n->mtu = mtu;
	n->frames.fd = -1;
	n->end = (struct end){.kind = &end_kind, .object = &n->object};
	n->door.ready = holder_ready;
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

const struct nic_backend nic_tap = {.name = "tap", .create = create};
