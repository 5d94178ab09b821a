/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC behind which is the outside: libslirp speaks for it, with sockets of this process, so that
 * it needs no privileges. It has a network of its own, with itself as router, name server and DHCP
 * server. It is driven by our loop: its sockets are watched here, and it knows the time only from
 * us. Real clock only.
 *
 * slirp is asked for three things: which sockets it waits for (slirp_pollfds_fill()), how long,
 * and, when something happened, to look at them (slirp_pollfds_poll()). All three are cheap only if
 * they are not done for each frame; so whatever happens merely disturbs the NIC, and at the end of
 * the batch it is served once and asked anew. Its sockets stay in our loop from one time to the
 * next, and only what it waits for is changed: descriptors are the index, and unregister_fd() says
 * when one goes that the next socket may get.
 *
 * Its stations have MAC addresses only on its own network. A guest behind a router of the lab would
 * not answer its ARP, so we answer for whoever was heard (stations.c).
 */
#include "lib/container_of.h"
#include "lib/vec.h"
#include "substrate/core/thaw.h"
#include "substrate/nic/nic.h"
#include "substrate/nic/stations.h"

#include <arpa/inet.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NS_PER_MS = 1000000,
	STALE_NS = 100 * NS_PER_MS,
	DHCP_FIRST = 15, /* of the network: as QEMU has it */
};

/* A socket of slirp's. */
struct socket_watch {
	struct loop_watch watch;
	struct nic *nic;
	uint32_t watched; /* EPOLL...; 0: not in the loop */
	int wanted, got;  /* SLIRP_POLL_... */
};

struct slirp_timer {
	struct event event;
	struct nic *nic;
	struct slirp_timer *next;
	SlirpTimerId id;
	void *arg;
};

struct nic {
	struct object object;
	struct end end;
	Slirp *slirp;               /* owned */
	int64_t now_ns;             /* what slirp takes for the time */
	int64_t served_ns;          /* when it was last called for its sockets */
	struct event tick;          /* when it wants to be called */
	struct slirp_timer *timers; /* owned by slirp */
	struct event_source source;
	struct flush flush;
	VEC(struct socket_watch *) sockets; /* owned; by descriptor, NULL: not watched */
	struct stations stations;
	bool loopback; /* whoever talks to the router talks to this machine's loopback */
	uint64_t refused, errors;
	struct in_addr addr, mask;
	struct in6_addr addr6;
	unsigned prefix6;
	uint16_t mtu;
};

/* ---- what slirp calls ---- */

/* slirp did something: at the end of the batch it is asked anew what it waits for. */
static void disturb(struct nic *n)
{
	substrate_put_off(n->object.sub, &n->flush);
}

static ssize_t send_packet(const void *data, size_t len, void *opaque)
{
	struct nic *n = opaque;
	uint8_t answer[STATIONS_ANSWER_MAX];
	size_t answer_len = stations_answer(&n->stations, data, len, answer);

	if (answer_len) {
		slirp_input(n->slirp, answer, (int)answer_len);
		disturb(n);
	} else {
		end_take_bytes(&n->end, data, len, n->now_ns);
	}
	return (ssize_t)len;
}

static void guest_error(const char *text, void *opaque)
{
	struct nic *n = opaque;

	n->errors++; /* no line in a log: a guest could fill the disk */
}

static int64_t clock_get(void *opaque)
{
	struct nic *n = opaque;

	return n->now_ns;
}

static void timer_fire(struct event *ev, int64_t now_ns)
{
	struct slirp_timer *t = container_of(ev, struct slirp_timer, event);

	t->nic->now_ns = now_ns;
	slirp_handle_timer(t->nic->slirp, t->id, t->arg);
	disturb(t->nic);
}

