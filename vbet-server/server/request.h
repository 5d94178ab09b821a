/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What clients can ask of a running lab: one function per request (request_*.c), one table
 * (request.c). A function returns REQUEST_DONE ("ok" is sent for it), REQUEST_ANSWERED (it answers
 * by itself, now or later), or -1 with the error set.
 */
#ifndef VBET_SERVER_SERVER_REQUEST_H
#define VBET_SERVER_SERVER_REQUEST_H

#include "vbet-server/server/server.h"

#include <stdio.h>

enum { REQUEST_DONE = 0, REQUEST_ANSWERED = 1 };

/* Writes through a FILE and sends it as "out" lines. */
struct reply {
	FILE *f;
	char *text;
	size_t len;
};
FILE *reply_open(struct reply *r);
void reply_send(struct reply *r, struct client *c);

/* Which guest the client waits for; NULL: none. */
void request_await(struct client *c, const char *guest);
/* The client is answered when is_over() says so. Returns REQUEST_ANSWERED. */
int request_wait_until(struct client *c, bool (*is_over)(const struct client *c, struct err *e));

/* Tells a client why what it asks for does not go on, if the lab's clock does not. */
void request_tell_clock(struct client *c);

/* What an answer of the substrate is for: the ctx of a carrier_answer_fn, freed by it. */
struct query {
	struct server *server;
	uint64_t client; /* its number: it may be gone, and another one be where it was */
	/* Prints the lab with what its substrate says, as JSON. */
	void (*report)(FILE *out, const struct lab *lab, struct json_object *status);
};
struct query *query_create(struct client *c);
/* Who asked; NULL if it is gone. */
struct client *query_client(const struct query *q);
/* A carrier_answer_fn: the client's answer is "ok", or what the substrate said. */
void query_answer(void *ctx, bool ok, const char *text);

int request_exec(struct client *c, const struct words *w, struct err *e);
int request_put(struct client *c, const struct words *w, struct err *e);
int request_job(struct client *c, const struct words *w, struct err *e);
/* whole: an error says which process of the substrate has ended; asked of the processes themselves.
 */
int request_whole(struct client *c, const struct words *w, struct err *e);
int request_wait(struct client *c, const struct words *w, struct err *e);
int request_check(struct client *c, const struct words *w, struct err *e);
int request_change(struct client *c, const struct words *w, struct err *e);
int request_clock(struct client *c, const struct words *w, struct err *e);
int request_move(struct client *c, const struct words *w, struct err *e);
int request_moved(struct client *c, const struct words *w, struct err *e);
int request_kept(struct client *c, const struct words *w, struct err *e);
int request_save(struct client *c, const struct words *w, struct err *e);
int request_capture(struct client *c, const struct words *w, struct err *e);
int request_capture_end(struct client *c, const struct words *w, struct err *e);

#endif
