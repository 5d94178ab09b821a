/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hub or a switch as an object of the substrate. The device itself is pure (device.h); here it
 * gets ports that cables can be plugged into, its time, and somebody who sends what it wants sent.
 *
 * A frame that comes in at a port is put before the device with its port's number. The device fills
 * a list of ports, each with the same frame or one of its own; the frame then leaves by each of
 * them, with a reference for each. After every call the device is asked when it wants to be called
 * by itself (next_due_ns), and one event of the device stands in the calendar for that.
 *
 * A port sends frames on at once, and they wait in the cable. That changes with the first frame
 * that has an 802.1Q priority, if the cable has a rate: from then on a scheduler (core/pacer.h)
 * stands in front of it, which sends frames with a priority first. Ports that never see one pay
 * nothing for it.
 */
#include "substrate/device/devnode.h"

#include "lib/container_of.h"
#include "lib/nearest.h"
#include "substrate/cable/cable.h"
#include "substrate/core/end.h"
#include "substrate/core/pacer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct devport;

struct devnode {
	struct object object;
	const struct device_kind *kind;
	struct device *device;                  /* owned */
	struct devport *port[DEVICE_PORTS_MAX]; /* by number from 0 */
	struct event event;                     /* its tick */
	int64_t event_ns;                       /* when that is; INT64_MAX: not */
	struct event_source source;
	uint64_t dropped[DEVICE_DROPS];
	uint64_t frames;
	struct device_out out; /* scratch */
};

struct devport {
	struct object object;
	struct end end;
	struct devnode *node; /* NULL: its device went */
	uint16_t number;
	/*
	 * From the first frame with a priority (IEEE 802.1Q) on, if its cable has a rate: frames
	 * wait here, and those with a priority go before those without. Else in the cable.
	 */
	struct pacer pacer;
	struct htb_class *plain; /* owned by the pacer's scheduler: frames without a priority */
	int64_t rate_bps;        /* of the pacer */
};

/*
 * Settings do not tell a device the time. What it wants done may then be due at a time that is
 * over: it is done now.
 */
static void set_tick_after(struct devnode *d, int64_t now_ns)
{
	struct substrate *s = d->object.sub;
	int64_t due = d->kind->next_due_ns ? d->kind->next_due_ns(d->device) : INT64_MAX;

	if (due < now_ns)
		due = now_ns;
	if (due == d->event_ns)
		return;
	d->event_ns = due;
	if (due == INT64_MAX)
		calendar_cancel(&s->calendar, &d->event);
	else
		calendar_add(&s->calendar, &d->event, due, &d->source);
}

static void set_tick(struct devnode *d)
{
	set_tick_after(d, INT64_MIN);
}

/* The tag must be the outermost, as it is where a switch looks; priority 0 is best effort. */
static bool has_priority(const struct frame *f)
{
	return f->len >= FRAME_MIN + 4 && f->data[12] == 0x81 && f->data[13] == 0 &&
	       f->data[14] >> 5;
}

static void leave_port(struct pacer *pacer, struct frame *f, struct htb_class *from, int64_t now_ns)
{
	struct devport *p = container_of(pacer, struct devport, pacer);

	end_send(&p->end, f, now_ns);
}

/* Sends a frame (with its reference) out of a port. */
static void port_send(struct devport *p, struct frame *f, int64_t now_ns)
{
	bool first = has_priority(f);
	int64_t rate_bps;

	/* Without priorities the cable queues as well, and a pacer would cost for nothing. */
	if (!p->plain && !first) {
		end_send(&p->end, f, now_ns);
		return;
	}
	rate_bps = cable_rate_bps(&p->end);
	/* Nothing waits for a cable without a rate, so there is no order to change. */
	if (!p->plain && !rate_bps) {
		end_send(&p->end, f, now_ns);
		return;
	}
	if (!p->plain) {
		pacer_init(&p->pacer, p->object.sub, rate_bps, now_ns, leave_port);
		p->plain = htb_best_effort_create(p->pacer.htb, "", 0, p->pacer.last_ns);
	} else if (rate_bps != p->rate_bps) {
		htb_set_rate(p->pacer.htb, rate_bps, p->pacer.last_ns);
	}
	p->rate_bps = rate_bps;
	frame_keep(f);
	pacer_send(&p->pacer, first ? htb_control(p->pacer.htb) : p->plain, f, f->len, now_ns);
}

