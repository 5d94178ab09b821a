/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Embedding: what it finds is within all limits, is the best where that can be known, and is the
 * same every time; what it does not find, it explains. */
#include "lib/rng.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "topo/embed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 24, MBIT = 1000000 };

/* An input under construction. */
struct lab {
	struct arena arena;
	struct embed_input in;
	struct embed_node nodes[MAX];
	struct embed_port ports[2 * MAX];
	struct embed_link links[MAX];
	struct embed_lan lans[MAX];
	struct embed_vnet vnets[MAX];
	struct embed_vnode vnodes[MAX];
	struct embed_vlink vlinks[MAX];
	struct embed_result out;
	struct embed_failure why;
};

static struct lab *lab_create(size_t n_nodes)
{
	struct lab *l = xcalloc(1, sizeof(*l));

	l->in = (struct embed_input){.nodes = l->nodes,
				     .ports = l->ports,
				     .links = l->links,
				     .lans = l->lans,
				     .vnets = l->vnets,
				     .vnodes = l->vnodes,
				     .vlinks = l->vlinks,
				     .n_nodes = n_nodes,
				     .n_vnets = 2};
	for (size_t i = 0; i < n_nodes; i++)
		l->nodes[i].room = -1;
	for (size_t i = 0; i < MAX; i++)
		l->vnets[i].share_ppm = 1000000;
	return l;
}

static void lab_destroy(struct lab *l)
{
	arena_finish(&l->arena);
	free(l);
}

static int add_port(struct lab *l, int64_t mbit)
{
	l->ports[l->in.n_ports] = (struct embed_port){mbit * MBIT, mbit * MBIT};
	return (int)l->in.n_ports++;
}

static int add_link(struct lab *l, int a, int b, int64_t mbit)
{
	l->links[l->in.n_links] =
		(struct embed_link){{a, b}, {add_port(l, mbit), add_port(l, mbit)}, -1};
	return (int)l->in.n_links++;
}

static int add_node(struct lab *l, int vnet, int place, bool is_router)
{
	l->vnodes[l->in.n_vnodes] = (struct embed_vnode){vnet, place, is_router, NULL};
	return (int)l->in.n_vnodes++;
}

static int add_vlink(struct lab *l, int a, int b, int64_t ahead, int64_t back)
{
	l->vlinks[l->in.n_vlinks] = (struct embed_vlink){
		{a, b}, l->vnodes[a].vnet, {ahead * MBIT, back * MBIT}, NULL, 0};
	return (int)l->in.n_vlinks++;
}

static int run(struct lab *l)
{
	return embed_run(&l->arena, &l->in, &l->out, &l->why);
}

/* The way as text: "0 3 4". */
static const char *way_text(const struct lab *l, int vlink)
{
	static char text[256];
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < l->out.ways[vlink].n_links; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? " " : "",
					l->out.ways[vlink].links[i]);
	return text;
}

/* Places are allowed, ways lead from end to end through all stops, and no limit is broken. */
static void verify(const struct lab *l)
{
	const struct embed_input *in = &l->in;
	int64_t out[2 * MAX] = {0};
	int64_t inward[2 * MAX] = {0};
	int64_t lan[MAX] = {0};
	int64_t share[MAX][MAX] = {{0}};
	int held[MAX] = {0};

	for (size_t i = 0; i < in->n_vnodes; i++) {
		int place = l->out.places[i];

		ck_assert(place >= 0 && place < (int)in->n_nodes);
		ck_assert(in->vnodes[i].place < 0 || in->vnodes[i].place == place);
		ck_assert(!in->vnodes[i].may || in->vnodes[i].may[place]);
		held[place]++;
	}
	for (size_t i = 0; i < in->n_nodes; i++)
		ck_assert(in->nodes[i].room < 0 || held[i] <= in->nodes[i].room);
	for (size_t i = 0; i < in->n_vlinks; i++) {
		const struct embed_vlink *v = &in->vlinks[i];
		int at = l->out.places[v->end[0]];
		size_t stops = 0;

		for (size_t k = 0;; k++) {
			while (stops < v->n_via && !v->via[stops].is_link &&
			       v->via[stops].index == at)
				stops++;
			if (k == l->out.ways[i].n_links)
				break;
			int id = l->out.ways[i].links[k];
			const struct embed_link *link = &in->links[id];
			int side = link->node[0] != at;

			ck_assert_int_eq(link->node[side], at);
			stops += stops < v->n_via && v->via[stops].is_link &&
				 v->via[stops].index == id;
			out[link->port[side]] += v->min_bps[0];
			inward[link->port[!side]] += v->min_bps[0];
			out[link->port[!side]] += v->min_bps[1];
			inward[link->port[side]] += v->min_bps[1];
			if (link->lan >= 0) {
				lan[link->lan] += v->min_bps[0] + v->min_bps[1];
				share[link->lan][v->vnet] += v->min_bps[0] + v->min_bps[1];
			}
			at = link->node[!side];
		}
		ck_assert_uint_eq(stops, v->n_via);
		ck_assert_int_eq(at, l->out.places[v->end[1]]);
	}
	for (size_t i = 0; i < in->n_ports; i++) {
		ck_assert(!in->ports[i].out_bps || out[i] <= in->ports[i].out_bps);
		ck_assert(!in->ports[i].in_bps || inward[i] <= in->ports[i].in_bps);
	}
	for (size_t i = 0; i < in->n_lans; i++) {
		ck_assert(lan[i] <= in->lans[i].rate_bps);
		for (size_t k = 0; k < in->n_vnets; k++)
			ck_assert(share[i][k] <=
				  in->lans[i].rate_bps / 1000000 * in->vnets[k].share_ppm);
	}
}

