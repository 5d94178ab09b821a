/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's NIC as nic_vhost.c (how it works) and nic_vhost_kept.c (how it is kept) know it. */
#ifndef SUBSTRATE_NIC_NIC_VHOST_PRIV_H
#define SUBSTRATE_NIC_NIC_VHOST_PRIV_H

#include "substrate/core/end.h"
#include "substrate/core/frame.h"
#include "substrate/nic/arp_question.h"
#include "substrate/nic/nic_speed.h"
#include "substrate/nic/rx_bulk.h"
#include "substrate/nic/rx_filter.h"
#include "substrate/virtio/vhost.h"

struct nic {
	struct object object;
	struct end end;
	struct vhost vhost;
	struct flush publish; /* RX buffers were filled: tell the guest at the end of the batch */
	struct flush again;   /* TX has more than one batch */
	struct flush give;    /* TX buffers that were lent came back: publish them */
	struct frame_lender lender; /* of the guest's TX buffers, under the heads of their chains */
	uint8_t mac[6];
	uint16_t mtu;
	struct nic_speed speed;
	struct rx_filter filter;     /* what the guest's driver said of it */
	struct frame *first, **last; /* queue in front of RX */
	unsigned queued;
	uint32_t queued_bytes;
	struct rx_bulk bulk;          /* virtual clock */
	struct arp_question question; /* the last one that it heard while its guest slept */
	bool is_called;               /* something for many waits for its guest, which sleeps */
	bool open; /* the guest has offered receive buffers since it came: its interface is up */
};

/* Of object_kind. */
int nic_vhost_freeze(struct object *o, struct err *e);
int nic_vhost_thaw(struct object *o, const struct thaw *t, struct err *e);
int nic_vhost_await(struct object *o, struct err *e);
int nic_vhost_sleep(struct object *o, struct err *e);
/* The frame waits for the guest: if that sleeps, it may have to be woken. */
void nic_vhost_wake(struct nic *n, const struct frame *f);
int nic_vhost_move(struct object *o, struct mover *m, struct err *e);

#endif
