/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trellisd: the control daemon of a node of Trellis, started by vnet-mux. It routes (and forwards,
 * on a router), owns ports and connections, and exports the routes. docs/vnet.md, "Trellis".
 *
 * It glues pure parts to descriptors: node.c to an endpoint with the lowest priority, which gets
 * every Trellis packet that no flow wants; flow.c to the requests of applications; the routes to a
 * table in shared memory. It has no part in the data of the flows, which go from the multiplexer to
 * the applications.
 */
#include "lib/container_of.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vnet/trellis/flow.h"
#include "vnet/trellis/table.h"
#include "vnet/vnet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 64, APPS_MAX = 128, RAW_ID = 1u << 30, RAW_PRIORITY = 100 };

struct daemon;

/*
 * An application that is connected. What it has is found by its number, not by its descriptor,
 * which another one may get later.
 */
struct app {
	struct daemon *d;
	struct loop_watch watch;
	unsigned number; /* its name in the table of flows */
};

struct daemon {
	struct loop *loop;
	struct vnet_control *control;
	struct loop_watch control_watch, listener_watch, raw_watch;
	struct loop_timer timer;
	struct node node;
	struct flow_table flows;
	struct vnet_table *table;
	struct vnet_nic_info nics[NODE_NICS_MAX];
	char *costs[NODE_NICS_MAX]; /* "NIC=N", until the NIC is there */
	size_t n_costs;
	VEC(struct app *) apps;
	unsigned last_app;
	uint64_t sent, send_full;
	uint8_t buf[VNET_FRAME_MAX];
};

static const char usage[] =
	"usage: trellisd ADDRESS [router] [hello=1s] [refresh=20s] [cost.NIC=10]...\n"
	"The control daemon of a node of Trellis; vnet-mux starts it:\n"
	"  vnet-mux -- trellisd /east/r1 router\n";

/*
 * Whatever an application needs for a packet is in the table: its own address, the MACs and MTUs of
 * the NICs, and the routes. So it asks the daemon once for each port, and never for a packet.
 */
static void publish(void *ctx)
{
	struct daemon *d = ctx;
	static uint8_t buf[TRELLIS_TABLE_MAX];
	struct trellis_table head = {.self = d->node.options.address};
	size_t len = sizeof(head);

	for (size_t i = 0; i < NODE_NICS_MAX; i++) {
		memcpy(head.mac[i], d->nics[i].mac, 6);
		head.mtu[i] = d->nics[i].mtu;
	}
	head.n_routes = (uint32_t)d->node.routes.n;
	memcpy(buf, &head, sizeof(head));
	if (head.n_routes)
		memcpy(buf + len, d->node.routes.at, head.n_routes * sizeof(struct trellis_route));
	len += head.n_routes * sizeof(struct trellis_route);
	if (vnet_table_publish(d->table, buf, len) < 0)
		fprintf(stderr, "trellisd: %s\n", vnet_error());
}

static void set_timer(struct daemon *d)
{
	loop_set_timer(d->loop, &d->timer, node_due_ns(&d->node));
}

static void tick(struct loop_timer *t, int64_t now_ns)
{
	struct daemon *d = container_of(t, struct daemon, timer);

	node_tick(&d->node, now_ns);
	set_timer(d);
}

static void send_raw(void *ctx, unsigned nic, const uint8_t *frame, size_t len)
{
	struct daemon *d = ctx;

	if (vnet_endpoint_send(d->raw_watch.fd, nic, frame, len) == 0)
		d->sent++;
	else
		d->send_full++;
}

static void raw_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct daemon *d = container_of(w, struct daemon, raw_watch);

	for (int i = 0; i < BATCH; i++) {
		unsigned nic;
		ssize_t n = vnet_endpoint_receive(w->fd, &nic, d->buf, sizeof(d->buf));

		if (n < 0 && errno != EMSGSIZE)
			break; /* the multiplexer's end is told by its own channel */
		if (n > 0)
			node_receive(&d->node, nic, d->buf, (size_t)n, now_ns);
	}
	set_timer(d);
}

