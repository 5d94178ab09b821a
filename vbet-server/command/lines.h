/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of standard input, which may be a pipe that stays open: its end is not all that is waited
 * for. */
#ifndef VBET_SERVER_COMMAND_LINES_H
#define VBET_SERVER_COMMAND_LINES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed but for the last two. */
struct lines {
	char *text; /* owned: what has come and was not used yet */
	size_t len;
	bool ended;
	int other_fd; /* as it says something, there are no more lines; -1: none */
	const volatile sig_atomic_t *interrupted; /* so are there if this is not 0 */
};

/* The next line (malloc'ed, without its newline), or NULL. */
char *lines_next(struct lines *in);
void lines_finish(struct lines *in);

#endif