static void *timer_new(SlirpTimerId id, void *arg, void *opaque)
{
	struct slirp_timer *t = xcalloc(1, sizeof(*t));

	t->event.fire = timer_fire;
	t->nic = opaque;
	t->id = id;
	t->arg = arg;
	t->next = t->nic->timers;
	t->nic->timers = t;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct slirp_timer *t = timer;

	if (!t)
		return;
	for (struct slirp_timer **p = &t->nic->timers; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	calendar_cancel(&t->nic->object.sub->calendar, &t->event);
	free(t);
}

static void timer_mod(void *timer, int64_t at_ms, void *opaque)
{
	struct slirp_timer *t = timer;

	calendar_add(&t->nic->object.sub->calendar, &t->event, at_ms * NS_PER_MS, &t->nic->source);
}

static void register_fd(int fd, void *opaque)
{
	disturb(opaque);
}

static void forget_socket(struct nic *n, size_t fd)
{
	struct socket_watch *w = n->sockets.at[fd];

	if (!w)
		return;
	if (w->watched)
		loop_remove(n->object.sub->loop, &w->watch);
	free(w);
	n->sockets.at[fd] = NULL;
}

/* slirp closes the descriptor after this, and the next socket may get the same number. */
static void unregister_fd(int fd, void *opaque)
{
	struct nic *n = opaque;

	if ((size_t)fd < n->sockets.n)
		forget_socket(n, (size_t)fd);
}

static void notify(void *opaque)
{
	disturb(opaque);
}

static void init_completed(Slirp *slirp, void *opaque)
{
	/* We know already: slirp_new() has returned. */
}

static const SlirpCb calls = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = register_fd,
	.unregister_poll_fd = unregister_fd,
	.notify = notify,
	.init_completed = init_completed,
	.timer_new_opaque = timer_new,
};

/* ---- its sockets, in our loop ---- */

static const struct {
	int slirp;
	uint32_t epoll;
} poll_bits[] = {
	{SLIRP_POLL_IN, EPOLLIN},   {SLIRP_POLL_OUT, EPOLLOUT}, {SLIRP_POLL_PRI, EPOLLPRI},
	{SLIRP_POLL_ERR, EPOLLERR}, {SLIRP_POLL_HUP, EPOLLHUP},
};

static void socket_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct socket_watch *s = (struct socket_watch *)w;
	struct nic *n = s->nic;

	for (size_t i = 0; i < ARRAY_LEN(poll_bits); i++)
		if (events & poll_bits[i].epoll)
			s->got |= poll_bits[i].slirp;
	n->now_ns = now_ns;
	disturb(n);
	substrate_drain(n->object.sub, now_ns);
}

/* Returns what get_events() gets: the descriptor itself. */
static int add_poll(int fd, int events, void *opaque)
{
	struct nic *n = opaque;

	while (n->sockets.n <= (size_t)fd)
		vec_push(&n->sockets, NULL);
	if (!n->sockets.at[fd]) {
		struct socket_watch *w = xcalloc(1, sizeof(*w));

		w->watch.fd = fd;
		w->watch.ready = socket_ready;
		w->nic = n;
		n->sockets.at[fd] = w;
	}
	n->sockets.at[fd]->wanted |= events;
	return fd;
}

static int get_events(int fd, void *opaque)
{
	struct nic *n = opaque;

	return n->sockets.at[fd] ? n->sockets.at[fd]->got : 0;
}

static void watch_socket(struct nic *n, size_t fd)
{
	struct socket_watch *w = n->sockets.at[fd];
	struct loop *l = n->object.sub->loop;
	uint32_t want = 0;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(poll_bits); i++)
		if (w->wanted & poll_bits[i].slirp)
			want |= poll_bits[i].epoll;
	if (!want) {
		forget_socket(n, fd);
		return;
	}
	if (!w->watched && loop_add(l, &w->watch, want, &e) < 0)
		return;
	if (w->watched && w->watched != want)
		loop_change(l, &w->watch, want);
	w->watched = want;
}

/* Asks what it waits for. */
static void wait_for_it(struct nic *n)
{
	uint32_t timeout_ms = UINT32_MAX;

	for (size_t fd = 0; fd < n->sockets.n; fd++)
		if (n->sockets.at[fd])
			n->sockets.at[fd]->wanted = n->sockets.at[fd]->got = 0;
	slirp_pollfds_fill(n->slirp, &timeout_ms, add_poll, n);
	for (size_t fd = 0; fd < n->sockets.n; fd++)
		if (n->sockets.at[fd])
			watch_socket(n, fd);
	if (timeout_ms == UINT32_MAX)
		calendar_cancel(&n->object.sub->calendar, &n->tick);
	else
		calendar_add(&n->object.sub->calendar, &n->tick,
			     n->now_ns + (int64_t)timeout_ms * NS_PER_MS, &n->source);
}