/* "cost.eth0=20", said before the NIC was known. */
static uint16_t cost_for(const struct daemon *d, const char *nic)
{
	size_t len = strlen(nic);

	for (size_t i = 0; i < d->n_costs; i++)
		if (!strncmp(d->costs[i], nic, len) && d->costs[i][len] == '=')
			return (uint16_t)atoi(d->costs[i] + len + 1);
	return 0;
}

static void take_nic(struct daemon *d, const struct vnet_nic_info *info, int64_t now_ns)
{
	if (info->index >= NODE_NICS_MAX)
		return;
	d->nics[info->index] = *info;
	d->node.options.cost[info->index] = cost_for(d, info->name);
	node_set_nic(&d->node, info->index, info->mac, info->mtu, info->carrier, now_ns);
	publish(d);
}

static void control_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct daemon *d = container_of(w, struct daemon, control_watch);
	struct vnet_event ev;
	int n;

	while ((n = vnet_control_next(d->control, &ev)) > 0) {
		if (ev.kind == VNET_EVENT_CLOSED)
			flow_close(&d->flows, ev.id);
		else
			take_nic(d, &ev.nic, now_ns);
	}
	if (n < 0)
		loop_stop(d->loop);
	set_timer(d);
}

/*
 * An application is known by its connection: when that ends, so does all that it had, even if an
 * endpoint of it lives on in another process.
 */
static void drop_app(struct app *a)
{
	struct daemon *d = a->d;
	struct flow *f;

	while ((f = flow_of(&d->flows, a->number))) {
		vnet_control_unbind(d->control, f->id);
		flow_close(&d->flows, f->id);
	}
	loop_remove(d->loop, &a->watch);
	close(a->watch.fd);
	vec_remove_item(&d->apps, a);
	free(a);
}

/*
 * Binds a flow and hands its endpoint over, or says why not. The name is taken before the binding
 * is made, and given back if that fails: two applications can never have the same.
 */
static void answer_flow(struct app *a, struct flow *f, const char *refusal)
{
	struct daemon *d = a->d;
	char text[64];

	if (!f) {
		vnet_reply(a->watch.fd, refusal, NULL, 0);
		return;
	}
	char *in = flow_filter_in(&d->flows, f);
	char *out = flow_filter_out(&d->flows, f);
	struct vnet_binding b = {.id = f->id, .priority = flow_priority(f), .in = in, .out = out};
	int fd = vnet_control_bind(d->control, &b);

	snprintf(text, sizeof(text), "ok %u", f->port);
	if (fd < 0) {
		vnet_reply(a->watch.fd, vnet_error(), NULL, 0);
		flow_close(&d->flows, f->id);
	} else {
		vnet_reply(a->watch.fd, text, &fd, 1);
		close(fd);
	}
	free(in);
	free(out);
}

static bool read_port(const char *text, uint16_t *port)
{
	int64_t value;

	if (!text || unit_parse(UNIT_COUNT, text, &value, NULL) < 0 || value < 0 || value > 65535)
		return false;
	*port = (uint16_t)value;
	return true;
}

/* Port 7 is the node's own: it answers echoes itself. */
static void do_open(struct app *a, const struct words *w, enum flow_kind kind)
{
	uint16_t port;

	if (!read_port(w->at[1], &port) || port == TRELLIS_ECHO_PORT)
		answer_flow(a, NULL, "not a port that can be had");
	else
		answer_flow(a, flow_open(&a->d->flows, kind, port, a->number), "the port is taken");
}

static void do_datagram(struct app *a, const struct words *w)
{
	do_open(a, w, FLOW_DATAGRAM);
}

static void do_listen(struct app *a, const struct words *w)
{
	do_open(a, w, FLOW_LISTENER);
}

