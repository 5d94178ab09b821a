/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A device in a snapshot, and one whose guest goes to another process. */
#include "lib/xalloc.h"
#include "substrate/core/mover.h"
#include "substrate/core/thaw.h"
#include "substrate/virtio/vhost.h"
#include "substrate/virtio/vhost_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int vhost_freeze(struct vhost *v, struct err *e)
{
	if (v->have || v->n_fds)
		return err_set(e, ERR_ENV, "its guest is in the middle of a message");
	if (v->awaited)
		return 0;
	v->owes = false;
	for (unsigned i = 0; i < vhost_queues(v); i++)
		if (v->kind->sends >> i & 1 && vring_has(&v->queue[i].ring))
			v->owes = true;
	return 0;
}

/* For its guest it is as it was; where the rings are is kept. */
static void begin_await(struct vhost *v)
{
	guestmem_clear(&v->mem);
	/* Its guest may not have come back since it was restored the last time. */
	for (unsigned i = 0; i < VHOST_QUEUES_MAX && !v->awaited; i++) {
		struct vhost_queue *q = &v->queue[i];

		q->was_enabled = q->enabled;
		q->enabled = false;
		q->kept = q->ring;
		vring_clear(&q->ring);
	}
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
		vring_clear(&v->queue[i].coming);
	v->awaited = v->awaited || v->connected;
	v->connected = v->arrives = v->asleep = false;
	if (v->awaited)
		vclock_guest_await_device(v->guest, v->object->sub);
}

int vhost_await(struct vhost *v, struct err *e)
{
	if (vhost_freeze(v, e) < 0)
		return -1;
	loop_remove(v->object->sub->loop, &v->conn);
	if (v->slave_fd >= 0)
		close(v->slave_fd);
	v->slave_fd = -1;
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		loop_remove(v->object->sub->loop, &v->queue[i].kick);
		vhost_close_call(&v->queue[i]);
	}
	begin_await(v);
	return vhost_listen_again(v, e);
}

int vhost_thaw(struct vhost *v, const struct thaw *t, struct err *e)
{
	v->conn.fd = v->slave_fd = v->listener.fd = -1;
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
		v->queue[i].kick.fd = v->queue[i].call_fd = -1;
	begin_await(v);
	thaw_path(t, &v->path);
	return vhost_listen_again(v, e);
}

int vhost_sleep(struct vhost *v, struct err *e)
{
	if (!v->awaited)
		return 0;
	if (v->owes)
		return err_set(e, ERR_ENV, "its guest has sent something");
	if (!v->arrives)
		substrate_came(v->object->sub);
	v->arrives = v->asleep = true;
	return 0;
}

void vhost_tell_of_guest(const struct vhost *v, const char *what, const char *more)
{
	const char *name = v->object->name;

	substrate_event(v->object->sub, "event %s %.*s%s", what, (int)strcspn(name, ":"), name,
			more);
}

void vhost_wake(struct vhost *v)
{
	if (!v->asleep)
		return;
	v->asleep = false;
	vhost_tell_of_guest(v, "wake", "");
}

void vhost_resume(struct vhost *v, int64_t now_ns)
{
	for (unsigned i = 0; i < vhost_queues(v); i++)
		if (v->queue[i].was_enabled && !v->queue[i].enabled)
			return;
	for (unsigned i = 0; i < vhost_queues(v); i++) {
		struct vhost_queue *q = &v->queue[i];

		q->ring = q->coming;
		vring_resume(&q->ring, &q->kept);
	}
	/* It may have been answered while the guest wrote itself: then once more. */
	if (!v->guest && v->kind->last_is_waited_for && vhost_queues(v) == v->kind->n_queues)
		vring_resume_answered(&v->queue[v->kind->n_queues - 1].ring);
	vhost_came(v);
	/* Kicks through descriptors that are gone may have got lost. */
	for (unsigned i = 0; !v->guest && v->up && i < vhost_queues(v); i++)
		v->kind->kicked(v, i, now_ns);
	/* So may what the guest was told of a change, and had not read yet. */
	if (!v->guest && v->kind->config_changes)
		vhost_config_changed(v, now_ns);
}

/* The places in the file system are those of the one that arrives. */
static void leave_path(struct vhost *v)
{
	loop_remove(v->object->sub->loop, &v->listener);
	if (v->listener.fd >= 0)
		close(v->listener.fd);
	v->listener.fd = -1;
	unlink(v->path);
	free(v->path);
	v->path = NULL;
}

int vhost_move(struct vhost *v, struct mover *m, struct err *e)
{
	bool connected = v->connected;

	if (m->leaves && v->awaited)
		return err_set(e, ERR_ENV, "its guest is not here");
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		struct vhost_queue *q = &v->queue[i];

		q->was_enabled = m->leaves ? q->enabled : false;
		q->kept = q->ring;
		if (mover_pass(m, &q->was_enabled, sizeof(q->was_enabled), e) < 0 ||
		    mover_pass(m, &q->kept, sizeof(q->kept), e) < 0)
			return -1;
		/* A text of the other process; one that is broken has hung up there. */
		q->kept.broken = NULL;
	}
	if (mover_pass(m, &connected, sizeof(connected), e) < 0 ||
	    mover_pass(m, &v->up, sizeof(v->up), e) < 0)
		return -1;
	if (m->leaves)
		leave_path(v);
	else
		v->awaited = v->arrives = connected;
	return 0;
}
