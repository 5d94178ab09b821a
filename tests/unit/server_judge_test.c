/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers as FRR 8.4 and process 1 give them. */
#include "vbet-server/plan/judge.h"

#include "lib/vec.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char ospf[] =
	"{\"neighbors\":{\"192.0.2.2\":[{\"nbrState\":\"Full\\/DR\",\"ifaceAddress\":\"10.0.0.2\","
	"\"ifaceName\":\"eth0:10.0.0.1\"}],\"192.0.2.3\":[{\"nbrState\":\"2-Way\\/DROther\","
	"\"ifaceAddress\":\"10.0.0.3\",\"ifaceName\":\"eth0:10.0.0.1\"}],\"192.0.2.4\":[{"
	"\"nbrState\":\"Init\\/DROther\",\"ifaceAddress\":\"10.0.1.4\",\"ifaceName\":"
	"\"eth1:10.0.1.1\"}]}}";

static char *said;
static size_t said_len;

static struct judge_peer peer(const char *node, struct addr *a, const char *addr)
{
	ck_assert_int_eq(addr_parse(addr, strlen(addr), a, NULL), 0);
	return (struct judge_peer){.node = node, .hostname = node, .addrs = a, .n_addrs = 1};
}

static bool judge(const char *protocol, struct judge_peer *peers, size_t n, bool is_all,
		  const char *state, const char *text)
{
	struct judge_neighbors q = {
		.protocol = judge_find_protocol(protocol),
		.node = "r1",
		.state = state,
		.is_all = is_all,
		.peers = peers,
		.n_peers = n,
	};

	free(said);
	FILE *f = open_memstream(&said, &said_len);
	bool holds = judge_neighbors(&q, text, f);

	fclose(f);
	return holds;
}

START_TEST(a_neighbour_is_found_by_its_address)
{
	struct addr a;
	struct judge_peer p = peer("r2", &a, "10.0.0.2/24");

	ck_assert(judge("ospf", &p, 1, false, NULL, ospf));
	ck_assert_str_eq(said, "r1: ospf r2 (10.0.0.2, eth0) is Full/DR\n");
	ck_assert(judge("ospf", &p, 1, false, "full", ospf));
	ck_assert(!judge("ospf", &p, 1, false, "2-Way", ospf));
	p = peer("r4", &a, "10.0.1.4/24");
	ck_assert(!judge("ospf", &p, 1, false, NULL, ospf));
	ck_assert_str_eq(said, "r1: ospf r4 (10.0.1.4, eth1) is Init/DROther\n");
	p = peer("r9", &a, "10.0.1.9/24");
	ck_assert(!judge("ospf", &p, 1, false, NULL, ospf));
	ck_assert(!strncmp(said, "r1: ospf knows no neighbour r9\n", 31));
	ck_assert(judge("ospf", &p, 1, false, "down", ospf));
}
END_TEST

/* 2-Way is the end of it where a DR is full, and nowhere else. */
START_TEST(all_are_to_be_full)
{
	static const char two[] =
		"{\"neighbors\":{\"2.2.2.2\":[{\"nbrState\":\"Full/DR\",\"ifaceAddress\":"
		"\"10.0.0.2\",\"ifaceName\":\"eth0:10.0.0.1\"}],\"3.3.3.3\":[{\"nbrState\":"
		"\"2-Way/DROther\",\"ifaceAddress\":\"10.0.0.3\",\"ifaceName\":\"eth0:10.0.0.1\"}"
		"]}}";
	static const char waiting[] =
		"{\"neighbors\":{\"3.3.3.3\":[{\"nbrState\":\"2-Way/DROther\",\"ifaceAddress\":"
		"\"10.0.0.3\",\"ifaceName\":\"eth0:10.0.0.1\"}]}}";
	struct addr a;
	struct judge_peer p = peer("r7", &a, "10.0.0.7");

	ck_assert(judge("ospf", NULL, 0, true, NULL, two));
	ck_assert(!judge("ospf", NULL, 0, true, NULL, waiting));
	ck_assert(!judge("ospf", NULL, 0, true, NULL, ospf));
	ck_assert_str_eq(said, "r1: ospf 10.0.1.4 is Init/DROther\n");
	/* One that should be there and is not. */
	ck_assert(!judge("ospf", &p, 1, true, NULL, two));
	ck_assert_str_eq(said, "r1: ospf knows no neighbour r7\n");
	ck_assert(!judge("ospf", NULL, 0, true, NULL, "{}"));
	ck_assert_str_eq(said, "r1: ospf knows no neighbour\n");
}
END_TEST

