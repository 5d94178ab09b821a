/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is told how a virtual link fares, by the hop or the multi-access link that carries it: a
 * member of the vlink where it begins.
 */
#ifndef SUBSTRATE_OVERLAY_VLINK_LISTENER_H
#define SUBSTRATE_OVERLAY_VLINK_LISTENER_H

#include <stdint.h>

struct vlink_listener {
	const struct vlink_listener_ops *ops;
};

struct vlink_listener_ops {
	/* Frames pass from now on. */
	void (*up)(struct vlink_listener *l, int64_t now_ns);
	/* It could not be set up, or is lost: the hop is gone, or the LAN's link has no VLI. */
	void (*down)(struct vlink_listener *l, const char *reason, int64_t now_ns);
	/* How long a frame may be that passes has changed. */
	void (*room_changed)(struct vlink_listener *l, int64_t now_ns);
	/* The managers could not give the minimum that was set: it is what it was. */
	void (*min_kept)(struct vlink_listener *l, const char *reason, int64_t now_ns);
};

#endif
