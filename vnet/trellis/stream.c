/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One stream: its states, its two directions, and what a segment does to them. When to send again
 * and how much may be under way is stream_control.c's. Time comes in as an argument and segments go
 * out by stream_emit(), so that tests run whole connections, with losses, in no time.
 *
 * Octets have numbers on a circle of 32 bits; the octet of number s lies in buffer[s %
 * STREAM_BUFFER], in both directions, so that nothing is ever moved. SYN and FIN take a number
 * each, which makes them acknowledged and repeated by the same means as octets.
 *
 * Sending: [unacked, next) is under way, `highest` is the end of all that was ever sent. After a
 * loss `next` goes back to `unacked`, and what lies before `highest` is sent again. Receiving:
 * [taken, expected) is here in order and not read yet; what came ahead of a gap is stored in its
 * place in the buffer at once and noted as a piece, until the gap is filled.
 *
 * The caller asks stream_emit() for segments until there are none: it is the only place that
 * decides what is sent next, whether the reason is new octets, a retransmission, an acknowledgement
 * that is owed (ack_due) or a reset.
 */
#include "vnet/trellis/stream_priv.h"

#include "lib/octets.h"
#include "lib/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool read_segment(struct stream_segment *g, const uint8_t *p, size_t len)
{
	if (len < STREAM_HEAD || len > UINT16_MAX)
		return false;
	*g = (struct stream_segment){
		.flags = p[0],
		.sequence = get_be32(p + 4),
		.ack = get_be32(p + 8),
		.window = get_be32(p + 12),
		.stamp = get_be32(p + 16),
		.echo = get_be32(p + 20),
		.data = p + STREAM_HEAD,
		.len = (uint32_t)(len - STREAM_HEAD),
	};
	return true;
}

static void begin(struct stream *s, uint32_t iss, uint32_t mss)
{
	memset(s, 0, sizeof(*s));
	s->out = xmalloc(STREAM_BUFFER);
	s->in = xmalloc(STREAM_BUFFER);
	s->mss = mss < STREAM_MSS_MIN ? STREAM_MSS_MIN : mss;
	s->unacked = s->next = s->highest = iss;
	s->end = iss + 1; /* behind the SYN */
	s->congestion = 10 * s->mss;
	s->threshold = STREAM_BUFFER;
	s->rto_ns = STREAM_RTO_FIRST_NS;
}

void stream_connect(struct stream *s, uint32_t iss, uint32_t mss, int64_t now_ns)
{
	begin(s, iss, mss);
	s->state = STREAM_CONNECTING;
}

static void take_syn(struct stream *s, const struct stream_segment *g)
{
	s->taken = s->expected = g->sequence + 1;
	s->window = g->window < STREAM_BUFFER ? g->window : STREAM_BUFFER;
	s->last_stamp = g->stamp;
	s->ack_due = true;
}

bool stream_answer(struct stream *s, const uint8_t *data, size_t len, uint32_t iss, uint32_t mss,
		   int64_t now_ns)
{
	struct stream_segment g;

	if (!read_segment(&g, data, len) ||
	    (g.flags & (STREAM_SYN | STREAM_ACK | STREAM_RST)) != STREAM_SYN)
		return false;
	begin(s, iss, mss);
	s->state = STREAM_ANSWERING;
	take_syn(s, &g);
	return true;
}

void stream_finish(struct stream *s)
{
	free(s->out);
	free(s->in);
	memset(s, 0, sizeof(*s));
	s->state = STREAM_CLOSED;
}

void stream_fail(struct stream *s, int error)
{
	if (s->state == STREAM_CLOSED || s->state == STREAM_FAILED)
		return;
	s->state = STREAM_FAILED;
	s->error = error;
	s->timer_ns = 0;
}

static bool fin_is_sent(const struct stream *s)
{
	return s->fin_wanted && stream_before(s->end, s->highest);
}

/*
 * What the network says ends a stream only while it is being opened, or if the other end itself
 * says that there is none: an open one outlives a lost route, and finds its way when there is one
 * again.
 */
void stream_network_error(struct stream *s, int error)
{
	/* The other end has gone after its last acknowledgement, which was lost: nothing is
	 * missing. */
	if (error == ECONNREFUSED && s->fin_here && fin_is_sent(s) && s->unacked == s->end) {
		s->state = STREAM_CLOSED;
		return;
	}
	if (s->state == STREAM_OPEN && error == ECONNREFUSED)
		error = ECONNRESET;
	if (s->state != STREAM_OPEN || error == ECONNRESET)
		stream_fail(s, error);
}

