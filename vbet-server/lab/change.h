/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What changes a running lab, as words: "link A B down", "plug A B", "unplug A", "statement TEXT",
 * "start NODE", "stop NODE", "kill NODE", "restart NODE", and in records also "boot NODE", "agent
 * NODE CHANNEL TYPE [text=TEXT|hex=BYTES]", "control NODE WORDS".
 */
#ifndef VBET_SERVER_LAB_CHANGE_H
#define VBET_SERVER_LAB_CHANGE_H

#include "lib/words.h"
#include "vbet-server/lab/lab.h"

/*
 * Does it, and records it. The clock stands (input.h), or is the real one. 0, or -1 with the error
 * set: then nothing was changed. What the substrate says of it comes later: lab->refused.
 */
int change_do(struct lab *lab, const struct words *w, FILE *out, struct err *e);
/*
 * What "expect TEXT" would try: "NODE is|not COMMAND" as words go to out. Nothing is changed. 0, or
 * -1 with the error set.
 */
int change_read_check(struct lab *lab, const char *text, FILE *out, struct err *e);
/* A message to an agent as a line of the record. */
void change_record_message(struct lab *lab, const char *node, uint32_t channel, uint8_t type,
			   const void *data, uint32_t len);

#endif