START_TEST(shortest_way_is_taken)
{
	struct lab *l = lab_create(4); /* a ring */

	add_link(l, 0, 1, 100);
	add_link(l, 1, 2, 100);
	add_link(l, 2, 3, 100);
	add_link(l, 3, 0, 100);
	int r1 = add_node(l, 0, 0, true);
	int r2 = add_node(l, 0, 3, true);
	int v = add_vlink(l, r1, r2, 10, 10);

	ck_assert_int_eq(run(l), 0);
	verify(l);
	ck_assert_str_eq(way_text(l, v), "3");
	ck_assert(l->out.is_best);
	lab_destroy(l);
}
END_TEST

START_TEST(full_link_is_gone_around)
{
	struct lab *l = lab_create(4);

	add_link(l, 0, 1, 100);
	add_link(l, 1, 2, 100);
	add_link(l, 2, 3, 100);
	add_link(l, 3, 0, 100);
	int r1 = add_node(l, 0, 0, true);
	int r2 = add_node(l, 0, 3, true);
	int narrow = add_vlink(l, r1, r2, 40, 0);
	int wide = add_vlink(l, r1, r2, 70, 0);

	ck_assert_int_eq(run(l), 0);
	verify(l);
	ck_assert_str_eq(way_text(l, wide), "3");
	ck_assert_str_eq(way_text(l, narrow), "0 1 2");
	lab_destroy(l);
}
END_TEST

/* 40 and 70 from one side, 60 and 30 from the other: each direction is counted for itself. */
START_TEST(directions_are_apart)
{
	struct lab *l = lab_create(2);

	add_link(l, 0, 1, 100);
	int r1 = add_node(l, 0, 0, true);
	int r2 = add_node(l, 0, 1, true);

	add_vlink(l, r1, r2, 70, 30);
	add_vlink(l, r2, r1, 70, 30);
	ck_assert_int_eq(run(l), 0);
	verify(l);
	add_vlink(l, r1, r2, 0, 1);
	ck_assert_int_eq(run(l), -1);
	ck_assert_int_eq(l->why.why, EMBED_SHORT_LINK);
	ck_assert_int_eq(l->why.link, 0);
	ck_assert_int_eq(l->why.node, 1);
	ck_assert_int_eq(l->why.want_bps, 1 * MBIT);
	ck_assert_int_eq(l->why.left_bps, 0);
	ck_assert_int_eq(l->why.total_bps, 100 * MBIT);
	lab_destroy(l);
}
END_TEST

/* The first choice must be taken back: greedy would give the only short way to the first. */
START_TEST(choices_are_taken_back)
{
	struct lab *l = lab_create(3);

	add_link(l, 0, 1, 10);               /* 0 to 1 at once, */
	int detour1 = add_link(l, 0, 2, 10); /* or over 2 */
	int detour2 = add_link(l, 2, 1, 10);
	struct embed_stop only = {true, 0};
	int r1 = add_node(l, 0, 0, true);
	int r2 = add_node(l, 0, 1, true);
	int free_way = add_vlink(l, r1, r2, 10, 0);
	int bound = add_vlink(l, r1, r2, 10, 0);

	l->vlinks[bound].via = &only;
	l->vlinks[bound].n_via = 1;
	ck_assert_int_eq(run(l), 0);
	verify(l);
	ck_assert_str_eq(way_text(l, bound), "0");
	ck_assert_int_eq(l->out.ways[free_way].links[0], detour1);
	ck_assert_int_eq(l->out.ways[free_way].links[1], detour2);
	lab_destroy(l);
}
END_TEST