void stream_set_mss(struct stream *s, uint32_t mss)
{
	if (mss >= s->mss || mss < STREAM_MSS_MIN)
		return;
	s->mss = mss;
	s->next = s->unacked; /* segments that were too long were dropped on the way */
}

void stream_abort(struct stream *s)
{
	s->reset_due = s->state != STREAM_CLOSED && s->state != STREAM_FAILED;
	stream_fail(s, ECONNABORTED);
}

/* Keeps [from, to) of the circle, which lies within the window. */
static void store(struct stream *s, uint32_t from, const uint8_t *data, uint32_t len)
{
	uint32_t at = from % STREAM_BUFFER;
	uint32_t first = len < STREAM_BUFFER - at ? len : STREAM_BUFFER - at;

	memcpy(s->in + at, data, first);
	memcpy(s->in, data + first, len - first);
}

static void remove_piece(struct stream *s, size_t i)
{
	memmove(&s->pieces[i], &s->pieces[i + 1], (--s->n_pieces - i) * sizeof(s->pieces[0]));
}

/*
 * Notes that [from, to) is here. False: too many pieces; it will be sent again. Pieces that touch
 * or overlap become one. If all places are taken, what came is forgotten as if it had been lost.
 */
static bool note_piece(struct stream *s, uint32_t from, uint32_t to)
{
	for (size_t i = s->n_pieces; i-- > 0;) {
		struct stream_piece *p = &s->pieces[i];

		if (stream_before(to, p->begin) || stream_before(p->end, from))
			continue;
		if (stream_before(p->begin, from))
			from = p->begin;
		if (stream_before(to, p->end))
			to = p->end;
		remove_piece(s, i);
	}
	if (!stream_before(s->expected, from)) {
		s->expected = to;
		return true;
	}
	if (s->n_pieces == STREAM_GAPS)
		return false;
	s->pieces[s->n_pieces++] = (struct stream_piece){from, to};
	return true;
}

/*
 * What lies before `expected` was received already, what lies beyond the window was never allowed:
 * of a segment that overlaps, only the rest counts.
 */
static void take_data(struct stream *s, const struct stream_segment *g)
{
	uint32_t from = g->sequence;
	uint32_t to = g->sequence + g->len;
	uint32_t limit = s->taken + STREAM_BUFFER;
	const uint8_t *data = g->data;

	s->ack_due = true;
	if (stream_before(from, s->expected)) {
		if (stream_before(to, s->expected))
			return;
		data += s->expected - from;
		from = s->expected;
	}
	if (stream_before(limit, to))
		to = limit;
	if (s->fin_seen && stream_before(s->fin_at, to))
		to = s->fin_at; /* nothing comes behind the end */
	if (s->fin_here || !stream_before(from, to))
		return;
	if (note_piece(s, from, to))
		store(s, from, data, to - from);
}

static void take_fin(struct stream *s, const struct stream_segment *g)
{
	s->ack_due = true;
	if (!s->fin_seen) {
		s->fin_seen = true;
		s->fin_at = g->sequence + g->len;
	}
}

/* The end is here when all before it is. */
static void reach_fin(struct stream *s)
{
	if (s->fin_seen && !s->fin_here && s->expected == s->fin_at) {
		s->fin_here = true;
		s->expected++;
	}
	if (s->fin_here && s->fin_acked && s->state == STREAM_OPEN && !s->ack_due)
		s->state = STREAM_CLOSED;
}

static void receive_connecting(struct stream *s, const struct stream_segment *g, int64_t now_ns)
{
	if (!(g->flags & STREAM_SYN) || !(g->flags & STREAM_ACK) || g->ack != s->highest ||
	    s->highest == s->unacked)
		return;
	take_syn(s, g);
	s->state = STREAM_OPEN;
	stream_take_ack(s, g, now_ns);
}

static bool in_window(const struct stream *s, const struct stream_segment *g)
{
	return !stream_before(g->sequence + g->len + 1, s->taken) &&
	       stream_before(g->sequence, s->taken + STREAM_BUFFER + 1);
}

