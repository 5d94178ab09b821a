/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages between substrate nodes (docs/substrate.md, "Messages"): on VLI 0 of a substrate link,
 * or over a stream. Each stands alone: a head, an authenticator over all of it, and a body of words
 * (lib/words.h). Pure: bytes in, values out.
 *
 *   0 version   1 type   2 key id (2)   4 sequence (4)   8 sender (8)   16 receiver (8)
 *  24 link (8)  32 number (8)  40 length of the body (2)  42 zero (2)  44 authenticator (8)  52
 * body
 *
 * All in network order. sender, receiver: smsg_id() of a node's name; receiver 0: whoever it is
 * (only for hello). link: smsg_id() of the substrate link's word, so that a message that was heard
 * on one link is worth nothing on another. number: never twice by one sender (smsg_window).
 * sequence: which request an answer belongs to; a repeated request has the same; 0 in messages that
 * want no answer.
 */
#ifndef SUBSTRATE_SMSG_H
#define SUBSTRATE_SMSG_H

#include "lib/err.h"
#include "lib/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SMSG_VERSION = 1,
	SMSG_HEAD = 52,
	SMSG_MAX = 1400, /* octets of a message */
	SMSG_BODY_MAX = SMSG_MAX - SMSG_HEAD,
	SMSG_TO_STRANGERS =
		1, /* sequence of a hello to whoever is on a LAN: no part of a conversation */
};

enum smsg_type {
	SMSG_HELLO = 1, /* I am here, and whom I hear; no answer */
	SMSG_WORKING,   /* to a request that was repeated: it takes longer, go on waiting */
	SMSG_REFUSED,   /* answer to any request: reason=TEXT */
	SMSG_SETUP,     /* of one more hop of a virtual link, downstream */
	SMSG_SETUP_OK,
	SMSG_RELEASE, /* of a virtual link, downstream */
	SMSG_RELEASED,
	SMSG_FAILED, /* a virtual link ends here, since what is downstream is lost: upstream */
	SMSG_FAILED_OK,
	SMSG_MTU, /* a virtual link carries shorter (or longer) frames than before: upstream */
	SMSG_MTU_OK,
	SMSG_RATE, /* a TM asks the next for another rate of a virtual link */
	SMSG_RATE_OK,
	SMSG_AGGREGATE, /* what a vNet may send on a LAN: TM asks, VBM says */
	SMSG_AGGREGATE_OK,
	SMSG_JOIN, /* a multi-access virtual link: member to VBM */
	SMSG_JOIN_OK,
	SMSG_LEAVE,
	SMSG_LEFT,
	SMSG_TYPES,
};

/* Why a message is not taken. */
enum smsg_drop {
	SMSG_GOOD,
	SMSG_DROP_SHORT,         /* cut, or longer than it says */
	SMSG_DROP_VERSION,       /* or a type that there is not */
	SMSG_DROP_KEY,           /* made with another key */
	SMSG_DROP_AUTHENTICATOR, /* forged or damaged */
	SMSG_DROP_RECEIVER,      /* for another node, or another link */
	SMSG_DROP_REPLAY,        /* its number was here before, or is too old to know */
	SMSG_DROP_BODY,          /* words that cannot be read */
	SMSG_DROP_STATE, /* its sender has not greeted us, or an answer that nobody waits for */
	SMSG_DROPS,
};

struct smsg {
	enum smsg_type type;
	uint32_t sequence;
	uint64_t sender, receiver, link;
	uint64_t number;
	const char *body; /* borrowed; not terminated when read */
	size_t body_len;
};

struct smsg_key {
	uint8_t octets[SIPHASH_KEY];
	uint16_t id; /* follows from the octets: smsg_key_init() */
};

/* "hello", "setup-ok"...; "?" for what is none. */
const char *smsg_type_name(unsigned type);
const char *smsg_drop_name(enum smsg_drop why);
/* True for types that answer a request. */
bool smsg_is_answer(enum smsg_type type);
/* A name as 64 bits; never 0. */
uint64_t smsg_id(const char *name);

void smsg_key_init(struct smsg_key *k, const uint8_t octets[SIPHASH_KEY]);
/* 32 hexadecimal digits. 0, or -1 with the error set. */
int smsg_key_parse(struct smsg_key *k, const char *hex, struct err *e);

/* Writes m; returns the octets used, or 0 if the body is too long. */
size_t smsg_write(uint8_t buf[SMSG_MAX], const struct smsg *m, const struct smsg_key *k);
/* Reads and authenticates; m borrows from data. What is good is not yet known to be fresh or for
 * us. */
enum smsg_drop smsg_read(const uint8_t *data, size_t len, const struct smsg_key *k, struct smsg *m);
/* The type of a message that smsg_write() made. */
enum smsg_type smsg_type_of(const uint8_t *data);
/* A hello to whoever is there, as it seems: nothing of it is checked. */
bool smsg_is_to_strangers(const uint8_t *data, size_t len);
/*
 * On a stream: the octets of the message that begins at data; 0: more are needed to tell, -1: this
 * is no message.
 */
int smsg_stream_length(const uint8_t *data, size_t len);

/* Which numbers of one sender were here: a window over the last 64, as in RFC 4303, 3.4.3. */
struct smsg_window {
	uint64_t top;  /* highest number taken */
	uint64_t seen; /* bit i: top - i was here */
};
/* True, once for each number, unless it is too old to know. */
bool smsg_window_take(struct smsg_window *w, uint64_t number);

#endif
