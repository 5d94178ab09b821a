/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command's side of the control socket (server.h has the protocol). Blocking: one at a time. */
#ifndef VBET_SERVER_COMMAND_CLIENT_H
#define VBET_SERVER_COMMAND_CLIENT_H

#include "lib/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct session {
	int fd;
	int ended_fd;         /* struct server_link, of who started the server; 0: none */
	char buf[65536 + 64]; /* bytes received and not used yet */
	size_t len;
};

/* The lab that a command means: the given name, or the only running one. malloc'ed, or NULL. */
char *client_find_lab(const char *name, struct err *e);
/* Connects to a lab's server. 0 or -1. */
int client_connect(struct session *s, const char *lab, struct err *e);
void client_close(struct session *s);
/* Of a server that was started here and has failed: waits until its process has ended. Closes. */
void client_await_end(struct session *s);
/* Sends one line of words. */
int client_send(struct session *s, char *const *words, size_t n, struct err *e);
/* The server's process, as a descriptor that is readable when it has ended; -1: not to be had. */
int client_server_fd(const struct session *s);
/* Reads the answer; "out" lines go to out (may be NULL), "progress" lines to show (may be NULL). */
int client_answer(struct session *s, FILE *out, void (*show)(void *ctx, const char *text),
		  void *ctx, struct err *e);
/*
 * From here on a wait for an answer ends, with an error, when SIGINT has come and its handler has
 * set this flag; NULL: it does not. For the console, which goes on after that.
 */
void client_watch_interrupt(const volatile sig_atomic_t *flag);
/* 1: something of the answer is there, or the wait was interrupted; 0: not within so many ms. */
int client_wait(const struct session *s, int ms);
/* A `show`: to standard error. */
void client_show_note(void *ctx, const char *text);
/* Connect, send, answer, close. */
int client_ask(const char *lab, char *const *words, size_t n, FILE *out, struct err *e);
/* The answer as text, malloc'ed: also if it failed, then as far as it came. */
int client_ask_text(const char *lab, char *const *words, size_t n, char **text, struct err *e);
/* Next line without its newline (malloc'ed), or NULL at the end of the stream. */
char *client_read_line(struct session *s);

struct exec_options {
	bool tty; /* wants a terminal (if standard input is one) */
	bool no_stdin;
	int in_fd;          /* standard input of the command; 0: ours */
	bool subst;         /* names of nodes in argv become addresses */
	int64_t timeout_ns; /* 0: none */
	const char *user, *vnet, *cwd;
	FILE *out, *err; /* NULL: standard output and error */
	bool escape;     /* Ctrl-] leaves the console */
	bool share;      /* no shell of its own: into the terminal that somebody has open there */
	bool watch;      /* the same, and keys are not passed on */
	bool step;       /* a virtual clock that stands goes on for it, and no longer */
};
/*
 * Runs a command in a node with this terminal. 0 with *status as a shell would have it (128 +
 * signal), or -1 with the error set.
 */
int client_exec(const char *lab, const char *node, char *const *argv, size_t n,
		const struct exec_options *opt, int *status, struct err *e);
/* Copies one file into or out of a node. */
int client_put(const char *lab, const char *node, const char *path, int fd, unsigned mode,
	       struct err *e);
int client_get(const char *lab, const char *node, const char *path, int fd, unsigned *mode,
	       struct err *e);

#endif