START_TEST(each_protocol_is_read)
{
	static const struct {
		const char *protocol, *text;
	} good[] = {
		{"ospf6", "{\"neighbors\":[{\"neighborId\":\"1.1.1.2\",\"state\":\"Full\","
			  "\"ifState\":\"DR\",\"interfaceName\":\"eth0\"}]}"},
		{"bgp", "{\"ipv4Unicast\":{\"peers\":{\"10.0.0.2\":{\"state\":\"Established\"}}}}"},
		{"bgp", "{\"ipv4Unicast\":{\"peers\":{\"10.9.9.9\":{\"hostname\":\"r2\","
			"\"state\":\"Established\"}}}}"},
		{"bgp", "{\"ipv4Unicast\":{\"peers\":{\"eth0\":{\"state\":\"Established\"}}}}"},
		{"isis", "{\"areas\":[{\"circuits\":[{\"adj\":\"r2\",\"interface\":\"eth0\","
			 "\"state\":\"Up\"},{\"circuit\":0}]}]}"},
		{"rip", "Routing Protocol is \"rip\"\n    Gateway          BadPackets\n"
			"    10.0.0.2                 0\n  Distance: (default is 120)\n"},
		{"bfd", "[{\"peer\":\"10.0.0.2\",\"interface\":\"eth0\",\"status\":\"up\"}]"},
	};
	const char *devs[] = {"eth0"};
	struct addr a;
	struct judge_peer p = peer("r2", &a, "10.0.0.2/24");
	struct judge_peer q = peer("r3", &a, "10.0.0.2/24");

	p.devs = devs;
	p.n_devs = 1;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		q = peer("r3", &a, "10.0.7.3/24");
		ck_assert_msg(!judge(good[i].protocol, &q, 1, false, NULL, good[i].text), "%zu: %s",
			      i, said);
		p = peer("r2", &a, "10.0.0.2/24");
		p.devs = devs;
		p.n_devs = 1;
		ck_assert_msg(judge(good[i].protocol, &p, 1, false, NULL, good[i].text), "%zu: %s",
			      i, said);
	}
}
END_TEST

START_TEST(a_guest_may_say_anything)
{
	static const char *const bad[] = {
		"",
		"{",
		"null",
		"7",
		"[]",
		"% Unknown command",
		"{\"neighbors\":7}",
		"{\"neighbors\":{\"1.1.1.1\":7}}",
		"{\"neighbors\":{\"1.1.1.1\":[7,null,{}]}}",
		"{\"neighbors\":[7,[],{}]}",
		"{\"areas\":[7,{\"circuits\":[7,{\"adj\":7}]}]}",
		"{\"ipv4Unicast\":{\"peers\":{\"x\":7}}}",
		"    Gateway \n    x",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};
	struct addr a;
	struct judge_peer p = peer("r2", &a, "10.0.0.2/24");

	for (size_t i = 0; judge_protocol_at(i); i++)
		for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
			ck_assert(!judge(judge_protocol_at(i), &p, 1, false, NULL, bad[k]));
			ck_assert(!judge(judge_protocol_at(i), &p, 1, true, NULL, bad[k]));
		}
}
END_TEST

static bool judge_route(const char *want, const char *text)
{
	struct arena a = {0};
	struct words w;

	free(said);
	FILE *f = open_memstream(&said, &said_len);

	ck_assert_int_eq(words_split(want, strlen(want), &a, &w, NULL), 0);
	bool holds = judge_routes(&w, text, f);

	fclose(f);
	arena_finish(&a);
	return holds;
}

START_TEST(routes)
{
	static const char text[] = "10.1.0.0/24 via=10.0.0.2 dev=eth0 proto=188 metric=20 type=1\n"
				   "10.1.0.0/24 via=10.0.3.2 dev=eth1 proto=188 metric=20 type=1\n";

	ck_assert(judge_route("look route r1 10.1.0.0/24", text));
	ck_assert_str_eq(said, "r1: 10.1.0.0/24 via 10.0.0.2 dev eth0 proto ospf metric 20\n"
			       "r1: 10.1.0.0/24 via 10.0.3.2 dev eth1 proto ospf metric 20\n");
	ck_assert(judge_route("look route r1 10.1.0.0/24 via=10.0.3.2 dev=eth1", text));
	ck_assert(judge_route("look route r1 10.1.0.0/24 proto=ospf metric=20", text));
	ck_assert(judge_route("look route r1 10.1.0.0/24 proto=188", text));
	/* One hop has to be all of it. */
	ck_assert(!judge_route("look route r1 10.1.0.0/24 via=10.0.3.2 dev=eth0", text));
	ck_assert(!judge_route("look route r1 10.1.0.0/24 proto=bgp", text));
	/* A set is all of it, and nothing else. */
	ck_assert(judge_route("look route r1 10.1.0.0/24 via=10.0.3.2,10.0.0.2 proto=ospf", text));
	ck_assert(!judge_route("look route r1 10.1.0.0/24 via=10.0.3.2,10.0.0.3", text));
	ck_assert(!judge_route("look route r1 10.1.0.0/24 via=10.0.3.2,10.0.0.2,10.0.4.2", text));
	ck_assert(!judge_route("look route r1 10.1.0.0/24 via=10.0.3.2,10.0.0.2 dev=eth1", text));
	ck_assert(!judge_route("look route r1 10.1.0.0/24 via=10.0.3.2,10.0.0.2", ""));
	ck_assert(!judge_route("look route r1 10.1.0.0/24 metric=21", text));
	ck_assert(!judge_route("look route r1 10.1.0.0/24", ""));
	ck_assert_str_eq(said, "r1: no route to 10.1.0.0/24\n");
	ck_assert(judge_route("look route r1 ::/0 via=2001:db8::1",
			      "::/0 via=2001:db8:0::1 proto=16 metric=1024 type=1\n"));
	ck_assert(
		judge_route("look route r1 10.9.0.0/16", "10.9.0.0/16 proto=4 metric=0 type=6\n"));
	ck_assert_str_eq(said, "r1: blackhole 10.9.0.0/16 proto static metric 0\n");
	judge_route("look route r1 10.9.0.0/16", "x \"\n\n\" type=99999999999\n via=x\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge");
	TCase *tc = tcase_create("judge");

	tcase_add_test(tc, a_neighbour_is_found_by_its_address);
	tcase_add_test(tc, all_are_to_be_full);
	tcase_add_test(tc, each_protocol_is_read);
	tcase_add_test(tc, a_guest_may_say_anything);
	tcase_add_test(tc, routes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
