/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between vhost.c (the connection), vhost_message.c (what messages mean) and vhost_kept.c (how a
 * device is kept).
 */
#ifndef SUBSTRATE_VIRTIO_VHOST_PRIV_H
#define SUBSTRATE_VIRTIO_VHOST_PRIV_H

#include "substrate/virtio/vhost.h"

/* Carries out the message in head and payload. 0, or -1: the connection is over. */
int vhost_handle(struct vhost *v, int64_t now_ns);
void vhost_hang_up(struct vhost *v, int64_t now_ns, const char *reason);
void vhost_close_call(struct vhost_queue *q);
void vhost_queue_reset(struct vhost *v, unsigned i);
void vhost_set_up(struct vhost *v, bool up, int64_t now_ns);
/* A queue of a device that is awaited was enabled: with the last one it goes on as it was. */
void vhost_resume(struct vhost *v, int64_t now_ns);
void vhost_close_fds(struct vhost *v);
void vhost_send(struct vhost *v, uint32_t request, const void *payload, uint32_t size);
/* Whether this errno is a want of the machine's, or of a limit of this process: no guest's fault.
 */
bool vhost_is_short(int error);
/* Says that the device cannot be carried because of us. */
void vhost_tell_unable(const struct vhost *v, const char *reason);
int64_t vhost_now_ns(const struct vhost *v);

/* The device waits for its guest's next connection. 0 or -1. */
int vhost_listen_again(struct vhost *v, struct err *e);
/* Whoever awaited the guest does not any more. */
void vhost_came(struct vhost *v);

#endif
