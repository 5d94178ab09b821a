/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages between substrate nodes over a stream (docs/substrate.md, "Messages over streams"): one
 * end of one connection. What stands on a link's VLI 0 stands here as it is, one message behind the
 * other. First, and each second, both ends greet each other (a hello of link 0) and say which life
 * of the connection they hear; the stream is open while each hears the other's. So a greeting that
 * was recorded opens nothing, and a connection of which only one side is left ends by its silence.
 * Whatever is no authentic message ends the connection. Owns no time and no socket.
 */
#ifndef SUBSTRATE_OVERLAY_MESSAGE_STREAM_H
#define SUBSTRATE_OVERLAY_MESSAGE_STREAM_H

#include "substrate/overlay/message.h"

struct words;
struct message_stream;

struct message_stream_ops {
	/* Puts octets on the connection, or loses them. */
	void (*send)(struct message_stream *s, const uint8_t *data, size_t len);
	/* The other end has shown who it is: messages may be sent. */
	void (*opened)(struct message_stream *s, int64_t now_ns);
	/* An authentic message, which is not known to be fresh; data are its octets. */
	void (*message)(struct message_stream *s, const struct message *m, const uint8_t *data,
			size_t len, int64_t now_ns);
};

struct message_stream {
	const struct message_stream_ops *ops;
	void *owner;
	const struct message_key *key; /* borrowed */
	const char *name;              /* borrowed: of this node */
	uint64_t self, other;          /* message_id()s; other 0: whoever it turns out to be */
	uint64_t instance, heard; /* of this connection, ours and theirs; heard 0: nothing yet */
	uint64_t number;          /* of our last greeting */
	struct message_window window;    /* of theirs */
	char peer[MESSAGE_NAME_MAX + 1]; /* the name of the other node; "": not known yet */
	bool open;
	int64_t hello_ns, silent_ns;
	const char *why; /* static: why it is to be closed */
	struct {
		uint64_t sent, received;
		uint64_t dropped[MESSAGE_DROPS]; /* what came and was no good */
	} count;
};

/*
 * A connection has been made. peer: the name of the node that must be at the other end, or NULL.
 * number: from which numbers of greetings go up, as conversation_init() wants it; it is also the
 * life of this connection, so no two connections of this node may have the same. Greets.
 */
void message_stream_init(struct message_stream *s, const struct message_stream_ops *ops,
			 void *owner, const struct message_key *key, const char *name,
			 const char *peer, uint64_t number, int64_t now_ns);
/*
 * Octets that came, from the first that was not taken before. How many were taken, 0: more must
 * come first, or -1: the connection is to be closed (why says the reason).
 */
long message_stream_take(struct message_stream *s, const uint8_t *data, size_t len, int64_t now_ns);
/* Sends a message of a conversation. False: the stream is not open. */
bool message_stream_send(struct message_stream *s, const uint8_t *data, size_t len);
/* When message_stream_tick() wants to be called. */
int64_t message_stream_due_ns(const struct message_stream *s);
/* Greets, if it is time. False: the other end is silent, the connection is to be closed. */
bool message_stream_tick(struct message_stream *s, int64_t now_ns);

#endif
