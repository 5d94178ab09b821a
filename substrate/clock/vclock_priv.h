/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between vclock.c (turns and events), vclock_turn.c (who may run), vclock_charge.c (guests that
 * spin), vclock_sleep.c (guests that are not there before they are needed), vclock_guest.c (the
 * protocol with one guest) and vclock_cmd.c.
 */
#ifndef SUBSTRATE_CLOCK_VCLOCK_PRIV_H
#define SUBSTRATE_CLOCK_VCLOCK_PRIV_H

#include "lib/time_travel.h"
#include "substrate/clock/cpu.h"
#include "substrate/clock/mail.h"
#include "substrate/clock/turn_pipes.h"
#include "substrate/clock/vclock.h"

enum vclock_guest_state {
	VCLOCK_GUEST_ABSENT,
	VCLOCK_GUEST_JOINING, /* connected, waits for its first turn */
	VCLOCK_GUEST_RUNNING,
	VCLOCK_GUEST_WAITING, /* stands still until request_ns, or for ever */
	VCLOCK_GUEST_STATES,
};

/* What decides who may run, of all guests side by side: it is looked at for every turn. */
struct slot {
	int64_t at_ns;    /* earliest time at which the guest may act by itself; INT64_MAX: never */
	int64_t event_ns; /* its next event */
	int64_t in_ns, out_ns;
	enum vclock_guest_state state;
	bool away; /* asleep or waking: nothing may reach it */
};

struct time_page; /* the guest's own page of shared memory: vclock_guest.c */

/*
 * All times are of the lab. What holds for a guest: its clock is at or after from_ns and before or
 * at granted_ns; nothing may reach it before granted_ns.
 */
struct vclock_guest {
	struct object object;
	struct vclock *clock;
	struct loop_watch listener, conn;
	struct turn_pipes pipes; /* from its first turn on */
	char *path;              /* owned */
	enum vclock_guest_state state;
	struct time_page *page; /* owned mapping; NULL: absent */
	int page_fd;            /* until the guest has got it; -1 then */
	struct time_page *kept; /* owned: the page's content when it was frozen; or NULL */
	bool freezing;          /* its kernel was told to write itself out, and has not answered */
	bool awaited;           /* it was restored, and its kernel has not come yet */
	bool asleep;            /* nor is it started before it is needed (vclock_sleep.c) */
	bool waking;            /* it is needed now: not all of it is back yet */
	unsigned missing;       /* of its kernel and its devices: what has not come back */
	uint32_t start_seq, next_seq;
	struct time_message message; /* coming in */
	size_t have;
	int64_t offset_ns;  /* the lab's time when the guest's clock started */
	int64_t request_ns; /* WAITING: when it wants to run; INT64_MAX: no wish */
	int64_t from_ns, granted_ns;
	int64_t until_ns;         /* RUNNING: as far as it may go in this turn */
	int64_t in_ns, out_ns;    /* shortest delay of cables to and from its NICs */
	struct calendar calendar; /* events that touch this guest */
	int64_t turn_wall_ns;     /* RUNNING: since when, on the wall clock */
	int64_t spin_ns;          /* its clock when that was looked at last */
	bool spin_told;
	bool charged; /* it spins, and its clock goes with the wall clock: others go on */
	uint64_t turns, kicks;
	uint64_t moves;         /* changes whenever its memory may have, by itself or by a device */
	uint64_t written_moves; /* when it was written last */
	struct vclock_guest_device *devices[MAIL_DEVICES]; /* borrowed; by their number */
	size_t index;                                      /* in the clock's guests and slots */
	bool touched;                                      /* its slot is out of date */
};

struct vclock {
	struct timekeeper time;
	struct substrate *sub;
	VEC(struct vclock_guest *) guests; /* borrowed; in order of declaration */
	VEC(struct slot) slots;
	VEC(struct vclock_guest *) touched;
	bool started; /* "start" was said */
	bool begun;   /* time goes on */
	bool stopped; /* stands at floor_ns until told otherwise */
	bool idle_told, cables_dirty;
	bool joiners;      /* a guest waits for its first turn */
	int64_t floor_ns;  /* all before it has happened */
	int64_t firing_ns; /* the time of the events that are being fired; INT64_MAX: none is */
	int64_t until_ns;  /* where to stop; INT64_MAX: nowhere */
	int64_t tod_ns;    /* time of day at time 0 */
	double pace;       /* seconds of the lab per second; 0: as fast as it goes */
	int64_t pace_wall_ns, pace_ns; /* paced: lab time pace_ns is wall time pace_wall_ns */
	int64_t due_wall_ns;           /* when to look again */
	cpu_set_t cores;               /* all that there are, if one was chosen */
	int core;                      /* where all guests run one by one; -1: not chosen */
	unsigned running, charged;     /* guests; those that are charged are running, too */
	bool charges_spin;
	unsigned at_once, most_at_once; /* guests that may run side by side; that have done so */
	struct vclock_guest *kicking; /* who runs, while what it did is looked at: at its from_ns */
	unsigned waking;              /* guests that are needed, and not whole yet */
	int64_t ahead_ns;             /* who is needed so soon is woken with who is needed */
	int64_t woken_ns;             /* who is needed before that has been woken */
	struct event_source source;
	uint64_t fired;
};