static void receive_open(struct stream *s, const struct stream_segment *g, int64_t now_ns)
{
	if (g->flags & STREAM_SYN) {
		s->ack_due = true; /* our answer, or our acknowledgement of theirs, was lost */
		if (s->state == STREAM_ANSWERING)
			s->next = s->unacked;
		return;
	}
	if (!in_window(s, g)) {
		s->ack_due = true;
		return;
	}
	/* Which time stamp is echoed: RFC 7323, section 4.3. */
	if (!stream_before(s->expected, g->sequence))
		s->last_stamp = g->stamp;
	if (g->flags & STREAM_ACK) {
		stream_take_ack(s, g, now_ns);
		if (s->state == STREAM_ANSWERING && s->unacked == s->end)
			s->state = STREAM_OPEN;
	}
	if (s->state != STREAM_OPEN)
		return;
	if (g->len)
		take_data(s, g);
	if (g->flags & STREAM_FIN)
		take_fin(s, g);
	reach_fin(s);
}

void stream_receive(struct stream *s, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct stream_segment g;

	if (!read_segment(&g, data, len) || s->state == STREAM_FAILED)
		return;
	s->segments_received++;
	if (g.flags & STREAM_RST) {
		bool ours = s->state == STREAM_CONNECTING ? g.ack == s->highest : in_window(s, &g);

		if (ours)
			stream_network_error(s, ECONNREFUSED);
		return;
	}
	if (s->state == STREAM_CLOSED)
		s->ack_due =
			(g.flags & STREAM_FIN) || g.len; /* our last acknowledgement was lost */
	else if (s->state == STREAM_CONNECTING)
		receive_connecting(s, &g, now_ns);
	else
		receive_open(s, &g, now_ns);
}

size_t stream_write(struct stream *s, const void *data, size_t len)
{
	uint32_t held = s->end - s->unacked;
	uint32_t room = held < STREAM_BUFFER ? STREAM_BUFFER - held : 0;

	if (s->state != STREAM_OPEN || s->fin_wanted)
		return 0;
	if (len > room)
		len = room;
	uint32_t at = s->end % STREAM_BUFFER;
	size_t first = len < STREAM_BUFFER - at ? len : STREAM_BUFFER - at;

	memcpy(s->out + at, data, first);
	memcpy(s->out, (const uint8_t *)data + first, len - first);
	s->end += (uint32_t)len;
	return len;
}

/* How many octets came in order and were not read. */
static uint32_t readable(const struct stream *s)
{
	return s->expected - s->taken - (s->fin_here ? 1 : 0);
}

static uint32_t window_now(const struct stream *s)
{
	uint32_t held = readable(s);

	return held < STREAM_BUFFER ? STREAM_BUFFER - held : 0;
}

size_t stream_read(struct stream *s, void *data, size_t size)
{
	uint32_t n = s->in ? readable(s) : 0;
	uint32_t at = s->taken % STREAM_BUFFER;

	if (n > size)
		n = (uint32_t)size;
	if (!n)
		return 0;
	uint32_t first = n < STREAM_BUFFER - at ? n : STREAM_BUFFER - at;

	memcpy(data, s->in + at, first);
	memcpy((uint8_t *)data + first, s->in, n - first);
	s->taken += n;
	/* The other end may wait for room: it is told once there is enough to be worth a packet. */
	if (s->state == STREAM_OPEN && !s->fin_here &&
	    window_now(s) >= s->told_window + STREAM_BUFFER / 4)
		s->ack_due = true;
	return n;
}

bool stream_at_end(const struct stream *s)
{
	return s->fin_here && readable(s) == 0;
}

bool stream_all_acked(const struct stream *s)
{
	return s->fin_wanted ? s->fin_acked : s->unacked == s->end;
}

void stream_end(struct stream *s, int64_t now_ns)
{
	s->fin_wanted = true;
}

static size_t write_segment(struct stream *s, uint8_t *p, uint8_t flags, uint32_t sequence,
			    uint32_t len, int64_t now_ns)
{
	uint32_t at = sequence % STREAM_BUFFER;
	uint32_t first = len < STREAM_BUFFER - at ? len : STREAM_BUFFER - at;

	if (s->state != STREAM_CONNECTING)
		flags |= STREAM_ACK;
	memset(p, 0, 4);
	p[0] = flags;
	s->told_window = window_now(s);
	put_be32(p + 4, sequence);
	put_be32(p + 8, flags & STREAM_ACK ? s->expected : 0);
	put_be32(p + 12, s->told_window);
	put_be32(p + 16, stream_stamp(now_ns));
	put_be32(p + 20, s->last_stamp);
	memcpy(p + STREAM_HEAD, s->out + at, first);
	memcpy(p + STREAM_HEAD + first, s->out, len - first);
	s->ack_due = false;
	s->segments_sent++;
	return STREAM_HEAD + len;
}

