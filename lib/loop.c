/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One epoll, one heap of timers, and the rule that everything may vanish while it is being handled.
 *
 * A turn waits until the first timer is due, reads the clock once, hands out the events that epoll
 * gave, then fires the timers that are due by that clock. Everybody who is called in a turn sees
 * the same time, so what happened together is dated together.
 *
 * Handlers may remove any watch and close any descriptor, also one whose event lies further on in
 * the same batch, and the number of a closed descriptor may be given to a new one at once. So epoll
 * carries (slot, generation), not a pointer: an event of a watch that was removed finds another
 * generation in its slot and is dropped. For the same reason a timer leaves the heap before it
 * fires. Slot 0 and heap index 0 stay empty: 0 in a watch or timer that was only zeroed means "not
 * in the loop".
 */
#include "lib/loop.h"

#include "lib/container_of.h"
#include "lib/minmax.h"
#include "lib/vec.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How long nobody is let in when there are no descriptors. */
#define ACCEPT_AGAIN_NS INT64_C(100000000)

struct slot {
	struct loop_watch *watch;
	uint32_t generation;
	bool is_full; /* a listener that is not looked at until `again` */
};

struct loop {
	int epoll_fd;
	bool stopped, turning;
	int64_t now_ns;
	uint32_t lowest_free;    /* no slot below it is free */
	struct loop_timer again; /* for listeners that are full */
	VEC(struct slot) slots;
	VEC(struct loop_timer *) heap;
};

/* How far the clock of this process is behind that of the system: as long as it was in a file. */
static int64_t behind_ns;

int64_t clock_host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return clock_host_ns() - behind_ns;
}

static void accept_again(struct loop_timer *t, int64_t now_ns)
{
	struct loop *l = container_of(t, struct loop, again);

	for (size_t i = 1; i < l->slots.n; i++) {
		struct slot *s = &l->slots.at[i];

		if (s->watch && s->is_full)
			loop_change(l, s->watch, EPOLLIN);
		s->is_full = false;
	}
}

int loop_accept(struct loop *l, struct loop_watch *w)
{
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* Who waits at the socket goes on waiting, so epoll would say so again and again. */
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
		int reason = errno;

		loop_change(l, w, 0);
		l->slots.at[w->slot].is_full = true;
		if (!l->again.heap_index)
			loop_set_timer(l, &l->again, loop_now_ns(l) + ACCEPT_AGAIN_NS);
		errno = reason;
	}
	return fd;
}

struct loop *loop_create(struct err *e)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		err_sys(e, "epoll_create1");
		free(l);
		return NULL;
	}
	vec_push_zero(&l->slots);
	vec_push_zero(&l->heap);
	l->lowest_free = 1;
	l->again.fire = accept_again;
	return l;
}

void loop_destroy(struct loop *l)
{
	if (!l)
		return;
	close(l->epoll_fd);
	vec_free(&l->slots);
	vec_free(&l->heap);
	free(l);
}

void loop_set_back(struct loop *l, int64_t then_ns)
{
	behind_ns += clock_monotonic_ns() - then_ns;
}

int loop_thaw(struct loop *l, int64_t then_ns, struct err *e)
{
	loop_set_back(l, then_ns);
	for (size_t i = 1; i < l->slots.n; i++) {
		struct slot *s = &l->slots.at[i];

		if (s->watch)
			s->watch->slot = 0;
		*s = (struct slot){.generation = s->generation + 1};
	}
	l->lowest_free = 1;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll_fd < 0 ? err_sys(e, "epoll_create1") : 0;
}

/* From the front, so the table stays as small as the most watches that there ever were. */
static uint32_t take_slot(struct loop *l, struct loop_watch *w)
{
	uint32_t i;

	for (i = l->lowest_free; i < l->slots.n && l->slots.at[i].watch; i++)
		;
	if (i == l->slots.n)
		vec_push_zero(&l->slots);
	l->slots.at[i].watch = w;
	l->slots.at[i].is_full = false;
	l->lowest_free = i + 1;
	return i;
}

int loop_add(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e)
{
	uint32_t i = take_slot(l, w);
	uint64_t data = (uint64_t)l->slots.at[i].generation << 32 | i;
	struct epoll_event ev = {.events = events, .data.u64 = data};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev) < 0) {
		l->slots.at[i].watch = NULL;
		l->lowest_free = i;
		return err_sys(e, "epoll_ctl");
	}
	w->slot = i;
	return 0;
}