START_TEST(stops_are_passed_in_order)
{
	struct lab *l = lab_create(5);
	struct embed_stop stops[] = {{false, 3}, {true, 0}};

	add_link(l, 1, 2, 0);
	add_link(l, 0, 3, 0);
	add_link(l, 3, 1, 0);
	add_link(l, 0, 1, 0);
	add_link(l, 2, 4, 0);
	int r1 = add_node(l, 0, 0, true);
	int r2 = add_node(l, 0, 4, true);
	int v = add_vlink(l, r1, r2, 1, 1);

	l->vlinks[v].via = stops;
	l->vlinks[v].n_via = 2;
	ck_assert_int_eq(run(l), 0);
	verify(l);
	ck_assert_str_eq(way_text(l, v), "1 2 0 4");
	stops[0] = (struct embed_stop){true, 4};
	ck_assert_int_eq(run(l), -1);
	ck_assert_int_eq(l->why.why, EMBED_NO_WAY);
	lab_destroy(l);
}
END_TEST

/* A host goes where its router is, and costs nothing there; routers are spread. */
START_TEST(places_are_chosen)
{
	struct lab *l = lab_create(3);

	add_link(l, 0, 1, 100);
	add_link(l, 1, 2, 100);
	int r1 = add_node(l, 0, -1, true);
	int r2 = add_node(l, 0, 2, true);
	int h = add_node(l, 0, -1, false);

	add_vlink(l, r1, r2, 5, 5);
	add_vlink(l, h, r1, 50, 50);
	ck_assert_int_eq(run(l), 0);
	verify(l);
	ck_assert_int_eq(l->out.places[r1], 1);
	ck_assert_int_eq(l->out.places[h], 1);
	ck_assert_uint_eq(l->out.revisits, 0);
	l->nodes[1].room = 1;
	ck_assert_int_eq(run(l), 0);
	verify(l);
	ck_assert_uint_eq(l->out.revisits, 0);
	lab_destroy(l);
}
END_TEST

START_TEST(lack_of_room_is_told)
{
	struct lab *l = lab_create(2);

	add_link(l, 0, 1, 100);
	l->nodes[0].room = 1;
	l->nodes[1].room = 1;
	for (int i = 0; i < 3; i++)
		add_node(l, 0, -1, true);
	ck_assert_int_eq(run(l), -1);
	ck_assert_int_eq(l->why.why, EMBED_NO_PLACE);
	ck_assert_int_eq(l->why.vnode, 2);
	lab_destroy(l);
}
END_TEST

START_TEST(lan_is_one_segment)
{
	struct lab *l = lab_create(3);

	l->lans[0].rate_bps = 100 * MBIT;
	l->in.n_lans = 1;
	add_link(l, 0, 1, 100);
	add_link(l, 1, 2, 100);
	l->links[0].lan = l->links[1].lan = 0;
	int r[] = {add_node(l, 0, 0, true), add_node(l, 0, 1, true), add_node(l, 1, 1, true),
		   add_node(l, 1, 2, true)};

	add_vlink(l, r[0], r[1], 40, 0);
	add_vlink(l, r[2], r[3], 0, 70);
	ck_assert_int_eq(run(l), -1);
	ck_assert_int_eq(l->why.why, EMBED_SHORT_LAN);
	ck_assert_int_eq(l->why.left_bps, 30 * MBIT);
	l->vnets[1].share_ppm = 500000;
	ck_assert_int_eq(run(l), -1);
	ck_assert_int_eq(l->why.why, EMBED_SHORT_SHARE);
	ck_assert_int_eq(l->why.total_bps, 50 * MBIT);
	ck_assert_int_eq(l->why.lan, 0);
	l->vlinks[1].min_bps[1] = 50 * MBIT;
	ck_assert_int_eq(run(l), 0);
	verify(l);
	lab_destroy(l);
}
END_TEST

START_TEST(too_long_a_search_is_told)
{
	struct lab *l = lab_create(8);

	for (int i = 0; i < 8; i++)
		add_link(l, i, (i + 1) % 8, 10);
	for (int i = 0; i < 12; i++)
		add_node(l, 0, -1, true);
	for (int i = 0; i < 12; i++)
		add_vlink(l, i, (i + 5) % 12, 4, 4);
	l->in.max_steps = 20;
	ck_assert_int_eq(run(l), -1);
	ck_assert(l->why.gave_up);
	lab_destroy(l);
}
END_TEST

/* ---- properties ---- */

static struct lab *random_lab(struct rng *r)
{
	size_t n = 2 + rng_next(r) % 5;
	struct lab *l = lab_create(n);

