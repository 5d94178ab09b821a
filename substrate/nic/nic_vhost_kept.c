/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's NIC in a snapshot, and one whose guest goes to another process. */
#include "substrate/core/mover.h"
#include "substrate/nic/nic_vhost_priv.h"

#include <stdio.h>
#include <string.h>

enum { ASLEEP_QUEUE_MAX = 64 }; /* frames that wait for a guest that sleeps */

int nic_vhost_freeze(struct object *o, struct err *e)
{
	struct nic *n = (struct nic *)o;

	/* What was lent is in memory of the guest, which is not there when it comes back. */
	frame_recall(&n->lender);
	return vhost_freeze(&n->vhost, e);
}

int nic_vhost_thaw(struct object *o, const struct thaw *t, struct err *e)
{
	return vhost_thaw(&((struct nic *)o)->vhost, t, e);
}

int nic_vhost_await(struct object *o, struct err *e)
{
	return vhost_await(&((struct nic *)o)->vhost, e);
}

int nic_vhost_sleep(struct object *o, struct err *e)
{
	struct nic *n = (struct nic *)o;

	n->is_called = false;
	return n->first ? err_set(e, ERR_ENV, "frames wait for it") : vhost_sleep(&n->vhost, e);
}

/*
 * In a LAN everybody hears every question for an address: if that woke all, all would be woken by
 * the first ping. Whose address it is is known to the server; but not all of it (a guest may answer
 * for others), so a question that is asked again wakes everybody. What is for many need not be
 * heard by all of them at the same time.
 */
static bool waits_for_answer(struct nic *n, const struct frame *f)
{
	struct arp_question q;
	const uint8_t *a = q.asked;
	char address[20];

	if (!n->filter.is_set || n->filter.promisc || !arp_question_read(f->data, f->len, &q) ||
	    !memcmp(&q, &n->question, sizeof(q)))
		return false;
	n->question = q;
	snprintf(address, sizeof(address), " %u.%u.%u.%u", a[0], a[1], a[2], a[3]);
	vhost_tell_of_guest(&n->vhost, "asked", address);
	return true;
}

void nic_vhost_wake(struct nic *n, const struct frame *f)
{
	bool is_for_many = f->data[0] & 1;

	if (!n->vhost.asleep)
		return;
	if (!is_for_many || n->queued >= ASLEEP_QUEUE_MAX) {
		vhost_wake(&n->vhost);
	} else if (!n->is_called && !waits_for_answer(n, f)) {
		n->is_called = true;
		vhost_tell_of_guest(&n->vhost, "wake", " later");
	}
}

/* Frames that wait for buffers stay behind, and are counted. */
int nic_vhost_move(struct object *o, struct mover *m, struct err *e)
{
	struct nic *n = (struct nic *)o;

	if (vhost_move(&n->vhost, m, e) < 0 || mover_pass(m, &n->filter, sizeof(n->filter), e) < 0)
		return -1;
	return mover_pass(m, &n->open, sizeof(n->open), e);
}
