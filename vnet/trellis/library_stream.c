/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams of libtrellis: stream.h's state machine between a program and its endpoint. There is no
 * thread behind it: every call first takes what has come and sends what may be sent (advance()),
 * and then waits, if it has to, for the endpoint or for the time the machine names.
 */
#include "vnet/trellis/library.h"
#include "vnet/trellis/stream.h"

#include "lib/xalloc.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct trellis_stream {
	struct trellis *t; /* borrowed */
	int fd;
	uint16_t port;
	struct trellis_address peer;
	struct trellis_from peer_text;
	struct stream stream;
	uint32_t version; /* of the routes when the segment size was chosen */
	bool gone;        /* the endpoint is */
	bool news;        /* something came of which trellis_work() has not told */
	uint8_t frame[VNET_FRAME_MAX];
	uint8_t segment[TRELLIS_PACKET_MAX];
};

static uint32_t random_number(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		n = (uint32_t)library_now_ns();
	return n;
}

/*
 * Octets per segment on the way to the other end; 0: no way. It is asked for again whenever the
 * routes have changed: the way may be narrower now.
 */
static uint32_t segment_size(struct trellis_stream *s)
{
	const struct trellis_route *r = library_route(s->t, &s->peer);
	const struct trellis_table *table = library_table(s->t);
	uint32_t head = STREAM_HEAD;

	if (!r || !table)
		return 0;
	s->version = s->t->version;
	head += (uint32_t)trellis_packet_overhead(&s->peer, &table->self);
	return r->mtu > head + STREAM_MSS_MIN ? r->mtu - head : STREAM_MSS_MIN;
}

static void send_segment(struct trellis_stream *s, size_t len)
{
	struct trellis_packet p = {
		.kind = TRELLIS_STREAM,
		.hop_limit = TRELLIS_HOPS,
		.source_port = s->port,
		.destination_port = s->peer_text.port,
		.destination = s->peer,
		.payload = s->segment,
		.len = (uint16_t)len,
	};

	/* If it cannot be sent it counts as lost: it is sent again, perhaps by another way. */
	library_send(s->t, s->fd, &p, s->frame);
}

static void send_all(struct trellis_stream *s)
{
	size_t len;

	while ((len = stream_emit(&s->stream, s->segment, sizeof(s->segment), library_now_ns())))
		send_segment(s, len);
}

/*
 * "Too long" is no failure of the stream, but a smaller segment. Everything else is passed on to
 * the state machine, which knows whether it can bear it.
 */
static void take_error(struct trellis_stream *s, const struct trellis_packet *p)
{
	const struct trellis_table *table = library_table(s->t);
	struct trellis_error e;

	if (!table || !trellis_error_read(&e, p->payload, p->len))
		return;
	if (e.code != TRELLIS_ERROR_SIZE) {
		stream_network_error(&s->stream, library_errno(e.code));
		return;
	}
	size_t head = STREAM_HEAD + trellis_packet_overhead(&s->peer, &table->self);

	if (e.mtu > head)
		stream_set_mss(&s->stream, (uint32_t)(e.mtu - head));
}

static void take_packets(struct trellis_stream *s)
{
	struct trellis_packet p;
	unsigned count = 0;

	while (!s->gone && library_receive(s->fd, s->frame, &p, &s->gone)) {
		s->news = true;
		if (p.kind == TRELLIS_ERROR)
			take_error(s, &p);
		else
			stream_receive(&s->stream, p.payload, p.len, library_now_ns());
		/* Behind a gap each segment is acknowledged: the sender counts those duplicates. */
		if (s->stream.n_pieces || ++count % 2 == 0)
			send_all(s);
	}
	if (s->gone)
		stream_network_error(&s->stream, ECONNRESET);
}

