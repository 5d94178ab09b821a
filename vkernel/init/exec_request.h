/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an EXEC message asks for: program, environment, user, terminal. */
#ifndef VKERNEL_INIT_EXEC_REQUEST_H
#define VKERNEL_INIT_EXEC_REQUEST_H

#include "lib/vec.h"
#include "lib/words.h"
#include "vkernel/init/proc.h"

struct exec_request {
	struct words keys; /* borrowed: what is before "--" */
	char **argv;       /* borrowed, or in the arena; the user's shell if no command was given */
	VEC(char *) env;   /* NULL at its end; owned, its strings are not */
	struct proc_user user;
	struct arena arena;
	bool tty;
	unsigned cols, rows;
	long timeout_ms; /* 0: none */
};

/* Reads the words of the message, which must live as long. 0 or -1; to be finished in any case. */
int exec_request_read(struct exec_request *r, const struct words *w, struct err *e);
void exec_request_finish(struct exec_request *r);

#endif
