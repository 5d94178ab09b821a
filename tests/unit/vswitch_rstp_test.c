/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rapid spanning tree on networks of bridges, all of them simulated: whatever the topology and
 * whatever is cut, what forwards soon is a tree that reaches all, by the shortest ways.
 */
#include "vswitch/rstp_priv.h"

#include "lib/rng.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BRIDGES_MAX = 12, LINKS_MAX = 32, QUEUE = 8192 };

struct net_link {
	int bridge[2];
	uint16_t port[2];
	bool up;
};

static struct rstp bridge[BRIDGES_MAX];
static struct net_link link_[LINKS_MAX];
static int n_bridges, n_links;
static uint16_t used_ports[BRIDGES_MAX];
static struct message {
	int link, side; /* where it goes */
	size_t len;
	uint8_t frame[RSTP_FRAME_MAX];
} queue[QUEUE];
static unsigned n_queue;
static struct rng order;
static long messages;
static bool loops_allowed;

static void make_bridges(int n)
{
	for (n_bridges = 0; n_bridges < n; n_bridges++) {
		uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(n_bridges + 1)};

		rstp_init(&bridge[n_bridges], mac);
		used_ports[n_bridges] = 0;
	}
	n_links = 0;
	n_queue = 0;
	rng_init(&order, 1, "rstp", "order");
	messages = 0;
}

static void finish(void)
{
	for (int i = 0; i < n_bridges; i++)
		rstp_finish(&bridge[i]);
}

static int parent[BRIDGES_MAX];

static int find_set(int i)
{
	while (parent[i] != i)
		i = parent[i];
	return i;
}

static bool is_active(const struct net_link *l)
{
	return l->up && rstp_forwards(&bridge[l->bridge[0]], l->port[0]) &&
	       rstp_forwards(&bridge[l->bridge[1]], l->port[1]);
}

/* Joins the bridges over links; returns the number of parts, or -1 if there is a loop. */
static int count_parts(bool active_only)
{
	int parts = n_bridges;

	for (int i = 0; i < n_bridges; i++)
		parent[i] = i;
	for (int i = 0; i < n_links; i++) {
		if (active_only ? !is_active(&link_[i]) : !link_[i].up)
			continue;
		int a = find_set(link_[i].bridge[0]);
		int b = find_set(link_[i].bridge[1]);

		if (a == b && active_only)
			return -1;
		parts -= a != b;
		parent[a] = b;
	}
	return parts;
}

static void check_no_loop(void)
{
	if (!loops_allowed && count_parts(true) < 0)
		ck_abort_msg("a loop after %ld messages", messages);
}

static void enqueue(int b, uint16_t port, const uint8_t *frame, size_t len)
{
	for (int i = 0; i < 2 * n_links; i++) {
		const struct net_link *l = &link_[i / 2];

		if (!l->up || l->bridge[i % 2] != b || l->port[i % 2] != port)
			continue;
		ck_assert_uint_lt(n_queue, QUEUE);
		queue[n_queue] = (struct message){.link = i / 2, .side = !(i % 2), .len = len};
		memcpy(queue[n_queue++].frame, frame, len);
	}
}

/* Delivers one message: the first of any link, since nothing says which link is faster. */
static void deliver_one(void)
{
	unsigned pick = (unsigned)rng_below(&order, n_queue);
	unsigned i = 0;

	while (queue[i].link != queue[pick].link || queue[i].side != queue[pick].side)
		i++;
	struct message m = queue[i];
	const struct net_link *l = &link_[m.link];

	memmove(&queue[i], &queue[i + 1], (--n_queue - i) * sizeof(queue[0]));
	messages++;
	if (l->up && !rstp_receive(&bridge[l->bridge[m.side]], l->port[m.side], m.frame, m.len))
		ck_abort_msg("a BPDU that is none");
}

/* Sends and delivers all there is, until there is silence. Between any two messages there is no
 * loop. */
