/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control protocol of a substrate (docs/protocols.md): lines in, lines and events out. */
#ifndef SUBSTRATE_CONTROL_CONTROL_H
#define SUBSTRATE_CONTROL_CONTROL_H

#include "lib/conn.h"
#include "substrate/core/substrate.h"

struct control_session {
	struct conn conn;
	struct loop *loop;
	struct substrate *sub; /* borrowed */
};

/* Serves the stream socket fd (taken over). Who opened it says what happens to events. 0 or -1. */
int control_session_open(struct control_session *c, struct loop *l, struct substrate *s, int fd,
			 struct err *e);
/* The same as the only one: it gets the events, and the loop is stopped when it closes. 0 or -1. */
int control_open(struct control_session *c, struct loop *l, struct substrate *s, int fd,
		 struct err *e);
/* Goes on at fd (taken over) in a process that was restored. 0 or -1. */
int control_thaw(struct control_session *c, int fd, struct err *e);
/* Carries out one command; what follows "ok" is written to answer. 0 or -1. */
int control_run_line(struct substrate *s, const char *line, size_t len, FILE *answer,
		     struct err *e);
/* "libslirp 4.7.0": what the substrate is linked with, a line each. */
void control_print_libraries(FILE *out);
void control_finish(struct control_session *c);

#endif
