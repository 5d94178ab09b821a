/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hub: what comes in at one port goes out at all others.
 *
 * A plain hub passes frames on as fast as its cables do. "shared" makes it one medium of a given
 * rate on which only one station can send, with the collisions of half-duplex Ethernet (medium.c):
 * then frames wait in the medium, and come out by ticks.
 *
 * A frame is not copied: each port in the list gets a reference to the same one. Nothing is learned
 * and nothing is looked at but the length, which must be that of a header.
 */
#include "vhub/hub.h"

#include "lib/units.h"
#include "lib/xalloc.h"
#include "vhub/medium.h"

#include <stdlib.h>
#include <string.h>

struct device {
	uint16_t up[DEVICE_PORTS_MAX]; /* the ports that are up */
	uint16_t n_up;
	uint64_t frames;
	bool shared;
	struct medium medium;
};

static struct device *hub_create(const char *name, uint64_t seed)
{
	struct device *d = xcalloc(1, sizeof(*d));

	medium_init(&d->medium, seed, name);
	return d;
}

static void hub_destroy(struct device *d)
{
	if (!d)
		return;
	medium_finish(&d->medium);
	free(d);
}

/* A new medium begins empty, as all that was queued had times of the old one. */
static int set_medium(struct device *d, const char *value, struct err *e)
{
	if (strcmp(value, "shared") != 0 && strcmp(value, "plain") != 0)
		return err_set(e, ERR_USAGE, "'%s' is not plain or shared", value);
	d->shared = !strcmp(value, "shared");
	medium_set(&d->medium, d->medium.rate_bps, d->medium.propagation_ns, d->medium.queue);
	return 0;
}

/* A station must hear of a collision while it still sends. 0 (the default) fits any rate. */
static int check_propagation(int64_t ns, int64_t rate_bps, struct err *e)
{
	int64_t half_slot_ns = MEDIUM_SLOT_BITS / 2 * INT64_C(1000000000) / rate_bps;

	if (ns > half_slot_ns)
		return err_set(e, ERR_USAGE,
			       "a propagation of %lldns is more than half a slot at this rate, "
			       "%lldns",
			       (long long)ns, (long long)half_slot_ns);
	return 0;
}

static int set_rate(struct device *d, const char *value, struct err *e)
{
	int64_t bps;

	if (unit_parse(UNIT_RATE, value, &bps, e) < 0)
		return -1;
	if (bps < 1000 || bps > INT64_C(100000000000))
		return err_set(e, ERR_USAGE, "'%s' is not between 1kbit and 100Gbit", value);
	if (check_propagation(d->medium.propagation_ns, bps, e) < 0)
		return -1;
	medium_set(&d->medium, bps, d->medium.propagation_ns, d->medium.queue);
	return 0;
}

static int set_propagation(struct device *d, const char *value, struct err *e)
{
	int64_t ns;

	if (unit_parse(UNIT_TIME, value, &ns, e) < 0 ||
	    check_propagation(ns, d->medium.rate_bps, e) < 0)
		return -1;
	medium_set(&d->medium, d->medium.rate_bps, ns, d->medium.queue);
	return 0;
}

static int set_queue(struct device *d, const char *value, struct err *e)
{
	int64_t n;

	if (unit_parse(UNIT_COUNT, value, &n, e) < 0)
		return -1;
	if (n < 1 || n > MEDIUM_QUEUE_MAX)
		return err_set(e, ERR_USAGE, "'%s' is not between 1 and %d", value,
			       MEDIUM_QUEUE_MAX);
	medium_set(&d->medium, d->medium.rate_bps, d->medium.propagation_ns, (uint32_t)n);
	return 0;
}

static const struct device_setting settings[] = {
	{"medium", set_medium},
	{"rate", set_rate},
	{"propagation", set_propagation},
	{"queue", set_queue},
};

