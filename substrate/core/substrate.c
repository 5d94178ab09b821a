/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A turn of the process: the loop hands out descriptors and timers, then substrate_run() does what
 * is due by the calendar. Both make frames, and neither delivers them in a call of its own: a frame
 * that a plain cable passes is put in a queue (hops), and substrate_drain() takes the queue until
 * it is empty. So a broadcast storm or a chain of switches takes no stack, and frames of one sender
 * stay in order.
 *
 * What is dear and serves many frames alike, such as a call to a guest or a wake-up of another
 * process, is put off (flush) until the queue is empty. What is put off by something that was put
 * off waits for the next turn: a guest that sends faster than it is served must not keep
 * descriptors from theirs.
 */
#include "substrate/core/substrate.h"

#include "lib/nearest.h"
#include "substrate/core/end.h"
#include "substrate/core/linger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	POOL_BYTES = 256 << 20,
	BATCH_HOPS = 16384, /* of plain cables: a loop of them must not hold the process */
};

struct substrate *substrate_create(struct loop *l, const struct device_kind *const *kinds)
{
	struct substrate *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->kinds = kinds;
	s->time = &timekeeper_real;
	s->pool = frame_pool_create(POOL_BYTES);
	s->last_flush = &s->first_flush;
	calendar_init(&s->calendar);
	return s;
}

static struct hop take_hop(struct substrate *s)
{
	struct hop h = s->hops.at[s->hops.head];

	s->hops.head = (s->hops.head + 1) & (s->hops.cap - 1);
	s->hops.n--;
	return h;
}

void substrate_destroy(struct substrate *s)
{
	if (!s)
		return;
	/* Backwards: cables go before the ends they join, guests after their NICs. */
	while (s->objects.n) {
		struct object *o = s->objects.at[s->objects.n - 1];

		o->kind->destroy(o);
	}
	/* What is under way has no end to reach any more. */
	while (calendar_next_ns(&s->calendar) != INT64_MAX)
		calendar_fire(&s->calendar);
	while (s->hops.n)
		frame_unref(take_hop(s).frame);
	s->time->destroy(s);
	calendar_finish(&s->calendar);
	linger_finish(&s->lingers);
	frame_pool_destroy(s->pool);
	free(s->hops.at);
	vec_free(&s->objects);
	free(s->save_to);
	free(s);
}

int64_t substrate_now_ns(const struct substrate *s)
{
	return s->time->now_ns(s);
}

int64_t substrate_due_ns(const struct substrate *s)
{
	if (s->awaited)
		return INT64_MAX;
	if (s->hops.n || s->first_flush)
		return 0;
	return s->time->due_ns(s);
}

void substrate_run(struct substrate *s)
{
	if (!s->awaited)
		s->time->run(s);
}

void substrate_drain(struct substrate *s, int64_t now_ns)
{
	/* Not before those are there whom it may reach (thaw.h). */
	if (s->awaited)
		return;
	for (int i = 0; s->hops.n && i < BATCH_HOPS; i++) {
		struct hop h = take_hop(s);

		if (h.to)
			end_deliver(h.to, h.frame, now_ns);
		else
			frame_unref(h.frame);
	}
	/* Numbers of turns run over: they are compared by their difference. */
	uint32_t turn = s->flush_turn++;

	while (s->first_flush && (int32_t)(s->first_flush->turn - turn) <= 0) {
		struct flush *f = s->first_flush;

		s->first_flush = f->next;
		if (!s->first_flush)
			s->last_flush = &s->first_flush;
		f->queued = false; /* before it runs: it may put itself off again */
		f->run(f, now_ns);
	}
}

void substrate_put_off(struct substrate *s, struct flush *f)
{
	if (f->queued)
		return;
	f->queued = true;
	f->turn = s->flush_turn;
	f->next = NULL;
	*s->last_flush = f;
	s->last_flush = &f->next;
}

/*
 * Whoever is destroyed while it waits for the end of the batch must be taken out of the list, which
 * would else run into freed memory. That is rare, so the list has links one way only and is
 * searched.
 */
