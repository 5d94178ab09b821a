/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection: listening, framing, calls, and its end. What messages mean is in vhost_message.c.
 *
 * The guest's kernel is the front end: it connects when its driver finds the device, says what it
 * wants, shares its memory and tells where the rings are; once all queues are enabled the device is
 * up, and the connection is idle. Its end is the end of the device for the guest: down, queues
 * reset, memory forgotten, and the socket listens again for the next boot. By the real clock it
 * does not listen meanwhile, which is a descriptor less for each device; so who starts the next
 * boot asks first (vhost_listen()), as the end of the last one may not have been seen yet.
 *
 * Kicks and calls have two ways. By the real clock they go by descriptors, beside this connection.
 * In virtual time each would have to be a message that both wait for; so the guest notes its kicks
 * in the memory that it shares with its clock (clock/mail.h), and they come here when it stands
 * still, with the time and the index up to which the ring was filled at that time (vring_limit()):
 * what was added later is not there yet. A call to a guest that runs waits as an event, which cuts
 * its turn; one that stands is called at once. Calls that only give transmit buffers back may wait
 * a little longer (late_queues), and go with the next one: a turn for each would cost more than
 * what they say.
 *
 * A guest that does something wrong loses its connection, with the reason in the status and in the
 * event, and nobody else notices. If it is us who lack something (memory, a descriptor) while a
 * device is set up, its kernel boots without that device: an event says so at once.
 */
#include "substrate/virtio/vhost.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "substrate/clock/mail.h"
#include "substrate/core/mover.h"
#include "substrate/core/thaw.h"
#include "substrate/virtio/vhost_message.h"
#include "substrate/virtio/vhost_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH_MESSAGES = 64 }; /* in a turn: then others have theirs, whoever sends for ever */

static const int64_t late_call_ns = 300000; /* interrupt moderation, as NICs do it */
static const int64_t call_again_ns = 10000000;

static struct substrate *sub_of(const struct vhost *v)
{
	return v->object->sub;
}

int64_t vhost_now_ns(const struct vhost *v)
{
	return v->guest ? vclock_guest_now_ns(v->guest) : loop_now_ns(sub_of(v)->loop);
}

unsigned vhost_queues(const struct vhost *v)
{
	bool has_last = !v->kind->last_needs || v->features & v->kind->last_needs;

	return v->kind->n_queues - !has_last;
}

void vhost_close_fds(struct vhost *v)
{
	for (size_t i = 0; i < v->n_fds; i++)
		if (v->fds[i] >= 0)
			close(v->fds[i]);
	v->n_fds = 0;
}

/* The last queue that is called by it closes it. */
void vhost_close_call(struct vhost_queue *q)
{
	int fd = q->call_fd;
	bool is_shared = false;

	q->call_fd = -1;
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
		is_shared = is_shared || q->vhost->queue[i].call_fd == fd;
	if (fd >= 0 && !is_shared)
		close(fd);
}

void vhost_queue_reset(struct vhost *v, unsigned i)
{
	struct vhost_queue *q = &v->queue[i];

	loop_remove(sub_of(v)->loop, &q->kick);
	vhost_close_call(q);
	q->enabled = false;
	substrate_cancel(sub_of(v), v->guest, &q->call_event);
	vring_clear(&q->ring);
	vring_clear(&q->coming);
}

void vhost_set_up(struct vhost *v, bool up, int64_t now_ns)
{
	if (v->up == up)
		return;
	v->up = up;
	if (up) {
		v->kind->up(v, now_ns);
		substrate_event(sub_of(v), "event up %s", v->object->name);
	} else {
		v->kind->down(v, now_ns);
		substrate_event(sub_of(v), "event down %s \"%s\"", v->object->name,
				v->reason[0] ? v->reason : "disabled by the guest");
	}
}

int vhost_listen_again(struct vhost *v, struct err *e)
{
	if (v->listener.slot)
		return 0;
	if (v->listener.fd < 0)
		v->listener.fd = sock_listen(v->path, SOCK_STREAM, e);
	return v->listener.fd < 0 ? -1 : loop_add(sub_of(v)->loop, &v->listener, EPOLLIN, e);
}

/* In virtual time it costs nobody anything to keep the socket. */
static void stop_listening(struct vhost *v)
{
	loop_remove(sub_of(v)->loop, &v->listener);
	if (v->guest || v->listener.fd < 0)
		return;
	close(v->listener.fd);
	v->listener.fd = -1;
}

/* Whoever awaited the guest does not any more. */
void vhost_came(struct vhost *v)
{
	if (v->awaited && !v->arrives)
		vclock_guest_device_came(v->guest, sub_of(v));
	v->awaited = v->arrives = v->asleep = false;
}