static void serve(struct nic *n, int64_t now_ns)
{
	n->now_ns = n->served_ns = now_ns;
	slirp_pollfds_poll(n->slirp, 0, get_events, n);
	wait_for_it(n);
}

/* At the end of a batch in which anything happened. */
static void run_flush(struct flush *f, int64_t now_ns)
{
	serve(container_of(f, struct nic, flush), now_ns);
}

static void tick(struct event *ev, int64_t now_ns)
{
	struct nic *n = container_of(ev, struct nic, tick);

	n->now_ns = now_ns;
	disturb(n);
}

/* ---- the NIC ---- */

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic *n = (struct nic *)end->object;

	n->now_ns = now_ns;
	if (f->len < FRAME_MIN || frame_longest(f) > n->mtu + 18u) {
		end_drop(end, f, f->len < FRAME_MIN ? END_DROP_RUNT : END_DROP_GIANT);
		return;
	}
	if (frame_is_raw(f))
		f = frame_sum(f);
	if (!f) {
		end_drop(end, NULL, END_DROP_MEMORY);
		return;
	}
	/*
	 * slirp reads its clock only when it is served. After a quiet time, a connection that this
	 * frame makes would else be as old as the last service, and perhaps time out at once.
	 */
	if (now_ns - n->served_ns > STALE_NS)
		serve(n, now_ns);
	stations_learn(&n->stations, f->data, f->len);
	if (!n->loopback && stations_is_loopback(f->data, f->len))
		n->refused++;
	else
		slirp_input(n->slirp, f->data, (int)f->len);
	frame_unref(f);
	disturb(n);
}

static void carrier(struct end *end, int64_t now_ns)
{
	/* slirp's outside connections see no carrier. */
}

/* slirp's stack takes packets of any length: segments need not be cut for it. */
static uint16_t takes(const struct end *end)
{
	return OFFLOAD_WORK;
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier, .takes = takes};

static void destroy(struct object *o)
{
	struct nic *n = (struct nic *)o;

	if (n->slirp)
		slirp_cleanup(n->slirp);
	end_finish(&n->end);
	substrate_forget(o->sub, &n->flush);
	calendar_cancel(&o->sub->calendar, &n->tick);
	for (size_t fd = 0; fd < n->sockets.n; fd++)
		forget_socket(n, fd);
	vec_free(&n->sockets);
	object_finish(o);
	free(n);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;
	unsigned open = 0;

	for (size_t fd = 0; fd < n->sockets.n; fd++)
		open += n->sockets.at[fd] != NULL;
	json_string(j, "backend", "slirp");
	json_uint(j, "sockets", open);
	json_uint(j, "refused", n->refused);
	json_uint(j, "errors", n->errors);
	end_status(&n->end, j);
}

static struct end *end_of(struct object *o)
{
	return &((struct nic *)o)->end;
}

/* Defined below: it takes the addresses of the NIC. */
static int start_slirp(struct nic *n, struct err *e);

/*
 * The connections of the old one end here, and their sockets are none of ours. It is left to
 * itself: to end it would close descriptors that belong to others by now. The new one resets every
 * connection that it does not know, as soon as a guest says something on it.
 */
static int thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct nic *n = (struct nic *)o;

	for (; n->timers; n->timers = n->timers->next)
		calendar_cancel(&o->sub->calendar, &n->timers->event);
	for (size_t fd = 0; fd < n->sockets.n; fd++)
		free(n->sockets.at[fd]);
	n->sockets.n = 0;
	if (start_slirp(n, e) < 0)
		return -1;
	disturb(n);
	return 0;
}

static const struct object_kind nic_kind = {
	.name = "nic", .destroy = destroy, .status = status, .end = end_of, .thaw = thaw};

