/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes of Trellis joined by simulated links: finding each other, routing around a cut, forwarding.
 */
#include "lib/rng.h"
#include "tests/support/suite.h"
#include "vnet/trellis/node.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

enum { NODES = 8, LINKS = 16 };

struct message {
	int64_t at_ns;
	int node;
	unsigned nic;
	size_t len;
	uint8_t data[2000];
};

struct link {
	int node[2];
	unsigned nic[2];
	bool up;
};

static struct world {
	struct node *nodes[NODES];
	int n;
	unsigned nics[NODES];
	struct link links[LINKS];
	size_t n_links;
	VEC(struct message) wire;
	struct rng rng;
	uint32_t loss_ppm;
	int64_t now_ns;
	/* what node 0 got back that nobody else wanted: see "spy" */
	struct trellis_packet seen;
	struct trellis_error seen_error;
	size_t n_seen;
	uint8_t seen_frame[2000];
} w;

static int number_of(const struct node *n)
{
	for (int i = 0; i < w.n; i++)
		if (w.nodes[i] == n)
			return i;
	ck_abort();
	return -1;
}

static void send_frame(void *ctx, unsigned nic, const uint8_t *frame, size_t len)
{
	int from = number_of(ctx);

	ck_assert_uint_le(len, 2000);
	for (size_t i = 0; i < w.n_links; i++) {
		const struct link *l = &w.links[i];

		for (int end = 0; end < 2; end++) {
			if (l->node[end] != from || l->nic[end] != nic || !l->up)
				continue;
			if (rng_chance_ppm(&w.rng, w.loss_ppm))
				return;
			struct message m = {.at_ns = w.now_ns + MS,
					    .node = l->node[!end],
					    .nic = l->nic[!end],
					    .len = len};

			memcpy(m.data, frame, len);
			vec_push(&w.wire, m);
		}
	}
}

static struct node *start_node(const char *address, bool transit)
{
	struct node *n = calloc(1, sizeof(*n));
	struct node_options o = {
		.transit = transit, .hello_ns = 1000 * MS, .refresh_ns = 20000 * MS};

	ck_assert(trellis_address_parse(&o.address, address));
	n->send = send_frame;
	n->ctx = n;
	node_init(n, &o, w.now_ns);
	return n;
}

static int add_node(const char *address, bool transit)
{
	w.nodes[w.n] = start_node(address, transit);
	return w.n++;
}

static void set_nic(int node, unsigned nic, uint16_t mtu, bool carrier)
{
	uint8_t mac[6] = {2, 0, 0, 0, (uint8_t)node, (uint8_t)nic};

	node_set_nic(w.nodes[node], nic, mac, mtu, carrier, w.now_ns);
}

static size_t add_link(int a, int b, uint16_t cost, uint16_t mtu)
{
	struct link *l = &w.links[w.n_links];

	*l = (struct link){.node = {a, b}, .nic = {w.nics[a]++, w.nics[b]++}, .up = true};
	for (int end = 0; end < 2; end++) {
		w.nodes[l->node[end]]->options.cost[l->nic[end]] = cost;
		set_nic(l->node[end], l->nic[end], mtu, true);
	}
	return w.n_links++;
}

static void run(int64_t ms)
{
	int64_t until = w.now_ns + ms * MS;

	for (;;) {
		int64_t next = until;
		size_t first = SIZE_MAX;

		for (int i = 0; i < w.n; i++)
			if (node_due_ns(w.nodes[i]) < next)
				next = node_due_ns(w.nodes[i]);
		for (size_t i = 0; i < w.wire.n; i++) {
			if (w.wire.at[i].at_ns > next)
				continue;
			if (first == SIZE_MAX || w.wire.at[i].at_ns < w.wire.at[first].at_ns) {
				first = i;
				next = w.wire.at[i].at_ns;
			}
		}
		if (next >= until && first == SIZE_MAX)
			break;
		if (next > w.now_ns)
			w.now_ns = next;
		if (first != SIZE_MAX) {
			struct message m = w.wire.at[first];

			vec_remove(&w.wire, first);
			node_receive(w.nodes[m.node], m.nic, m.data, m.len, w.now_ns);
		}
		for (int i = 0; i < w.n; i++)
			if (node_due_ns(w.nodes[i]) <= w.now_ns)
				node_tick(w.nodes[i], w.now_ns);
	}
	w.now_ns = until;
}

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	rng_init(&w.rng, 3, "wire", "test");
	w.now_ns = 1000 * MS;
}

