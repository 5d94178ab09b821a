/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC is a SOCK_SEQPACKET socket of the substrate: a message is a frame. Shorter ones, which no
 * frame can be, are signs: with the first message we ask to be told of the carrier and the MTU, and
 * the substrate answers, now and whenever they change. Sending is refused here already when a frame
 * is too long or there is no carrier, so that a program learns why.
 */
#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct vnet_nic {
	int fd;
	uint8_t mac[6];
	uint16_t mtu;
	bool carrier;
};

static const uint8_t ask[VNET_NIC_ASK] = {0, 1, 0, 0};

/*
 * The carrier counts as there until the NIC says otherwise: a switch program (vswitch --listen)
 * never says anything.
 */
struct vnet_nic *vnet_nic_open_path(const char *path, const uint8_t mac[6], uint16_t mtu)
{
	struct err e;
	int fd = sock_connect(path, SOCK_SEQPACKET, &e);

	if (fd < 0) {
		vnet_fail_err(&e);
		return NULL;
	}
	struct vnet_nic *nic = calloc(1, sizeof(*nic));

	if (!nic || send(fd, ask, sizeof(ask), MSG_NOSIGNAL) < 0) {
		vnet_fail(errno, "%s: %s", path, strerror(errno));
		close(fd);
		free(nic);
		return NULL;
	}
	sock_set_nonblock(fd);
	nic->fd = fd;
	memcpy(nic->mac, mac, sizeof(nic->mac));
	nic->mtu = mtu;
	nic->carrier = true;
	return nic;
}

struct vnet_nic *vnet_nic_open(const struct vnet_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_nics; i++) {
		const struct vnet_conf_nic *c = &conf->nics[i];

		if (!strcmp(c->name, name))
			return vnet_nic_open_path(c->path, c->mac, c->mtu);
	}
	vnet_fail(ENODEV, "%s has no NIC '%s'", conf->node, name);
	return NULL;
}

void vnet_nic_close(struct vnet_nic *nic)
{
	if (!nic)
		return;
	close(nic->fd);
	free(nic);
}

int vnet_nic_fd(const struct vnet_nic *nic)
{
	return nic->fd;
}

const uint8_t *vnet_nic_mac(const struct vnet_nic *nic)
{
	return nic->mac;
}

uint16_t vnet_nic_mtu(const struct vnet_nic *nic)
{
	return nic->mtu;
}

bool vnet_nic_carrier(const struct vnet_nic *nic)
{
	return nic->carrier;
}

/*
 * A message of six octets that begins with 0, 1 is no frame, but the substrate's word on the
 * carrier and the MTU: every frame has 14 octets at least.
 */
ssize_t vnet_nic_receive(struct vnet_nic *nic, void *frame, size_t size)
{
	uint8_t *p = frame;
	ssize_t n = recv(nic->fd, frame, size, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return vnet_fail(EAGAIN, "no frame");
	if (n <= 0)
		return vnet_fail(EPIPE, "the NIC is gone: its lab has ended");
	if ((size_t)n > size)
		return 0;
	if (n != VNET_NIC_TELL || p[0] != 0 || p[1] != 1)
		return n;
	nic->carrier = p[2];
	nic->mtu = (uint16_t)(p[4] << 8 | p[5]);
	return 0;
}

int vnet_nic_send(struct vnet_nic *nic, const void *frame, size_t len)
{
	const uint8_t *p = frame;
	bool tagged = len > 16 && p[12] == 0x81 && p[13] == 0;

	if (len < VNET_FRAME_MIN || len > nic->mtu + 14u + (tagged ? 4 : 0))
		return vnet_fail(EMSGSIZE, "a frame of %zu octets: the link takes %d to %u", len,
				 VNET_FRAME_MIN, nic->mtu + 14u);
	if (!nic->carrier)
		return vnet_fail(ENETDOWN, "the link has no carrier");
	if (send(nic->fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return vnet_fail(EAGAIN, "the NIC's queue is full");
	return vnet_fail(EPIPE, "the NIC is gone: its lab has ended");
}
