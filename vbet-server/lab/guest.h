/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One guest's life: launcher, agent stream, states, deadlines. Used by lab.c alone. */
#ifndef VBET_SERVER_LAB_GUEST_H
#define VBET_SERVER_LAB_GUEST_H

#include "vbet-server/lab/lab.h"

struct guest *guest_create(struct lab *lab, const char *name);
/* Kills it if it runs. NULL is fine. */
void guest_destroy(struct guest *gu);
/* Starts the launcher; from now on events drive it. 0 or -1. */
int guest_boot(struct guest *gu, struct err *e);
/* Virtual clock: its kernel is in the calendar, or is not any more. */
void guest_note_joined(struct guest *gu, bool joined);
/* Sends SIGKILL to all its processes and does not wait. NULL is fine. */
void guest_kill(struct guest *gu);

/* lab.c's, for guest.c. */
void lab_fail(struct lab *lab, const struct err *e);
void lab_check_progress(struct lab *lab);
/* Something that was asked for cannot be had: fails the set-up, or the change. */
void lab_refuse(struct lab *lab, const struct err *e);
/* An answer has come (lab->outstanding is one less). */
void lab_settle(struct lab *lab);
void lab_note_pid(struct lab *lab, const struct child *c, const char *name);

#endif
