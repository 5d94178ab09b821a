/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One guest of the virtual clock: User-Mode Linux with time-travel=ext (arch/um/kernel/time.c and
 * include/uapi/linux/um_timetravel.h of 6.12). The published protocol has one page of shared memory
 * for all; each guest gets one of its own here, in which it is client 1 and the calendar is client
 * 0, so that each has its own time and its own limit, and several run at once.
 *
 * With the page there are no messages but START, GET_TOD, WAIT and RUN. A turn is the last two,
 * which go by pipes (turn_pipes.h), whatever happens in it: we write the time and how far it may go
 * into the page and send RUN; the guest runs, its clock (current_time) moving as it likes up to the
 * limit (free_until), and sends WAIT when it has nothing to do, or has reached the limit, with its
 * next wish (request) in the page. The limit may be lowered while it runs; it looks at it before
 * each step.
 *
 * What it gives to its devices meanwhile are kicks in the page (mail.h, and patch 0028 of its
 * kernel), with their times. They are taken when it stands still, in its order, as if they happened
 * at those times; calls go the other way. Its clock started at 0 when it joined: offset_ns is what
 * the lab's clock is ahead.
 *
 * Nothing that it writes is believed: every time is put into the turn that it was given
 * (time_in_turn()), so that it cannot reach into the past of the others, and each word is read
 * once.
 */
#include "substrate/clock/vclock_guest.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "substrate/clock/mail.h"
#include "substrate/clock/time_page.h"
#include "substrate/clock/vclock_priv.h"
#include "substrate/core/end.h"
#include "substrate/core/thaw.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The guest writes it while we read. Of one that is not here it is what it will find. */
static volatile struct time_page *page_of(const struct vclock_guest *g)
{
	return g->page || !g->awaited ? g->page : g->kept;
}

/*
 * Whoever boots it anew does so where the clock next stands. That must not depend on how soon its
 * end is heard of.
 */
static void stand_at_end(struct vclock_guest *g, int64_t end_ns)
{
	struct substrate *s = g->object.sub;

	g->granted_ns = end_ns;
	s->time->stand_soon(s, end_ns);
}

struct vclock_guest *vclock_guest_of(struct object *o)
{
	struct end *n = end_of_object(o);

	if (n)
		return n->guest;
	return o->kind->guest ? o->kind->guest(o) : NULL;
}

/* Nobody comes to them any more. */
static void release_devices(struct vclock_guest *g)
{
	struct substrate *s = g->object.sub;

	for (size_t i = 0; i < s->objects.n && g->missing; i++) {
		struct object *o = s->objects.at[i];

		if (vclock_guest_of(o) == g && o->kind->listen)
			o->kind->listen(o, NULL);
	}
}

static void leave(struct vclock_guest *g, const char *why)
{
	struct substrate *s = g->object.sub;

	if (g->conn.fd < 0 && !g->awaited)
		return;
	bool ran = g->state == VCLOCK_GUEST_RUNNING && g->page;
	int64_t end_ns = ran ? vclock_guest_now_ns(g) : 0;

	if (g->conn.fd >= 0) {
		loop_remove(s->loop, &g->conn);
		close(g->conn.fd);
	}
	g->conn.fd = -1;
	turn_pipes_close(&g->pipes, s->loop);
	time_page_drop(g);
	/* Nobody is left to wait for. */
	if (g->awaited)
		vclock_guest_came(g);
	if (g->freezing)
		substrate_event(s, "event freeze-failed %s \"%s: %s\"", g->object.name,
				g->object.name, why);
	g->awaited = g->freezing = false;
	free(g->kept);
	g->kept = NULL;
	release_devices(g);
	vclock_guest_left(g->clock, g);
	if (ran)
		stand_at_end(g, end_ns);
	substrate_event(s, "event gone %s \"%s\"", g->object.name, why);
	if (g->listener.fd >= 0)
		loop_add(s->loop, &g->listener, EPOLLIN, NULL);
}