static int hub_set(struct device *d, const char *key, const char *value, struct err *e)
{
	return device_set_key(settings, ARRAY_LEN(settings), "a hub", d, key, value, e);
}

static int hub_set_port(struct device *d, uint16_t port, const char *key, const char *value,
			struct err *e)
{
	return err_set(e, ERR_USAGE, "a port of a hub has no parameter '%s'", key);
}

/*
 * The list is kept in order, whatever the order in which ports come up: copies leave in order of
 * ports, and equal runs stay equal.
 */
static void hub_port_change(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	uint16_t i = 0;

	while (i < d->n_up && d->up[i] < port)
		i++;
	bool was_up = i < d->n_up && d->up[i] == port;
	size_t behind = (size_t)(d->n_up - i) * sizeof(d->up[0]);

	if (up && !was_up) {
		memmove(&d->up[i + 1], &d->up[i], behind);
		d->up[i] = port;
		d->n_up++;
	} else if (!up && was_up) {
		memmove(&d->up[i], &d->up[i + 1], behind - sizeof(d->up[0]));
		d->n_up--;
		medium_forget(&d->medium, port);
	}
}

static void repeat(struct device *d, uint16_t in, struct frame *f, struct device_out *out)
{
	for (uint16_t i = 0; i < d->n_up; i++) {
		if (d->up[i] == in)
			continue;
		out->at[out->n].port = d->up[i];
		out->at[out->n++].frame = f;
	}
}

static enum device_drop hub_forward(struct device *d, uint16_t in, struct frame *f, int64_t now_ns,
				    struct device_out *out)
{
	if (f->len < FRAME_MIN)
		return DEVICE_DROP_RUNT;
	if (d->shared)
		return medium_send(&d->medium, in, f, now_ns) ? DEVICE_FORWARDED
							      : DEVICE_DROP_QUEUE;
	repeat(d, in, f, out);
	if (!out->n)
		return DEVICE_DROP_NOBODY;
	d->frames += frame_count(f);
	return DEVICE_FORWARDED;
}

/* A shared medium holds frames, and their length in bytes is how long they take. */
static bool hub_takes_raw(const struct device *d)
{
	return !d->shared;
}

/* A plain one is as fast as its cables; still nobody behind it may send and receive at once. */
static bool hub_is_shared(const struct device *d, int64_t *rate_bps)
{
	if (d->shared)
		*rate_bps = d->medium.rate_bps;
	return true;
}

static int64_t hub_next_due_ns(const struct device *d)
{
	return d->shared ? medium_next_ns(&d->medium) : INT64_MAX;
}

/* One frame at most reaches the ports per call; next_due_ns() says if there is more to do. */
static void hub_tick(struct device *d, int64_t now_ns, struct frame_pool *pool,
		     struct device_out *out)
{
	uint16_t from;
	struct frame *f = d->shared ? medium_run(&d->medium, now_ns, &from) : NULL;

	if (!f)
		return;
	repeat(d, from, f, out);
	/* The medium gave us one reference, and the list wants one for each port. */
	for (uint32_t i = 0; i < out->n; i++)
		frame_ref(f);
	frame_unref(f);
	d->frames++;
}

static void hub_status(const struct device *d, int64_t now_ns, struct json *j)
{
	json_uint(j, "ports_up", d->n_up);
	json_uint(j, "repeated", d->frames);
	json_string(j, "medium", d->shared ? "shared" : "plain");
	if (d->shared)
		medium_status(&d->medium, j);
}

const struct device_kind hub_kind = {
	.name = "hub",
	.create = hub_create,
	.destroy = hub_destroy,
	.set = hub_set,
	.set_port = hub_set_port,
	.port_change = hub_port_change,
	.forward = hub_forward,
	.takes_raw = hub_takes_raw,
	.is_shared = hub_is_shared,
	.next_due_ns = hub_next_due_ns,
	.tick = hub_tick,
	.status = hub_status,
};
