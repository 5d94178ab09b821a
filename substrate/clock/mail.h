/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual clock: how a guest's kernel and we tell each other that there is something in a queue of
 * a virtio device: in the page of memory that both share, without a message. A guest notes its
 * kicks with their times, and we find them when it stands still; we note calls, and it finds them
 * when it runs (vkernel/patches, include/uapi/linux/um_timetravel.h).
 */
#ifndef SUBSTRATE_CLOCK_MAIL_H
#define SUBSTRATE_CLOCK_MAIL_H

#include <stdint.h>

enum {
	MAIL_OFFSET = 8192, /* in the shared memory */
	MAIL_DEVICES = 256,
	MAIL_KICKS = 256,
	MAIL_QUEUES = 8, /* of a device */
};

/* In calls, besides a bit per queue: the configuration space changed. */
#define MAIL_CONFIG UINT32_C(0x80000000)

struct mail_device {
	uint32_t answer_ns[MAIL_QUEUES]; /* so long after a kick something may come back */
	uint32_t calls, reserved;
};

struct mail_kick {
	uint64_t time;
	uint16_t device, queue, avail, reserved;
};

struct mail {
	uint64_t called[MAIL_DEVICES / 64]; /* bit per device that has calls */
	uint32_t n_kicks, reserved;
	struct mail_device device[MAIL_DEVICES];
	struct mail_kick kick[MAIL_KICKS];
};

#endif