/* Sends what a device put out; frame f of the caller keeps its own reference. */
static void send_out(struct devnode *d, struct device_out *out, struct frame *f, int64_t now_ns)
{
	for (uint32_t i = 0; i < out->n; i++) {
		struct devport *p =
			out->at[i].port < DEVICE_PORTS_MAX ? d->port[out->at[i].port] : NULL;
		struct frame *copy = out->at[i].frame;

		if (copy == f)
			frame_ref(copy);
		if (p)
			port_send(p, copy, now_ns);
		else
			frame_unref(copy);
	}
}

static void tick(struct event *ev, int64_t now_ns)
{
	struct devnode *d = container_of(ev, struct devnode, event);
	struct device_out *out = &d->out;

	out->n = 0;
	d->event_ns = INT64_MAX;
	if (d->kind->tick)
		d->kind->tick(d->device, now_ns, d->object.sub->pool, out);
	send_out(d, out, NULL, now_ns);
	set_tick(d);
}

static void port_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	struct devport *p = (struct devport *)n->object;
	struct devnode *d = p->node;

	if (!d || f->len < FRAME_MIN) {
		end_drop(n, f, d ? END_DROP_RUNT : END_DROP_DOWN);
		return;
	}
	struct device_out *out = &d->out;

	out->n = 0;
	d->frames += frame_count(f);
	enum device_drop why = d->kind->forward(d->device, p->number, f, now_ns, out);

	if (why != DEVICE_FORWARDED)
		d->dropped[why] += frame_count(f);
	send_out(d, out, f, now_ns);
	frame_unref(f);
	set_tick(d);
}

static void port_carrier(struct end *n, int64_t now_ns)
{
	struct devport *p = (struct devport *)n->object;

	if (!p->node)
		return;
	p->node->kind->port_change(p->node->device, p->number, n->carrier, now_ns);
	set_tick(p->node);
}

static uint16_t port_takes(const struct end *n)
{
	const struct devnode *d = ((const struct devport *)n->object)->node;

	return d && d->kind->takes_raw && d->kind->takes_raw(d->device) ? UINT16_MAX : 0;
}

static void port_limits(const struct end *n, struct end_wire *wire)
{
	const struct devnode *d = ((const struct devport *)n->object)->node;

	if (d && d->kind->is_shared)
		wire->shared = d->kind->is_shared(d->device, &wire->rate_bps);
}

static const struct end_kind port_end_kind = {.deliver = port_deliver,
					      .carrier = port_carrier,
					      .limits = port_limits,
					      .takes = port_takes};

/* A setting of the device may be one that its neighbours see. */
static void tell_neighbours(struct devnode *d, int64_t now_ns)
{
	for (int i = 0; i < DEVICE_PORTS_MAX; i++) {
		struct end *n = d->port[i] ? &d->port[i]->end : NULL;

		if (n && n->cable)
			n->hooks->limits_changed(n, now_ns);
	}
}

static int split_word(const char *word, char key[64], const char **value, struct err *e)
{
	const char *eq = strchr(word, '=');

	if (!eq || eq - word >= 64)
		return err_set(e, ERR_USAGE, "'%s' is not key=value", word);
	memcpy(key, word, (size_t)(eq - word));
	key[eq - word] = '\0';
	*value = eq + 1;
	return 0;
}

static int device_set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct devnode *d = (struct devnode *)o;
	const char *value = NULL;
	char key[64];

	for (size_t i = 0; i < n; i++)
		if (split_word(words[i], key, &value, e) < 0 ||
		    d->kind->set(d->device, key, value, e) < 0)
			return -1;
	set_tick_after(d, substrate_now_ns(o->sub));
	tell_neighbours(d, substrate_now_ns(o->sub));
	return 0;
}

static void device_destroy(struct object *o)
{
	struct devnode *d = (struct devnode *)o;

	for (int i = 0; i < DEVICE_PORTS_MAX; i++)
		if (d->port[i])
			d->port[i]->object.kind->destroy(&d->port[i]->object);
	calendar_cancel(&o->sub->calendar, &d->event);
	d->kind->destroy(d->device);
	object_finish(o);
	free(d);
}

static void device_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct devnode *d = (struct devnode *)o;

	json_string(j, "device", d->kind->name);
	json_uint(j, "frames", d->frames);
	json_open(j, "dropped", '{');
	for (int i = DEVICE_FORWARDED + 1; i < DEVICE_DROPS; i++)
		if (d->dropped[i])
			json_uint(j, device_drop_name((enum device_drop)i), d->dropped[i]);
	json_close(j, '}');
	d->kind->status(d->device, now_ns, j);
}

