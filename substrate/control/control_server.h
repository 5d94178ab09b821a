/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control protocol at a unix socket: any number of clients, one after another or side by side;
 * events go to all of them. What they declared stays when they go.
 */
#ifndef SUBSTRATE_CONTROL_CONTROL_SERVER_H
#define SUBSTRATE_CONTROL_CONTROL_SERVER_H

#include "substrate/core/substrate.h"

struct control_server;

/* Listens at path (mode 0600). NULL with the error set. */
struct control_server *control_server_create(struct loop *l, struct substrate *s, const char *path,
					     struct err *e);
/* Hangs up on all clients and removes the socket. NULL is fine. */
void control_server_destroy(struct control_server *c);

/*
 * The client's side, for shells: sends one line of words, and prints what comes until it is
 * answered. Without words it passes on each line of descriptor in and prints all that comes, until
 * in has ended and all is answered. 0, ERR_USAGE if an answer was an error, -1 with the error set.
 */
int control_client(const char *path, char *const *words, size_t n, int in, FILE *out,
		   struct err *e);

#endif
