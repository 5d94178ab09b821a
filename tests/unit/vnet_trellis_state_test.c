/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vnet/trellis/state.h"

#include "lib/rng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct state_base base;

static void setup(void)
{
	memset(&base, 0, sizeof(base));
}

static void teardown(void)
{
	state_base_finish(&base);
}

static struct trellis_address address(const char *text)
{
	struct trellis_address a;

	ck_assert_msg(trellis_address_parse(&a, text), "%s", text);
	return a;
}

/* "b:10 c:5": links of a node, with their costs. */
static enum state_news offer(const char *origin, uint32_t sequence, const char *links,
			     int64_t now_ns)
{
	struct state_link l[16];
	struct state s = {
		.origin = address(origin), .sequence = sequence, .transit = true, .links = l};
	char name[16];
	unsigned cost;
	int used;

	while (sscanf(links, "%15[^:]:%u %n", name, &cost, &used) == 2) {
		char text[20];

		snprintf(text, sizeof(text), "/%s", name);
		l[s.n_links++] = (struct state_link){.to = address(text),
						     .cost = (uint16_t)cost,
						     .mtu = (uint16_t)(1500 - cost)};
		links += used;
	}
	return state_base_offer(&base, &s, now_ns);
}

START_TEST(states_are_read_as_they_were_written)
{
	struct state_link l[2] = {{address("/x"), 10, 1500}, {address("/y/z"), 65535, 9000}};
	struct state s = {.origin = address("/a"),
			  .sequence = 7,
			  .age_ms = 99,
			  .transit = true,
			  .n_links = 2,
			  .links = l};
	struct state got;
	uint8_t data[200];
	size_t n = state_write(&s, data, sizeof(data));

	ck_assert_uint_gt(n, 0);
	ck_assert(state_read(&got, data, n));
	ck_assert_uint_eq(got.sequence, 7);
	ck_assert_uint_eq(got.age_ms, 99);
	ck_assert(got.transit);
	ck_assert_uint_eq(got.n_links, 2);
	ck_assert(trellis_address_equal(&got.links[1].to, &l[1].to));
	ck_assert_uint_eq(got.links[1].mtu, 9000);
	state_finish(&got);
	for (size_t len = 0; len < n; len++) {
		ck_assert(!state_read(&got, data, len));
		ck_assert_uint_eq(state_write(&s, data, len), 0);
	}
	l[0].cost = 0;
	n = state_write(&s, data, sizeof(data));
	ck_assert(!state_read(&got, data, n));
}
END_TEST

START_TEST(the_newest_is_kept)
{
	ck_assert_int_eq(offer("/a", 5, "b:1 ", 0), STATE_NEW);
	ck_assert_int_eq(offer("/a", 5, "b:1 ", 0), STATE_SAME);
	ck_assert_int_eq(offer("/a", 4, "", 0), STATE_OLD);
	ck_assert_int_eq(offer("/a", 6, "", 0), STATE_NEW);
	ck_assert_uint_eq(state_base_find(&base, &base.entries.at[0].state.origin)->state.n_links,
			  0);
	/* Numbers go around. */
	ck_assert_int_eq(offer("/b", 0xffffffff, "", 0), STATE_NEW);
	ck_assert_int_eq(offer("/b", 1, "", 0), STATE_NEW);
	ck_assert_int_eq(offer("/b", 0xffffffff, "", 0), STATE_OLD);
}
END_TEST

START_TEST(the_old_are_forgotten_but_not_oneself)
{
	struct trellis_address self = address("/a");
	const int64_t s = 1000000000;

	offer("/a", 1, "", 0);
	offer("/b", 1, "", 0);
	offer("/c", 1, "", 50 * s);
	ck_assert(!state_base_expire(&base, &self, 60000, 60 * s));
	ck_assert(state_base_expire(&base, &self, 60000, 61 * s));
	ck_assert_uint_eq(base.entries.n, 2);
}
END_TEST

