/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A substrate whose time the test owns, with stations that keep what they get. */
#ifndef TESTS_UNIT_OVERLAY_HELP_H
#define TESTS_UNIT_OVERLAY_HELP_H

#include "lib/json.h"
#include "substrate/cable/cable.h"
#include "substrate/control/control.h"
#include "substrate/device/device.h"
#include "substrate/overlay/snif.h"

#ifdef OVERLAY_HELP_WITHOUT_CHECK
/* A fuzzer: no test runner. */
#define ck_assert_int_eq(a, b)         ((a) == (b) ? (void)0 : abort())
#define ck_assert_ptr_nonnull(p)       ((p) ? (void)0 : abort())
#define ck_assert_msg(true_, fmt, ...) ((true_) ? (void)0 : abort())
#else
#include <check.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t ms = 1000000;

struct station {
	struct object object;
	struct end end;
	uint64_t frames;
	uint32_t len; /* of the last one */
	uint8_t data[2048];
	int64_t at_ns;
};

static struct {
	struct loop *loop;
	struct substrate *sub;
	int64_t now_ns;
	char events[65536];
} world;

static void station_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	struct station *st = (struct station *)n->object;

	st->frames++;
	st->len = f->len;
	memcpy(st->data, f->data, f->len < sizeof(st->data) ? f->len : sizeof(st->data));
	st->at_ns = now_ns;
	frame_unref(f);
}

static void station_carrier(struct end *n, int64_t now_ns)
{
}

static void station_destroy(struct object *o)
{
	end_finish(&((struct station *)o)->end);
	object_finish(o);
	free(o);
}

static const struct end_kind station_end_kind = {.deliver = station_deliver,
						 .carrier = station_carrier};
static const struct object_kind station_kind = {.name = "station", .destroy = station_destroy};

/* A repeater: what comes in at one port leaves by all others, whatever it is. */
static struct device *repeater_create(const char *name, uint64_t seed)
{
	return (struct device *)calloc(1, sizeof(bool[DEVICE_PORTS_MAX]));
}

static void repeater_destroy(struct device *d)
{
	free(d);
}

static int repeater_set(struct device *d, const char *key, const char *value, struct err *e)
{
	return 0;
}

static int repeater_set_port(struct device *d, uint16_t port, const char *key, const char *value,
			     struct err *e)
{
	return 0;
}

static void repeater_port_change(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	((bool *)d)[port] = up;
}

static enum device_drop repeater_forward(struct device *d, uint16_t in, struct frame *f,
					 int64_t now_ns, struct device_out *out)
{
	for (uint16_t i = 0; i < DEVICE_PORTS_MAX; i++) {
		if (i == in || !((bool *)d)[i])
			continue;
		out->at[out->n].port = i;
		out->at[out->n++].frame = f;
	}
	return DEVICE_FORWARDED;
}

static void repeater_status(const struct device *d, int64_t now_ns, struct json *j)
{
}

static const struct device_kind repeater_kind = {.name = "repeater",
						 .create = repeater_create,
						 .destroy = repeater_destroy,
						 .set = repeater_set,
						 .set_port = repeater_set_port,
						 .port_change = repeater_port_change,
						 .forward = repeater_forward,
						 .status = repeater_status};

static void keep_event(struct substrate *s, const char *line)
{
	size_t len = strlen(world.events);

	snprintf(world.events + len, sizeof(world.events) - len, "%s\n", line);
}

static void world_setup(void)
{
	static const struct device_kind *const kinds[] = {&repeater_kind, NULL};
	struct err e;

	memset(&world, 0, sizeof(world));
	world.loop = loop_create(&e);
	world.sub = substrate_create(world.loop, kinds);
	world.sub->clock_ns = &world.now_ns;
	world.sub->seed = 1;
	world.sub->epoch_ns = INT64_C(1000000000) * 1000000;
	world.sub->on_event = keep_event;
}

static void world_teardown(void)
{
	substrate_destroy(world.sub);
	loop_destroy(world.loop);
}

static int try_to_say(char *error, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), unused));
static int try_to_say(char *error, const char *fmt, ...)
{
	char line[1024];
	struct err e = {0};
	va_list ap;
	FILE *f = fopen("/dev/null", "w");

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);

	va_end(ap);
	int rc = control_run_line(world.sub, line, (size_t)n, f, &e);

	fclose(f);
	if (error)
		strcpy(error, e.text);
	return rc;
}

#define say(...)                                                                            \
	do {                                                                                \
		char error_[1024];                                                          \
		ck_assert_msg(try_to_say(error_, __VA_ARGS__) == 0, "%s: %s", #__VA_ARGS__, \
			      error_);                                                      \
	} while (0)

/* Everything up to (and at) that time happens. */
static void run_until(int64_t at_ns)
{
	struct substrate *s = world.sub;

	substrate_drain(s, world.now_ns);
	while (calendar_next_ns(&s->calendar) <= at_ns) {
		world.now_ns = calendar_next_ns(&s->calendar);
		calendar_fire(&s->calendar);
		substrate_drain(s, world.now_ns);
	}
	world.now_ns = at_ns;
}

__attribute__((unused)) static void run_for(int64_t ns)
{
	run_until(world.now_ns + ns);
}

__attribute__((unused)) static bool happened(const char *event)
{
	return strstr(world.events, event) != NULL;
}

__attribute__((unused)) static void forget_events(void)
{
	world.events[0] = '\0';
}

/* A station plugged into the end of that name. */
__attribute__((unused)) static struct station *station_at(const char *name, const char *end)
{
	struct station *st = calloc(1, sizeof(*st));
	struct object *o = object_find(world.sub, end);
	char cable[128];
	struct err e;

	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(object_add(&st->object, world.sub, &station_kind, name, &e), 0);
	st->end = (struct end){.kind = &station_end_kind, .object = &st->object};
	snprintf(cable, sizeof(cable), "cable-%s", name);
	ck_assert_ptr_nonnull(
		cable_create(world.sub, cable, &st->end, end_of_object(o), NULL, 0, &e));
	return st;
}

__attribute__((unused)) static void station_send(struct station *st, const void *data, size_t len)
{
	struct frame *f = frame_get(world.sub->pool, (uint32_t)len);

	memcpy(f->data, data, len);
	end_send(&st->end, f, world.now_ns);
	substrate_drain(world.sub, world.now_ns);
}

/* A frame of len octets with a mark in it. */
__attribute__((unused)) static void station_send_marked(struct station *st, uint8_t mark,
							size_t len)
{
	uint8_t data[2048];

	memset(data, mark, sizeof(data));
	data[0] = 2;
	station_send(st, data, len);
}

/* The status of one object; the caller frees it. */
__attribute__((unused)) static char *status_of(const char *name)
{
	struct object *o = object_find(world.sub, name);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	ck_assert_ptr_nonnull(o);
	json_init(&j, f);
	json_open(&j, NULL, '{');
	o->kind->status(o, &j, world.now_ns);
	json_close(&j, '}');
	fclose(f);
	return text;
}

#define status_has(name, text)                                                              \
	do {                                                                                \
		char *status_ = status_of(name);                                            \
		ck_assert_msg(strstr(status_, text) != NULL, "no %s in %s", text, status_); \
		free(status_);                                                              \
	} while (0)

#endif