static void exchange(void)
{
	uint8_t frame[RSTP_FRAME_MAX];
	uint16_t port;

	do {
		if (n_queue)
			deliver_one();
		for (int b = 0; b < n_bridges; b++) {
			for (size_t len; (len = rstp_transmit(&bridge[b], &port, frame));)
				enqueue(b, port, frame, len);
			while (rstp_flush(&bridge[b]) >= 0)
				;
		}
		check_no_loop();
	} while (n_queue);
}

static void set_link(int i, bool up)
{
	link_[i].up = up;
	for (int s = 0; s < 2; s++)
		rstp_enable_port(&bridge[link_[i].bridge[s]], link_[i].port[s], up);
	exchange();
}

static int join(int a, int b)
{
	struct net_link *l = &link_[n_links];

	*l = (struct net_link){.bridge = {a, b}, .port = {used_ports[a]++, 0}};
	l->port[1] = used_ports[b]++;
	set_link(n_links++, true);
	return n_links - 1;
}

static bool is_tree(void)
{
	return count_parts(true) == count_parts(false);
}

static void tick(void)
{
	for (int b = 0; b < n_bridges; b++) {
		rstp_tick(&bridge[b]);
		exchange();
	}
}

/* Seconds until the tree reaches all, and stays so for ten; at most max. */
static int converge(int max)
{
	int since = 0;
	int good = 0;

	for (int t = 0; t <= max + 10; t++) {
		if (!is_tree()) {
			good = 0;
			since = t + 1;
		} else if (++good > 10) {
			return since;
		}
		tick();
	}
	ck_abort_msg("no tree after %d s", max);
	return -1;
}

static enum rstp_role role_at(int i, int side)
{
	return bridge[link_[i].bridge[side]].port[link_[i].port[side]].role;
}

START_TEST(two_bridges_agree_at_once)
{
	make_bridges(2);
	int l = join(0, 1);

	ck_assert_int_eq(role_at(l, 0), RSTP_DESIGNATED); /* the lower address is the root */
	ck_assert_int_eq(role_at(l, 1), RSTP_ROOT);
	ck_assert(is_active(&link_[l])); /* proposal and agreement, no timer */
	finish();
}
END_TEST

START_TEST(a_triangle_blocks_one_port)
{
	make_bridges(3);
	int ab = join(0, 1);
	int bc = join(1, 2);
	int ac = join(0, 2);

	ck_assert_int_le(converge(5), 1);
	ck_assert(is_active(&link_[ab]));
	ck_assert(is_active(&link_[ac]));
	ck_assert_int_eq(role_at(bc, 0), RSTP_DESIGNATED);
	ck_assert_int_eq(role_at(bc, 1), RSTP_ALTERNATE);
	/* The alternate port takes over at once. */
	set_link(ac, false);
	ck_assert(is_tree());
	ck_assert_int_eq(role_at(bc, 1), RSTP_ROOT);
	set_link(ac, true);
	ck_assert_int_le(converge(5), 1);
	finish();
}
END_TEST

START_TEST(priority_and_cost_decide)
{
	make_bridges(3);
	int ab = join(0, 1);
	int bc = join(1, 2);
	int ac = join(0, 2);

	rstp_set_priority(&bridge[2], 4096);
	exchange();
	converge(20);
	for (int b = 0; b < 3; b++)
		ck_assert_uint_eq(bridge[b].root_priority.root, bridge[2].id);
	ck_assert(!is_active(&link_[ab]));
	/* From 0 the way over 1 becomes cheaper than the straight one. */
	rstp_set_cost(&bridge[0], link_[ac].port[0], 100000);
	exchange();
	converge(20);
	ck_assert(is_active(&link_[ab]));
	ck_assert(is_active(&link_[bc]));
	ck_assert(!is_active(&link_[ac]));
	ck_assert_uint_eq(bridge[0].root_priority.cost, 40000);
	finish();
}
END_TEST