static void teardown(void)
{
	for (int i = 0; i < w.n; i++) {
		node_finish(w.nodes[i]);
		free(w.nodes[i]);
	}
	vec_free(&w.wire);
}

static const struct trellis_route *route(int from, const char *to)
{
	struct trellis_address a;
	const struct node *n = w.nodes[from];

	ck_assert(trellis_address_parse(&a, to));
	return trellis_route_find(n->routes.at, n->routes.n, &a);
}

/*
 *   h1 --- r1 --10-- r2 --- h2      the short way: cost 10 + 10 + 10
 *           \        /
 *            5      5               the other: 5 + 50
 *             \    /
 *              r3
 */
enum { H1, R1, R2, H2, R3 };
static size_t r1r2, r1r3;

static void make_triangle(void)
{
	ck_assert_int_eq(add_node("/west/h1", false), H1);
	add_node("/west/r1", true);
	add_node("/east/r2", true);
	add_node("/east/h2", false);
	add_node("/south/r3", true);
	add_link(H1, R1, 10, 1500);
	r1r2 = add_link(R1, R2, 10, 1500);
	add_link(R2, H2, 10, 1500);
	r1r3 = add_link(R1, R3, 5, 1400);
	add_link(R3, R2, 50, 1500);
}

START_TEST(nodes_find_each_other)
{
	make_triangle();
	run(500);
	const struct trellis_route *r = route(H1, "/east/h2");

	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->cost, 30);
	ck_assert_uint_eq(r->hops, 3);
	ck_assert_uint_eq(r->mtu, 1500);
	for (int i = 0; i < w.n; i++)
		ck_assert_uint_eq(w.nodes[i]->routes.n, 4);
	ck_assert_ptr_null(route(H1, "/east/h3"));
	/* When nothing changes, nothing is computed. */
	uint64_t runs = w.nodes[R1]->spf_runs;

	run(15000);
	ck_assert_uint_eq(w.nodes[R1]->spf_runs, runs);
}
END_TEST

START_TEST(a_silent_cut_is_gone_around_and_mended)
{
	make_triangle();
	run(500);
	w.links[r1r2].up = false; /* nobody sees a carrier go */
	run(5000);
	const struct trellis_route *r = route(H1, "/east/h2");

	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->cost, 75);
	ck_assert_uint_eq(r->mtu, 1400);
	w.links[r1r2].up = true;
	run(2500);
	ck_assert_uint_eq(route(H1, "/east/h2")->cost, 30);
}
END_TEST

START_TEST(a_lost_carrier_is_gone_around_at_once)
{
	make_triangle();
	run(500);
	w.links[r1r2].up = false;
	set_nic(R1, w.links[r1r2].nic[0], 1500, false);
	set_nic(R2, w.links[r1r2].nic[1], 1500, false);
	run(60);
	ck_assert_uint_eq(route(H1, "/east/h2")->cost, 75);
}
END_TEST

START_TEST(what_is_cut_off_is_forgotten_and_found_again)
{
	make_triangle();
	run(500);
	w.links[r1r2].up = w.links[r1r3].up = false;
	run(6000);
	ck_assert_ptr_null(route(H1, "/east/h2")); /* no way, though its state is still known */
	run(70000);
	ck_assert_uint_eq(w.nodes[H1]->base.entries.n, 2); /* too old to be believed */
	w.links[r1r2].up = true;
	run(3000);
	ck_assert_uint_eq(route(H1, "/east/h2")->cost, 30);
	ck_assert_uint_eq(w.nodes[H1]->base.entries.n, 5);
}
END_TEST

START_TEST(hosts_are_not_gone_through)
{
	int a = add_node("/a", true);
	int h = add_node("/h", false);
	int b = add_node("/b", true);

	add_link(a, h, 1, 1500);
	add_link(h, b, 1, 1500);
	run(1000);
	ck_assert_ptr_nonnull(route(a, "/h"));
	ck_assert_ptr_null(route(a, "/b"));
	ck_assert_ptr_nonnull(route(h, "/b"));
}
END_TEST

