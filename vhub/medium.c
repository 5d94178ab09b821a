/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The theory is in medium.h. Two times decide everything: when the first station begins (open_ns),
 * and one propagation later, when all hear that. Between the two, others may still begin, so
 * nothing is known; then it is either one, who sends to the end, or a collision. So each
 * transmission costs two or three events, however long it is, and no timer of a station need ever
 * be taken back.
 */
#include "vhub/medium.h"

#include "lib/xalloc.h"

#include <stdlib.h>

/* Whole nanoseconds, rounded up. */
static int64_t bits_ns(const struct medium *m, int64_t bits)
{
	return (bits * 1000000000 + m->rate_bps - 1) / m->rate_bps;
}

static int64_t propagation_ns(const struct medium *m)
{
	return m->propagation_ns ? m->propagation_ns : bits_ns(m, MEDIUM_PROPAGATION_BITS);
}

void medium_init(struct medium *m, uint64_t seed, const char *name)
{
	*m = (struct medium){.rate_bps = 10000000, .queue = MEDIUM_QUEUE, .last_sender = -1};
	m->idle_ns = INT64_MIN / 2;
	rng_init(&m->random, seed, name, "backoff");
}

static struct frame *take_first(struct medium *m, struct medium_station *s)
{
	struct frame *f = s->queue[s->head];

	s->head = (s->head + 1) % m->queue;
	s->n--;
	s->attempts = 0;
	s->deferred = false;
	return f;
}

void medium_forget(struct medium *m, uint16_t port)
{
	struct medium_station *s = &m->station[port];

	while (s->n)
		frame_unref(take_first(m, s));
	free(s->queue);
	s->queue = NULL;
	s->head = 0;
}

void medium_finish(struct medium *m)
{
	for (int i = 0; i < m->n_stations; i++)
		medium_forget(m, (uint16_t)i);
	if (m->flight)
		frame_unref(m->flight);
	m->flight = NULL;
}

/* All that is queued or on its way is lost: its times are those of another rate. */
void medium_set(struct medium *m, int64_t rate_bps, int64_t propagation_ns, uint32_t queue)
{
	medium_finish(m);
	m->open = false;
	m->rate_bps = rate_bps;
	m->propagation_ns = propagation_ns;
	m->queue = queue;
}

/* Since when the station hears nothing. */
static int64_t station_idle_ns(const struct medium *m, int port)
{
	return port == m->last_sender ? m->sender_idle_ns : m->idle_ns;
}

/* When the station begins if nobody else does before; INT64_MAX: it has nothing to send. */
static int64_t start_ns(const struct medium *m, int port)
{
	const struct medium_station *s = &m->station[port];
	int64_t gap_ns = station_idle_ns(m, port) + bits_ns(m, MEDIUM_GAP_BITS);

	if (!s->n)
		return INT64_MAX;
	return s->ready_ns > gap_ns ? s->ready_ns : gap_ns;
}

/* From then on it begins whatever it hears: in the last third of a gap nobody listens any more. */
static int64_t commit_ns(const struct medium *m, int port)
{
	int64_t start = start_ns(m, port);

	return start > m->station[port].ready_ns && start != INT64_MAX
		       ? start - bits_ns(m, MEDIUM_GAP_BITS) / 3
		       : start;
}

static int64_t first_start_ns(const struct medium *m)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < m->n_stations; i++) {
		int64_t t = m->station[i].n ? start_ns(m, i) : INT64_MAX;

		first = t < first ? t : first;
	}
	return first;
}

/*
 * The queue's memory comes with the first frame of a port: a hub has many ports, and most carry
 * nothing.
 */
bool medium_send(struct medium *m, uint16_t port, struct frame *f, int64_t now_ns)
{
	struct medium_station *s = &m->station[port];

	if (s->n == m->queue) {
		s->queue_full++;
		return false;
	}
	if (port >= m->n_stations)
		m->n_stations = port + 1;
	if (!s->queue)
		s->queue = xmalloc(m->queue * sizeof(struct frame *));
	s->queue[(s->head + s->n) % m->queue] = frame_ref(f);
	if (s->n++ == 0)
		s->ready_ns = now_ns;
	return true;
}

int64_t medium_next_ns(const struct medium *m)
{
	int64_t next = m->open ? m->open_ns + propagation_ns(m) : first_start_ns(m);

	return m->flight && m->flight_ns < next ? m->flight_ns : next;
}

static void count_deferral(struct medium_station *s, bool deferred)
{
	if (deferred && !s->deferred)
		s->deferred_transmissions++;
	s->deferred |= deferred;
}

/* The only one that began by the time all heard it: it sends to the end. */
static void succeed(struct medium *m, int port)
{
	struct medium_station *s = &m->station[port];
	const struct frame *f = s->queue[s->head];
	uint32_t len = f->len < MEDIUM_SHORTEST ? MEDIUM_SHORTEST : f->len;
	int64_t begin_ns = start_ns(m, port);
	int64_t end_ns =
		begin_ns + bits_ns(m, MEDIUM_PREAMBLE_BITS + ((int64_t)len + MEDIUM_FCS_BYTES) * 8);

	count_deferral(s, begin_ns > s->ready_ns);
	s->sent++;
	s->single_collision_frames += s->attempts == 1;
	s->multiple_collision_frames += s->attempts > 1;
	m->frames++;
	m->busy_ns += end_ns - begin_ns;
	/* The sender knows that it is over before the last bit reaches the others. */
	m->last_sender = port;
	m->sender_idle_ns = end_ns;
	m->idle_ns = end_ns + propagation_ns(m);
	m->flight = take_first(m, s);
	m->flight_ns = m->idle_ns;
	m->flight_from = (uint16_t)port;
	s->ready_ns = end_ns; /* of the next frame in its queue */
}

