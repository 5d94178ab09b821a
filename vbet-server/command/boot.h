/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bringing a lab up and down, for the commands that do. */
#ifndef VBET_SERVER_COMMAND_BOOT_H
#define VBET_SERVER_COMMAND_BOOT_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmd_options;
struct plan_wish;
struct graph;
struct loaded;
struct server_follow;
struct session;

/* What a command wants of the lab that the user did not say. Borrowed; zeroed: a lab as any. */
struct boot_wish {
	bool stopped;           /* its virtual clock stands when it is ready */
	bool goes_back;         /* it keeps snapshots to go back to, if the user says nothing */
	struct session *hold;   /* gets a connection with which the lab goes down, also if we are
				   killed (boot_release()); NULL: the lab outlives us */
	const char *captures;   /* a directory for captures of all cables, absolute; or NULL */
	const char *record;     /* a directory to keep the run in; NULL: that of --record */
	const char *inputs;     /* a record to replay, or NULL */
	int64_t replay_ns;      /* up to this time */
	bool replay_rest;       /* and what it says of later times when the lab goes on */
	int64_t moment_ns;      /* on the way there the lab is kept in a directory... */
	const char *moment_dir; /* absolute; or NULL: it is not */
};

/*
 * Boots the lab of a script and waits until it is ready; *lab gets its name (malloc'ed; NULL: the
 * file cannot be read). wish may be NULL. The exit status, or -1 with the error set.
 */
int boot_file(const struct cmd_options *o, const struct boot_wish *wish, const char *file,
	      char **lab, struct err *e);
/* The same with a script that is read already, and has no errors. 0 or -1. */
int boot_loaded(const struct cmd_options *o, const struct boot_wish *wish, struct loaded *l,
		struct err *e);
/*
 * Restores a lab from the directory of a snapshot, in the run directory `run`, and waits until all
 * of it is back. follow: NULL, or what it does then (server/start.h). 0, with a connection to its
 * server in *s, or -1.
 */
int boot_restore(const char *run, const char *snapshot, const struct server_follow *follow,
		 struct session *s, struct err *e);
/* Takes a lab down. 0 or -1. */
int boot_take_down(const char *lab, struct err *e);
/*
 * So that another one can have its name: its last processes may end a little later. What it kept to
 * go back to (store/back_dir.h) becomes the directory `back`, if there is any.
 */
int boot_take_place(const char *lab, const char *back, struct err *e);
/*
 * Takes a lab down that was held, and closes the session. What goes wrong is in e, if nothing else
 * is: it cannot be taken down, or its server has ended without being told to.
 */
void boot_release(struct session *held, const char *lab, struct err *e);
/* --substrate-processes, and as many as the limit of open files demands. 0 or -1. */
int boot_parse_processes(const struct cmd_options *o, const struct graph *g, struct plan_wish *wish,
			 struct err *e);

/*
 * Prints the warnings of a script that was loaded without errors, as -W says, and says how many
 * there are (NULL: nobody asks). -1: there are some, and they are to be errors.
 */
int boot_warn(const struct cmd_options *o, const struct loaded *l, size_t *n_warnings,
	      struct err *e);

#endif
