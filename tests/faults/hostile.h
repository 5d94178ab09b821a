/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of hostile_guest.c share. */
#ifndef TESTS_FAULTS_HOSTILE_H
#define TESTS_FAULTS_HOSTILE_H

#include "tests/support/vuser.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	NET = 1, /* kinds of virtio devices */
	BLOCK = 2,
	CONSOLE = 3,
	PORT_CONTROL_TX = 3, /* queues of the console */
	PORT_TX = 5,
};

struct device {
	char path[108];
	int kind;
};

/* Numbers of the round's seed. */
uint64_t next(void);
uint32_t below(uint32_t n);
/* The round is not over. */
bool goes_on(void);
/* A moment in which the other side works. */
void pump(void *arg);

/* One of the guest's devices; 0: of any kind. NULL: there is none. */
const struct device *some_device(int kind);
/* Connects, and brings the device up as a driver does. */
bool set_up(struct vuser *v, const struct device *d);
/* The other side has not hung up. What it said is read, and forgotten. */
bool is_heard(const struct vuser *v);

/* Requests that are almost right. */
void attack_disk(void);
/* What process 1 says to the server: garbage, floods, and half of it. */
void attack_agent(void);

/* Takes part in the calendar at that socket, and has its first turn; as a kernel does, before it
 * speaks to a device. False: there is no such clock. */
bool clock_join(const char *path);
/* Another thread writes anything into the page of the calendar, until the process ends. */
void clock_scribble(void);
/* Messages of the calendar, in and out of turn, with times that have been or never come. */
void clock_attack(const char *path);

#endif
