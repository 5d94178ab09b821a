/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What two processes share for a trunk (docs/protocols.md, "Trunks"): a socket by which they find
 * each other and see each other go, memory with a ring each way, and an eventfd each to be woken
 * by. It knows nothing of what the records are.
 */
#ifndef SUBSTRATE_TRUNK_TRUNK_LINK_H
#define SUBSTRATE_TRUNK_TRUNK_LINK_H

#include "lib/loop.h"
#include "lib/vec.h"
#include "substrate/trunk/shmring.h"

struct thaw;
struct trunk_link;

struct trunk_link_ops {
	/* The other process is there; the rings are empty, or it has written already. */
	void (*up)(struct trunk_link *l);
	/* Restored: the other process is there again, and both go on where they were. */
	void (*resumed)(struct trunk_link *l);
	/*
	 * It has gone, or what it wrote cannot be; reason NULL: we close. The rings are there until
	 * this returns.
	 */
	void (*down)(struct trunk_link *l, const char *reason);
	/* There are records, after shmring_sleep() said that there are none. */
	void (*woken)(struct trunk_link *l, int64_t now_ns);
};

struct trunk_kept {
	uint32_t id, len;
	uint8_t *data; /* owned */
};

/* Embed it. in, out, up and resumes are for whoever has it; all else is its own. */
struct trunk_link {
	const struct trunk_link_ops *ops;
	struct shmring in, out;
	bool up;
	bool resumes;      /* it was up when it was kept, and the other has not come back */
	struct loop *loop; /* borrowed */
	char *path;        /* owned */
	bool listens;
	struct loop_watch listener, conn;
	struct loop_watch wake; /* they wrote something */
	int wake_fd;            /* to wake them; -1: none */
	int memory_fd;
	void *map;
	unsigned n_hellos;
	struct loop_timer retry;
	int64_t retry_ns;
	VEC(struct trunk_kept) kept; /* what waited in the ring when it was kept */
	size_t kept_own;             /* of these, not to be found in the ring */
	size_t kept_taken;
};

/*
 * Begins: one of the two processes listens at path, the other connects, again and again until it
 * can. 0, or -1 with the error set: trunk_link_close() is still to be called.
 */
int trunk_link_open(struct trunk_link *l, struct loop *loop, const char *path, bool listens,
		    const struct trunk_link_ops *ops, struct err *e);
/* Ends it for good; down() is called first if it is up. */
void trunk_link_close(struct trunk_link *l);
/* Ends this connection, and waits for the next. */
void trunk_link_hang_up(struct trunk_link *l, const char *reason);
/* Shows them the records that are whole, and wakes them if they sleep. */
void trunk_link_publish(struct trunk_link *l);
/* The next record, as shmring_take(). */
int trunk_link_take(struct trunk_link *l, struct shmring_record *rec);
/*
 * A snapshot (object_kind). Shared memory is in no imprint, so each side keeps what it has not read
 * yet; what it has written must be shown by then, and the last to be kept sees all, as both stand.
 */
void trunk_link_freeze(struct trunk_link *l);
int trunk_link_thaw(struct trunk_link *l, const struct thaw *t, struct err *e);

#endif
