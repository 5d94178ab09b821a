/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A running lab: carries plans out and keeps what came of them. Theory in lab.c. */
#ifndef VBET_SERVER_LAB_LAB_H
#define VBET_SERVER_LAB_LAB_H

#include "lib/loop.h"
#include "topo/topo.h"
#include "vbet-server/lab/back.h"
#include "vbet-server/lab/bounds.h"
#include "vbet-server/lab/captures.h"
#include "vbet-server/lab/carriers.h"
#include "vbet-server/lab/change.h"
#include "vbet-server/lab/clock.h"
#include "vbet-server/lab/guest.h"
#include "vbet-server/lab/held.h"
#include "vbet-server/lab/hotplug.h"
#include "vbet-server/lab/input.h"
#include "vbet-server/lab/job.h"
#include "vbet-server/lab/link.h"
#include "vbet-server/lab/moment.h"
#include "vbet-server/lab/mtu.h"
#include "vbet-server/lab/names.h"
#include "vbet-server/lab/options.h"
#include "vbet-server/lab/outside.h"
#include "vbet-server/lab/program.h"
#include "vbet-server/lab/progress.h"
#include "vbet-server/lab/record.h"
#include "vbet-server/lab/snapshot.h"
#include "vbet-server/lab/vlinks.h"
#include "vbet-server/lab/warm.h"
#include "vbet-server/plan/plan.h"

#include <stdio.h>

/* What the owner of the lab hears. All optional. */
struct lab_listener {
	void (*progress)(void *ctx, const char *text); /* one line for people */
	void (*ready)(void *ctx);                      /* everything that was asked for is ready */
	void (*failed)(void *ctx, const struct err *e);
	void (*changed)(void *ctx); /* some state changed: who waits looks again */
	void *ctx;
};

struct lab {
	struct loop *loop; /* borrowed */
	struct lab_listener listener;
	char *dir;        /* owned: of this run */
	char *base_dir;   /* owned: of the script */
	char *keep_disks; /* owned: the directory of disks that outlive the lab, or NULL */
	int lock_fd;
	FILE *pids; /* what a later `vbet clean` is to end, if we cannot */

	/* What the lab is: each is made from the one before. All owned. */
	struct topo_script *script;
	struct graph *graph;
	struct plan_env env; /* with our two directories */
	struct plan *plan;   /* what has been carried out */

	/* What runs. */
	struct carriers carriers; /* substrate processes */
	struct guest **guests;    /* owned: by node of the graph; NULL for devices */
	size_t n_guests;          /* nodes of the graph */
	struct programs programs; /* of end systems */
	struct outside outside;
	struct bounds bounds;

	/* How it goes: each the business of the file of that name. */
	struct progress progress;
	struct lab_clock clock;
	struct change_run change;
	struct inputs inputs;
	struct record record;
	struct links links;
	struct captures captures;
	struct vlinks vlinks;
	struct hotplugs hotplugs;
	unsigned n_waking;  /* guests whose kernels are on their way back: sleep.h */
	bool names_changed; /* guests may have to be told: names.c */
	struct mtus mtus;
	struct jobs jobs;
	struct snapshot snapshot;
	struct back back;
	struct moment moment;
	struct warm warm;
	struct held *held; /* consoles of the run that is repeated */
};

/*
 * Takes over script and graph, makes the run directory and begins to carry the plan out; the
 * listener hears how it goes. NULL with the error set.
 */
struct lab *lab_create(struct loop *l, struct topo_script *script, struct graph *g,
		       const struct lab_options *opt, const struct lab_listener *listener,
		       struct err *e);
/*
 * Another lab is to have its name at once: what others could meet of it ends, the run directory
 * goes, and guests are ended without waiting for them. What it keeps to go back to (back.h) becomes
 * the directory `back`. False: the rest of it is to end first, as it has groups of processes, which
 * have a name, too; lab_destroy() in either case.
 */
bool lab_give_up_place(struct lab *lab, const char *back);
/* Ends every process of the lab, waits for them, removes the run directory. */
void lab_destroy(struct lab *lab);
/*
 * Carries out the difference between the lab and a new graph (taken over), or to another plan of
 * the same graph (taken over). 0 or -1. Its answers come later (change.h).
 */
int lab_change(struct lab *lab, struct graph *g, struct err *e);
int lab_replace_plan(struct lab *lab, struct plan *plan, struct err *e);

/* As many descriptors as this process may have. */
void lab_raise_limit(void);
/* Sends a line to the substrate process that knows an object (a node, NIC, port or cable). */
void lab_send_about(struct lab *lab, const char *object, const char *line, carrier_answer_fn answer,
		    void *ctx);
/* Sends a line to the process that keeps the calendar. */
void lab_send_clock(struct lab *lab, const char *line, carrier_answer_fn answer, void *ctx);

/* The guest of that name; NULL, with the error set: there is no such node, or it has no kernel. */
struct guest *lab_find_guest(struct lab *lab, const char *name, struct err *e);
/*
 * True, with e set, if what somebody waits for can never come, for a process of the substrate has
 * ended. With a node: what concerns that node. Without (-1): what concerns the whole lab. In
 * virtual time there is one process, which kept the calendar: then nothing moves any more.
 */
bool lab_is_lost(const struct lab *lab, int node, struct err *e);
/* The error of a process that has ended by itself. */
void lab_say_lost(const struct lab *lab, const struct carrier *c, struct err *e);
/* The same for what does not concern one node: virtual time, and it has come to its end. */
bool lab_is_stuck(const struct lab *lab, struct err *e);
/* A process of the lab, for `vbet clean` if the server is killed. */
void lab_note_pid(struct lab *lab, const struct child *c, const char *name);
/* Files of the run directory. A descriptor to append to, or 0; -1 with the error set. */
int lab_open_log(const struct lab *lab, const char *name, struct err *e);
int lab_write_file(const struct lab *lab, const char *name, const char *text, struct err *e);

#endif