	l->lans[0].rate_bps = 60 * MBIT;
	l->in.n_lans = 1;
	l->vnets[0].share_ppm = 500000;
	for (size_t i = 1; i < n; i++)
		add_link(l, (int)(rng_next(r) % i), (int)i, 10 + (int64_t)(rng_next(r) % 50));
	for (size_t i = 0; i < n / 2; i++) {
		int a = (int)(rng_next(r) % n);
		int b = (int)(rng_next(r) % n);

		if (a != b)
			l->links[add_link(l, a, b, 30)].lan = rng_next(r) % 3 ? -1 : 0;
	}
	for (size_t i = 0; i < n; i++)
		if (rng_next(r) % 3 == 0)
			l->nodes[i].room = 3;
	size_t n_vnodes = 2 + rng_next(r) % 4;

	for (size_t i = 0; i < n_vnodes; i++)
		add_node(l, (int)(rng_next(r) % 2), rng_next(r) % 2 ? -1 : (int)(rng_next(r) % n),
			 rng_next(r) % 2);
	for (size_t i = 0; i < 5; i++) {
		int a = (int)(rng_next(r) % n_vnodes);
		int b = (int)(rng_next(r) % n_vnodes);

		if (a != b && l->vnodes[a].vnet == l->vnodes[b].vnet)
			add_vlink(l, a, b, (int64_t)(rng_next(r) % 30),
				  (int64_t)(rng_next(r) % 30));
	}
	return l;
}

/* Tries every place of every node: is there any solution, judged by ways in order of all choices?
 */
static bool solvable_somehow(struct lab *l, size_t vnode, struct embed_vnode *saved)
{
	if (vnode == l->in.n_vnodes) {
		struct embed_result out;
		struct embed_failure why;

		return embed_run(&l->arena, &l->in, &out, &why) == 0;
	}
	if (saved[vnode].place >= 0)
		return solvable_somehow(l, vnode + 1, saved);
	for (size_t i = 0; i < l->in.n_nodes; i++) {
		l->vnodes[vnode].place = (int)i;
		int held = 0;

		for (size_t k = 0; k < l->in.n_vnodes; k++)
			held += l->vnodes[k].place == (int)i;
		bool ok = (l->nodes[i].room < 0 || held <= l->nodes[i].room) &&
			  solvable_somehow(l, vnode + 1, saved);

		l->vnodes[vnode].place = -1;
		if (ok)
			return true;
	}
	return false;
}

static bool placed_too_many(const struct lab *l)
{
	int held[MAX] = {0};

	for (size_t i = 0; i < l->in.n_vnodes; i++)
		if (l->vnodes[i].place >= 0)
			held[l->vnodes[i].place]++;
	for (size_t i = 0; i < l->in.n_nodes; i++)
		if (l->nodes[i].room >= 0 && held[i] > l->nodes[i].room)
			return true;
	return false;
}

START_TEST(random_labs)
{
	struct rng r = {(uint64_t)_i};
	struct lab *l = random_lab(&r);

	if (!placed_too_many(l)) {
		struct embed_vnode saved[MAX];
		int rc = run(l);
		struct embed_result first = l->out;

		memcpy(saved, l->vnodes, sizeof(saved));
		if (rc == 0) {
			verify(l);
			ck_assert_int_eq(run(l), 0); /* the same again */
			ck_assert_uint_eq(first.cost, l->out.cost);
			ck_assert(
				!memcmp(first.places, l->out.places, l->in.n_vnodes * sizeof(int)));
			/* What was chosen, asked for outright, is a solution too. */
			for (size_t i = 0; i < l->in.n_vnodes; i++)
				l->vnodes[i].place = first.places[i];
			ck_assert_int_eq(run(l), 0);
			ck_assert_uint_eq(first.cost, l->out.cost);
		} else {
			ck_assert(!l->why.gave_up);
			ck_assert(!solvable_somehow(l, 0, saved));
		}
	}
	lab_destroy(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("topo_embed");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, shortest_way_is_taken);
	tcase_add_test(t, full_link_is_gone_around);
	tcase_add_test(t, directions_are_apart);
	tcase_add_test(t, choices_are_taken_back);
	tcase_add_test(t, stops_are_passed_in_order);
	tcase_add_test(t, places_are_chosen);
	tcase_add_test(t, lack_of_room_is_told);
	tcase_add_test(t, lan_is_one_segment);
	tcase_add_test(t, too_long_a_search_is_told);
	tcase_add_loop_test(t, random_labs, 0, 300);
	suite_add_tcase(s, t);
	return suite_run(s);
}
