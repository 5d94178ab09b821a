/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a lab whose disks are kept. What its guests have written is in their memory in part,
 * and goes to their disks when they power off; to end them as a lab is ended would cut that off.
 */
#ifndef VBET_SERVER_LAB_DISKS_H
#define VBET_SERVER_LAB_DISKS_H

#include "lib/err.h"

#include <stdbool.h>

struct lab;

/*
 * Powers off all guests that run and have a disk that is kept; a virtual clock that stands goes on
 * for it. False: there are none.
 */
bool disks_power_off(struct lab *lab);
/* All of them have ended. */
bool disks_are_settled(const struct lab *lab);
/* 0, or -1: there is a disk that no snapshot can have. */
int disks_check_snapshot(const struct lab *lab, struct err *e);

#endif
