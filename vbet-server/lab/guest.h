/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One guest's life: launcher, agent stream, states, deadlines. */
#ifndef VBET_SERVER_LAB_GUEST_H
#define VBET_SERVER_LAB_GUEST_H

#include "lib/loop.h"
#include "lib/quota.h"
#include "lib/spawn.h"
#include "vbet-server/lab/agent.h"
#include "vbet-server/lab/back.h"
#include "vbet-server/lab/freezer.h"
#include "vbet-server/lab/learned.h"
#include "vbet-server/lab/sleep.h"

struct lab;

enum guest_state { GUEST_DOWN, GUEST_BOOTING, GUEST_UP, GUEST_READY, GUEST_STOPPING, GUEST_STATES };
const char *guest_state_name(enum guest_state s);

struct guest {
	struct lab *lab;
	char *name;
	enum guest_state state;
	struct child child;       /* pid 0: none */
	struct loop_watch exited; /* child.pidfd */
	struct loop_watch report; /* the launcher's report pipe; fd -1: closed */
	char jail[128];           /* what the launcher said: "level=full" */
	struct agent agent;
	struct freezer freezer; /* real clock */
	struct sleep sleep;
	struct back_kept kept;      /* virtual clock */
	struct learned learned;     /* addresses: learned.h */
	char *names;                /* owned: what it was told of others' (names.c), or NULL */
	struct loop_timer deadline; /* boot or stop takes too long */
	size_t n_nics;              /* of which its kernel was told when it booted */
	int64_t started_ns, up_ns, ready_ns;
	struct err failed; /* why it did not come up, or went; kind 0: nothing is known of it */
	bool is_late;      /* it is up, and was not ready in time */
	bool wanted;       /* shall be up: its end is a failure */
	bool restart;      /* start again when it has ended */
	bool queued;       /* waits for its turn to boot */
	bool joined;       /* virtual clock: its kernel is in the calendar */
	bool leaving;      /* real clock: its devices do not listen again yet */
	bool dying;        /* was sent SIGKILL and is not gone yet */
	bool resumes;      /* restored (snapshot.c): its kernel ran, and is to go on */
	bool may_boot;     /* a record says so */
	bool spins;        /* it computes, and its clock stands still: spin.h */
	int64_t spins_since_ns;
	struct loop_timer stuck; /* spin.c's */
	struct quota lines;      /* hear.c's */
};

struct guest *guest_create(struct lab *lab, const char *name);
/* Kills it if it runs. NULL is fine. */
void guest_destroy(struct guest *gu);
/* Starts the launcher; from now on events drive it. 0 or -1. */
int guest_boot(struct guest *gu, struct err *e);
/* In a server that was restored: the agent's stream goes on where it was. 0 or -1. */
int guest_thaw(struct guest *gu, struct err *e);
/* The kernel goes on from that file. 0 or -1. */
int guest_resume(struct guest *gu, int state_fd, enum snapshot_use use, struct err *e);
int guest_go_on(struct guest *gu, const char *state, enum snapshot_use use, struct err *e);
/* It shall be up: it boots when it is its turn. -1: it is not down. */
int guest_start(struct guest *gu, struct err *e);
/* It shall be down: asks for a clean power-off, or ends it at once. */
void guest_stop(struct guest *gu, bool at_once);
/* It is not ready in time: it stays if it has come so far that one can look into it. */
void guest_give_up(struct guest *gu);
/*
 * The substrate cannot carry its device ("r1:eth0"), and says why: its kernel boots without, and
 * its process 1 would wait for it. It is given up at once; one that has booted already goes on.
 */
void guest_lacks(struct guest *gu, const char *device, const char *why);
/* The error of a guest that is not ready in time; others: what is to be said of others, or "". */
void guest_say_late(const struct guest *gu, const char *others, struct err *e);
/* Its processes were ended, and it could not go on elsewhere (move.h): it is down, and why. */
void guest_lose(struct guest *gu, const char *why);
/* Sends SIGKILL to all its processes and does not wait. NULL is fine. */
void guest_kill(struct guest *gu);
/*
 * True if commands and files can get into it; else e says why they cannot: it is down, it has not
 * come so far, or nobody can speak to it any more.
 */
bool guest_can_hear(const struct guest *gu, struct err *e);
/* Virtual clock: "joined NAME" its kernel is in the calendar, "gone NAME WHY" not any more. */
void guest_hear(struct lab *lab, const struct words *w);

#endif