START_TEST(equal_costs_are_decided_alike)
{
	int s = add_node("/s", true);
	int x = add_node("/x", true);
	int y = add_node("/b", true);
	int d = add_node("/d", true);

	add_link(s, x, 10, 1500);
	add_link(s, y, 10, 1500);
	add_link(x, d, 10, 1500);
	add_link(y, d, 10, 1500);
	run(1000);
	/* By /b, the lowest of the first hops: NIC 1 of s. */
	ck_assert_uint_eq(route(s, "/d")->nic, 1);
	ck_assert_uint_eq(route(d, "/s")->nic, 1);
}
END_TEST

START_TEST(one_that_starts_again_is_believed)
{
	make_triangle();
	run(30000);
	uint32_t before =
		state_base_find(&w.nodes[R1]->base, &w.nodes[R2]->options.address)->state.sequence;

	node_finish(w.nodes[R2]);
	free(w.nodes[R2]);
	w.nodes[R2] = start_node("/east/r2", true);
	for (unsigned i = 0; i < 3; i++)
		set_nic(R2, i, 1500, true);
	run(3000);
	ck_assert_uint_eq(route(H1, "/east/h2")->hops, 3);
	ck_assert_uint_gt(
		state_base_find(&w.nodes[R1]->base, &w.nodes[R2]->options.address)->state.sequence,
		before);
}
END_TEST

START_TEST(flooding_survives_loss)
{
	make_triangle();
	w.loss_ppm = 300000;
	run(30000);
	w.loss_ppm = 0;
	run(3000);
	for (int i = 0; i < w.n; i++)
		ck_assert_uint_eq(w.nodes[i]->routes.n, 4);
	/* Nothing is left to be acknowledged. */
	for (int i = 0; i < w.n; i++)
		for (size_t k = 0; k < w.nodes[i]->neighbours.n; k++)
			ck_assert_uint_eq(w.nodes[i]->neighbours.at[k].pending.n, 0);
}
END_TEST

/* h1 sends; what comes back is seen on its link instead of in its node. */
static void send_from_h1(const char *to, uint16_t port, uint8_t hops, size_t len)
{
	static uint8_t payload[1900];
	uint8_t frame[2000];
	struct trellis_packet p = {
		.kind = TRELLIS_DATAGRAM,
		.hop_limit = hops,
		.source = w.nodes[H1]->options.address,
		.source_port = 4000,
		.destination_port = port,
		.payload = payload,
		.len = (uint16_t)len,
	};
	uint8_t mac[6] = {2, 0, 0, 0, R1, 0};
	uint8_t own[6] = {2, 0, 0, 0, H1, 0};

	ck_assert(trellis_address_parse(&p.destination, to));
	size_t n = trellis_packet_write(&p, mac, own, frame, sizeof(frame));

	ck_assert_uint_gt(n, 0);
	send_frame(w.nodes[H1], 0, frame, n);
	w.n_seen = 0;
	for (int i = 0; i < 100 && !w.n_seen; i++) {
		run(1);
		for (size_t k = 0; k < w.wire.n; k++) {
			const struct message *m = &w.wire.at[k];

			if (m->node != H1 || !trellis_packet_read(&w.seen, m->data, m->len) ||
			    w.seen.kind < TRELLIS_DATAGRAM)
				continue;
			memcpy(w.seen_frame, m->data, m->len);
			ck_assert(trellis_packet_read(&w.seen, w.seen_frame, m->len));
			w.n_seen++;
		}
	}
}

static void expect_error(enum trellis_error_code code, const char *from)
{
	char text[TRELLIS_TEXT_MAX];

	ck_assert_uint_eq(w.n_seen, 1);
	ck_assert_int_eq(w.seen.kind, TRELLIS_ERROR);
	ck_assert_uint_eq(w.seen.destination_port, 4000);
	ck_assert_str_eq(trellis_address_format(&w.seen.source, text), from);
	ck_assert(trellis_error_read(&w.seen_error, w.seen.payload, w.seen.len));
	ck_assert_int_eq(w.seen_error.code, code);
}

