/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The substrate of one lab: its objects by name, its calendar, and the queue of frames that plain
 * cables hand over at once. Nothing here blocks, and all of it is one thread.
 */
#ifndef SUBSTRATE_CORE_SUBSTRATE_H
#define SUBSTRATE_CORE_SUBSTRATE_H

#include "lib/json.h"
#include "lib/loop.h"
#include "lib/vec.h"
#include "substrate/core/calendar.h"
#include "substrate/core/frame.h"
#include "substrate/core/timekeeper.h"

#include <stdbool.h>
#include <stdint.h>

struct substrate;
struct object;
struct device_kind;
struct end;
struct linger;
struct mover;
struct thaw;

struct object_kind {
	const char *name; /* "cable", "nic", ... */
	void (*destroy)(struct object *o);
	/* Sets what words "key=value" say. NULL: nothing can be set. 0 or -1. */
	int (*set)(struct object *o, char *const *words, size_t n, struct err *e);
	/* Members of an open JSON object. */
	void (*status)(struct object *o, struct json *j, int64_t now_ns);
	/* What a cable can be plugged into. NULL: it has no such thing. */
	struct end *(*end)(struct object *o);
	/* Virtual clock: whose it is, if it has no end that says so. NULL: nobody's. */
	struct vclock_guest *(*guest)(struct object *o);
	/*
	 * Virtual clock: it is about to go on. Reads what has come from outside by now, to be heard
	 * now. NULL: nothing comes from outside.
	 */
	void (*catch_up)(struct object *o);
	/* A guest's: its kernel is about to boot, and to connect. 0 or -1. NULL: it does not. */
	int (*listen)(struct object *o, struct err *e);
	/*
	 * What a snapshot needs (thaw.h): it gets ready to be kept, and opens anew what it has of
	 * the system. 0 or -1. NULL: it has nothing of it.
	 */
	int (*freeze)(struct object *o, struct err *e);
	int (*thaw)(struct object *o, const struct thaw *t, struct err *e);
	/*
	 * A guest's, which goes to another process (mover.h): hands over what is known of it, and
	 * leaves its places in the file system; or takes that over, and waits for its guest. 0 or
	 * -1. NULL: it stays.
	 */
	int (*move)(struct object *o, struct mover *m, struct err *e);
	/*
	 * Virtual clock: the kernel of its guest has written itself, and another process goes on
	 * from that: lets go of what it has of the one that is here, and awaits the next. 0 or -1.
	 */
	int (*await)(struct object *o, struct err *e);
	/*
	 * The real clock: a part of a guest that was restored, and that nobody is to wait for
	 * before something is there for it ("event wake NAME"). 0, or -1: something is.
	 */
	int (*sleep)(struct object *o, struct err *e);
	/*
	 * The real clock, while all else stands, now and then: answers what the object's guest must
	 * know before it can stand, and that has no other effect. NULL: nobody asks.
	 */
	void (*answer_held)(struct object *o, int64_t now_ns);
	bool is_part; /* of an object in another process, whose status is made whole by it */
};

/* What the control protocol knows by name. First member of each. */
struct object {
	const struct object_kind *kind;
	char *name; /* owned */
	struct substrate *sub;
};

/* Work that is put off to the end of a batch, such as calling a guest once for many frames. */
struct flush {
	void (*run)(struct flush *f, int64_t now_ns);
	struct flush *next;
	uint32_t turn; /* in which it was queued */
	bool queued;
};

struct hop {
	struct end *to;
	struct frame *frame;
};

struct substrate {
	struct loop *loop;        /* borrowed */
	struct frame_pool *pool;  /* owned */
	struct calendar calendar; /* real clock: all events; virtual: those that go to no guest */
	const struct timekeeper *time; /* destroyed with it */
	const int64_t *clock_ns; /* borrowed; NULL: the loop's. For whoever owns the time: tests */
	uint64_t seed;
	int64_t epoch_ns; /* time of day (Unix) at time 0 of the lab's clock */
	uint32_t last_source;
	const char *snapshot_dir; /* borrowed, while objects freeze: for files of theirs, or NULL */
	uint32_t awaited;         /* what has not come back since this was restored (thaw.h) */
	bool held;     /* real clock: nothing happens, and no time passes, until this is false */
	bool can_save; /* whoever runs it looks at save_to */
	char *save_to; /* owned: where a snapshot of it goes when this turn is over, or NULL */
	VEC(struct object *) objects; /* owned, in order of declaration */
	struct {
		struct hop *at; /* owned; a ring of cap (power of two) */
		uint32_t head, n, cap;
	} hops;
	struct flush *first_flush, **last_flush;
	uint32_t flush_turn;
	struct linger *lingers; /* captures that ended before their reader had read all */
	const struct device_kind *const *kinds; /* of devices, NULL-terminated; borrowed */
	void (*on_event)(struct substrate *s, const char *line);
	void *owner;
	pid_t server; /* the only process that may speak to the agents of guests; 0: any */
};

struct substrate *substrate_create(struct loop *l, const struct device_kind *const *kinds);
void substrate_destroy(struct substrate *s);

/*
 * The time now of the lab's clock: that of the event that is being fired; of what comes from
 * outside (commands) when it happens.
 */
int64_t substrate_now_ns(const struct substrate *s);
/*
 * Puts an event into the calendar; one that is in already is moved. g: the guest that it touches,
 * which will not be beyond that time when it happens; NULL: none.
 */
static inline void substrate_schedule(struct substrate *s, struct vclock_guest *g, struct event *ev,
				      int64_t at_ns, struct event_source *from)
{
	s->time->add(s, g, ev, at_ns, from);
}
/* Takes it out, if it is in; g as when it was put in. */
static inline void substrate_cancel(struct substrate *s, struct vclock_guest *g, struct event *ev)
{
	s->time->cancel(s, g, ev);
}
/* Does all that is due by now. Call it after each turn of the loop. */
void substrate_run(struct substrate *s);
/* When substrate_run() wants to be called (CLOCK_MONOTONIC); INT64_MAX: only after a descriptor. */
int64_t substrate_due_ns(const struct substrate *s);
/*
 * Delivers the frames that plain cables took, and runs what was put off to the end of the batch;
 * what is put off meanwhile has its turn when descriptors have had theirs.
 */
void substrate_drain(struct substrate *s, int64_t now_ns);
void substrate_put_off(struct substrate *s, struct flush *f);
/* Takes f out again, if it is in. */
void substrate_forget(struct substrate *s, struct flush *f);
/* Hands a frame (with its reference) to an end in this batch, after those handed over before. */
void substrate_hop(struct substrate *s, struct end *to, struct frame *f);
/* Drops all frames on their way to an end that goes. */
void substrate_forget_end(struct substrate *s, struct end *to);

void event_source_init(struct event_source *from, struct substrate *s);

/* Adds an object (name is copied); -1 if the name is taken. */
int object_add(struct object *o, struct substrate *s, const struct object_kind *kind,
	       const char *name, struct err *e);
/* Takes it from the list and frees its name: the last step of a destroy(). */
void object_finish(struct object *o);
struct object *object_find(struct substrate *s, const char *name);
/* Of a guest's device, which has its name in front: "h1:eth0". */
bool object_is_part_of(const struct object *o, const char *node);
/*
 * The object of that name and kind (NULL: any), for a command; NULL with the error set, which names
 * the nearest one.
 */
struct object *object_find_kind(struct substrate *s, const char *name,
				const struct object_kind *kind, struct err *e);
/* Tells the server: "event ..." without a newline; words that need it must be quoted. */
void substrate_event(struct substrate *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
