/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real clock: what a guest's kernel is told to stand still by, to write its state, and to go on
 * (docs/snapshots.md; the kernel's argument freeze=SOCKET). One descriptor for each guest. The
 * kernel is not trusted: what it says at the wrong time is not heard.
 */
#ifndef VBET_SERVER_LAB_FREEZER_H
#define VBET_SERVER_LAB_FREEZER_H

#include "lib/conn.h"

#include <stdint.h>

enum freezer_state {
	FREEZER_ABSENT, /* its kernel has not connected; one without our patches never does */
	FREEZER_RUNS,
	FREEZER_ASKED,  /* it is to write itself */
	FREEZER_STANDS, /* it has, or could not (error), and stands until it is told to run */
	FREEZER_WAITS,  /* it was restored, its devices are connected; the same */
};

struct freezer {
	enum freezer_state state;
	int64_t idle_ns;            /* STANDS: for so long it has nothing to do; 0: it has */
	int error;                  /* STANDS: errno (EPROTO: nonsense), or 0: it is written */
	bool runs_at_once;          /* ASKED: when it has answered */
	bool resumed;               /* it has said that it goes on in the place of another */
	struct loop *loop;          /* borrowed */
	struct loop_watch listener; /* until the kernel has connected; fd -1: closed */
	struct conn conn;
	char *path; /* owned, of the socket */
	uint32_t seq;
	/* The state is another one now; also when the kernel is gone: ABSENT. */
	void (*changed)(struct freezer *f);
};

void freezer_init(struct freezer *f, void (*changed)(struct freezer *f));
/* Waits for the kernel at a socket. 0 or -1. */
int freezer_listen(struct freezer *f, struct loop *l, const char *path, struct err *e);
/*
 * A kernel that RUNS is to write itself to the file fd (borrowed). shares: nobody will change that,
 * so the kernel need not have what is in it twice. Its clocks stand at at_ns
 * (CLOCK_MONOTONIC, a little ahead): then it is no matter when it gets a processor. 0 or -1.
 */
int freezer_freeze(struct freezer *f, int fd, bool shares, int64_t at_ns, struct err *e);
/* Why one that was told to write itself has not; it STANDS with an error, or is gone. Returns -1.
 */
int freezer_fail(const struct freezer *f, struct err *e);
/* Goes on, if it stands or waits; as soon as it does, if it was asked. Clocks of one that was
 * restored go on from at_ns. */
void freezer_run(struct freezer *f, int64_t at_ns);
/* Safe on one that is closed. `changed` is not called. */
void freezer_close(struct freezer *f);
/* The same in a server that was restored: the descriptors are none of ours. */
void freezer_forget(struct freezer *f);

#endif
