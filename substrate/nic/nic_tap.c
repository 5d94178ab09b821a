/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC that is an interface of the host: a descriptor that vbet-outside makes and hands over, so
 * that this process needs no rights. It is a TAP device, whose kernel leaves checksums and cutting
 * to us as a guest's does (IFF_VNET_HDR), and takes the same from us; or a packet socket
 * (packet(7)) at the far side of a pair of veth. Real clock only.
 */
#include "lib/container_of.h"
#include "lib/sock.h"
#include "substrate/nic/nic_door.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { TAG = 4, ADDRESSES = 12 };

struct nic {
	struct nic_door door; /* for who hands the descriptor over; it is told of the carrier */
	bool packet;
	uint8_t buf[TAG + FRAME_MAX + 1]; /* room in front for a tag that comes beside the frame */
};

static void tell_carrier(struct nic *n)
{
	const char *line = n->door.end.carrier ? "carrier 1" : "carrier 0";

	if (n->door.frames.fd >= 0)
		send(n->door.door.client.fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- frames ---- */

/* The kernel cuts off the outer VLAN tag and hands it over beside the frame: it is put back. */
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
	ssize_t len = recvmsg(n->door.frames.fd, &m, MSG_DONTWAIT);
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

/* The header in front says what of checksums and cutting is left to do. */
static ssize_t read_tap(struct nic *n, uint8_t **frame, struct virtio_net_hdr *h)
{
	struct iovec iov[] = {{h, sizeof(*h)}, {n->buf, FRAME_MAX + 1}};
	ssize_t len = readv(n->door.frames.fd, iov, 2);

	*frame = n->buf;
	return len < (ssize_t)sizeof(*h) ? len : len - (ssize_t)sizeof(*h);
}

static void take(struct nic *n, const uint8_t *data, uint32_t len, const struct virtio_net_hdr *h,
		 int64_t now_ns)
{
	struct offload o;

	if (!offload_read(h, offload_features(), data, len, &o))
		end_drop(&n->door.end, NULL, END_DROP_OFFLOAD);
	else
		end_take_raw(&n->door.end, data, len, &o, now_ns);
}

static void frames_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct nic *n = container_of(w, struct nic, door.frames);
	uint8_t *frame;

	for (int i = 0; i < DOOR_BATCH; i++) {
		struct virtio_net_hdr h = {0};
		ssize_t len = n->packet ? read_packet(n, &frame) : read_tap(n, &frame, &h);

		/* ENETDOWN: somebody on the host set it down; it may come up again. */
		if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ENETDOWN))
			break;
		if (len <= 0) {
			nic_door_hang_up(&n->door,
					 len < 0 ? strerror(errno) : "the interface is gone");
			break;
		}
		take(n, frame, (uint32_t)len, &h, now_ns);
	}
	substrate_drain(n->door.object.sub, now_ns);
}

static ssize_t put(const struct nic_door *d, const struct frame *f)
{
	struct virtio_net_hdr h;
	struct iovec iov[] = {{&h, sizeof(h)}, {f->data, f->len}};

	if (((const struct nic *)d)->packet)
		return write(d->frames.fd, f->data, f->len);
	offload_write(&f->offload, &h);
	return writev(d->frames.fd, iov, 2);
}

/*
 * Without PACKET_VNET_HDR a packet socket takes no note of what is left to do: it gets real frames.
 */
static uint16_t takes(const struct end *end)
{
	const struct nic *n = (const struct nic *)end->object;

	return n->packet ? 0 : OFFLOAD_WORK;
}

static void carrier(struct end *end, int64_t now_ns)
{
	tell_carrier((struct nic *)end->object);
}

/* ---- the descriptor ---- */

/* "tap" or "packet", with the descriptor. */
static void take_descriptor(struct nic *n)
{
	char kind[16] = "";
	int fd = -1;
	size_t n_fds = 0;
	ssize_t len = sock_recv_fds(n->door.door.client.fd, kind, sizeof(kind) - 1, &fd, 1, &n_fds,
				    MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	n->packet = !strcmp(kind, "packet");
	if (len <= 0 || !n_fds || (!n->packet && strcmp(kind, "tap") != 0)) {
		if (n_fds)
			close(fd);
		nic_door_hang_up(&n->door, "");
		return;
	}
	sock_set_nonblock(fd);
	if (nic_door_up(&n->door, fd, frames_ready, NULL) < 0) {
		nic_door_hang_up(&n->door, "it cannot be watched");
		return;
	}
	tell_carrier(n);
	substrate_event(n->door.object.sub, "event up %s", n->door.object.name);
}

/*
 * Who handed the descriptor over stays connected: the interface lives as long as that process, and
 * its end is the end of the NIC's carrier. What it may say after that is not listened to.
 */
static void holder_ready(struct door *d, int64_t now_ns)
{
	struct nic *n = (struct nic *)nic_door_of(d);
	char rest[16];

	if (n->door.frames.fd < 0) {
		take_descriptor(n);
		return;
	}
	ssize_t len = recv(d->client.fd, rest, sizeof(rest), MSG_DONTWAIT);

	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
		nic_door_hang_up(&n->door, "who made the interface is gone");
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;

	json_string(j, "by", nic_door_fd(&n->door) < 0 ? NULL : n->packet ? "veth" : "tun");
	nic_door_status(o, j, now_ns);
}

static const struct end_kind end_kind = {
	.deliver = nic_door_deliver, .carrier = carrier, .takes = takes};
static const struct object_kind nic_kind = {.name = "nic",
					    .destroy = nic_door_destroy,
					    .status = status,
					    .end = nic_door_end,
					    .thaw = nic_door_thaw};
static const struct nic_door_kind kind = {.backend = "tap",
					  .size = sizeof(struct nic),
					  .socket_type = SOCK_SEQPACKET,
					  .put = put,
					  .object = &nic_kind,
					  .end = &end_kind,
					  .ready = holder_ready};

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	return nic_door_create(&kind, s, name, w, e);
}

const struct nic_backend nic_tap = {.name = "tap", .create = create};