static void send_message(struct vclock_guest *g, enum time_op op, uint32_t seq, uint64_t time)
{
	struct time_message m = {.op = op, .seq = seq, .time = time};

	/* A guest that does not read fills its own socket, and never runs again. */
	(void)!send(g->conn.fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void vclock_guest_run(struct vclock_guest *g, int64_t at_ns, int64_t until_ns, int64_t wall_ns)
{
	bool first = g->state == VCLOCK_GUEST_JOINING;

	/* It waits in START for its first turn: the answer to that is the turn. */
	if (first)
		g->offset_ns = at_ns;
	g->state = VCLOCK_GUEST_RUNNING;
	g->clock->running++;
	if (g->clock->most_at_once < g->clock->running)
		g->clock->most_at_once = g->clock->running;
	g->from_ns = at_ns;
	g->granted_ns = g->until_ns = until_ns;
	g->turn_wall_ns = wall_ns;
	g->spin_told = false;
	g->spin_ns = at_ns;
	g->turns++;
	g->moves++;
	vclock_touch(g);
	page_of(g)->free_until = (uint64_t)(until_ns - g->offset_ns);
	page_of(g)->current_time = (uint64_t)(at_ns - g->offset_ns);
	page_of(g)->running = PAGE_GUEST;
	if (!first)
		turn_pipes_send(&g->pipes,
				&(struct time_message){.op = TIME_RUN,
						       .seq = ++g->next_seq,
						       .time = (uint64_t)(at_ns - g->offset_ns)});
	else if (time_page_send(g) < 0)
		leave(g, time_page_no_descriptors);
}

/*
 * The guest's kernel looks at free_until before each step of its clock, so a write is enough: no
 * message is sent, and nobody waits. What follows from its own kicks cuts its turn while it waits
 * for us; a stop that others ask for lies where it cannot have been yet (stand_soon() in vclock.c).
 */
void vclock_guest_cut(struct vclock_guest *g, int64_t until_ns)
{
	if (g->state != VCLOCK_GUEST_RUNNING || until_ns >= g->until_ns)
		return;
	g->until_ns = until_ns;
	page_of(g)->free_until = (uint64_t)(until_ns - g->offset_ns);
}

/* A time that the guest wrote: it cannot leave the turn it was given. */
static int64_t time_in_turn(const struct vclock_guest *g, uint64_t time)
{
	if (time > (uint64_t)(g->granted_ns - g->offset_ns))
		return g->granted_ns;
	int64_t now = (int64_t)time + g->offset_ns;

	return now < g->from_ns ? g->from_ns : now;
}

int64_t vclock_guest_now_ns(const struct vclock_guest *g)
{
	if (g->state != VCLOCK_GUEST_RUNNING)
		return vclock_now_ns(g->clock);
	return time_in_turn(g, page_of(g)->current_time);
}

bool vclock_guest_is_running(const struct vclock_guest *g)
{
	return g->state == VCLOCK_GUEST_RUNNING;
}

int64_t vclock_guest_in_ns(const struct vclock_guest *g)
{
	return g->in_ns;
}

/* What the guest did in this turn, in its order. Each is read once, as the guest may write it. */
static void take_kicks(struct vclock_guest *g)
{
	uint32_t n = page_of(g)->mail.n_kicks;

	for (uint32_t i = 0; i < n && i < MAIL_KICKS && g->page; i++) {
		volatile const struct mail_kick *k = &page_of(g)->mail.kick[i];
		int64_t at = time_in_turn(g, k->time);
		unsigned slot = k->device;
		struct vclock_guest_device *d = slot < MAIL_DEVICES ? g->devices[slot] : NULL;

		/* What follows from it may cut the turn, but not to before this. */
		g->from_ns = at;
		g->kicks++;
		if (d)
			d->kicked(d, k->queue, k->avail, at);
	}
	if (g->page)
		page_of(g)->mail.n_kicks = 0;
	vclock_touch(g);
}

void vclock_guest_kicks(struct vclock_guest *g, bool on)
{
	g->clock->kicking = on && g->state == VCLOCK_GUEST_RUNNING ? g : NULL;
	if (g->clock->kicking) {
		take_kicks(g);
		g->from_ns = vclock_guest_now_ns(g);
		vclock_touch(g);
	}
}

void vclock_guest_tell_answers(struct vclock_guest *g)
{
	for (unsigned i = 0; page_of(g) && i < MAIL_DEVICES; i++) {
		struct vclock_guest_device *d = g->devices[i];

		for (unsigned q = 0; d && q < MAIL_QUEUES; q++) {
			int64_t ns = d->answer_ns(d, q);

			page_of(g)->mail.device[i].answer_ns[q] =
				ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
		}
	}
}

int vclock_guest_join(struct vclock_guest *g, struct vclock_guest_device *d, uint64_t slot,
		      struct err *e)
{
	/* It was restored with its number, and says it again. */
	if (g->page && d->guest == g && d->slot == slot)
		return 0;
	if (!g->page || d->guest || slot >= MAIL_DEVICES || g->devices[slot])
		return err_set(e, ERR_ENV, "a bad number of a device: %llu",
			       (unsigned long long)slot);
	d->guest = g;
	d->slot = (unsigned)slot;
	g->devices[slot] = d;
	page_of(g)->mail.device[slot].calls = 0;
	vclock_guest_tell_answers(g);
	return 0;
}

void vclock_guest_note_move(struct vclock_guest *g)
{
	g->moves++;
}

void vclock_guest_part(struct vclock_guest_device *d)
{
	if (d->guest)
		d->guest->devices[d->slot] = NULL;
	d->guest = NULL;
}

void vclock_guest_call(struct vclock_guest_device *d, uint32_t calls, int64_t now_ns)
{
	struct vclock_guest *g = d->guest;

	if (!g || !page_of(g))
		return;
	assert(g->state != VCLOCK_GUEST_RUNNING);
	g->moves++;
	page_of(g)->mail.device[d->slot].calls |= calls;
	page_of(g)->mail.called[d->slot / 64] |= UINT64_C(1) << d->slot % 64;
	/* Its clock never goes backwards. */
	now_ns = now_ns > g->from_ns ? now_ns : g->from_ns;
	g->request_ns = now_ns < g->request_ns ? now_ns : g->request_ns;
	vclock_touch(g);
}

/* Looks up in the page when a guest that has stopped wants to go on. */
static void read_request(struct vclock_guest *g)
{
	uint64_t request = page_of(g)->client[PAGE_GUEST].request;
	bool wants = page_of(g)->client[PAGE_GUEST].flags & PAGE_WANTS_RUN;

	/* It may wait for a device alone. */
	g->request_ns = INT64_MAX;
	if (wants && request < INT64_MAX)
		g->request_ns = time_plus((int64_t)request, g->offset_ns);
	/* Its clock never goes backwards, whatever it wrote. */
	if (g->request_ns < g->from_ns)
		g->request_ns = g->from_ns;
}

static const char *take_start(struct vclock_guest *g)
{
	if (g->state != VCLOCK_GUEST_ABSENT)
		return "it started twice";
	if (time_page_make(g) < 0)
		return "out of memory";
	g->start_seq = g->message.seq;
	g->state = VCLOCK_GUEST_JOINING;
	g->clock->joiners = true;
	vclock_place(g->clock, g);
	vclock_touch(g);
	substrate_event(g->object.sub, "event joined %s", g->object.name);
	return NULL;
}

/*
 * It has done. Its kernel cannot be woken later than it wants to be (arch/um/kernel/time.c): so its
 * own clock never learns of the time that it was charged, and is behind by as much from now on.
 */
static void end_charge(struct vclock_guest *g)
{
	uint64_t own = page_of(g)->current_time;
	int64_t behind = g->from_ns - g->offset_ns;

	if (g->charged && own < (uint64_t)behind)
		g->offset_ns += behind - (int64_t)own;
	vclock_end_charge(g);
}

static const char *take_wait(struct vclock_guest *g)
{
	if (g->state != VCLOCK_GUEST_RUNNING)
		return "it waits without having run";
	/* Still in its turn: what it sent last may be answered before the turn's end. */
	g->clock->kicking = g;
	take_kicks(g);
	g->clock->kicking = NULL;
	if (!g->page)
		return NULL;
	g->state = VCLOCK_GUEST_WAITING;
	vclock_touch(g);
	g->clock->running--;
	end_charge(g);
	if (g->spin_told)
		substrate_event(g->object.sub, "event spun %s", g->object.name);
	page_of(g)->running = PAGE_CALENDAR;
	read_request(g);
	return NULL;
}

static const char *take_message(struct vclock_guest *g)
{
	uint32_t seq = g->message.seq;
	int64_t now = vclock_guest_now_ns(g);

	if (g->awaited)
		return vclock_guest_resume(g);
	if (g->freezing && g->message.op == TIME_ACK)
		return vclock_guest_written(g);

	if ((g->state == VCLOCK_GUEST_ABSENT) != (g->message.op == TIME_START))
		return "a message at the wrong time";
	switch (g->message.op) {
	case TIME_START:
		return take_start(g);
	case TIME_GET:
		send_message(g, TIME_ACK, seq, (uint64_t)(now - g->offset_ns));
		return NULL;
	case TIME_GET_TOD:
		send_message(g, TIME_ACK, seq, (uint64_t)(g->clock->tod_ns + now));
		return NULL;
	case TIME_WAIT:
		return "its kernel does not know the pipes for turns (ours does)";
	/* They tell what is in the page. */
	case TIME_UPDATE:
	case TIME_BROADCAST:
		send_message(g, TIME_ACK, seq, 0);
		return NULL;
	default:
		return "a message that is not known";
	}
}

/* Of the end of its kernel we hear by the socket. */
static void wait_ready(struct loop_watch *w, uint32_t events, int64_t loop_ns)
{
	struct vclock_guest *g = container_of(w, struct vclock_guest, pipes.wait);
	struct time_message m;
	int rc = turn_pipes_receive(&g->pipes, &m);

	if (rc == 0) {
		if (events & EPOLLHUP)
			turn_pipes_leave(&g->pipes, g->object.sub->loop);
		return;
	}
	const char *wrong =
		rc < 0 || m.op != TIME_WAIT ? "a message that is not known" : take_wait(g);

	if (wrong)
		leave(g, wrong);
}

/*
 * A message may come in pieces, as on any stream; and the guest sends the next one only when it was
 * let run again, so one is all there is to read.
 */
static void conn_ready(struct loop_watch *w, uint32_t events, int64_t loop_ns)
{
	struct vclock_guest *g = container_of(w, struct vclock_guest, conn);
	ssize_t got = recv(w->fd, (char *)&g->message + g->have, sizeof(g->message) - g->have,
			   MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		/* What it said before comes first. */
		wait_ready(&g->pipes.wait, 0, loop_ns);
		leave(g, "its kernel ended");
		return;
	}
	g->have += (size_t)got;
	if (g->have < sizeof(g->message))
		return;
	g->have = 0;
	const char *wrong = take_message(g);

	if (wrong)
		leave(g, wrong);
}

/*
 * That of a kernel which was killed while the next was awaited. One that is about to end, as its
 * parents have, must not see this close: it would complain into the console that both share. The
 * clock stands, so nobody waits for us meanwhile.
 */
static void end_last(int fd)
{
	enum { PATIENCE_MS = 10000 };
	struct pollfd p = {.fd = fd};

	poll(&p, 1, PATIENCE_MS);
	close(fd);
}

/*
 * One kernel at a time: the socket is not looked at while one is connected. The next boot's kernel
 * waits in the backlog until the last one's connection has ended.
 */
static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct vclock_guest *g = container_of(w, struct vclock_guest, listener);
	int fd = loop_accept(g->object.sub->loop, w);

	if (fd < 0)
		return;
	if (g->conn.fd >= 0)
		end_last(g->conn.fd);
	turn_pipes_close(&g->pipes, g->object.sub->loop);
	g->conn.fd = fd;
	g->conn.ready = conn_ready;
	if (loop_add(g->object.sub->loop, &g->conn, EPOLLIN, NULL) < 0) {
		close(fd);
		g->conn.fd = -1;
		return;
	}
	loop_remove(g->object.sub->loop, w);
}

/* One that is awaited does not come; the next one boots. */
static int listen_for_boot(struct object *o, struct err *e)
{
	struct vclock_guest *g = (struct vclock_guest *)o;

	if (g->awaited)
		leave(g, "its kernel did not come");
	return 0;
}

static void destroy(struct object *o)
{
	struct vclock_guest *g = (struct vclock_guest *)o;
	struct vclock *c = g->clock;
	int fd = g->listener.fd;

	/* Its NICs and its channel go first. */
	for (size_t i = o->sub->objects.n; i-- > 0;) {
		struct object *other = o->sub->objects.at[i];

		if (other != o && vclock_guest_of(other) == g) {
			other->kind->destroy(other);
			/* Its cable went with it, wherever in the list that was. */
			i = o->sub->objects.n;
		}
	}
	loop_remove(o->sub->loop, &g->listener);
	g->listener.fd = -1;
	leave(g, "removed");
	/* Frames that were on their way to it are freed by their events. */
	while (calendar_next_ns(&g->calendar) != INT64_MAX)
		calendar_fire(&g->calendar);
	calendar_finish(&g->calendar);
	vclock_remove_guest(c, g);
	if (fd >= 0) {
		close(fd);
		unlink(g->path);
	}
	free(g->path);
	free(g->kept);
	object_finish(o);
	free(g);
}

static const char *const state_names[] = {
	[VCLOCK_GUEST_ABSENT] = "absent",
	[VCLOCK_GUEST_JOINING] = "joining",
	[VCLOCK_GUEST_RUNNING] = "running",
	[VCLOCK_GUEST_WAITING] = "waiting",
};
_Static_assert(ARRAY_LEN(state_names) == VCLOCK_GUEST_STATES, "a state without a name");

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct vclock_guest *g = (struct vclock_guest *)o;

	json_string(j, "state", state_names[g->state]);
	if (g->asleep)
		json_bool(j, "asleep", true);
	json_uint(j, "turns", g->turns);
	json_uint(j, "kicks", g->kicks);
	if (g->state == VCLOCK_GUEST_WAITING && g->request_ns != INT64_MAX)
		json_int(j, "request_ns", g->request_ns);
}