/* Ends the connection; the socket listens again. */
void vhost_hang_up(struct vhost *v, int64_t now_ns, const char *reason)
{
	if (!v->connected && !v->awaited)
		return;
	vhost_came(v);
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
	vhost_set_up(v, false, now_ns);
	loop_remove(sub_of(v)->loop, &v->conn);
	if (v->conn.fd >= 0)
		close(v->conn.fd);
	v->conn.fd = -1;
	v->connected = false;
	vclock_guest_part(&v->device);
	if (v->slave_fd >= 0)
		close(v->slave_fd);
	v->slave_fd = -1;
	vhost_close_fds(v);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
		vhost_queue_reset(v, i);
	substrate_cancel(sub_of(v), v->guest, &v->config_event);
	guestmem_clear(&v->mem);
	v->features = v->protocol_features = 0;
	v->have = 0;
	/* Should it fail, vhost_listen() tries again, and says why. */
	if (v->path)
		vhost_listen_again(v, NULL);
}

int vhost_listen(struct vhost *v, struct err *e)
{
	vhost_hang_up(v, vhost_now_ns(v), "its guest boots anew");
	return vhost_listen_again(v, e);
}

bool vhost_is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC ||
	       error == ENOBUFS;
}

void vhost_tell_unable(const struct vhost *v, const char *reason)
{
	substrate_event(sub_of(v), "event unable %s \"%s\"", v->object->name, reason);
}

/* Reads the rest of the head, or of the payload. 1: there is more to read, 0: not now, -1: over. */
static int receive_part(struct vhost *v, int64_t now_ns)
{
	bool in_head = v->have < VHOST_HEAD;
	size_t want = in_head ? VHOST_HEAD - v->have : VHOST_HEAD + v->head.size - v->have;
	uint8_t *to = in_head ? (uint8_t *)&v->head + v->have : v->payload + v->have - VHOST_HEAD;
	int fds[VHOST_FDS_MAX];
	size_t n_fds;
	ssize_t got = sock_recv_fds(v->conn.fd, to, want, fds, VHOST_FDS_MAX, &n_fds, MSG_DONTWAIT);

	/* Descriptors come with the first byte of a message; more than it may have are not kept. */
	for (size_t i = 0; i < n_fds; i++) {
		if (v->n_fds < VHOST_FDS_MAX)
			v->fds[v->n_fds++] = fds[i];
		else
			close(fds[i]);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		vhost_hang_up(v, now_ns, "the guest closed the connection");
		return -1;
	}
	v->have += (size_t)got;
	if (v->have == VHOST_HEAD && v->head.size > VHOST_PAYLOAD_MAX) {
		vhost_hang_up(v, now_ns, "a message is too long");
		return -1;
	}
	return 1;
}

/* The message is whole. 1: there may be another, 0: not now, -1: over. */
static int handle_message(struct vhost *v, int64_t now_ns)
{
	/*
	 * A kernel that takes part in the calendar speaks while it runs. What another one sends has
	 * no time: it would be dated where the lab may never come.
	 */
	if (v->guest && !vclock_guest_is_running(v->guest) && !v->awaited) {
		vhost_hang_up(v, now_ns, "a message that is not from its guest's turn");
		return -1;
	}
	if (vhost_handle(v, now_ns) < 0)
		return -1;
	vhost_close_fds(v);
	v->have = 0;
	/* In virtual time it waits for our answer: there is no more to read. */
	return v->guest ? 0 : 1;
}

static void conn_ready(struct loop_watch *w, uint32_t events, int64_t loop_ns)
{
	struct vhost *v = container_of(w, struct vhost, conn);
	int64_t now = v->guest ? vclock_guest_now_ns(v->guest) : loop_ns;
	bool awaited = v->awaited;
	int rc = 1;

	/* What it did before it sent this comes first. */
	if (v->guest && !awaited)
		vclock_guest_kicks(v->guest, true);
	/* Something that it did earlier may have ended the connection. */
	for (int n = 0; n < BATCH_MESSAGES && rc > 0 && v->connected;) {
		if (v->have >= VHOST_HEAD && v->have == VHOST_HEAD + v->head.size) {
			rc = handle_message(v, now);
			n++;
		} else {
			rc = receive_part(v, now);
		}
	}
	/* Nothing happens while it comes back. */
	if (awaited)
		return;
	substrate_drain(sub_of(v), now);
	if (v->guest)
		vclock_guest_kicks(v->guest, false);
}