static const struct object_kind device_object_kind = {
	.name = "device", .destroy = device_destroy, .set = device_set, .status = device_status};

static const struct device_kind *find_kind(struct substrate *s, const char *name, struct err *e)
{
	struct nearest near;

	nearest_init(&near, name);
	for (int i = 0; s->kinds[i]; i++) {
		if (!strcmp(s->kinds[i]->name, name))
			return s->kinds[i];
		nearest_offer(&near, s->kinds[i]->name);
	}
	err_set(e, ERR_USAGE, "there is no device '%s'%s", name, nearest_hint(&near));
	return NULL;
}

struct object *devnode_create(struct substrate *s, const char *name, const char *kind,
			      char *const *words, size_t n, struct err *e)
{
	const struct device_kind *k = find_kind(s, kind, e);

	if (!k)
		return NULL;
	struct devnode *d = xcalloc(1, sizeof(*d));

	if (object_add(&d->object, s, &device_object_kind, name, e) < 0) {
		free(d);
		return NULL;
	}
	event_source_init(&d->source, s);
	d->event.fire = tick;
	d->event_ns = INT64_MAX;
	d->kind = k;
	d->device = k->create(name, s->seed);
	if (device_set(&d->object, words, n, e) < 0) {
		device_destroy(&d->object);
		return NULL;
	}
	return &d->object;
}

static int port_set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct devport *p = (struct devport *)o;
	const char *value = NULL;
	char key[64];

	for (size_t i = 0; i < n; i++)
		if (split_word(words[i], key, &value, e) < 0 ||
		    p->node->kind->set_port(p->node->device, p->number, key, value, e) < 0)
			return -1;
	set_tick_after(p->node, substrate_now_ns(o->sub));
	return 0;
}

static void port_destroy(struct object *o)
{
	struct devport *p = (struct devport *)o;

	if (p->plain) {
		htb_class_destroy(p->plain, p->pacer.last_ns);
		pacer_finish(&p->pacer);
	}
	end_finish(&p->end);
	p->node->port[p->number] = NULL;
	object_finish(o);
	free(p);
}

static void queue_status(const struct htb_class *c, const char *name, struct json *j)
{
	const struct htb_counters *n = htb_class_counters(c);
	uint64_t bytes;
	uint32_t frames;

	htb_class_queue(c, &frames, &bytes);
	json_open(j, name, '{');
	json_uint(j, "offered_frames", n->offered_frames);
	json_uint(j, "dropped_frames", n->dropped_frames[HTB_DROP_QUEUE]);
	json_uint(j, "waiting_frames", frames);
	json_int(j, "longest_wait_ns", n->longest_wait_ns);
	json_close(j, '}');
}

static void port_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct devport *p = (struct devport *)o;

	json_string(j, "device", p->node->object.name);
	json_uint(j, "number", p->number + 1u);
	end_status(&p->end, j);
	if (p->plain) {
		queue_status(htb_control(p->pacer.htb), "priority_queue", j);
		queue_status(p->plain, "plain_queue", j);
	}
}

static struct end *port_end(struct object *o)
{
	return &((struct devport *)o)->end;
}

static const struct object_kind port_object_kind = {
	.name = "port",
	.destroy = port_destroy,
	.set = port_set,
	.status = port_status,
	.end = port_end,
};

struct object *devport_create(struct substrate *s, const char *name, struct object *device,
			      unsigned number, char *const *words, size_t n, struct err *e)
{
	struct devnode *d = (struct devnode *)device;

	if (device->kind != &device_object_kind) {
		err_set(e, ERR_USAGE, "'%s' is a %s, not a device", device->name,
			device->kind->name);
		return NULL;
	}
	if (number < 1 || number > DEVICE_PORTS_MAX || d->port[number - 1]) {
		err_set(e, ERR_USAGE, "%s: port %u is %s", device->name, number,
			number < 1 || number > DEVICE_PORTS_MAX ? "out of range" : "there already");
		return NULL;
	}
	struct devport *p = xcalloc(1, sizeof(*p));

	if (object_add(&p->object, s, &port_object_kind, name, e) < 0) {
		free(p);
		return NULL;
	}
	p->end.kind = &port_end_kind;
	p->end.object = &p->object;
	p->node = d;
	p->number = (uint16_t)(number - 1);
	d->port[p->number] = p;
	if (port_set(&p->object, words, n, e) < 0) {
		port_destroy(&p->object);
		return NULL;
	}
	return &p->object;
}
