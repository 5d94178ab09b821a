/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler (rate/htb.c) is pure: it says when a frame may leave and gives it out when asked.
 * Here it gets its time. One event stands in the calendar for the next frame that may leave;
 * whatever changes that, a frame that comes or a rate that is set, asks anew. A scheduler is told
 * no time that is before one it was told: frames of guests that run side by side may come a little
 * out of order.
 */
#include "substrate/core/pacer.h"

#include "lib/container_of.h"

static void release(void *owner, void *item)
{
	frame_unref(item);
}

static int64_t tell_time(struct pacer *p, int64_t now_ns)
{
	if (now_ns > p->last_ns)
		p->last_ns = now_ns;
	return p->last_ns;
}

/*
 * put() may lead to another frame for the same scheduler, for instance when a node answers a
 * message at once. That is safe: due is asked only after the queue has no more to give.
 */
static void let_go(struct pacer *p, int64_t now_ns)
{
	struct htb_class *from;
	struct frame *f;
	int64_t now = tell_time(p, now_ns);

	while ((f = htb_dequeue(p->htb, now, &from)))
		p->put(p, f, from, now);
	int64_t due = htb_due_ns(p->htb);

	/* Most frames change nothing: the calendar is left alone. */
	if (due == p->event_ns)
		return;
	p->event_ns = due;
	if (due == INT64_MAX)
		calendar_cancel(&p->sub->calendar, &p->event);
	else
		substrate_schedule(p->sub, NULL, &p->event, due, &p->source);
}

static void fire(struct event *ev, int64_t now_ns)
{
	struct pacer *p = container_of(ev, struct pacer, event);

	p->event_ns = INT64_MAX;
	let_go(p, now_ns);
}

void pacer_init(struct pacer *p, struct substrate *s, int64_t rate_bps, int64_t now_ns,
		void (*put)(struct pacer *p, struct frame *f, struct htb_class *from,
			    int64_t now_ns))
{
	struct htb_params params = {
		.rate_bps = rate_bps, .slack_ns = s->time->late_ns, .release = release};

	*p = (struct pacer){.sub = s, .put = put, .event_ns = INT64_MAX};
	p->last_ns = now_ns;
	p->event.fire = fire;
	event_source_init(&p->source, s);
	p->htb = htb_create(&params, p->last_ns);
}

/*
 * The scheduler gives back what waits by release(): those frames count as dropped in their class.
 */
void pacer_finish(struct pacer *p)
{
	if (!p->htb)
		return;
	calendar_cancel(&p->sub->calendar, &p->event);
	htb_destroy(p->htb);
	p->htb = NULL;
}

bool pacer_send(struct pacer *p, struct htb_class *c, struct frame *f, uint32_t counted_bytes,
		int64_t now_ns)
{
	if (htb_enqueue(c, f, f->len, counted_bytes, tell_time(p, now_ns)) != HTB_QUEUED) {
		frame_unref(f);
		return false;
	}
	let_go(p, now_ns);
	return true;
}

void pacer_wake(struct pacer *p, int64_t now_ns)
{
	let_go(p, now_ns);
}
