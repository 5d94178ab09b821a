/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's end of the agent protocol (lib/agent_wire.h): a stream per guest, many channels. */
#ifndef VBET_SERVER_LAB_AGENT_H
#define VBET_SERVER_LAB_AGENT_H

#include "lib/agent_wire.h"
#include "lib/conn.h"
#include "lib/words.h"

#include <stdint.h>

/* What is heard of one boot of a guest: events, beside those that answer our WIRE_CONTROL; of each
 * so many octets and words. */
enum { AGENT_EVENTS_MAX = 1000, AGENT_EVENT_MAX = 4096, AGENT_EVENT_WORDS_MAX = 16 };

struct agent_channel {
	uint32_t id; /* 0: not open */
	/* A message came. After WIRE_EXIT the channel is closed. */
	void (*on_message)(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len);
	/* The guest has gone; no WIRE_EXIT will come. The channel is closed. */
	void (*on_gone)(struct agent_channel *ch);
	struct agent_channel *next;
};

struct agent {
	struct conn conn;
	struct agent_channel *channels;
	uint32_t last_id;
	bool said_hello;
	uint64_t events_left; /* that will be heard */
	uint64_t n_unheard;   /* that were not: too many, too long, no words */
	/* Words on channel 0: "hello" "version=1", "ready" NAME, "ready-all", "failed" NAME WHY */
	void (*on_event)(void *ctx, const struct words *w);
	void *ctx;
};

/* Connects to the stream socket of the guest. 0 or -1. */
int agent_connect(struct agent *a, struct loop *l, const char *path, struct err *e);
/*
 * The same, for who goes on in a new process: the stream goes on in the middle of a message if need
 * be. One that is connected stays so. 0 or -1.
 */
int agent_thaw(struct agent *a, struct loop *l, const char *path, struct err *e);
/* Closes the stream; every open channel hears on_gone. */
void agent_close(struct agent *a);
/* Opens a channel with its first message (WIRE_EXEC, WIRE_PUT or WIRE_GET). */
void agent_open_channel(struct agent *a, struct agent_channel *ch, uint8_t type, const void *data,
			uint32_t len);
/* The two halves of that, for who sends the message by another way: gives the channel its number;
 * takes it away. */
void agent_add_channel(struct agent *a, struct agent_channel *ch);
void agent_remove_channel(struct agent *a, struct agent_channel *ch);
void agent_send(struct agent *a, uint32_t channel, uint8_t type, const void *data, uint32_t len);
/* Sends WIRE_CONTROL words on channel 0. */
void agent_control(struct agent *a, const char *words);
/* Forgets a channel (its client has gone): the guest is told to kill the command. */
void agent_drop_channel(struct agent *a, struct agent_channel *ch);

/* Writes one message to a connection. */
void wire_write(struct conn *c, uint32_t channel, uint8_t type, const void *data, uint32_t len);
/* Reads one whole message at data: its size, 0 if more bytes are needed, -1 if it is none. */
long wire_read(const char *data, size_t len, struct wire_head *h);

#endif