void loop_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
	uint64_t data = (uint64_t)l->slots.at[w->slot].generation << 32 | w->slot;
	struct epoll_event ev = {.events = events, .data.u64 = data};

	assert(w->slot && l->slots.at[w->slot].watch == w);
	epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);
}

int loop_add_signals(struct loop *l, struct loop_watch *w, int also, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (also)
		sigaddset(&set, also);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->fd < 0 ? err_sys(e, "signalfd") : loop_add(l, w, EPOLLIN, e);
}

void loop_remove(struct loop *l, struct loop_watch *w)
{
	if (!w->slot)
		return;
	assert(l->slots.at[w->slot].watch == w);
	if (w->fd >= 0)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	l->slots.at[w->slot].watch = NULL;
	l->slots.at[w->slot].generation++;
	l->lowest_free = min_u32(l->lowest_free, w->slot);
	w->slot = 0;
}

static void heap_put(struct loop *l, uint32_t i, struct loop_timer *t)
{
	l->heap.at[i] = t;
	t->heap_index = i;
}

static void heap_up(struct loop *l, uint32_t i, struct loop_timer *t)
{
	for (; i > 1 && l->heap.at[i / 2]->at_ns > t->at_ns; i /= 2)
		heap_put(l, i, l->heap.at[i / 2]);
	heap_put(l, i, t);
}

static void heap_down(struct loop *l, uint32_t i, struct loop_timer *t)
{
	for (;;) {
		uint32_t child = i * 2;

		if (child >= l->heap.n)
			break;
		if (child + 1 < l->heap.n &&
		    l->heap.at[child + 1]->at_ns < l->heap.at[child]->at_ns)
			child++;
		if (l->heap.at[child]->at_ns >= t->at_ns)
			break;
		heap_put(l, i, l->heap.at[child]);
		i = child;
	}
	heap_put(l, i, t);
}

/*
 * The last of the heap takes the place that became free; it may belong further down or further up,
 * so both are tried, and one of them does nothing.
 */
void loop_cancel_timer(struct loop *l, struct loop_timer *t)
{
	uint32_t i = t->heap_index;

	if (!i)
		return;
	struct loop_timer *last = l->heap.at[--l->heap.n];

	t->heap_index = 0;
	if (last == t)
		return;
	heap_down(l, i, last);
	heap_up(l, last->heap_index, last);
}

void loop_set_timer(struct loop *l, struct loop_timer *t, int64_t at_ns)
{
	loop_cancel_timer(l, t);
	t->at_ns = at_ns;
	vec_push(&l->heap, t);
	heap_up(l, (uint32_t)l->heap.n - 1, t);
}

static void fire_timers(struct loop *l)
{
	while (l->heap.n > 1 && l->heap.at[1]->at_ns <= l->now_ns && !l->stopped) {
		struct loop_timer *t = l->heap.at[1];

		loop_cancel_timer(l, t);
		t->fire(t, l->now_ns);
	}
}

/*
 * epoll_pwait2(2), for its timeout has nanoseconds: whole milliseconds would add up to one to every
 * timer, and a cable's delay can be shorter.
 */
int loop_turn(struct loop *l, int64_t until_ns, struct err *e)
{
	struct epoll_event ev[64];
	int64_t now = clock_monotonic_ns();
	int64_t due = l->heap.n > 1 ? l->heap.at[1]->at_ns : INT64_MAX;

	if (until_ns < due)
		due = until_ns;
	int64_t wait = due > now ? due - now : 0;
	struct timespec ts = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
	int n = epoll_pwait2(l->epoll_fd, ev, ARRAY_LEN(ev), due == INT64_MAX ? NULL : &ts, NULL);

	if (n < 0 && errno != EINTR)
		return err_sys(e, "epoll_pwait2");
	l->now_ns = clock_monotonic_ns();
	l->turning = true;
	for (int i = 0; i < n && !l->stopped; i++) {
		uint32_t at = (uint32_t)ev[i].data.u64;
		struct slot s = l->slots.at[at];

		if (s.watch && s.generation == ev[i].data.u64 >> 32)
			s.watch->ready(s.watch, ev[i].events, l->now_ns);
	}
	fire_timers(l);
	l->turning = false;
	return 0;
}

int loop_run(struct loop *l, struct err *e)
{
	l->stopped = false;
	while (!l->stopped)
		if (loop_turn(l, INT64_MAX, e) < 0)
			return -1;
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

void loop_resume(struct loop *l)
{
	l->stopped = false;
}

/* In a turn the time is that of its beginning, the same for all who ask. */
int64_t loop_now_ns(const struct loop *l)
{
	return l->turning ? l->now_ns : clock_monotonic_ns();
}