/* "/d 15 /b 2": to, cost, first hop, hops; one per line. */
static void expect_paths(const char *from, const char *want)
{
	struct state_path paths[64];
	struct trellis_address self = address(from);
	size_t n = state_paths(&base, &self, paths);
	char got[1024] = "";
	char to[TRELLIS_TEXT_MAX];
	char first[TRELLIS_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s %u %s %u\n",
			 trellis_address_format(paths[i].to, to), paths[i].cost,
			 trellis_address_format(paths[i].first, first), paths[i].hops);
	ck_assert_str_eq(got, want);
}

START_TEST(paths_are_the_shortest)
{
	offer("/a", 1, "b:10 c:1 ", 0);
	offer("/b", 1, "a:10 c:3 d:5 ", 0);
	offer("/c", 1, "a:1 b:3 d:20 ", 0);
	offer("/d", 1, "b:5 c:20 ", 0);
	expect_paths("/a", "/b 4 /c 2\n/c 1 /c 1\n/d 9 /c 3\n");
	expect_paths("/d", "/a 9 /b 3\n/b 5 /b 1\n/c 8 /b 2\n");
	expect_paths("/nowhere", "");
}
END_TEST

START_TEST(a_link_needs_both_its_ends)
{
	offer("/a", 1, "b:1 c:1 ", 0);
	offer("/b", 1, "", 0);
	offer("/c", 1, "a:1 d:1 ", 0);
	expect_paths("/a", "/c 1 /c 1\n"); /* b does not say so, d is not there */
}
END_TEST

START_TEST(equal_costs_go_by_the_lowest_first_hop)
{
	offer("/s", 1, "y:10 b:10 ", 0);
	offer("/y", 1, "s:10 d:10 ", 0);
	offer("/b", 1, "s:10 d:10 ", 0);
	offer("/d", 1, "y:10 b:10 ", 0);
	expect_paths("/s", "/b 10 /b 1\n/d 20 /b 2\n/y 10 /y 1\n");
}
END_TEST

START_TEST(random_networks_agree_with_another_algorithm)
{
	/* Against Bellman and Ford, which is nothing but the definition. */
	enum { N = 12 };
	static unsigned cost[N][N];
	static unsigned far[N];
	struct rng r;

	rng_init(&r, (uint64_t)_i, "paths", "test");
	memset(cost, 0, sizeof(cost));
	for (int i = 0; i < 20; i++) {
		unsigned a = (unsigned)rng_below(&r, N);
		unsigned b = (unsigned)rng_below(&r, N);

		if (a != b)
			cost[a][b] = cost[b][a] = 1 + (unsigned)rng_below(&r, 50);
	}
	for (int i = 0; i < N; i++) {
		char name[8];
		char links[300] = "";

		snprintf(name, sizeof(name), "/%c", 'a' + i);
		for (int k = 0; k < N; k++)
			if (cost[i][k])
				snprintf(links + strlen(links), sizeof(links) - strlen(links),
					 "%c:%u ", 'a' + k, cost[i][k]);
		offer(name, 1, links, 0);
		far[i] = i ? 1000000 : 0;
	}
	for (int round = 0; round < N; round++)
		for (int i = 0; i < N; i++)
			for (int k = 0; k < N; k++)
				if (cost[i][k] && far[i] + cost[i][k] < far[k])
					far[k] = far[i] + cost[i][k];
	struct state_path paths[N];
	struct trellis_address self = address("/a");
	size_t n = state_paths(&base, &self, paths);
	size_t reached = 0;

	for (int i = 1; i < N; i++)
		reached += far[i] < 1000000;
	ck_assert_uint_eq(n, reached);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(paths[i].cost, far[paths[i].to->octets[1] - 'a']);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trellis state");
	TCase *tc = tcase_create("state");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, states_are_read_as_they_were_written);
	tcase_add_test(tc, the_newest_is_kept);
	tcase_add_test(tc, the_old_are_forgotten_but_not_oneself);
	tcase_add_test(tc, paths_are_the_shortest);
	tcase_add_test(tc, a_link_needs_both_its_ends);
	tcase_add_test(tc, equal_costs_go_by_the_lowest_first_hop);
	tcase_add_loop_test(tc, random_networks_agree_with_another_algorithm, 0, 200);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