/* What the guests are up to, in one pass over the slots. */
struct vclock_view {
	int64_t first, second;    /* earliest at_ns, and that of the next guest */
	size_t who;               /* whose is the first */
	struct calendar *soonest; /* with the earliest event of all; NULL: none */
	int64_t event_ns;
	int64_t reach_ns; /* no running guest can make an event before this */
	int64_t wish_ns;  /* earliest request of a guest that stands still */
};

/* vclock_guest.c */
struct vclock_guest *vclock_guest_create(struct vclock *c, const char *name, const char *path,
					 struct err *e);
/* Lets a joining or waiting guest run from at_ns up to until_ns. */
void vclock_guest_run(struct vclock_guest *g, int64_t at_ns, int64_t until_ns, int64_t wall_ns);
/* Whose NIC or channel an object is; NULL: nobody's. */
struct vclock_guest *vclock_guest_of(struct object *o);
/* Shortens the turn of a running guest. */
void vclock_guest_cut(struct vclock_guest *g, int64_t until_ns);
/* A snapshot (object_kind): the page is copied; the kernel is awaited (time_page.c). */
int vclock_guest_freeze(struct object *o, struct err *e);
int vclock_guest_thaw(struct object *o, const struct thaw *t, struct err *e);
/*
 * Tells a guest that stands still to write itself into a new file at path: 0 or -1; the answer is
 * "event frozen NAME BYTES MOVES" or "event freeze-failed NAME REASON". The message that it sends.
 * shares: nobody will change the file, and the guest need not have what is in it twice.
 */
int vclock_guest_write_out(struct vclock_guest *g, const char *path, bool shares, struct err *e);
const char *vclock_guest_written(struct vclock_guest *g);
/*
 * It has written itself: it and its devices let go of its kernel, which may end now, and await
 * the one that goes on from there ("event thawed" when all of it has come).
 */
int vclock_guest_await(struct vclock_guest *g, struct err *e);
/* The first message of a kernel that is awaited: NULL, or what is wrong. */
const char *vclock_guest_resume(struct vclock_guest *g);
/* Of a guest that is awaited: its kernel or a device has come, or will not. */
void vclock_guest_came(struct vclock_guest *g);
/* Cables changed, or devices: how soon can its kicks be answered? */
void vclock_guest_tell_answers(struct vclock_guest *g);

/* vclock.c */
/* The clock of a substrate; NULL: it has the real one. */
struct vclock *vclock_of(const struct substrate *s);
/* c, zeroed but for what was said of it, becomes the timekeeper of s, which owns it from now on. */
void vclock_take_over(struct vclock *c, struct substrate *s);
/* Something of what a slot says changed. */
void vclock_touch(struct vclock_guest *g);
void vclock_add_guest(struct vclock *c, struct vclock_guest *g);
void vclock_remove_guest(struct vclock *c, struct vclock_guest *g);
void vclock_guest_left(struct vclock *c, struct vclock_guest *g);
/* Brings in_ns and out_ns of all guests up to date. */
void vclock_look_at_cables(struct vclock *c);
/* A guest's kernel has come: which CPU is it to run on? */
void vclock_place(struct vclock *c, struct vclock_guest *g);
/* It works while time stands, side by side with others: on any CPU, until it is placed again. */
void vclock_release(struct vclock *c, struct vclock_guest *g);
/* The time at which something from outside may happen now: no guest has passed it. */
int64_t vclock_now_ns(const struct vclock *c);
/* Where a paced clock is on its way to, by the wall clock; INT64_MAX: not paced. */
int64_t vclock_pace_limit_ns(const struct vclock *c, int64_t wall_ns);
void vclock_set_pace(struct vclock *c, double pace);
/* Goes on, up to until_ns. */
void vclock_go(struct vclock *c, int64_t until_ns);

/* vclock_turn.c */
void vclock_look(struct vclock *c, struct vclock_view *v);
/* True if nothing can reach guest i at or before its request, and it is its turn among equals. */
bool vclock_may_start(const struct vclock *c, const struct vclock_view *v, size_t i);
/* Until when guest i may run if it starts now; that is at or before its request if it may not. */
int64_t vclock_horizon_ns(const struct vclock *c, const struct vclock_view *v, size_t i);

/*
 * vclock_sleep.c. A guest that is awaited need not come back before something happens to it: its
 * kernel is not started until "event wake NAME". 0, or -1 if it cannot be without it.
 */
int vclock_guest_sleep(struct vclock_guest *g, struct err *e);
/* Asks for its kernel. Time may go on meanwhile, as far as it can without it. */
void vclock_guest_wake(struct vclock_guest *g);
/* This guest is needed now: asks for it, and for those that will be soon. */
void vclock_need(struct vclock *c, const struct vclock_guest *g);
static inline bool vclock_guest_is_away(const struct vclock_guest *g)
{
	return g->asleep || g->waking;
}

/* vclock_charge.c */
/* Nothing can be done just now: does one of those that run spin? Sets when to look again. */
void vclock_look_at_running(struct vclock *c, int64_t wall_ns);
/* The turn of a guest that was charged is over. */
void vclock_end_charge(struct vclock_guest *g);

/* INT64_MAX is never, and stays so. */
static inline int64_t time_plus(int64_t a, int64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

#endif