void substrate_forget(struct substrate *s, struct flush *f)
{
	if (!f->queued)
		return;
	for (struct flush **p = &s->first_flush; *p; p = &(*p)->next) {
		if (*p != f)
			continue;
		*p = f->next;
		if (!f->next)
			s->last_flush = p;
		break;
	}
	f->queued = false;
}

/* Rare: inlined, it would make substrate_hop() save registers for every frame. */
__attribute__((noinline, cold)) static void grow_hops(struct substrate *s)
{
	uint32_t cap = s->hops.cap ? s->hops.cap * 2 : 256;
	struct hop *at = xreallocarray(NULL, cap, sizeof(*at));

	for (uint32_t i = 0; i < s->hops.n; i++)
		at[i] = s->hops.at[(s->hops.head + i) & (s->hops.cap - 1)];
	free(s->hops.at);
	s->hops.at = at;
	s->hops.head = 0;
	s->hops.cap = cap;
}

/*
 * A ring whose size is a power of two: a place is found by a mask. It never shrinks, as what one
 * burst needed the next will need again.
 */
void substrate_hop(struct substrate *s, struct end *to, struct frame *f)
{
	if (s->hops.n == s->hops.cap)
		grow_hops(s);
	s->hops.at[(s->hops.head + s->hops.n++) & (s->hops.cap - 1)] =
		(struct hop){.to = to, .frame = f};
}

void substrate_forget_end(struct substrate *s, struct end *to)
{
	for (uint32_t i = 0; i < s->hops.n; i++) {
		struct hop *h = &s->hops.at[(s->hops.head + i) & (s->hops.cap - 1)];

		/* The frame stays in its place, and is dropped when its turn comes. */
		if (h->to == to)
			h->to = NULL;
	}
}

/*
 * Sources are numbered in the order in which objects are declared, and the script fixes that order.
 * So two runs number them alike, and events of one instant come in the same order in both
 * (calendar.c).
 */
void event_source_init(struct event_source *from, struct substrate *s)
{
	*from = (struct event_source){.id = ++s->last_source};
}

/*
 * Only commands look for names; frames follow pointers. So a list will do. Its order, that of the
 * declarations, is relied on: objects are destroyed backwards, and the clock looks at cables in it.
 */
struct object *object_find(struct substrate *s, const char *name)
{
	for (size_t i = 0; i < s->objects.n; i++)
		if (!strcmp(s->objects.at[i]->name, name))
			return s->objects.at[i];
	return NULL;
}

bool object_is_part_of(const struct object *o, const char *node)
{
	size_t len = strlen(node);

	return o->kind->listen && !strncmp(o->name, node, len) && o->name[len] == ':';
}

struct object *object_find_kind(struct substrate *s, const char *name,
				const struct object_kind *kind, struct err *e)
{
	struct object *o = object_find(s, name);
	struct nearest near;

	if (o && (!kind || o->kind == kind))
		return o;
	if (o) {
		err_set(e, ERR_USAGE, "'%s' is a %s, not a %s", name, o->kind->name, kind->name);
		return NULL;
	}
	nearest_init(&near, name);
	for (size_t i = 0; i < s->objects.n; i++)
		if (!kind || s->objects.at[i]->kind == kind)
			nearest_offer(&near, s->objects.at[i]->name);
	err_set(e, ERR_USAGE, "there is no %s%s'%s'%s", kind ? kind->name : "", kind ? " " : "",
		name, nearest_hint(&near));
	return NULL;
}

int object_add(struct object *o, struct substrate *s, const struct object_kind *kind,
	       const char *name, struct err *e)
{
	struct object *old = object_find(s, name);

	if (old)
		return err_set(e, ERR_USAGE, "'%s' is a %s already", name, old->kind->name);
	o->kind = kind;
	o->name = xstrdup(name);
	o->sub = s;
	vec_push(&s->objects, o);
	return 0;
}

void object_finish(struct object *o)
{
	struct substrate *s = o->sub;

	/* Backwards: most that go came last. */
	for (size_t i = s->objects.n; i-- > 0;) {
		if (s->objects.at[i] == o) {
			vec_remove(&s->objects, i);
			break;
		}
	}
	free(o->name);
	o->name = NULL;
}

void substrate_event(struct substrate *s, const char *fmt, ...)
{
	char line[1536];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (s->on_event)
		s->on_event(s, line);
}
