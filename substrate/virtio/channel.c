/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A virtio console with one port (virtio 1.2, section 5.3). The port goes through three states that
 * the control queues speak of: the driver is ready, the port is there (with a name, by which the
 * guest's agent finds it), and each side says whether it has it open. Ours is open while a client
 * is connected to the stream socket, one at a time; the others wait in the backlog.
 *
 * Bytes are kept in two buffers, one each way. By the real clock these have a bound, and so does
 * what a slow reader on either side holds up: above it nothing is taken from the ring, or from the
 * socket, and the other side waits, as on a pipe. In virtual time that would make what the guest
 * does depend on how fast the client reads: the guest never waits, and a client that lets 256 MiB
 * pile up is cut off.
 *
 * When bytes come for the guest is decided here: by the real clock at once; in virtual time as an
 * event at the earliest time that the guest has not passed, and before the clock goes on all that
 * clients have written by then is read (catch_up()), so that a client that stops the clock, writes
 * and lets it go on knows when its words are heard.
 *
 * The lab's server is the only client that is let in: another process that was in the backlog would
 * have the place of a boot, though all that it did was to come and go.
 *
 * The stream is that of one boot. When the guest goes, its client is let go; one that came before
 * the guest had a port keeps waiting.
 */
#include "substrate/virtio/channel.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "substrate/clock/vclock.h"
#include "substrate/virtio/channel_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct channel *channel_of_vhost(struct vhost *v)
{
	return container_of(v, struct channel, vhost);
}

static size_t in_max(const struct channel *c)
{
	return c->vhost.guest ? IN_END : IN_MAX;
}

/* No more is read than is kept, so that the client waits, and not we. */
static void watch_client(struct channel *c)
{
	uint32_t events = (c->in.len < in_max(c) ? EPOLLIN : 0) | (c->out.len ? EPOLLOUT : 0);

	if (c->client.fd < 0 || events == c->client_events)
		return;
	c->client_events = events;
	loop_change(c->object.sub->loop, &c->client, events);
}

/* Hands control messages to the guest, as far as it has buffers. */
static void put_control(struct channel *c, int64_t now_ns)
{
	static const char name[] = CHANNEL_PORT_NAME;
	struct virtq *r = &c->vhost.queue[CONTROL_RX].ring;
	struct vring_chain chain;
	unsigned done = 0;

	if (!c->vhost.up)
		return;
	while (done < c->n_control) {
		const struct control *m = &c->control[done];
		uint32_t head = sizeof(m->head);
		uint32_t total = head + (m->named ? sizeof(name) - 1 : 0);

		if (vring_take(r, &chain) <= 0) {
			if (vring_kicks_on(r))
				continue;
			break;
		}
		if (chain.in_len < total) {
			r->broken = "a buffer for control messages is too small";
			break;
		}
		iov_write(chain.iov + chain.n_out, chain.n_in, 0, &m->head, head);
		iov_write(chain.iov + chain.n_out, chain.n_in, head, name, total - head);
		vring_give(r, chain.head, total);
		done++;
	}
	c->n_control -= done;
	memmove(c->control, c->control + done, c->n_control * sizeof(c->control[0]));
	vhost_publish(&c->vhost, CONTROL_RX, now_ns);
}

static void queue_control(struct channel *c, uint16_t event, uint16_t value)
{
	struct control m = {.head = {.id = PORT, .event = event, .value = value},
			    .named = event == VIRTIO_CONSOLE_PORT_NAME};

	if (c->n_control == CONTROL_MAX) {
		/* The guest does not listen: what counts is the newest state. */
		memmove(c->control, c->control + 1, (CONTROL_MAX - 1) * sizeof(m));
		c->n_control--;
	}
	c->control[c->n_control++] = m;
}

/* Bytes for the guest, as far as it has buffers. */
static void put_input(struct channel *c, int64_t now_ns)
{
	struct virtq *r = &c->vhost.queue[RX].ring;
	struct vring_chain chain;

	while (c->vhost.up && c->guest_open && c->in.len && !c->left) {
		if (vring_take(r, &chain) <= 0) {
			if (vring_kicks_on(r))
				continue;
			break;
		}
		size_t n = c->in.len < chain.in_len ? c->in.len : chain.in_len;

		iov_write(chain.iov + chain.n_out, chain.n_in, 0, c->in.at + c->in.start, n);
		vring_give(r, chain.head, (uint32_t)n);
		bytes_take(&c->in, n);
		c->in_bytes += n;
	}
	if (c->vhost.up)
		vhost_publish(&c->vhost, RX, now_ns);
	watch_client(c);
}

static void set_client_open(struct channel *c, bool open)
{
	if (c->client_open == open)
		return;
	c->client_open = open;
	if (c->port_there)
		queue_control(c, VIRTIO_CONSOLE_PORT_OPEN, open);
}

static void hear(struct channel *c, int64_t now_ns)
{
	set_client_open(c, c->client.fd >= 0 && !c->left);
	put_control(c, now_ns);
	put_input(c, now_ns);
	if (channel_has_news(c))
		vhost_wake(&c->vhost);
	vhost_check(&c->vhost, now_ns);
}

static void fire_inject(struct event *ev, int64_t now_ns)
{
	hear(container_of(ev, struct channel, inject), now_ns);
}

/* Something came from the client: the guest hears it as soon as its clock allows. */
static void inject(struct channel *c, int64_t now_ns)
{
	struct substrate *s = c->object.sub;

	if (!c->vhost.guest)
		hear(c, now_ns);
	else if (!c->inject.heap_index)
		substrate_schedule(s, c->vhost.guest, &c->inject, substrate_now_ns(s),
				   &c->vhost.source);
}

static void close_client(struct channel *c, int64_t now_ns)
{
	struct substrate *s = c->object.sub;

	if (c->client.fd < 0)
		return;
	loop_remove(s->loop, &c->client);
	close(c->client.fd);
	c->client.fd = -1;
	c->left = c->port_there;
	bytes_clear(&c->in);
	bytes_clear(&c->out);
	if (c->listener.fd >= 0)
		loop_add(s->loop, &c->listener, EPOLLIN, NULL);
	inject(c, now_ns);
}

static bool write_client(struct channel *c, int64_t now_ns)
{
	while (c->client.fd >= 0 && c->out.len) {
		ssize_t n = send(c->client.fd, c->out.at + c->out.start, c->out.len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			close_client(c, now_ns);
			return false;
		}
		if (n < 0)
			break;
		bytes_take(&c->out, (size_t)n);
		c->out_bytes += (size_t)n;
	}
	watch_client(c);
	return true;
}

static void take_again(struct channel *c)
{
	if (!c->vhost.guest)
		substrate_put_off(c->object.sub, &c->again);
}

/* Bytes from the guest. With the real clock it waits while the client does not read. */
static void take_output(struct channel *c, int64_t now_ns)
{
	struct virtq *r = &c->vhost.queue[TX].ring;
	size_t max = c->vhost.guest ? SIZE_MAX : OUT_MAX;
	struct vring_chain chain;

	for (unsigned n = 0; c->vhost.up && c->out.len < max; n++) {
		if (n == BATCH) {
			take_again(c);
			break;
		}
		if (vring_take(r, &chain) <= 0) {
			if (vring_kicks_on(r))
				continue;
			break;
		}
		if (chain.out_len > OUT_END) {
			r->broken = "too many bytes in a buffer";
			break;
		}
		/* Without a client it is lost, as on a line that nobody listens to. */
		if (c->client.fd >= 0 && !c->left) {
			iov_read(chain.iov, chain.n_out, 0, bytes_room(&c->out, chain.out_len),
				 chain.out_len);
			c->out.len += chain.out_len;
		}
		vring_give(r, chain.head, 0);
		if (c->out.len > OUT_MAX && !write_client(c, now_ns))
			break;
	}
	if (c->vhost.up)
		vhost_publish(&c->vhost, TX, now_ns);
	write_client(c, now_ns);
	if (c->out.len > OUT_END)
		close_client(c, now_ns);
}

/*
 * The handshake of virtio 1.2, section 5.3.6.2: the driver is ready, we add the port, the driver is
 * ready with the port, and we give it its name and say whether our side is open. Each step is the
 * answer to a message, so nothing is sent to a driver that would not understand it yet.
 */
static void take_control(struct channel *c, int64_t now_ns)
{
	struct virtq *r = &c->vhost.queue[CONTROL_TX].ring;
	struct vring_chain chain;

	for (unsigned n = 0;; n++) {
		struct virtio_console_control m = {0};

		if (n == BATCH) {
			take_again(c);
			break;
		}
		if (vring_take(r, &chain) <= 0) {
			if (vring_kicks_on(r))
				continue;
			break;
		}
		if (chain.out_len >= sizeof(m))
			iov_read(chain.iov, chain.n_out, 0, &m, sizeof(m));
		vring_give(r, chain.head, 0);
		if (m.event == VIRTIO_CONSOLE_DEVICE_READY && m.value)
			queue_control(c, VIRTIO_CONSOLE_PORT_ADD, 1);
		if (m.id != PORT)
			continue;
		if (m.event == VIRTIO_CONSOLE_PORT_READY && m.value) {
			c->port_there = true;
			queue_control(c, VIRTIO_CONSOLE_PORT_NAME, 1);
			queue_control(c, VIRTIO_CONSOLE_PORT_OPEN, c->client_open);
		}
		if (m.event == VIRTIO_CONSOLE_PORT_OPEN)
			c->guest_open = m.value;
	}
	vhost_publish(&c->vhost, CONTROL_TX, now_ns);
	put_control(c, now_ns);
	put_input(c, now_ns);
}

static void run_again(struct flush *f, int64_t now_ns)
{
	struct channel *c = container_of(f, struct channel, again);

	if (c->vhost.up) {
		take_control(c, now_ns);
		take_output(c, now_ns);
	}
	vhost_check(&c->vhost, now_ns);
}

static void kicked(struct vhost *v, unsigned queue, int64_t now_ns)
{
	struct channel *c = channel_of_vhost(v);

	if (queue == CONTROL_TX)
		take_control(c, now_ns);
	else if (queue == CONTROL_RX)
		put_control(c, now_ns);
	else if (queue == RX)
		put_input(c, now_ns);
	else if (queue == TX)
		take_output(c, now_ns);
}

static void up(struct vhost *v, int64_t now_ns)
{
	struct channel *c = channel_of_vhost(v);

	/* It is told when the port is there. */
	c->client_open = c->client.fd >= 0;
	take_control(c, now_ns);
}

static void down(struct vhost *v, int64_t now_ns)
{
	struct channel *c = channel_of_vhost(v);
	bool was_there = c->port_there;

	substrate_forget(c->object.sub, &c->again);
	c->port_there = c->guest_open = false;
	c->n_control = 0;
	write_client(c, now_ns);
	/* The stream is that of one boot; a client that waits for the next one keeps waiting. */
	if (was_there && !c->left)
		close_client(c, now_ns);
	c->left = false;
}

static void read_config(struct vhost *v, uint8_t config[VHOST_CONFIG_MAX])
{
	struct virtio_console_config c = {.max_nr_ports = PORT + 1};

	memcpy(config, &c, sizeof(c));
}

static const struct vhost_kind console_kind = {
	.features = UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT,
	.n_queues = QUEUES,
	.sends = 1 << CONTROL_TX | 1 << TX,
	.read_config = read_config,
	.up = up,
	.down = down,
	.kicked = kicked,
};

void channel_read_client(struct channel *c, size_t max, int64_t now_ns)
{
	bool came = false;

	while (c->client.fd >= 0 && c->in.len < max) {
		size_t want = max - c->in.len < IN_MAX ? max - c->in.len : IN_MAX;
		ssize_t n = recv(c->client.fd, bytes_room(&c->in, want), want, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			close_client(c, now_ns);
			return;
		}
		c->in.len += (size_t)n;
		came = true;
	}
	if (came)
		inject(c, now_ns);
	watch_client(c);
}

static void client_ready(struct loop_watch *w, uint32_t events, int64_t loop_ns)
{
	struct channel *c = container_of(w, struct channel, client);

	if (events & EPOLLOUT && !write_client(c, loop_ns))
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		channel_read_client(c, in_max(c), loop_ns);
	/* It has read: what was left in the guest's ring can be taken. */
	if (!c->vhost.guest && c->vhost.up && c->out.len < OUT_MAX)
		take_output(c, loop_ns);
	vhost_check(&c->vhost, loop_ns);
}

/* The next one in the backlog who may come in. -1: there is none now. */
static int accept_client(struct channel *c)
{
	struct substrate *s = c->object.sub;
	int fd;

	for (unsigned n = 0; n < BACKLOG_MAX; n++) {
		fd = loop_accept(s->loop, &c->listener);
		if (fd < 0 || !s->server || sock_peer_pid(fd) == s->server)
			return fd;
		close(fd);
	}
	return -1;
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct channel *c = container_of(w, struct channel, listener);
	int fd = accept_client(c);
	struct err e = {0};

	if (fd < 0)
		return;
	c->client.fd = fd;
	c->client.ready = client_ready;
	c->client_events = EPOLLIN;
	if (loop_add(c->object.sub->loop, &c->client, EPOLLIN, &e) < 0) {
		/* The client is the lab's server, which comes once: it would wait in vain. */
		substrate_event(c->object.sub, "event unable %s \"%s\"", c->object.name, e.text);
		close(fd);
		c->client.fd = -1;
		return;
	}
	/* The next one may come when this one has gone. */
	loop_remove(c->object.sub->loop, w);
	if (c->awaited) {
		channel_came(c);
		watch_client(c);
		return;
	}
	inject(c, now_ns);
}

static void destroy(struct object *o)
{
	struct channel *c = (struct channel *)o;
	int fd = c->listener.fd;

	loop_remove(o->sub->loop, &c->listener);
	c->listener.fd = -1;
	channel_came(c);
	vhost_close(&c->vhost);
	close_client(c, 0);
	substrate_cancel(o->sub, c->vhost.guest, &c->inject);
	if (fd >= 0) {
		close(fd);
		unlink(c->stream);
	}
	bytes_clear(&c->in);
	bytes_clear(&c->out);
	free(c->stream);
	object_finish(o);
	free(c);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct channel *c = (struct channel *)o;

	vhost_status(&c->vhost, j);
	json_bool(j, "guest_open", c->guest_open);
	json_bool(j, "client", c->client.fd >= 0);
	json_uint(j, "in_bytes", c->in_bytes);
	json_uint(j, "out_bytes", c->out_bytes);
	json_uint(j, "in_waiting", c->in.len);
	json_uint(j, "out_waiting", c->out.len);
}

static struct vclock_guest *guest_of(struct object *o)
{
	return ((struct channel *)o)->vhost.guest;
}

static void catch_up(struct object *o)
{
	struct channel *c = (struct channel *)o;

	/* A client that connected just now is in the backlog still. */
	if (c->client.fd < 0 && c->listener.fd >= 0)
		listener_ready(&c->listener, EPOLLIN, 0);
	channel_read_client(c, in_max(c), 0);
}

static int listen_for_guest(struct object *o, struct err *e)
{
	return vhost_listen(&((struct channel *)o)->vhost, e);
}

/* Its client is where it was. */
static int await(struct object *o, struct err *e)
{
	return vhost_await(&((struct channel *)o)->vhost, e);
}

static const struct object_kind channel_kind = {
	.name = "channel",
	.destroy = destroy,
	.status = status,
	.guest = guest_of,
	.catch_up = catch_up,
	.listen = listen_for_guest,
	.freeze = channel_freeze,
	.thaw = channel_thaw,
	.move = channel_move,
	.await = await,
	.sleep = channel_sleep,
};

struct object *channel_create(struct substrate *s, const char *name, const struct words *w,
			      struct err *e)
{
	const char *path = words_get(w, "path");
	const char *stream = words_get(w, "stream");
	struct vclock_guest *g;

	if (!path || !stream) {
		err_set(e, ERR_USAGE, "a channel needs path= and stream=");
		return NULL;
	}
	if (vclock_find_guest(s, w, &g, e) < 0)
		return NULL;
	struct channel *c = xcalloc(1, sizeof(*c));

	c->client.fd = c->listener.fd = -1;
	c->inject.fire = fire_inject;
	c->again.run = run_again;
	c->vhost.kind = &console_kind;
	c->stream = xstrdup(stream);
	if (object_add(&c->object, s, &channel_kind, name, e) < 0) {
		free(c->stream);
		free(c);
		return NULL;
	}
	if (vhost_open(&c->vhost, &c->object, g, path, e) < 0) {
		destroy(&c->object);
		return NULL;
	}
	c->listener.fd = sock_listen(stream, SOCK_STREAM, e);
	c->listener.ready = listener_ready;
	if (c->listener.fd < 0 || loop_add(s->loop, &c->listener, EPOLLIN, e) < 0) {
		destroy(&c->object);
		return NULL;
	}
	return &c->object;
}