void vhost_answer_held(struct vhost *v)
{
	int64_t now = vhost_now_ns(v);
	struct vhost_head head;
	ssize_t got = recv(v->conn.fd, &head, VHOST_HEAD, MSG_PEEK | MSG_DONTWAIT);
	int rc = 1;

	if (v->have || got != VHOST_HEAD || head.request != VHOST_GET_CONFIG)
		return;
	do
		rc = receive_part(v, now);
	while (rc > 0 && (v->have < VHOST_HEAD || v->have < VHOST_HEAD + v->head.size));
	if (rc > 0)
		handle_message(v, now);
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct vhost *v = container_of(w, struct vhost, listener);
	int fd = loop_accept(sub_of(v)->loop, w);
	struct err e;

	if (fd < 0)
		return;
	/* That of a kernel which ended while this one was awaited. */
	if (v->conn.fd >= 0)
		close(v->conn.fd);
	v->conn.fd = fd;
	v->conn.ready = conn_ready;
	if (loop_add(sub_of(v)->loop, &v->conn, EPOLLIN, &e) < 0) {
		close(fd);
		v->conn.fd = -1;
		vhost_tell_unable(v, e.text);
		return;
	}
	v->connected = true;
	v->reason[0] = '\0';
	stop_listening(v);
}

