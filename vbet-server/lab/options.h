/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of a lab beside its script. Strings are borrowed, and outlive lab_create(). */
#ifndef VBET_SERVER_LAB_OPTIONS_H
#define VBET_SERVER_LAB_OPTIONS_H

#include "vbet-server/plan/plan_env.h"

struct sources;

struct lab_options {
	const char *base;      /* paths_base_dir() */
	struct plan_wish plan; /* base_dir: that of the script */
	size_t jobs;           /* 0: twice the processors */
	bool keep_going;       /* the lab is ready without the guests that fail */
	bool boot_is_bounded;  /* boot_timeout_ns is also how long all of them may take together */
	int64_t boot_timeout_ns;
	bool held;               /* it goes down with the client that has it booted */
	bool stopped;            /* the virtual clock is handed over standing still */
	const char *captures;    /* a directory for captures of all cables, or NULL; absolute */
	const char *record;      /* a directory to keep the run in, or NULL; absolute */
	const char *script;      /* the script as it was named */
	struct sources *sources; /* its texts; outlive the lab */
	const char *inputs;      /* a record to replay, or NULL */
	int64_t replay_ns;       /* up to this time, where the clock stands then */
	int64_t back_every_ns;   /* snapshots to go back to are taken so often; 0: none */
	int64_t back_bytes;      /* and may take so much room; 0: as usual */
	bool back_unasked;       /* nobody has asked for them: half of what is usual */
	bool replay_rest;        /* and what it says of later times when it goes on */
	int64_t moment_ns;       /* on the way there the lab is kept once (moment.h) */
	const char *moment_dir;  /* here, or NULL: it is not */
	int64_t began_ns;        /* CLOCK_MONOTONIC when somebody asked for the lab */
	const char *warm_dir;    /* where the lab is kept before it is ready (warm.h), or NULL */
	int64_t warm_pays_ns;    /* if its boot took so long */
	int64_t warm_booted_s;   /* of a lab that was kept: time of day of its boot */
};

#endif