/* A segment that takes sequence numbers leaves. */
static size_t send_numbered(struct stream *s, uint8_t *p, uint8_t flags, uint32_t len,
			    int64_t now_ns)
{
	uint32_t sequence = s->next;

	s->next += len + (flags & (STREAM_SYN | STREAM_FIN) ? 1 : 0);
	s->segments_again += stream_before(sequence, s->highest);
	if (stream_before(s->highest, s->next))
		s->highest = s->next;
	if (!s->timer_ns)
		s->timer_ns = now_ns + s->rto_ns;
	return write_segment(s, p, flags, sequence, len, now_ns);
}

static size_t emit_reset(struct stream *s, uint8_t *p, int64_t now_ns)
{
	s->reset_due = false;
	return write_segment(s, p, STREAM_RST, s->next, 0, now_ns);
}

/* How many octets may be sent from `next` on. */
static uint32_t allowed(struct stream *s)
{
	uint32_t window = s->window < s->congestion ? s->window : s->congestion;
	uint32_t sent = s->next - s->unacked;
	uint32_t n = stream_before(s->next, s->end) ? s->end - s->next : 0;

	if (n > s->mss)
		n = s->mss;
	if (sent >= window)
		return 0;
	if (n <= window - sent)
		return n;
	/* While others are under way, a part of a segment can wait: small ones waste the link. */
	return sent ? 0 : window - sent;
}

/* The first segment that is not acknowledged, once more. 0: there is none. */
static size_t emit_again(struct stream *s, uint8_t *p, int64_t now_ns)
{
	uint32_t next = s->next;
	uint32_t n = stream_before(s->unacked, s->end) ? s->end - s->unacked : 0;

	s->resend = false;
	if (n > s->mss)
		n = s->mss;
	bool last = s->fin_wanted && !s->fin_acked && s->unacked + n == s->end;

	if (!n && !last)
		return 0;
	s->next = s->unacked;
	size_t len = send_numbered(s, p, last ? STREAM_FIN : 0, n, now_ns);

	if (stream_before(s->next, next))
		s->next = next;
	return len;
}

static size_t emit_open(struct stream *s, uint8_t *p, int64_t now_ns)
{
	size_t len = s->resend ? emit_again(s, p, now_ns) : 0;

	if (len)
		return len;
	uint32_t n = s->fin_acked ? 0 : allowed(s);
	bool last = s->fin_wanted && s->next + n == s->end && !s->fin_acked;

	if (n)
		return send_numbered(s, p, last ? STREAM_FIN : 0, n, now_ns);
	if (last)
		return send_numbered(s, p, STREAM_FIN, 0, now_ns);
	/* A shut window, and nothing under way that would open it: the timer will ask. */
	if (stream_before(s->next, s->end) && !stream_outstanding(s) && !s->timer_ns)
		s->timer_ns = now_ns + s->rto_ns;
	return s->ack_due ? write_segment(s, p, 0, s->next, 0, now_ns) : 0;
}

size_t stream_emit(struct stream *s, uint8_t *p, size_t size, int64_t now_ns)
{
	size_t n = 0;

	assert(size >= STREAM_HEAD + s->mss);
	switch (s->state) {
	case STREAM_CONNECTING:
	case STREAM_ANSWERING:
		return s->next == s->end ? 0 : send_numbered(s, p, STREAM_SYN, 0, now_ns);
	case STREAM_OPEN:
		n = emit_open(s, p, now_ns);
		reach_fin(s);
		return n;
	case STREAM_CLOSED:
		return s->ack_due && s->out ? write_segment(s, p, 0, s->next, 0, now_ns) : 0;
	case STREAM_FAILED:
		return s->reset_due ? emit_reset(s, p, now_ns) : 0;
	}
	return 0;
}

int64_t stream_due_ns(const struct stream *s)
{
	return s->timer_ns ? s->timer_ns : INT64_MAX;
}