void vhost_send(struct vhost *v, uint32_t request, const void *payload, uint32_t size)
{
	uint8_t buf[VHOST_HEAD + VHOST_PAYLOAD_MAX];
	struct vhost_head head = {request, VHOST_VERSION | VHOST_FLAG_REPLY, size};

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), payload, size);
	/* A guest that does not read its replies fills its own socket, and then gets no more. */
	(void)!send(v->conn.fd, buf, sizeof(head) + size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Tells the guest something; real clock. */
static void send_slave(struct vhost *v, uint32_t request)
{
	struct vhost_head head = {request, VHOST_VERSION, 0};

	if (v->slave_fd >= 0)
		(void)!send(v->slave_fd, &head, sizeof(head), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* vhost_kind.late_queues */
static bool is_late(const struct vhost *v, unsigned queue)
{
	return v->kind->late_queues >> queue & 1;
}

/* An earlier call that waits stands for this one. */
static void call_later(struct vhost *v, unsigned queue, int64_t at_ns)
{
	struct vhost_queue *q = &v->queue[queue];

	if (q->call_event.heap_index && q->call_ns <= at_ns)
		return;
	q->call_ns = at_ns;
	substrate_schedule(sub_of(v), v->guest, &q->call_event, at_ns, &v->source);
}

/* The guest is interrupted anyway: what waits goes with it. */
static void call_with_late(struct vhost *v, unsigned queue, int64_t now_ns)
{
	for (unsigned i = 0; i < vhost_queues(v); i++) {
		struct event *ev = &v->queue[i].call_event;

		if (i != queue && !(ev->heap_index && is_late(v, i)))
			continue;
		substrate_cancel(sub_of(v), v->guest, ev);
		vclock_guest_call(&v->device, 1u << i, now_ns);
	}
}

/*
 * If it is full, the guest has enough to wake up for. A pipe may also find no memory for what is
 * written (the bounds of a lab count it): nobody else would call the guest, so it is tried again.
 */
static void call_by_descriptor(struct vhost_queue *q, int64_t now_ns)
{
	const uint64_t one = 1;
	ssize_t n = q->call_is_socket
			    ? send(q->call_fd, &one, sizeof(one), MSG_DONTWAIT | MSG_NOSIGNAL)
			    : write(q->call_fd, &one, sizeof(one));

	if (n < 0 && errno != EAGAIN && errno != EPIPE)
		call_later(q->vhost, (unsigned)(q - q->vhost->queue), now_ns + call_again_ns);
}

/* When the guest is interrupted for what is not late; INT64_MAX: that is not planned. */
static int64_t next_call_ns(const struct vhost *v)
{
	int64_t at_ns = INT64_MAX;

	for (unsigned i = 0; i < vhost_queues(v); i++) {
		const struct vhost_queue *q = &v->queue[i];

		if (q->call_event.heap_index && !is_late(v, i) && q->call_ns < at_ns)
			at_ns = q->call_ns;
	}
	return at_ns;
}

/* What is late waits for what the guest will be interrupted for anyway, and goes with it. */
static void fire_guest_call(struct vhost_queue *q, int64_t now_ns)
{
	struct vhost *v = q->vhost;
	unsigned queue = (unsigned)(q - v->queue);
	int64_t next_ns = is_late(v, queue) ? next_call_ns(v) : INT64_MAX;

	if (next_ns != INT64_MAX)
		call_later(v, queue, next_ns);
	else
		call_with_late(v, queue, now_ns);
}

static void fire_call(struct event *ev, int64_t now_ns)
{
	struct vhost_queue *q = container_of(ev, struct vhost_queue, call_event);

	if (q->vhost->guest)
		fire_guest_call(q, now_ns);
	else if (q->call_fd >= 0)
		call_by_descriptor(q, now_ns);
}

static void fire_config(struct event *ev, int64_t now_ns)
{
	struct vhost *v = container_of(ev, struct vhost, config_event);

	if (v->guest)
		vclock_guest_call(&v->device, MAIL_CONFIG, now_ns);
	else
		send_slave(v, VHOST_SLAVE_CONFIG_CHANGE);
}

/*
 * The index first, then the question whether the driver wants to be told: the other way round it
 * could go to sleep in between, and never hear of what was just published (vring.c).
 */
void vhost_publish_by(struct vhost *v, unsigned queue, int64_t now_ns, int64_t call_ns)
{
	struct vhost_queue *q = &v->queue[queue];

	/* Seen by a driver that looks by itself; then it wants no call. */
	vring_publish(&q->ring);
	if (v->guest)
		vclock_guest_note_move(v->guest);
	if (v->guest && q->call_event.heap_index && q->call_ns <= call_ns) {
		vring_will_call(&q->ring);
		return;
	}
	if (!vring_wants_call(&q->ring))
		return;
	if (!v->guest) {
		if (q->call_fd >= 0)
			call_by_descriptor(q, now_ns);
		return;
	}
	if (call_ns > now_ns)
		call_later(v, queue, call_ns);
	else if (!vclock_guest_is_running(v->guest))
		call_with_late(v, queue, now_ns);
	else if (is_late(v, queue))
		call_later(v, queue, now_ns + late_call_ns);
	else
		call_later(v, queue, now_ns);
}

void vhost_publish(struct vhost *v, unsigned queue, int64_t now_ns)
{
	vhost_publish_by(v, queue, now_ns, now_ns);
}

void vhost_config_changed(struct vhost *v, int64_t now_ns)
{
	if (!v->up)
		return;
	if (v->guest)
		substrate_schedule(sub_of(v), v->guest, &v->config_event, now_ns, &v->source);
	else
		fire_config(&v->config_event, now_ns);
	vhost_wake(v);
}

/* In virtual time: what the guest's kernel noted while it ran. */
static void mail_kicked(struct vclock_guest_device *d, unsigned queue, uint16_t avail,
			int64_t now_ns)
{
	struct vhost *v = container_of(d, struct vhost, device);

	if (!v->up || queue >= vhost_queues(v))
		return;
	vring_limit(&v->queue[queue].ring, avail);
	v->kind->kicked(v, queue, now_ns);
	vring_unlimit(&v->queue[queue].ring);
	substrate_drain(sub_of(v), now_ns);
	vhost_check(v, now_ns);
}

static int64_t mail_answer_ns(const struct vclock_guest_device *d, unsigned queue)
{
	const struct vhost *v = container_of(d, struct vhost, device);
	int64_t ns = v->kind->answer_ns ? v->kind->answer_ns(v, queue) : 0;

	return is_late(v, queue) && late_call_ns < ns ? late_call_ns : ns;
}

/*
 * Rings and memory that were found to be broken are only marked where that was found, often deep in
 * a batch; here, at its end, the connection is ended. So nothing is freed under somebody's hands.
 */
bool vhost_check(struct vhost *v, int64_t now_ns)
{
	if (!v->connected)
		return true;
	for (unsigned i = 0; i < vhost_queues(v); i++) {
		if (v->queue[i].ring.broken) {
			vhost_hang_up(v, now_ns, v->queue[i].ring.broken);
			return true;
		}
	}
	if (v->mem.broken)
		vhost_hang_up(v, now_ns, "the guest's memory shrank");
	return !v->connected;
}

int vhost_open(struct vhost *v, struct object *o, struct vclock_guest *g, const char *path,
	       struct err *e)
{
	v->object = o;
	v->guest = g;
	v->conn.fd = v->slave_fd = -1;
	v->device.kicked = mail_kicked;
	v->device.answer_ns = mail_answer_ns;
	v->config_event.fire = fire_config;
	event_source_init(&v->source, o->sub);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		v->queue[i].vhost = v;
		v->queue[i].kick.fd = v->queue[i].call_fd = -1;
		v->queue[i].call_event.fire = fire_call;
	}
	v->listener.fd = sock_listen(path, SOCK_STREAM, e);
	if (v->listener.fd < 0)
		return -1;
	v->listener.ready = listener_ready;
	v->path = xstrdup(path);
	return vhost_listen_again(v, e);
}

void vhost_close(struct vhost *v)
{
	char *path = v->path;

	/* Without a path hanging up does not listen again. */
	v->path = NULL;
	vhost_hang_up(v, vhost_now_ns(v), "removed");
	loop_remove(sub_of(v)->loop, &v->listener);
	if (v->listener.fd >= 0)
		close(v->listener.fd);
	v->listener.fd = -1;
	if (path)
		unlink(path);
	free(path);
}

void vhost_status(const struct vhost *v, struct json *j)
{
	json_bool(j, "connected", v->connected);
	json_bool(j, "up", v->up);
	if (v->reason[0])
		json_string(j, "reason", v->reason);
}
