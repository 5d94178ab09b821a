/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same work by several threads, which are gone when it is done: a server has but one. */
#ifndef VBET_SERVER_SHELF_LANES_H
#define VBET_SERVER_SHELF_LANES_H

/* As many as pay: one for each processor, and at most 8. */
unsigned lanes_usual(void);
/* Calls run(ctx) in n threads, that of the caller among them, and returns when all have returned.
 */
void lanes_run(unsigned n, void (*run)(void *ctx), void *ctx);

#endif
