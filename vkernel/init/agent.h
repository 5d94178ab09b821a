/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent: answers the server on one byte stream (lib/agent_wire.h). Nothing blocks: what cannot
 * be sent waits in one bounded buffer, and channels read their programs only while there is room in
 * it.
 */
#ifndef VKERNEL_INIT_AGENT_H
#define VKERNEL_INIT_AGENT_H

#include "lib/agent_wire.h"
#include "lib/loop.h"
#include "lib/words.h"

#include <stddef.h>

struct chan;

/* What a kind of channel does with messages; NULL: nothing. */
struct chan_ops {
	void (*data)(struct chan *c, const char *data, size_t len);
	void (*eof)(struct chan *c);
	void (*signal)(struct chan *c, int sig);
	void (*resize)(struct chan *c, unsigned cols, unsigned rows);
	void (*close)(struct chan *c); /* must lead to chan_exit() */
	void (*pump)(struct chan *c);  /* there is room or credit to send again */
};

/* Embedded in what the channel is for. */
struct chan {
	uint32_t id;
	const struct chan_ops *ops;
	size_t credit; /* DATA and ERRDATA bytes that may be sent */
	size_t unread; /* DATA bytes received and not granted back yet */
};

struct agent_calls {
	/* CONTROL words. */
	void (*control)(const struct words *w);
	/* The stream is gone. */
	void (*closed)(void);
};

/* Sends HELLO on a stream and serves it; fd is owned, and made non-blocking. */
int agent_open(struct loop *l, int fd, const struct agent_calls *calls, struct err *e);
/* Sends EVENT words on channel 0, at most 8. Events before the stream opens are kept. */
#define agent_event(...) agent_send_event((const char *const[]){__VA_ARGS__, NULL})
void agent_send_event(const char *const *words);
/* The shell of consoles (borrowed), or NULL. */
void agent_set_shell(const char *path);
const char *agent_shell(void);
/* Writes what is pending, waiting at most this long. */
void agent_flush(int timeout_ms);
/* Ends all channels and closes the stream. */
void agent_close(void);
struct loop *agent_loop(void);

/* Registers a channel, whose id is free. */
void chan_open(struct chan *c, uint32_t id, const struct chan_ops *ops);
/* Sends EXIT with one word and forgets the channel: the owner may free it afterwards. */
void chan_exit(struct chan *c, const char *word);
/* How many bytes may be sent now; 0: pump() will be called. */
size_t chan_room(const struct chan *c);
/*
 * Room in the send buffer for `len` bytes of payload (at most chan_room()), to be filled and then
 * sent by chan_commit(), without a copy.
 */
char *chan_reserve(struct chan *c, size_t len);
void chan_commit(struct chan *c, enum wire_type type, size_t len);
void chan_send(struct chan *c, enum wire_type type, const void *data, size_t len);
/* Grants received bytes back. */
void chan_grant(struct chan *c, size_t len);
/* EXIT for a channel that never came to be. */
void chan_refuse(uint32_t id, const char *why);

/* The kinds of channels: each answers its first message, on a channel id that is free. */
void exec_start(uint32_t id, const struct words *w);
void xfer_put(uint32_t id, const struct words *w);
void xfer_get(uint32_t id, const struct words *w);
void look_start(uint32_t id, const struct words *w);

#endif
