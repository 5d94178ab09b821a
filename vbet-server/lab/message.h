/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to agents as lines of a record: "agent NODE CHANNEL TYPE [text=TEXT|hex=BYTES]". */
#ifndef VBET_SERVER_LAB_MESSAGE_H
#define VBET_SERVER_LAB_MESSAGE_H

#include "lib/err.h"
#include "lib/words.h"

#include <stdint.h>
#include <stdio.h>

struct lab;

/* Writes one down. */
void message_record(struct lab *lab, const char *node, uint32_t channel, uint8_t type,
		    const void *data, uint32_t len);
/* Sends one again, and writes it down; for the table of verb.c. */
int message_repeat(struct lab *lab, const struct words *w, FILE *out, struct err *e);

#endif
