/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reliable stream between two ports: set-up by two messages and an answer, a sliding window in
 * both directions, retransmission with measured round trip times (RFC 6298, with a time stamp in
 * every segment as in RFC 7323, so that a retransmitted one measures, too), slow start, congestion
 * avoidance and fast recovery (RFC 5681, RFC 6582), an end of each direction. A state machine,
 * pure: segments, octets and time go in, segments and octets come out.
 *
 * A segment is the payload of a TRELLIS_STREAM packet: flags (1: SYN, 2: ACK, 4: FIN, 8: RST), 0,
 * 0, 0, sequence number (4), acknowledgement (4), window (4), time stamp in ms (4), time stamp that
 * is answered (4), octets. SYN and FIN take a sequence number each.
 */
#ifndef VNET_TRELLIS_STREAM_H
#define VNET_TRELLIS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STREAM_HEAD = 24,
	STREAM_BUFFER = 256 << 10, /* octets held in each direction */
	STREAM_GAPS = 64,          /* pieces that may be here ahead of others */
	STREAM_MSS_MIN = 64,
};

enum stream_state {
	STREAM_CONNECTING, /* our SYN is under way */
	STREAM_ANSWERING,  /* a SYN came, our answer is under way */
	STREAM_OPEN,
	STREAM_CLOSED, /* both directions have ended, and all of ours is acknowledged */
	STREAM_FAILED, /* see error */
};

/* A piece that is here ahead of others: [begin, end). */
struct stream_piece {
	uint32_t begin, end;
};

struct stream {
	enum stream_state state;
	int error; /* errno value: ECONNREFUSED, ECONNRESET, ETIMEDOUT, ENETUNREACH */
	uint32_t mss;

	/* what we send: sequence numbers; the octet of number s is out[s % STREAM_BUFFER] */
	uint8_t *out;
	uint32_t unacked, next,
		highest; /* first not acknowledged, next to send, end of what was ever sent */
	uint32_t end;    /* of what was written */
	uint32_t window; /* how much the other end takes, behind unacked */
	bool fin_wanted, fin_acked;              /* FIN has number `end` */
	uint32_t congestion, threshold, counted; /* windows in octets; acknowledged in this round */
	uint32_t recover;        /* fast recovery lasts until this is acknowledged */
	bool recovering, resend; /* resend: the first segment that is not acknowledged */
	unsigned duplicates, tries;
	int64_t srtt_ns, rttvar_ns, rto_ns, timer_ns; /* timer 0: not set */

	/* what we receive */
	uint8_t *in;
	uint32_t taken, expected; /* first not read by the application, next in order */
	struct stream_piece pieces[STREAM_GAPS];
	size_t n_pieces;
	bool fin_seen, fin_here; /* it has come; all before it has come */
	uint32_t fin_at;
	uint32_t last_stamp, told_window;
	bool ack_due, reset_due;
	uint64_t segments_sent, segments_again, segments_received;
};

/* Begins; buffers are allocated. iss: a number that the other end does not know; mss: octets per
 * segment. */
void stream_connect(struct stream *s, uint32_t iss, uint32_t mss, int64_t now_ns);
/* Begins as the answer to a segment; false: it is not a SYN, and nothing was begun. */
bool stream_answer(struct stream *s, const uint8_t *data, size_t len, uint32_t iss, uint32_t mss,
		   int64_t now_ns);
void stream_finish(struct stream *s);
/* A segment came. Anything may come. */
void stream_receive(struct stream *s, const uint8_t *data, size_t len, int64_t now_ns);
/* The next segment to send now: its length, or 0: none. Ask until there is none. size >=
 * STREAM_HEAD + mss. */
size_t stream_emit(struct stream *s, uint8_t *p, size_t size, int64_t now_ns);
/* When to ask again if nothing comes (INT64_MAX: never); by then, stream_tick() must be called. */
int64_t stream_due_ns(const struct stream *s);
void stream_tick(struct stream *s, int64_t now_ns);
/* Takes octets to send: how many fit. 0 as well when it is not open. */
size_t stream_write(struct stream *s, const void *data, size_t len);
/* Gives octets that came in order. 0: none now; see stream_at_end(). */
size_t stream_read(struct stream *s, void *data, size_t size);
/* The other end has ended its direction, and all was read. */
bool stream_at_end(const struct stream *s);
/* All that was written is acknowledged (the end too, if it was said). */
bool stream_all_acked(const struct stream *s);
/* Ends our direction, behind what was written. */
void stream_end(struct stream *s, int64_t now_ns);
/* Gives up at once; the other end is told by the next stream_emit(). */
void stream_abort(struct stream *s);
/* The network says that the other end is not there (errno value). Once it is open, only
 * ECONNREFUSED counts. */
void stream_network_error(struct stream *s, int error);
/* A smaller packet is all that fits on the way: octets per segment from now on. */
void stream_set_mss(struct stream *s, uint32_t mss);

#endif
