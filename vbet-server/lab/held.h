/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Consoles that were open in a run that is replayed: what was typed there is typed again, and what
 * they print is held, until somebody takes one over.
 */
#ifndef VBET_SERVER_LAB_HELD_H
#define VBET_SERVER_LAB_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct agent_channel;
struct guest;
struct held;
struct lab;

/* A message of a record goes to a guest: a channel on which it opens a terminal is held. */
void held_see(struct guest *gu, uint32_t channel, uint8_t type, const void *data, size_t len);
/*
 * A terminal that somebody had open becomes one of these, as if a record had opened it: `owed`
 * bytes that came on it are not granted back in the record yet, text is the end of what it has
 * shown.
 */
void held_adopt(struct guest *gu, struct agent_channel *ch, uint32_t owed, const char *text,
		size_t len);
/* The node has one that nobody has taken over. */
bool held_has(const struct lab *lab, const char *node);
/* Prints the nodes that have one, a line each. */
void held_list(const struct lab *lab, FILE *out);
/*
 * The oldest one of the node becomes ch (zeroed, with its callbacks): ch hears what was held as
 * one message of data. *owed: bytes that it has heard and that the guest was not granted back yet;
 * *held: how many of them it has just heard.
 */
bool held_take(struct guest *gu, struct agent_channel *ch, uint32_t *owed, uint32_t *held);
void held_finish(struct lab *lab);

#endif