/* "10.0.2.2/24" or "fec0::2/64". 0 or -1. */
static int read_address(const char *text, int family, void *addr, long *prefix, struct err *e)
{
	const char *slash = strchr(text, '/');
	long most = family == AF_INET ? 30 : 120;
	char *end = NULL;
	char host[64];

	snprintf(host, sizeof(host), "%.*s", slash ? (int)(slash - text) : 0, text);
	*prefix = slash ? strtol(slash + 1, &end, 10) : 0;
	if (!slash || *end || *prefix < 8 || *prefix > most || inet_pton(family, host, addr) != 1)
		return err_set(e, ERR_USAGE, "'%s' is no %s address with a prefix from 8 to %ld",
			       text, family == AF_INET ? "IPv4" : "IPv6", most);
	return 0;
}

static int read_words(struct nic *n, const struct words *w, struct err *e)
{
	const char *addr = words_get(w, "addr");
	const char *addr6 = words_get(w, "addr6");
	const char *loopback = words_get(w, "loopback");
	long prefix;

	if (nic_read_mtu(w, &n->mtu, e) < 0)
		return -1;
	if (!addr && !addr6)
		return err_set(e, ERR_USAGE, "a slirp NIC needs addr= or addr6=");
	if (addr && read_address(addr, AF_INET, &n->addr, &prefix, e) < 0)
		return -1;
	if (addr)
		n->mask.s_addr = htonl((uint32_t)(~UINT64_C(0) << (32 - prefix)));
	if (addr6 && read_address(addr6, AF_INET6, &n->addr6, &prefix, e) < 0)
		return -1;
	if (addr6)
		n->prefix6 = (unsigned)prefix;
	n->loopback = loopback && !strcmp(loopback, "1");
	return 0;
}

static struct in_addr plus(struct in_addr a, uint32_t n)
{
	return (struct in_addr){htonl(ntohl(a.s_addr) + n)};
}

/* The name server is the address after its own; DHCP gives those from the 15th on. */
static void configure(const struct nic *n, SlirpConfig *c)
{
	struct in_addr net = {n->addr.s_addr & n->mask.s_addr};
	bool wide = ntohl(~n->mask.s_addr) > 2 * DHCP_FIRST;

	*c = (SlirpConfig){
		.version = 4,
		.in_enabled = n->mask.s_addr != 0,
		.vnetwork = net,
		.vnetmask = n->mask,
		.vhost = n->addr,
		.vnameserver = plus(n->addr, 1),
		.vdhcp_start = wide ? plus(net, DHCP_FIRST) : plus(n->addr, 2),
		.in6_enabled = n->prefix6 != 0,
		.vprefix_len = (uint8_t)n->prefix6,
		.vhost6 = n->addr6,
		.vnameserver6 = n->addr6,
		.if_mtu = n->mtu,
		.if_mru = n->mtu,
		.disable_host_loopback = !n->loopback,
	};
	c->vnameserver6.s6_addr[15]++;
	for (unsigned bit = 0; bit < n->prefix6; bit++)
		c->vprefix_addr6.s6_addr[bit / 8] |=
			(uint8_t)(n->addr6.s6_addr[bit / 8] & 0x80 >> bit % 8);
}

static int start_slirp(struct nic *n, struct err *e)
{
	SlirpConfig config;

	configure(n, &config);
	n->slirp = slirp_new(&config, &calls, n);
	return n->slirp ? 0 : err_set(e, ERR_ENV, "libslirp cannot start");
}

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	struct nic *n = xcalloc(1, sizeof(*n));

	n->end = (struct end){.kind = &end_kind, .object = &n->object};
	n->flush.run = run_flush;
	n->tick.fire = tick;
	if (nic_want_real_clock(s, "slirp", e) < 0 || read_words(n, w, e) < 0 ||
	    object_add(&n->object, s, &nic_kind, name, e) < 0) {
		free(n);
		return NULL;
	}
	event_source_init(&n->source, s);
	n->now_ns = substrate_now_ns(s);
	if (start_slirp(n, e) < 0) {
		destroy(&n->object);
		return NULL;
	}
	wait_for_it(n);
	serve(n, n->now_ns);
	return &n->object;
}

const struct nic_backend nic_slirp = {.name = "slirp", .create = create};

const char *nic_slirp_version(void)
{
	return slirp_version_string();
}
