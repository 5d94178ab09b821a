/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of the vhost-user protocol (QEMU docs/interop/vhost-user.rst). */
#ifndef SUBSTRATE_VIRTIO_VHOST_MESSAGE_H
#define SUBSTRATE_VIRTIO_VHOST_MESSAGE_H

#include <stdint.h>

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_SLAVE_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_VRING_KICK = 35,
	VHOST_SET_MAIL = 60, /* ours: the number of a device in the guest's mail (mail.h) */
	VHOST_REQUESTS,
};

enum vhost_slave_request {
	VHOST_SLAVE_CONFIG_CHANGE = 2,
	VHOST_SLAVE_VRING_CALL = 4,
};

enum {
	VHOST_VERSION = 1,
	VHOST_FLAG_REPLY = 1 << 2,
	VHOST_FLAG_NEED_REPLY = 1 << 3,
	VHOST_HEAD = 12, /* bytes of a head */
	VHOST_VRING_INDEX_MASK = 0xff,
	VHOST_VRING_NO_FD = 1 << 8,
	VHOST_CONFIG_HEAD = 12,
};

#define VHOST_F_PROTOCOL_FEATURES  (UINT64_C(1) << 30)
#define VHOST_PROTOCOL_F_REPLY_ACK (UINT64_C(1) << 3)
#define VHOST_PROTOCOL_F_SLAVE_REQ (UINT64_C(1) << 5)
#define VHOST_PROTOCOL_F_CONFIG    (UINT64_C(1) << 9)
#define VHOST_PROTOCOL_F_INBAND    (UINT64_C(1) << 14)
#define VHOST_PROTOCOL_F_MAIL      (UINT64_C(1) << 40) /* ours */

struct vhost_head {
	uint32_t request, flags, size;
};

struct vhost_state {
	uint32_t index, num;
};

struct vhost_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct vhost_region {
	uint64_t guest_addr, size, user_addr, offset;
};

#endif