/* Takes what came, sends what may be sent. In how many ms to call it again; -1: no time is set. */
static int advance(struct trellis_stream *s)
{
	int64_t now = library_now_ns();

	take_packets(s);
	if (s->version != vnet_table_version(s->t->table)) {
		uint32_t mss = segment_size(s);

		if (mss)
			stream_set_mss(&s->stream, mss);
	}
	stream_tick(&s->stream, library_now_ns());
	send_all(s);
	int64_t due = stream_due_ns(&s->stream);

	if (due == INT64_MAX)
		return -1;
	int64_t wait_ms = (due - now + 999999) / 1000000;

	return wait_ms < 0 ? 0 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

/*
 * What came is taken from the descriptor, whoever called: a caller that looked at the stream before
 * must look again, not wait for a descriptor that has nothing more to say.
 */
int trellis_work(struct trellis_stream *s)
{
	int due_ms = advance(s);

	if (!s->news)
		return due_ms;
	s->news = false;
	return 0;
}

/*
 * Waits for what may come, after advance() said due_ms and the stream was looked at: whatever comes
 * after that is still at the descriptor. False: the caller's time is over, or the endpoint has
 * gone.
 */
static bool wait_on(const struct trellis_stream *s, int due_ms, int64_t begin_ns, int timeout_ms)
{
	int left = library_left(begin_ns, timeout_ms);

	if (left == 0 || s->gone)
		return false;
	library_wait(s->fd, due_ms < 0 || (left >= 0 && left < due_ms) ? left : due_ms);
	return true;
}

static int fail_stream(const struct trellis_stream *s)
{
	int error = s->stream.error ? s->stream.error : ECONNRESET;

	return vnet_fail(error, "%s: %s", s->peer_text.address, strerror(error));
}

static struct trellis_stream *make_stream(struct trellis *t, const struct trellis_address *peer,
					  uint16_t peer_port)
{
	struct trellis_stream *s = xcalloc(1, sizeof(*s));

	s->t = t;
	s->fd = -1;
	s->peer = *peer;
	trellis_address_format(peer, s->peer_text.address);
	s->peer_text.port = peer_port;
	return s;
}

static int bind_stream(struct trellis_stream *s, const char *verb, uint16_t port)
{
	char request[TRELLIS_TEXT_MAX + 64];

	snprintf(request, sizeof(request), "%s %s %u", verb, s->peer_text.address,
		 s->peer_text.port);
	if (port)
		snprintf(request + strlen(request), 16, " %u", port);
	s->fd = library_bind(s->t, request, &s->port);
	return s->fd;
}

static void free_stream(struct trellis_stream *s)
{
	stream_finish(&s->stream);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* Works until it is in another state than this one, or the time is over. */
static void leave_state(struct trellis_stream *s, enum stream_state state, int64_t begin_ns,
			int timeout_ms)
{
	int due_ms;

	do
		due_ms = advance(s);
	while (s->stream.state == state && wait_on(s, due_ms, begin_ns, timeout_ms));
}

struct trellis_stream *trellis_connect(struct trellis *t, const char *to, uint16_t port,
				       int timeout_ms)
{
	int64_t begin = library_now_ns();
	struct trellis_address peer;

	if (library_resolve(t, to, &peer) < 0)
		return NULL;
	struct trellis_stream *s = make_stream(t, &peer, port);
	uint32_t mss = segment_size(s);

	if (!mss) {
		vnet_fail(ENETUNREACH, "no way to %s", s->peer_text.address);
		free(s);
		return NULL;
	}
	if (bind_stream(s, "connect", 0) < 0) {
		free(s);
		return NULL;
	}
	stream_connect(&s->stream, random_number(), mss, begin);
	leave_state(s, STREAM_CONNECTING, begin, timeout_ms);
	if (s->stream.state == STREAM_OPEN)
		return s;
	if (s->stream.state == STREAM_CONNECTING)
		vnet_fail(ETIMEDOUT, "%s does not answer", s->peer_text.address);
	else
		fail_stream(s);
	free_stream(s);
	return NULL;
}

/* A segment that belongs to no connection: its sender should know. */
static void refuse(struct trellis_socket *l, const struct trellis_packet *p)
{
	uint8_t segment[STREAM_HEAD] = {8}; /* RST */
	struct trellis_packet answer = {
		.kind = TRELLIS_STREAM,
		.hop_limit = TRELLIS_HOPS,
		.source_port = l->port,
		.destination_port = p->source_port,
		.destination = p->source,
		.payload = segment,
		.len = sizeof(segment),
	};

	if (p->len < STREAM_HEAD || (p->payload[0] & 8))
		return;
	memcpy(segment + 4, p->payload + 8, 4); /* what it expects next */
	library_send(l->t, l->fd, &answer, l->frame);
}

/* What the listener got: a stream, if it was a call that nobody has answered yet. */
static struct trellis_stream *answer_call(struct trellis_socket *l, const struct trellis_packet *p)
{
	uint8_t call[STREAM_HEAD];

	if (p->kind != TRELLIS_STREAM)
		return NULL;
	if (p->len != STREAM_HEAD || p->payload[0] != 1) {
		refuse(l, p);
		return NULL;
	}
	memcpy(call, p->payload, sizeof(call));
	struct trellis_stream *s = make_stream(l->t, &p->source, p->source_port);
	uint32_t mss = segment_size(s);

	if (!mss || bind_stream(s, "accept", l->port) < 0 ||
	    !stream_answer(&s->stream, call, sizeof(call), random_number(), mss,
			   library_now_ns())) {
		free_stream(s);
		return NULL;
	}
	return s;
}

/*
 * A call that is answered is waited for until it is open, within the caller's time: what comes back
 * is a stream on which somebody is. Others that call meanwhile wait in the endpoint's socket.
 */
struct trellis_stream *trellis_accept(struct trellis_socket *l, int timeout_ms)
{
	int64_t begin = library_now_ns();
	struct trellis_packet p;
	bool gone;

	for (;;) {
		while (library_receive(l->fd, l->frame, &p, &gone)) {
			struct trellis_stream *s = answer_call(l, &p);

			if (!s)
				continue;
			leave_state(s, STREAM_ANSWERING, begin, timeout_ms);
			if (s->stream.state != STREAM_ANSWERING && s->stream.state != STREAM_FAILED)
				return s;
			trellis_stream_close(s);
		}
		int left = library_left(begin, timeout_ms);

		if (gone)
			return NULL;
		if (!library_wait(l->fd, left) && left >= 0) {
			vnet_fail(ETIMEDOUT, "nobody calls");
			return NULL;
		}
	}
}

const struct trellis_from *trellis_peer(const struct trellis_stream *s)
{
	return &s->peer_text;
}

ssize_t trellis_read(struct trellis_stream *s, void *data, size_t size, int timeout_ms)
{
	int64_t begin = library_now_ns();

	for (;;) {
		int due_ms = advance(s);
		size_t n = stream_read(&s->stream, data, size);

		if (n) {
			send_all(s); /* there may be a window to tell of */
			return (ssize_t)n;
		}
		if (stream_at_end(&s->stream))
			return 0;
		if (s->stream.state == STREAM_FAILED)
			return fail_stream(s);
		if (!wait_on(s, due_ms, begin, timeout_ms))
			return vnet_fail(ETIMEDOUT, "nothing came");
	}
}

ssize_t trellis_write(struct trellis_stream *s, const void *data, size_t len, int timeout_ms)
{
	int64_t begin = library_now_ns();
	size_t done = 0;

	for (;;) {
		int due_ms = advance(s);
		size_t taken = stream_write(&s->stream, (const char *)data + done, len - done);

		done += taken;
		if (done == len) {
			send_all(s);
			return (ssize_t)done;
		}
		if (s->stream.state != STREAM_OPEN)
			return fail_stream(s);
		if (taken) /* is sent by advance(), which then says when it is due again */
			continue;
		if (!wait_on(s, due_ms, begin, timeout_ms))
			return done ? (ssize_t)done
				    : vnet_fail(ETIMEDOUT, "the other end takes no more");
	}
}

int trellis_end(struct trellis_stream *s, int timeout_ms)
{
	int64_t begin = library_now_ns();

	stream_end(&s->stream, begin);
	for (;;) {
		int due_ms = advance(s);

		if (stream_all_acked(&s->stream) || s->stream.state == STREAM_CLOSED)
			return 0;
		if (s->stream.state == STREAM_FAILED)
			return fail_stream(s);
		if (!wait_on(s, due_ms, begin, timeout_ms))
			return vnet_fail(ETIMEDOUT, "not all is acknowledged");
	}
}

/*
 * What was written and not acknowledged is given up, and the other end told so by a reset: whoever
 * wants all of it to arrive calls trellis_end() first.
 */
void trellis_stream_close(struct trellis_stream *s)
{
	if (!s)
		return;
	advance(s);
	if (s->stream.state != STREAM_CLOSED)
		stream_abort(&s->stream);
	send_all(s);
	free_stream(s);
}

int trellis_stream_fd(const struct trellis_stream *s)
{
	return s->fd;
}

void trellis_stream_numbers(const struct trellis_stream *s, struct trellis_numbers *n)
{
	*n = (struct trellis_numbers){
		.segments_sent = s->stream.segments_sent,
		.segments_again = s->stream.segments_again,
		.segments_received = s->stream.segments_received,
		.rtt_us = s->stream.srtt_ns / 1000,
	};
}