static const struct object_kind guest_kind = {.name = "guest",
					      .destroy = destroy,
					      .status = status,
					      .listen = listen_for_boot,
					      .freeze = vclock_guest_freeze,
					      .thaw = vclock_guest_thaw};

struct vclock_guest *vclock_guest_create(struct vclock *c, const char *name, const char *path,
					 struct err *e)
{
	struct vclock_guest *g = xcalloc(1, sizeof(*g));

	g->clock = c;
	g->conn.fd = g->page_fd = -1;
	g->request_ns = g->in_ns = g->out_ns = INT64_MAX;
	calendar_init(&g->calendar);
	turn_pipes_init(&g->pipes, wait_ready);
	g->path = xstrdup(path);
	g->listener = (struct loop_watch){.fd = sock_listen(path, SOCK_STREAM, e),
					  .ready = listener_ready};
	if (g->listener.fd < 0 || object_add(&g->object, c->sub, &guest_kind, name, e) < 0) {
		if (g->listener.fd >= 0)
			close(g->listener.fd);
		calendar_finish(&g->calendar);
		free(g->path);
		free(g);
		return NULL;
	}
	vclock_add_guest(c, g);
	if (loop_add(c->sub->loop, &g->listener, EPOLLIN, e) < 0) {
		destroy(&g->object);
		return NULL;
	}
	return g;
}
