/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/frr_conf.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "topo/service.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "NUMBER DAEMON[!][~]" for each line: '!' it is only needed, '~' the words are cut short. */
static void tell(void *ctx, const struct frr_conf_line *line)
{
	ck_assert_ptr_nonnull(service_find(line->daemon));
	ck_assert_uint_gt(line->len, 0);
	fprintf(ctx, "%s%u %s%s%s", ftell(ctx) ? ", " : "", line->number, line->daemon,
		line->is_needed ? "!" : "", line->is_short ? "~" : "");
}

static const struct {
	const char *text, *lines;
} cases[] = {
	{"", ""},
	{"\n\n", ""},
	{"router ospf", "1 ospfd"},
	{"router ospf\n network 10.0.0.0/8 area 0\n", "1 ospfd"},
	{"\trouter  ospf6 \r\n", "1 ospf6d"},
	{"router bgp 65000 vrf red\nrouter rip\nrouter ripng\nrouter eigrp 1\n",
	 "1 bgpd, 2 ripd, 3 ripngd, 4 eigrpd"},
	{"router isis x\nrouter openfabric x\nrouter babel\n", "1 isisd, 2 fabricd, 3 babeld"},
	{"interface eth0\n ip router isis x\n ipv6 router openfabric y\n", "2 isisd, 3 fabricd"},
	{"interface eth0\n ip address 10.0.0.1/24\n ip ospf cost 5\n", "2 zebra, 3 ospfd"},
	{"ip route 10.0.0.0/8 blackhole\nipv6 route ::/0 fe80::1 eth0\n", "1 staticd, 2 staticd"},
	{"vrf red\n ip route 0.0.0.0/0 10.0.0.1\n", "2 staticd"},
	{"ip mroute 10.0.0.0/8 eth0\n", "1 staticd"},
	{"interface eth0\n ip mroute eth1 239.0.0.1\nexit\nip mroute 10.0.0.0/8 eth0\n",
	 "2 pimd, 4 staticd"},
	{"interface eth0\n ip pim\n ip igmp\n ipv6 pim\n ipv6 mld\n",
	 "2 pimd, 3 pimd, 4 pim6d, 5 pim6d"},
	{"mpls ldp\n router-id 1.1.1.1\n", "1 ldpd"},
	{"router ospf\n mpls ldp-sync\n", "1 ospfd"},
	{"l2vpn x type vpls\n", "1 ldpd"},
	{"bfd\n peer 10.0.0.1\n", "1 bfdd"},
	{"router bgp 1\n neighbor 10.0.0.1 bfd\n", "1 bgpd, 2 bfdd!"},
	{"router bgp 1\n neighbor 10.0.0.1 description bfd\n", "1 bgpd"},
	{"interface eth0\n ip ospf bfd\n", "2 ospfd, 2 bfdd!"},
	{"interface eth0\n vrrp 5\n pbr-policy x\npbr-map x seq 1\n", "2 vrrpd, 3 pbrd, 4 pbrd"},
	{"interface gre1\n ip nhrp network-id 1\n tunnel source eth0\n", "2 nhrpd, 3 nhrpd"},
	{"segment-routing\n traffic-eng\n", "2 pathd"},
	{"router isis x\n segment-routing on\n", "1 isisd"},
	{"bgp community-list standard x permit 1:1\n", "1 bgpd"},
	{"hostname r\nlog file /tmp/x\nroute-map x permit 1\nip prefix-list x permit any\nend\n",
	 ""},
	{"! router ospf\n# router bgp 1\nno router rip\n", ""},
	{"debug ospf event\ndebug mpls ldp event\n", "1 ospfd, 2 ldpd"},
	{"rout ospf\nrouter osp\nint eth0\nip os cost 1\n", "1 ospfd~, 2 ospfd~, 4 ospfd~"},
	{"r ospf\nspf router\nbgpx\n", ""},
};

START_TEST(each_line_is_its_daemons)
{
	char *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	frr_conf_scan(cases[_i].text, strlen(cases[_i].text), tell, f);
	fclose(f);
	ck_assert_str_eq(got, cases[_i].lines);
	free(got);
}
END_TEST

START_TEST(what_is_needed_is_a_set)
{
	static const char text[] =
		"router bgp 1\n neighbor 10.0.0.1 bfd\nip route 10.0.0.0/8 eth0\n";
	struct frr_conf_set set = {0};
	char got[200] = "";

	frr_conf_add_needed(text, sizeof(text) - 1, &set);
	for (size_t i = 0; service_at(i); i++)
		if (frr_conf_is_needed(&set, i))
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
				 service_at(i)->name);
	ck_assert_str_eq(got, "staticd bgpd bfdd ");
}
END_TEST

START_TEST(a_line_of_another_daemon_is_lost)
{
	const struct frr_conf_line ospf = {.daemon = "ospfd"};
	const struct frr_conf_line route = {.daemon = "staticd"};
	const struct frr_conf_line cut_short = {.daemon = "ospfd", .is_short = true};
	const struct frr_conf_line needed = {.daemon = "bfdd", .is_needed = true};

	ck_assert(frr_conf_is_lost(&ospf, "zebra", true));
	ck_assert(!frr_conf_is_lost(&ospf, "ospfd", false));
	ck_assert(!frr_conf_is_lost(&cut_short, "zebra", false));
	ck_assert(!frr_conf_is_lost(&needed, "bgpd", false));
	/* staticd reads zebra.conf, if it runs and has nothing better. */
	ck_assert(!frr_conf_is_lost(&route, "zebra", true));
	ck_assert(frr_conf_is_lost(&route, "zebra", false));
	ck_assert(frr_conf_is_lost(&route, "ospfd", true));
}
END_TEST

/* The text need not end with a NUL: it may be part of a file in memory. */
START_TEST(nothing_behind_the_text_is_read)
{
	static const char text[] = "router ospf";

	for (size_t len = 0; len < sizeof(text); len++) {
		struct frr_conf_set set = {0};
		char *copy = xmalloc(len + 1);

		memcpy(copy, text, len);
		char *exact = realloc(copy, len ? len : 1);

		frr_conf_add_needed(exact, len, &set);
		/* Down to "router os", the words are only cut short. */
		ck_assert_int_eq(set.bits != 0, len >= strlen("router os"));
		free(exact);
	}
}
END_TEST

START_TEST(services_are_named_once_and_come_after_what_they_need)
{
	for (size_t i = 0; service_at(i); i++) {
		const struct service *s = service_at(i);
		const struct service *after = s->after ? service_find(s->after) : NULL;

		ck_assert_ptr_eq(service_find(s->name), s);
		ck_assert_uint_lt(i, 64);
		ck_assert(!s->path || s->owner);
		ck_assert(!s->after || (after && after < s));
	}
	for (size_t i = 0; service_word(i); i++)
		ck_assert(!service_find(service_word(i))->is_implied);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frr_conf");
	TCase *tc = tcase_create("frr_conf");

	tcase_add_loop_test(tc, each_line_is_its_daemons, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, what_is_needed_is_a_set);
	tcase_add_test(tc, a_line_of_another_daemon_is_lost);
	tcase_add_test(tc, nothing_behind_the_text_is_read);
	tcase_add_test(tc, services_are_named_once_and_come_after_what_they_need);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
