/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of User-Mode Linux's time-travel protocol (include/uapi/linux/um_timetravel.h of Linux
 * 6.12), by which a guest's kernel and its calendar, or who freezes it, speak.
 */
#ifndef LIB_TIME_TRAVEL_H
#define LIB_TIME_TRAVEL_H

#include <stdint.h>

enum time_op {
	TIME_ACK,
	TIME_START,
	TIME_REQUEST,
	TIME_WAIT,
	TIME_GET,
	TIME_UPDATE,
	TIME_RUN,
	TIME_FREE_UNTIL,
	TIME_GET_TOD,
	TIME_BROADCAST,
	TIME_FREEZE, /* ours: to the guest, and back (docs/snapshots.md) */
	TIME_RESUME,
	TIME_FREEZE_SHARE, /* the same, and the file's memory is the guest's, too, from then on */
	TIME_OPS,
};

struct time_message {
	uint32_t op, seq;
	uint64_t time;
};

#endif
