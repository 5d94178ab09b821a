/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When to send again, and how much may be under way.
 *
 * The retransmission timer follows the measured round trip time (RFC 6298); every segment carries a
 * time stamp that is echoed, so that one that was sent again measures, too. Two windows bound what
 * is under way: the other end's room, and `congestion`, our guess of what the path holds. It
 * doubles each round trip up to `threshold` (slow start), then grows by a segment each (RFC 5681).
 *
 * Three duplicate acknowledgements mean a loss: half the window, and the missing segment goes out
 * at once. Until all that was under way then is acknowledged (`recover`), each partial
 * acknowledgement uncovers the next hole (RFC 6582). If the timer goes off instead, nothing is
 * known of the path any more: one segment, then slow start.
 */
#include "vnet/trellis/stream_priv.h"

#include <errno.h>

static const int64_t rto_min_ns = 200 * STREAM_MS;
static const int64_t rto_max_ns = 10000 * STREAM_MS;
static const int64_t rtt_max_ns = 60000 * STREAM_MS;
enum { TRIES_MAX = 12, SYN_TRIES_MAX = 6 };

/* Round trip times, RFC 6298, section 2. */
static void measure(struct stream *s, int64_t rtt_ns)
{
	if (rtt_ns > rtt_max_ns) /* nobody answered that */
		return;
	if (!s->srtt_ns) {
		s->srtt_ns = rtt_ns;
		s->rttvar_ns = rtt_ns / 2;
	} else {
		int64_t off = rtt_ns > s->srtt_ns ? rtt_ns - s->srtt_ns : s->srtt_ns - rtt_ns;

		s->rttvar_ns += (off - s->rttvar_ns) / 4;
		s->srtt_ns += (rtt_ns - s->srtt_ns) / 8;
	}
	s->rto_ns = s->srtt_ns + 4 * s->rttvar_ns;
	if (s->rto_ns < rto_min_ns)
		s->rto_ns = rto_min_ns;
	if (s->rto_ns > rto_max_ns)
		s->rto_ns = rto_max_ns;
}

bool stream_outstanding(const struct stream *s)
{
	return s->unacked != s->highest;
}

static void enter_recovery(struct stream *s)
{
	uint32_t flight = s->highest - s->unacked;

	s->threshold = flight / 2 > 2 * s->mss ? flight / 2 : 2 * s->mss;
	s->congestion = s->threshold + 3 * s->mss;
	s->recovering = true;
	s->recover = s->highest;
	s->resend = true;
}

static void grow(struct stream *s, uint32_t acked)
{
	if (s->congestion < s->threshold) {
		s->congestion += acked < s->mss ? acked : s->mss;
		return;
	}
	s->counted += acked;
	if (s->counted >= s->congestion) {
		s->counted -= s->congestion;
		s->congestion += s->mss;
	}
}

/* New octets are acknowledged: RFC 6582 in recovery, RFC 5681 else. */
static void acked_more(struct stream *s, uint32_t ack, int64_t now_ns)
{
	uint32_t acked = ack - s->unacked;

	s->unacked = ack;
	if (stream_before(s->next, ack))
		s->next = ack;
	s->duplicates = 0;
	s->tries = 0;
	if (s->recovering && !stream_before(ack, s->recover)) {
		s->recovering = false;
		s->congestion = s->threshold;
	} else if (s->recovering) {
		/* A partial acknowledgement: what follows it was lost, too. */
		s->congestion -= acked < s->congestion ? acked : s->congestion;
		s->congestion += s->mss;
		s->resend = true;
	} else {
		grow(s, acked);
	}
	if (s->congestion > STREAM_BUFFER)
		s->congestion = STREAM_BUFFER;
	if (s->fin_wanted && ack == s->end + 1)
		s->fin_acked = true;
	s->timer_ns = stream_outstanding(s) ? now_ns + s->rto_ns : 0;
}

void stream_take_ack(struct stream *s, const struct stream_segment *g, int64_t now_ns)
{
	bool same_window = g->window == s->window;

	if (stream_before(s->highest, g->ack) || stream_before(g->ack, s->unacked))
		return;
	s->window = g->window < STREAM_BUFFER ? g->window : STREAM_BUFFER;
	if (g->echo)
		measure(s, (int64_t)(uint32_t)(stream_stamp(now_ns) - g->echo) * STREAM_MS);
	if (!s->window)
		s->tries = 0; /* a shut window that is answered is no loss */
	if (g->ack != s->unacked) {
		acked_more(s, g->ack, now_ns);
		return;
	}
	if (g->len || !same_window || (g->flags & STREAM_FIN) || !stream_outstanding(s))
		return;
	s->duplicates++;
	if (s->duplicates == 3 && !s->recovering)
		enter_recovery(s);
	else if (s->duplicates > 3 && s->recovering)
		s->congestion += s->mss;
}

void stream_tick(struct stream *s, int64_t now_ns)
{
	bool opening = s->state == STREAM_CONNECTING || s->state == STREAM_ANSWERING;

	if (!s->timer_ns || s->timer_ns > now_ns || s->state >= STREAM_CLOSED)
		return;
	s->timer_ns = 0;
	if (++s->tries > (opening ? SYN_TRIES_MAX : TRIES_MAX)) {
		stream_fail(s, ETIMEDOUT);
		return;
	}
	if (stream_outstanding(s) && s->window) {
		uint32_t flight = s->highest - s->unacked;

		s->threshold = flight / 2 > 2 * s->mss ? flight / 2 : 2 * s->mss;
		s->congestion = s->mss;
	}
	s->recovering = false;
	s->duplicates = 0;
	s->next = s->unacked;
	s->resend = !opening;
	s->rto_ns = 2 * s->rto_ns < rto_max_ns ? 2 * s->rto_ns : rto_max_ns;
}