START_TEST(parallel_links_and_loops_to_oneself)
{
	make_bridges(2);
	int first = join(0, 1);
	int second = join(0, 1);
	int self = join(1, 1);

	converge(40);
	ck_assert_int_eq(role_at(first, 1), RSTP_ROOT);
	ck_assert_int_eq(role_at(second, 1), RSTP_ALTERNATE);
	ck_assert_int_eq(role_at(self, 0), RSTP_DESIGNATED);
	ck_assert_int_eq(role_at(self, 1), RSTP_BACKUP);
	finish();
}
END_TEST

START_TEST(a_port_without_a_bridge_is_an_edge)
{
	make_bridges(1);
	rstp_enable_port(&bridge[0], 0, true);
	for (int i = 0; i < RSTP_MIGRATE; i++) {
		ck_assert(!rstp_forwards(&bridge[0], 0));
		tick();
	}
	ck_assert(rstp_forwards(&bridge[0], 0));
	ck_assert(bridge[0].port[0].oper_edge);
	/* It comes and goes without a change of the topology. */
	ck_assert_uint_eq(bridge[0].topology_changes, 0);
	finish();
}
END_TEST

static void make_random(struct rng *r)
{
	make_bridges(2 + (int)rng_below(r, BRIDGES_MAX - 1));
	int extra = (int)rng_below(r, 12);

	for (int b = 0; b < n_bridges; b++)
		rstp_set_priority(&bridge[b], (uint16_t)(4096 * rng_below(r, 16)));
	for (int b = 1; b < n_bridges; b++)
		join(b, (int)rng_below(r, (uint64_t)b));
	for (int i = 0; i < extra; i++) {
		int a = (int)rng_below(r, (uint64_t)n_bridges);
		int b = (int)rng_below(r, (uint64_t)n_bridges);

		if (a != b)
			join(a, b);
	}
}

/* The tree is the one of shortest ways: every bridge knows its distance from the root. */
static void check_distances(void)
{
	int root = 0;
	int far[BRIDGES_MAX];

	for (int b = 1; b < n_bridges; b++)
		if (bridge[b].id < bridge[root].id)
			root = b;
	for (int b = 0; b < n_bridges; b++)
		far[b] = b == root ? 0 : 1000;
	for (int round = 0; round < n_bridges; round++) {
		for (int i = 0; i < n_links; i++) {
			int *a = &far[link_[i].bridge[0]];
			int *b = &far[link_[i].bridge[1]];

			if (!link_[i].up)
				continue;
			*a = *a < *b + 1 ? *a : *b + 1;
			*b = *b < *a + 1 ? *b : *a + 1;
		}
	}
	for (int b = 0; b < n_bridges; b++) {
		if (far[b] == 1000)
			continue; /* cut off: has a root of its own */
		ck_assert_uint_eq(bridge[b].root_priority.root, bridge[root].id);
		ck_assert_uint_eq(bridge[b].root_priority.cost, (unsigned)far[b] * RSTP_COST);
	}
}

/*
 * Eight links cut or mended, one after the other, in each of many networks. While the old root can
 * still be reached there is never a loop. (When it cannot, its word may go round for some seconds,
 * and RSTP is known to loop meanwhile: Elmeleegy, Cox, Ng, INFOCOM 2006.)
 */
START_TEST(any_network_becomes_a_tree)
{
	struct rng r;
	bool may_loop = _i % 2;

	rng_init(&r, (uint64_t)_i, "rstp", "net");
	for (int net = 0; net < 10; net++) {
		make_random(&r);
		converge(60);
		check_distances();
		for (int change = 0; change < 8; change++) {
			int i = (int)rng_below(&r, (uint64_t)n_links);
			int parts = count_parts(false);

			link_[i].up = !link_[i].up;
			bool cut_off = count_parts(false) > parts;

			link_[i].up = !link_[i].up;
			if (cut_off && !may_loop)
				continue;
			loops_allowed = may_loop;
			set_link(i, !link_[i].up);
			if (may_loop && rng_below(&r, 2))
				tick(); /* the next one comes in the middle of it */
			else
				converge(60);
			loops_allowed = false;
		}
		loops_allowed = may_loop;
		converge(60);
		loops_allowed = false;
		check_distances();
		finish();
	}
}
END_TEST

