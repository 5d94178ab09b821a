/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting a server: all that the command room needs of this one. */
#ifndef VBET_SERVER_SERVER_START_H
#define VBET_SERVER_SERVER_START_H

#include "lib/err.h"
#include "vbet-server/lab/options.h"

struct graph;
struct topo_script;

/* A server that was forked off here; both descriptors are the caller's. */
struct server_link {
	int fd;       /* a stream socket, on which it has us as a client */
	int ended_fd; /* comes to its end when the server's process has ended; nothing is ever read
			 from it */
};

/*
 * Forks a server off that sets the lab up and lives on when we end. On link->fd it answers as to a
 * client's request (server.h): "ok" when the lab is ready. It has script and graph as they are now.
 * 0, or -1 with the error set: a lab of that name runs, or none could be started.
 */
int server_start(struct topo_script *script, struct graph *g, const struct lab_options *opt,
		 struct server_link *link, struct err *e);

/*
 * What a lab does when it is back: it follows the record of its run; or, if that is NULL, it is
 * another run from there on (lab/moment.h).
 */
struct server_follow {
	const char *inputs; /* path of the record, whole */
	int64_t to_ns;      /* the lab stands there then */
	const char *back;   /* a directory that becomes BACK_DIR of the run, or NULL */
	/* Of another run, absolute: a directory for its captures, and one with the inputs of the
	 * first. */
	const char *captures, *record;
};

/*
 * Forks a server off that goes on with the lab of a snapshot, in its run directory `dir`. *link as
 * above: "ok" when all of it is back. follow: NULL, or what it does then. 0 or -1.
 */
int server_restore(const char *dir, const char *snapshot, const struct server_follow *follow,
		   struct server_link *link, struct err *e);
/*
 * The same of a lab that was kept before it was ready (lab/warm.h): it goes on as `opt` says, and
 * answers as to server_start().
 */
int server_start_warm(const char *dir, const char *snapshot, const struct lab_options *opt,
		      struct server_link *link, struct err *e);

#endif
