/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A running lab: carries plans out and keeps what came of them. The only place that starts
 * processes. All of it runs on one loop; nothing blocks longer than a system call.
 */
#ifndef VBET_SERVER_LAB_LAB_H
#define VBET_SERVER_LAB_LAB_H

#include "lib/loop.h"
#include "lib/vec.h"
#include "topo/topo.h"
#include "vbet-server/lab/agent.h"
#include "vbet-server/lab/carriers.h"
#include "vbet-server/lab/options.h"
#include "vbet-server/lab/outside.h"
#include "vbet-server/lab/program.h"
#include "vbet-server/lab/vlinks.h"
#include "vbet-server/plan/plan.h"
#include "vbet-server/store/sources.h"

#include <stdio.h>

enum guest_state { GUEST_DOWN, GUEST_BOOTING, GUEST_UP, GUEST_READY, GUEST_STOPPING, GUEST_STATES };
const char *guest_state_name(enum guest_state s);

struct lab;
struct link_touched;
struct job;
struct inputs;
struct held;

struct guest {
	struct lab *lab;
	char *name;
	enum guest_state state;
	struct child child;       /* pid 0: none */
	struct loop_watch exited; /* child.pidfd */
	struct loop_watch report; /* the launcher's report pipe; fd -1: closed */
	char jail[128];           /* what the launcher said: "level=full" */
	struct agent agent;
	struct loop_timer deadline; /* boot or stop takes too long */
	int64_t started_ns, up_ns, ready_ns;
	bool wanted;   /* shall be up: its end is a failure */
	bool restart;  /* start again when it has ended */
	bool queued;   /* waits for its turn to boot */
	bool joined;   /* virtual clock: its kernel is in the calendar */
	bool dying;    /* was sent SIGKILL and is not gone yet */
	bool may_boot; /* a record says so */
	bool spins;    /* it computes, and its clock stands still: spin.h */
	int64_t spins_since_ns;
	struct loop_timer stuck; /* spin.c's */
};

/* What the owner of the lab hears. All optional. */
struct lab_listener {
	void (*progress)(void *ctx, const char *text); /* one line for people */
	void (*ready)(void *ctx);                      /* everything that was asked for is ready */
	void (*failed)(void *ctx, const struct err *e);
	void (*changed)(void *ctx); /* some state changed: who waits looks again */
	void *ctx;
};

/* The calendar of the lab, as far as the server knows it. Only with the virtual clock. */
struct lab_clock {
	bool is_virtual;
	bool stopped; /* at now_ns; else it runs and now_ns is where it last was seen */
	int64_t now_ns;
	int64_t goal_ns;  /* where it shall stand next; INT64_MAX: nowhere */
	int64_t until_ns; /* where it was last told to stand */
	bool stays;       /* it is handed over standing still */
	bool asked;       /* to stand, for what comes from outside */
	bool is_idle;     /* nothing will ever happen again, by itself */
	char pace[16];    /* as the substrate takes it: "max", "1", "10" */
};

/* A NIC, or names, that a running guest is still to be told of. */
struct lab_hotplug {
	char *node, *words; /* owned */
	bool is_nic;
	bool redone; /* of a record, which has what is told late, too */
};

/* A NIC that has been told another MTU than that of the graph. */
struct lab_mtu {
	char *node, *nic; /* owned */
	unsigned mtu;
};

struct lab {
	struct loop *loop; /* borrowed */
	char *dir;         /* owned */
	char *base_dir;    /* directory of the script */
	int lock_fd;
	struct topo_script *script; /* owned */
	struct graph *graph;        /* owned */
	struct plan *plan;          /* owned: what has been carried out */
	struct plan_env env;        /* base_dir and lab_dir are ours */
	struct carriers substrates;
	struct outside outside;
	struct guest **guests; /* by node index of the graph; NULL for devices */
	size_t n_guests;       /* length of that array: nodes of the graph */
	size_t booting;        /* guests that are not up yet, of those that were started */
	size_t jobs;           /* at most so many boot at once */
	int64_t boot_timeout_ns;
	bool setting_up; /* ready/failed of the listener is still owed */
	bool failed;
	unsigned outstanding; /* answers of the substrate to plan steps */
	struct err refused;   /* the first that said no, when the lab was up already */
	bool added_statement; /* what is under way is one: if it is refused, it goes again */
	bool rolling_back;    /* refusals do not count */
	bool by_plan;         /* what is under way was planned: nobody waits for `refused` */
	struct lab_listener listener;
	struct lab_clock clock;
	struct link_touched *touched; /* link.c's: cables that were changed by hand */
	size_t n_touched;
	struct inputs *inputs;     /* input.c's */
	struct err inputs_refused; /* the first of a record that could not be done */
	bool redoing;              /* what is being changed comes from a record */
	bool changing;             /* a change is being made: guests boot after it */
	char *record_dir;          /* owned: where the run is kept: dir, or where the user said */
	struct sources *sources;   /* borrowed: texts of the script; NULL: not known */
	int64_t replay_ns;         /* a record is replayed up to here */
	bool replay_rest;          /* what it says of later times stays planned */
	struct job *jobs_running;  /* job.c's */
	struct held *held;         /* held.c's */
	unsigned last_job;
	VEC(struct lab_hotplug) hotplugs;
	VEC(struct lab_mtu) mtus; /* mtu.c's */
	bool mtus_wait;           /* for the virtual clock to stand */
	struct programs programs; /* of end systems */
	struct vlinks vlinks;
	struct loop_timer vlinks_deadline; /* when the lab is ready without those that are down */
	bool vlinks_waited;                /* it has passed */
	FILE *pids;
	int64_t began_ns;
};

/*
 * Takes over script and graph, makes the run directory and begins to carry the plan out; the
 * listener hears how it goes. NULL with the error set.
 */
struct lab *lab_create(struct loop *l, struct topo_script *script, struct graph *g,
		       const struct lab_options *opt, const struct lab_listener *listener,
		       struct err *e);
/* Ends every process of the lab, waits for them, removes the run directory. */
void lab_destroy(struct lab *lab);
/* Carries out the difference between the lab and a new graph (taken over). 0 or -1. */
int lab_change(struct lab *lab, struct graph *g, struct err *e);

/* Carries out the difference to another plan of the same graph (taken over). 0 or -1. */
int lab_replace_plan(struct lab *lab, struct plan *plan, struct err *e);

/* Sends a line to the substrate process that knows an object (a node, NIC, port or cable). */
void lab_send_about(struct lab *lab, const char *object, const char *line, carrier_answer_fn answer,
		    void *ctx);
/* Sends a line to the process that keeps the calendar. */
void lab_send_clock(struct lab *lab, const char *line, carrier_answer_fn answer, void *ctx);
/* Writes the texts of the script that are not with the run yet. */
int lab_keep_sources(struct lab *lab, struct err *e);

struct guest *lab_find_guest(struct lab *lab, const char *name, struct err *e);
int lab_start_guest(struct lab *lab, struct guest *gu, struct err *e);
/* Asks for a clean power-off, or ends it at once. */
void lab_stop_guest(struct lab *lab, struct guest *gu, bool at_once);
/* True if all guests that shall be up are ready. */
bool lab_is_ready(const struct lab *lab);
/* The last lines of a guest's console, malloc'ed, "" if there is none. */
char *lab_console_tail(const struct lab *lab, const char *node, size_t lines);

#endif