/* A bridge goes silent without loss of carrier: its word is kept for three hellos. */
START_TEST(a_silent_bridge_is_forgotten_after_three_hellos)
{
	make_bridges(3);
	int ab = join(0, 1);
	int bc = join(1, 2);
	int ac = join(0, 2);

	converge(5);
	/* Bridge 2 no longer hears bridge 0. */
	link_[ac].up = false;
	for (int i = 0; i < 3 * RSTP_HELLO - 2; i++)
		tick();
	ck_assert_int_eq(role_at(ac, 1), RSTP_ROOT);
	for (int i = 0; i < 2; i++)
		tick();
	ck_assert_int_eq(role_at(bc, 1), RSTP_ROOT);
	ck_assert(is_active(&link_[bc]));
	ck_assert(is_active(&link_[ab]));
	finish();
}
END_TEST

/*
 * A bridge of 1998 claims to be the root and loses: it is answered in its own language, and as it
 * agrees to nothing, the port waits for the timers: MaxAge, then the forward delay.
 */
START_TEST(an_old_bridge_is_spoken_to_in_its_language)
{
	uint8_t frame[RSTP_FRAME_MAX];
	struct rstp_message m;
	struct rstp old;
	uint16_t port;
	uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	make_bridges(1);
	rstp_init(&old, mac);
	rstp_enable_port(&old, 0, true);
	rstp_enable_port(&bridge[0], 0, true);
	for (int t = 0; t < 60; t++) {
		if (t < 6) {
			rstp_encode(&old, &old.port[0], BPDU_CONFIG, frame);
			ck_assert(rstp_receive(&bridge[0], 0, frame, sizeof(frame)));
		}
		ck_assert_int_eq(bridge[0].port[0].role, RSTP_DESIGNATED);
		ck_assert(!bridge[0].port[0].oper_edge);
		ck_assert(t < 38 || rstp_forwards(&bridge[0], 0));
		ck_assert(t > 32 || !rstp_forwards(&bridge[0], 0));
		rstp_tick(&bridge[0]);
		while (rstp_transmit(&bridge[0], &port, frame)) {
			ck_assert(rstp_decode(frame, sizeof(frame), &m));
			ck_assert_int_eq(m.type, t < RSTP_MIGRATE ? BPDU_RST : BPDU_CONFIG);
		}
	}
	rstp_finish(&old);
	finish();
}
END_TEST

/* However much happens in a second, a port sends six BPDUs, and then one a second. */
START_TEST(a_port_holds_itself_back)
{
	uint8_t frame[RSTP_FRAME_MAX];
	uint16_t port;
	int sent = 0;

	make_bridges(1);
	rstp_enable_port(&bridge[0], 0, true);
	for (int i = 0; i < 50; i++) {
		rstp_set_priority(&bridge[0], (uint16_t)(i % 2 * 4096));
		while (rstp_transmit(&bridge[0], &port, frame))
			sent++;
	}
	ck_assert_int_eq(sent, RSTP_TX_HOLD);
	ck_assert(!rstp_wants_to_transmit(&bridge[0]));
	tick();
	rstp_set_priority(&bridge[0], 8192);
	sent = 0;
	while (rstp_transmit(&bridge[0], &port, frame))
		sent++;
	ck_assert_int_le(sent, 1);
	finish();
}
END_TEST