/* "connect ADDRESS PORT", "accept ADDRESS PORT OWN-PORT" */
static void do_connect(struct app *a, const struct words *w)
{
	struct trellis_address peer;
	uint16_t peer_port;
	uint16_t port = 0;

	if (w->n < 3 || !trellis_address_parse(&peer, w->at[1]) ||
	    !read_port(w->at[2], &peer_port) ||
	    (w->n > 3 && (!read_port(w->at[3], &port) || !port))) {
		answer_flow(a, NULL, "not an address and a port");
		return;
	}
	answer_flow(a, flow_connect(&a->d->flows, port, &peer, peer_port, a->number),
		    "that connection cannot be had");
}

static void do_table(struct app *a, const struct words *w)
{
	int fd = vnet_table_fd(a->d->table);

	vnet_reply(a->watch.fd, "ok", &fd, 1);
}

static void tell_neighbours(struct json *j, const struct node *n)
{
	char text[TRELLIS_TEXT_MAX];

	json_open(j, "neighbours", '[');
	for (size_t i = 0; i < n->neighbours.n && i < 20; i++) {
		const struct node_neighbour *b = &n->neighbours.at[i];

		json_open(j, NULL, '{');
		json_string(j, "address", trellis_address_format(&b->address, text));
		json_uint(j, "nic", b->nic);
		json_bool(j, "up", b->hears_us);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* The answer is one message, which has a bound: only the first twenty neighbours are told. */
static void do_status(struct app *a, const struct words *w)
{
	const struct node *n = &a->d->node;
	char *text = NULL;
	size_t len = 0;
	char address[TRELLIS_TEXT_MAX];
	FILE *f = xmemstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	json_string(&j, "address", trellis_address_format(&n->options.address, address));
	json_bool(&j, "router", n->options.transit);
	json_uint(&j, "states", n->base.entries.n);
	json_uint(&j, "routes", n->routes.n);
	json_uint(&j, "flows", a->d->flows.flows.n);
	json_uint(&j, "forwarded", n->forwarded);
	json_open(&j, "dropped", '{');
	json_uint(&j, "damaged", n->drops.damaged);
	json_uint(&j, "no-route", n->drops.no_route);
	json_uint(&j, "hops", n->drops.hops);
	json_uint(&j, "size", n->drops.size);
	json_uint(&j, "no-port", n->drops.no_port);
	json_uint(&j, "not-transit", n->drops.not_transit);
	json_uint(&j, "queue", a->d->send_full);
	json_close(&j, '}');
	tell_neighbours(&j, n);
	json_close(&j, '}');
	fclose(f);
	vnet_reply(a->watch.fd, text, NULL, 0);
	free(text);
}

static const struct request {
	const char *name;
	void (*run)(struct app *a, const struct words *w);
} requests[] = {
	{"datagram", do_datagram}, {"listen", do_listen}, {"connect", do_connect},
	{"accept", do_connect},    {"table", do_table},   {"status", do_status},
};

static void do_request(struct app *a, const char *text, size_t len)
{
	struct arena arena = {0};
	struct words w;
	bool done = false;

	if (words_split(text, len, &arena, &w, NULL) < 0)
		w.n = 0;
	for (size_t i = 0; w.n && i < ARRAY_LEN(requests) && !done; i++) {
		done = !strcmp(requests[i].name, w.at[0]);
		if (done)
			requests[i].run(a, &w);
	}
	if (!done)
		vnet_reply(a->watch.fd, "not a request of Trellis", NULL, 0);
	arena_finish(&arena);
}

static void app_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct app *a = container_of(w, struct app, watch);
	char text[VNET_MESSAGE_MAX];
	ssize_t n = vnet_take_request(w->fd, text, sizeof(text));

	if (n > 0) {
		struct daemon *d = a->d;

		do_request(a, text, (size_t)n);
		/* What came while an endpoint was bound waits in the library, not in the socket. */
		control_ready(&d->control_watch, EPOLLIN, now_ns);
	} else if (errno != EAGAIN) {
		drop_app(a);
	}
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct daemon *d = container_of(w, struct daemon, listener_watch);
	struct vnet_peer peer;
	int fd = vnet_accept(d->control, &peer);

	if (fd < 0)
		return;
	if (d->apps.n >= APPS_MAX) {
		close(fd);
		return;
	}
	struct app *a = xcalloc(1, sizeof(*a));

	a->d = d;
	a->number = ++d->last_app;
	a->watch = (struct loop_watch){.fd = fd, .ready = app_ready};
	vec_push(&d->apps, a);
	if (loop_add(d->loop, &a->watch, EPOLLIN, NULL) < 0)
		drop_app(a);
}

static int read_time(const char *text, int64_t min_ns, int64_t max_ns, int64_t *ns, struct err *e)
{
	if (unit_parse(UNIT_TIME, text, ns, e) < 0)
		return -1;
	if (*ns < min_ns || *ns > max_ns)
		return err_set(e, ERR_USAGE, "%s is out of bounds", text);
	return 0;
}

static int read_options(struct daemon *d, struct node_options *o, int argc, char **argv,
			struct err *e)
{
	const int64_t s = 1000000000;

	*o = (struct node_options){.hello_ns = s, .refresh_ns = 20 * s};
	if (argc < 2 || !trellis_address_parse(&o->address, argv[1]) || !o->address.len)
		return err_set(e, ERR_USAGE, "an address is needed first, like /east/r1");
	for (int i = 2; i < argc; i++) {
		const char *a = argv[i];
		int rc = 0;

		if (!strcmp(a, "router"))
			o->transit = true;
		else if (!strncmp(a, "hello=", 6))
			rc = read_time(a + 6, s / 100, 60 * s, &o->hello_ns, e);
		else if (!strncmp(a, "refresh=", 8))
			rc = read_time(a + 8, s, 3600 * s, &o->refresh_ns, e);
		else if (!strncmp(a, "cost.", 5) && d->n_costs < NODE_NICS_MAX)
			d->costs[d->n_costs++] = argv[i] + 5;
		else
			rc = err_set(e, ERR_USAGE, "'%s': no such option; see --help", a);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/*
 * The raw endpoint has the lowest priority, so it gets what no flow of an application wants:
 * hellos, states, packets that pass through, and those for ports that nobody has.
 */
static int open_daemon(struct daemon *d, struct err *e)
{
	struct vnet_binding raw = {
		.id = RAW_ID,
		.priority = RAW_PRIORITY,
		.in = "ether proto 0x88b6",
		.out = "ether proto 0x88b6",
	};

	d->control = vnet_control_open();
	d->table = d->control ? vnet_table_create("trellis", TRELLIS_TABLE_MAX) : NULL;
	d->raw_watch.fd = d->table ? vnet_control_bind(d->control, &raw) : -1;
	d->loop = loop_create(e);
	if (d->raw_watch.fd < 0)
		return err_set(e, ERR_ENV, "%s", vnet_error());
	if (!d->loop)
		return -1;
	d->raw_watch.ready = raw_ready;
	d->control_watch =
		(struct loop_watch){.fd = vnet_control_fd(d->control), .ready = control_ready};
	d->listener_watch = (struct loop_watch){.fd = vnet_control_listener(d->control),
						.ready = listener_ready};
	d->timer.fire = tick;
	if (loop_add(d->loop, &d->raw_watch, EPOLLIN, e) < 0 ||
	    loop_add(d->loop, &d->control_watch, EPOLLIN, e) < 0)
		return -1;
	return loop_add(d->loop, &d->listener_watch, EPOLLIN, e);
}

static int serve(struct daemon *d, int argc, char **argv, struct err *e)
{
	struct node_options options;

	if (read_options(d, &options, argc, argv, e) < 0 || open_daemon(d, e) < 0)
		return -1;
	d->flows.self = options.address;
	d->node.send = send_raw;
	d->node.routes_changed = publish;
	d->node.ctx = d;
	node_init(&d->node, &options, loop_now_ns(d->loop));
	publish(d);
	control_ready(&d->control_watch, EPOLLIN, loop_now_ns(d->loop));
	return loop_run(d->loop, e);
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct err e = {0};

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (serve(&d, argc, argv, &e) == 0)
		return 0;
	fprintf(stderr, "trellisd: %s\n", e.text);
	return e.kind == ERR_USAGE ? 2 : 3;
}