START_TEST(packets_are_forwarded_and_answered)
{
	make_triangle();
	run(500);
	send_from_h1("/east/h2", TRELLIS_ECHO_PORT, 3, 100);
	ck_assert_uint_eq(w.n_seen, 1);
	ck_assert_int_eq(w.seen.kind, TRELLIS_DATAGRAM);
	ck_assert_uint_eq(w.seen.len, 100);
	ck_assert_int_eq(w.seen.hop_limit, TRELLIS_HOPS - 2);
	ck_assert_uint_eq(w.nodes[R1]->forwarded, 2);
}
END_TEST

START_TEST(what_cannot_be_delivered_comes_back_as_an_error)
{
	make_triangle();
	run(500);
	send_from_h1("/east/h2", TRELLIS_ECHO_PORT, 2, 10);
	expect_error(TRELLIS_ERROR_HOPS, "/east/r2");
	send_from_h1("/north/h9", TRELLIS_ECHO_PORT, 9, 10);
	expect_error(TRELLIS_ERROR_ROUTE, "/west/r1");
	send_from_h1("/east/h2", 99, 9, 10);
	expect_error(TRELLIS_ERROR_PORT, "/east/h2");
	send_from_h1("/south/r3", TRELLIS_ECHO_PORT, 9, 1420);
	expect_error(TRELLIS_ERROR_SIZE, "/west/r1");
	ck_assert_uint_eq(w.seen_error.mtu, 1400);
}
END_TEST

START_TEST(a_host_forwards_nothing)
{
	make_triangle();
	run(500);
	struct trellis_packet p = {.kind = TRELLIS_DATAGRAM, .hop_limit = 9};
	uint8_t frame[200];
	uint8_t mac[6] = {2, 0, 0, 0, H2, 0};

	ck_assert(trellis_address_parse(&p.destination, "/west/h1"));
	ck_assert(trellis_address_parse(&p.source, "/east/r2"));
	size_t n = trellis_packet_write(&p, mac, mac, frame, sizeof(frame));

	node_receive(w.nodes[H2], 0, frame, n, w.now_ns);
	ck_assert_uint_eq(w.nodes[H2]->drops.not_transit, 1);
	ck_assert_uint_eq(w.nodes[H2]->forwarded, 0);
}
END_TEST

START_TEST(states_of_strangers_are_not_taken)
{
	int a = add_node("/a", true);
	struct state s = {.sequence = 9, .transit = true};
	uint8_t payload[200];
	uint8_t frame[300];
	uint8_t mac[6] = {2};
	struct trellis_packet p = {.kind = TRELLIS_STATE, .hop_limit = 1, .payload = payload};

	set_nic(a, 0, 1500, true);
	ck_assert(trellis_address_parse(&s.origin, "/liar"));
	p.source = s.origin;
	p.len = (uint16_t)state_write(&s, payload, sizeof(payload));
	node_receive(w.nodes[a], 0, frame, trellis_packet_write(&p, mac, mac, frame, sizeof(frame)),
		     w.now_ns);
	run(1);
	ck_assert_ptr_null(state_base_find(&w.nodes[a]->base, &s.origin));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trellis node");
	TCase *tc = tcase_create("node");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nodes_find_each_other);
	tcase_add_test(tc, a_silent_cut_is_gone_around_and_mended);
	tcase_add_test(tc, a_lost_carrier_is_gone_around_at_once);
	tcase_add_test(tc, what_is_cut_off_is_forgotten_and_found_again);
	tcase_add_test(tc, hosts_are_not_gone_through);
	tcase_add_test(tc, equal_costs_are_decided_alike);
	tcase_add_test(tc, one_that_starts_again_is_believed);
	tcase_add_test(tc, flooding_survives_loss);
	tcase_add_test(tc, packets_are_forwarded_and_answered);
	tcase_add_test(tc, what_cannot_be_delivered_comes_back_as_an_error);
	tcase_add_test(tc, a_host_forwards_nothing);
	tcase_add_test(tc, states_of_strangers_are_not_taken);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
