/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages between substrate nodes (docs/substrate.md, "Messages"): on VLI 0 of a substrate link,
 * or over a stream. Each stands alone: a head, an authenticator over all of it, and a body of words
 * (lib/words.h). Pure: bytes in, values out.
 *
 *   0 version   1 type   2 key id (2)   4 sequence (4)   8 sender (8)   16 receiver (8)
 *  24 link (8)  32 number (8)  40 length of the body (2)   42 zero (2)
 *  44 authenticator (8)        52 body
 *
 * All in network order. sender, receiver: message_id() of a node's name; receiver 0: whoever it is
 * (only for hello). link: message_id() of the substrate link's word, so that a message that was
 * heard on one link is worth nothing on another. number: never twice by one sender
 * (message_window). sequence: which request an answer belongs to; a repeated request has the same;
 * 0 in messages that want no answer.
 */
#ifndef SUBSTRATE_OVERLAY_MESSAGE_H
#define SUBSTRATE_OVERLAY_MESSAGE_H

#include "lib/err.h"
#include "lib/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MESSAGE_VERSION = 1,
	MESSAGE_HEAD = 52,
	MESSAGE_MAX = 1400, /* octets of a message */
	MESSAGE_BODY_MAX = MESSAGE_MAX - MESSAGE_HEAD,
	MESSAGE_NAME_MAX = 128, /* octets of a name that messages say: of a node, a vNet, ... */
	/* The sequence of a hello to whoever is on a LAN: it is no part of a conversation. */
	MESSAGE_TO_STRANGERS = 1,
};

enum message_type {
	MESSAGE_HELLO = 1, /* I am here, and whom I hear; no answer */
	MESSAGE_WORKING,   /* to a request that was repeated: it takes longer, go on waiting */
	MESSAGE_REFUSED,   /* answer to any request: reason=TEXT */
	MESSAGE_SETUP,     /* of one more hop of a virtual link, downstream */
	MESSAGE_SETUP_OK,
	MESSAGE_RELEASE, /* of a virtual link, downstream */
	MESSAGE_RELEASED,
	MESSAGE_FAILED, /* a virtual link ends here, since what is downstream is lost: upstream */
	MESSAGE_FAILED_OK,
	MESSAGE_MTU, /* a virtual link carries shorter (or longer) frames than before: upstream */
	MESSAGE_MTU_OK,
	MESSAGE_RATE, /* a TM asks the next for another rate of a virtual link */
	MESSAGE_RATE_OK,
	MESSAGE_AGGREGATE, /* what a vNet may send on a LAN: TM asks, VBM says */
	MESSAGE_AGGREGATE_OK,
	MESSAGE_JOIN, /* a multi-access virtual link: member to VBM */
	MESSAGE_JOIN_OK,
	MESSAGE_LEAVE,
	MESSAGE_LEFT,
	MESSAGE_TYPES,
};

/* Why a message is not taken. */
enum message_drop {
	MESSAGE_GOOD,
	MESSAGE_DROP_SHORT,         /* cut, or longer than it says */
	MESSAGE_DROP_VERSION,       /* or a type that there is not */
	MESSAGE_DROP_KEY,           /* made with another key */
	MESSAGE_DROP_AUTHENTICATOR, /* forged or damaged */
	MESSAGE_DROP_RECEIVER,      /* for another node, or another link */
	MESSAGE_DROP_REPLAY,        /* its number was here before, or is too old to know */
	MESSAGE_DROP_BODY,          /* words that cannot be read */
	MESSAGE_DROP_STATE, /* its sender has not greeted us, or an answer that nobody waits for */
	MESSAGE_DROPS,
};

struct message {
	enum message_type type;
	uint32_t sequence;
	uint64_t sender, receiver, link;
	uint64_t number;
	const char *body; /* borrowed; not terminated when read */
	size_t body_len;
};

struct message_key {
	uint8_t octets[SIPHASH_KEY];
	uint16_t id; /* follows from the octets: message_key_init() */
};

const char *message_drop_name(enum message_drop why);
/* True for types that answer a request. */
bool message_is_answer(enum message_type type);
/* True if a name (of a node, a virtual link, a vNet, ...) is short enough for messages. */
bool message_name_fits(const char *name);
/* A name as 64 bits; never 0. */
uint64_t message_id(const char *name);

void message_key_init(struct message_key *k, const uint8_t octets[SIPHASH_KEY]);
/* 32 hexadecimal digits. 0, or -1 with the error set. */
int message_key_parse(struct message_key *k, const char *hex, struct err *e);

/* Writes m; returns the octets used, or 0 if the body is too long. */
size_t message_write(uint8_t buf[MESSAGE_MAX], const struct message *m,
		     const struct message_key *k);
/* Reads and authenticates; m borrows from data. Whether it is old, or for us, is not checked. */
enum message_drop message_read(const uint8_t *data, size_t len, const struct message_key *k,
			       struct message *m);
/* The type of a message that message_write() made. */
enum message_type message_type_of(const uint8_t *data);
/* Does it look like a hello to whoever is there? Nothing of it is authenticated. */
bool message_is_to_strangers(const uint8_t *data, size_t len);
/*
 * On a stream: the octets of the message that begins at data; 0: more are needed to tell, -1: this
 * is no message.
 */
int message_stream_length(const uint8_t *data, size_t len);

/* Which numbers of one sender were here: a window over the last 64, as in RFC 4303, 3.4.3. */
struct message_window {
	uint64_t top;  /* highest number taken */
	uint64_t seen; /* bit i: top - i was here */
};
/* True, once for each number, unless it is too old to know. */
bool message_window_take(struct message_window *w, uint64_t number);

#endif