/* A station learns that it collided, at heard_ns. Returns when its jam ends. */
static int64_t collide(struct medium *m, int port, int64_t heard_ns)
{
	struct medium_station *s = &m->station[port];
	int64_t begin_ns = start_ns(m, port);
	/* Who hears a collision within its own preamble sends that to its end first. */
	int64_t preamble_ns = begin_ns + bits_ns(m, MEDIUM_PREAMBLE_BITS);
	int64_t end_ns =
		(heard_ns > preamble_ns ? heard_ns : preamble_ns) + bits_ns(m, MEDIUM_JAM_BITS);

	count_deferral(s, begin_ns > s->ready_ns);
	s->collisions++;
	s->ready_ns = end_ns;
	/* The frame is lost, and the next one begins with a fresh count. */
	if (++s->attempts == MEDIUM_ATTEMPTS) {
		s->excessive_collisions++;
		frame_unref(take_first(m, s));
		return end_ns;
	}
	unsigned k = s->attempts < MEDIUM_BACKOFF_LIMIT ? s->attempts : MEDIUM_BACKOFF_LIMIT;

	s->ready_ns +=
		(int64_t)rng_below(&m->random, UINT64_C(1) << k) * bits_ns(m, MEDIUM_SLOT_BITS);
	return end_ns;
}

/* All that began by now collide. The first hears the second, the others hear the first. */
static void collide_all(struct medium *m, const uint16_t *port, int n)
{
	int64_t heard_ns[DEVICE_PORTS_MAX];
	int64_t second_ns = INT64_MAX;
	int64_t end_ns = 0;
	int first = 0;

	for (int i = 1; i < n; i++)
		if (start_ns(m, port[i]) < start_ns(m, port[first]))
			first = i;
	for (int i = 0; i < n; i++)
		if (i != first && start_ns(m, port[i]) < second_ns)
			second_ns = start_ns(m, port[i]);
	for (int i = 0; i < n; i++)
		heard_ns[i] = (i == first ? second_ns : m->open_ns) + propagation_ns(m);
	for (int i = 0; i < n; i++) {
		int64_t t = collide(m, port[i], heard_ns[i]);

		end_ns = t > end_ns ? t : end_ns;
	}
	m->collisions++;
	m->busy_ns += end_ns - m->open_ns;
	m->last_sender = -1;
	m->idle_ns = end_ns + propagation_ns(m);
}

/* All hear now what began at open_ns. */
static void decide(struct medium *m)
{
	int64_t heard_ns = m->open_ns + propagation_ns(m);
	uint16_t began[DEVICE_PORTS_MAX];
	int n = 0;

	for (int i = 0; i < m->n_stations; i++)
		if (m->station[i].n && commit_ns(m, i) < heard_ns)
			began[n++] = (uint16_t)i;
	m->open = false;
	if (n == 1)
		succeed(m, began[0]);
	else if (n > 1)
		collide_all(m, began, n);
}

/*
 * At one instant a frame that arrives goes before a new beginning: who hears its last bit can only
 * begin after it.
 */
struct frame *medium_run(struct medium *m, int64_t now_ns, uint16_t *from)
{
	for (int64_t t; (t = medium_next_ns(m)) <= now_ns;) {
		if (m->flight && m->flight_ns == t) {
			struct frame *f = m->flight;

			m->flight = NULL;
			*from = m->flight_from;
			return f;
		}
		if (m->open) {
			decide(m);
		} else {
			m->open = true;
			m->open_ns = t;
		}
	}
	return NULL;
}

static void station_status(const struct medium_station *s, int port, struct json *j)
{
	json_open(j, NULL, '{');
	json_int(j, "port", port + 1);
	json_uint(j, "queued", s->n);
	json_uint(j, "sent", s->sent);
	json_uint(j, "collisions", s->collisions);
	json_uint(j, "single_collision_frames", s->single_collision_frames);
	json_uint(j, "multiple_collision_frames", s->multiple_collision_frames);
	json_uint(j, "deferred_transmissions", s->deferred_transmissions);
	json_uint(j, "excessive_collisions", s->excessive_collisions);
	json_uint(j, "queue_full", s->queue_full);
	json_close(j, '}');
}

void medium_status(const struct medium *m, struct json *j)
{
	json_int(j, "rate_bps", m->rate_bps);
	json_int(j, "propagation_ns", propagation_ns(m));
	json_uint(j, "sent", m->frames);
	json_uint(j, "collisions", m->collisions);
	json_int(j, "busy_ms", m->busy_ns / 1000000);
	json_open(j, "stations", '[');
	for (int i = 0; i < m->n_stations; i++)
		if (m->station[i].sent || m->station[i].collisions || m->station[i].n)
			station_status(&m->station[i], i, j);
	json_close(j, ']');
}
