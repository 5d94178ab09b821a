/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A conversation with one other substrate node: requests that are repeated until they are answered,
 * and answers that are remembered, so that a request that comes twice is done once. Whatever the
 * wire does to messages (lose, delay, repeat, reorder, forge), each request ends in exactly one
 * call of its done(), and the other side carries it out at most once. Owns no time: it is told what
 * time it is, and says when it wants to be called.
 */
#ifndef SUBSTRATE_OVERLAY_CONVERSATION_H
#define SUBSTRATE_OVERLAY_CONVERSATION_H

#include "lib/vec.h"
#include "lib/words.h"
#include "substrate/overlay/message.h"

enum {
	CONVERSATION_TRIES = 5,
	CONVERSATION_WINDOW = 64, /* requests at most this far apart are under way at once */
};

struct conversation;

/* The request's answer, and its words; both NULL: none came, or the conversation ended. */
typedef void conversation_done_fn(struct conversation *c, void *ctx, const struct message *answer,
				  const struct words *w, int64_t now_ns);

struct conversation_ops {
	/* Puts a message on the wire, or loses it. */
	void (*send)(struct conversation *c, const uint8_t *data, size_t len, int64_t now_ns);
	/* A new request: answered with conversation_answer(), now or later. */
	void (*request)(struct conversation *c, const struct message *m, const struct words *w,
			int64_t now_ns);
	/* A hello, or what was told without a request (conversation_tell()). */
	void (*tell)(struct conversation *c, const struct message *m, const struct words *w,
		     int64_t now_ns);
};

struct conversation_ask {
	uint32_t sequence;
	enum message_type type;
	char *body; /* owned */
	unsigned tries;
	int64_t due_ns; /* of the next try, or of giving up; INT64_MAX: not sent yet */
	conversation_done_fn *done;
	void *ctx;
};

struct conversation_memory {
	uint32_t sequence;      /* of their request; 0: none */
	enum message_type type; /* of our answer; 0: not answered yet */
	char *body;             /* owned */
};

struct conversation {
	const struct conversation_ops *ops;
	void *owner;
	const struct message_key *key; /* borrowed */
	uint64_t self, other, link;    /* message_id()s; other 0: not known yet */
	bool open;                     /* requests are taken; the owner says so */
	uint64_t number;               /* of our last message */
	uint32_t last_sequence;        /* of ours */
	uint32_t top_sequence;         /* highest of theirs */
	struct message_window window;
	VEC(struct conversation_ask) asks; /* ours, oldest first */
	struct conversation_memory memory[CONVERSATION_WINDOW];
	struct {
		uint64_t sent, repeated, received, gave_up, dropped[MESSAGE_DROPS];
	} count;
};

/*
 * number: from which the numbers of our messages go up: higher than any that was used before, such
 * as the time of day in microseconds. The key and what ops need must outlive c.
 */
void conversation_init(struct conversation *c, const struct conversation_ops *ops, void *owner,
		       const struct message_key *key, const char *self, const char *link,
		       uint64_t number);
/* Requests under way are done without an answer. */
void conversation_finish(struct conversation *c, int64_t now_ns);
/* The other side began anew: requests under way end, and what it asked before is forgotten. */
void conversation_restart(struct conversation *c, int64_t now_ns);

/*
 * Asks; done (not NULL) is called once, later. body: words, at most MESSAGE_BODY_MAX octets; it is
 * copied.
 */
void conversation_ask(struct conversation *c, enum message_type type, const char *body,
		      conversation_done_fn *done, void *ctx, int64_t now_ns);
/* Nobody waits for the answers of requests with this ctx any more: their done() is not called. */
void conversation_forget(struct conversation *c, const void *ctx);
/* Answers the request with that sequence. */
void conversation_answer(struct conversation *c, uint32_t sequence, enum message_type type,
			 const char *body, int64_t now_ns);
/* MESSAGE_REFUSED with a reason in plain text. */
void conversation_refuse(struct conversation *c, uint32_t sequence, const char *reason,
			 int64_t now_ns);
/*
 * Says something that is said again anyway, and needs no answer: a hello, a rate or an aggregate
 * (grant.h). It may be lost, or come twice in another order, but not from anybody else.
 */
void conversation_tell(struct conversation *c, enum message_type type, const char *body,
		       int64_t now_ns);

/* Octets came from the wire. Counts them if they are no good. */
void conversation_receive(struct conversation *c, const uint8_t *data, size_t len, int64_t now_ns);
/* When conversation_tick() wants to be called; INT64_MAX: not. */
int64_t conversation_due_ns(const struct conversation *c);
/* Repeats and gives up what is due. */
void conversation_tick(struct conversation *c, int64_t now_ns);

#endif