/* A word that has gone round for as long as it may live is not listened to. */
START_TEST(old_words_are_not_heard)
{
	uint8_t frame[RSTP_FRAME_MAX];
	uint8_t mac[6] = {0, 0, 0, 0, 0, 1};
	struct rstp better;

	make_bridges(1);
	rstp_init(&better, mac);
	rstp_enable_port(&better, 0, true);
	rstp_enable_port(&bridge[0], 0, true);
	better.port[0].designated_times.age = RSTP_MAX_AGE;
	rstp_encode(&better, &better.port[0], BPDU_RST, frame);
	ck_assert(rstp_receive(&bridge[0], 0, frame, sizeof(frame)));
	ck_assert_int_eq(bridge[0].port[0].role, RSTP_DESIGNATED);
	better.port[0].designated_times.age = RSTP_MAX_AGE - 1;
	rstp_encode(&better, &better.port[0], BPDU_RST, frame);
	ck_assert(rstp_receive(&bridge[0], 0, frame, sizeof(frame)));
	ck_assert_int_eq(bridge[0].port[0].role, RSTP_ROOT);
	rstp_finish(&better);
	finish();
}
END_TEST

/* A port at which nobody spoke is an edge until somebody does. */
START_TEST(an_edge_that_meets_a_bridge_is_none)
{
	make_bridges(2);
	rstp_enable_port(&bridge[0], 0, true);
	rstp_enable_port(&bridge[1], 0, true);
	used_ports[0] = used_ports[1] = 1;
	for (int i = 0; i < 10; i++)
		tick();
	ck_assert(bridge[0].port[0].oper_edge && bridge[1].port[0].oper_edge);
	link_[n_links++] = (struct net_link){.bridge = {0, 1}, .port = {0, 0}, .up = true};
	converge(5);
	ck_assert(!bridge[0].port[0].oper_edge || !bridge[1].port[0].oper_edge);
	finish();
}
END_TEST

START_TEST(bpdus_survive_the_wire)
{
	uint8_t frame[RSTP_FRAME_MAX];
	struct rstp_message m;
	struct rstp_port *p;

	make_bridges(3);
	join(0, 1);
	join(1, 2);
	p = &bridge[2].port[0];
	p->tc_while = 1;
	p->proposing = true;
	ck_assert_uint_eq(rstp_encode(&bridge[2], p, BPDU_RST, frame), 60);
	ck_assert(rstp_decode(frame, 60, &m));
	ck_assert_uint_eq(m.vector.root, bridge[0].id);
	ck_assert_uint_eq(m.vector.cost, 2 * RSTP_COST);
	ck_assert_uint_eq(m.vector.bridge, bridge[2].id);
	ck_assert_uint_eq(m.vector.port, 0x8001);
	ck_assert_uint_eq(m.times.age, 2);
	ck_assert_uint_eq(m.times.max_age, 20);
	ck_assert_uint_eq(m.flags, FLAG_TC | FLAG_PROPOSAL | FLAG_ROLE_ROOT | FLAG_LEARNING |
					   FLAG_FORWARDING | FLAG_AGREEMENT);
	for (size_t len = 0; len < 14 + 3 + 36; len++)
		ck_assert(!rstp_decode(frame, len, &m));
	frame[14] = 0;
	ck_assert(!rstp_decode(frame, 60, &m));
	finish();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rstp");
	TCase *tc = tcase_create("rstp");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, two_bridges_agree_at_once);
	tcase_add_test(tc, a_triangle_blocks_one_port);
	tcase_add_test(tc, priority_and_cost_decide);
	tcase_add_test(tc, parallel_links_and_loops_to_oneself);
	tcase_add_test(tc, a_port_without_a_bridge_is_an_edge);
	tcase_add_loop_test(tc, any_network_becomes_a_tree, 0, 20);
	tcase_add_test(tc, a_silent_bridge_is_forgotten_after_three_hellos);
	tcase_add_test(tc, an_old_bridge_is_spoken_to_in_its_language);
	tcase_add_test(tc, a_port_holds_itself_back);
	tcase_add_test(tc, old_words_are_not_heard);
	tcase_add_test(tc, an_edge_that_meets_a_bridge_is_none);
	tcase_add_test(tc, bpdus_survive_the_wire);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
