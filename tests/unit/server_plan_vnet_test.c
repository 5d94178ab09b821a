/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/plan_help.h"

#define TWO_PLACES                                                                   \
	"s1 = attach(alloc(substrate), alloc(NIC, mac = 02:00:00:00:01:01), "        \
	"alloc(NIC, mac = 02:00:00:00:01:02), ...)\n"                                \
	"s2 = attach(alloc(substrate), alloc(NIC, mac = 02:00:00:00:02:01), "        \
	"alloc(NIC, mac = 02:00:00:00:02:02), ...)\n"                                \
	"w = slink(s1, s2, forward = {rate = 10Mbit}, back = {rate = 4Mbit})\n"      \
	"lan = slan(alloc(switch, name = \"sw\"), s1, s2, rate = 8Mbit, vlan = 7)\n" \
	"x = slink(s1, s2, over = lan)\n"                                            \
	"red = vnet(share = 30%)\n"                                                  \
	"a = alloc(host, vnet = red, on = s1) b = alloc(host, vnet = red, on = s2)\n"

/* Those lines for the substrate process that are about virtual networks. */
static char *print_virtual(const struct plan *p)
{
	static const char *const verbs[] = {"snode ", "snif ", "slink ", "vbm ",
					    "share ", "vif ",  "vlink "};
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; i < p->n_steps; i++)
		for (size_t k = 0; k < ARRAY_LEN(verbs); k++)
			if (p->steps[i].op == PLAN_SUBSTRATE &&
			    !strncmp(p->steps[i].text, verbs[k], strlen(verbs[k])))
				fprintf(f, "%s\n", p->steps[i].text);
	fclose(f);
	return text;
}

static const char virtual_whole[] =
	"snode s1 key=00000000000000000000000000000000\n"
	"snif s1:1 s1 mac=02:00:00:00:01:01 rate=10Mbit\n"
	"snif s1:2 s1 mac=02:00:00:00:01:02 rate=8Mbit\n"
	"snode s2 key=00000000000000000000000000000000\n"
	"snif s2:1 s2 mac=02:00:00:00:02:01 rate=4Mbit\n"
	"snif s2:2 s2 mac=02:00:00:00:02:02 rate=8Mbit\n"
	"vif a:eth0@s1 s1 vnet=red mtu=1500\n"
	"vif b:eth0@s2 s2 vnet=red mtu=1500\n"
	"vif a:eth1@s1 s1 vnet=red mtu=1500\n"
	"vif b:eth1@s2 s2 vnet=red mtu=1500\n"
	"slink w@s1 s1:1 link=w peer=02:00:00:00:02:01\n"
	"slink w@s2 s2:1 link=w peer=02:00:00:00:01:01\n"
	"slink lan@s1 s1:2 link=lan multi=1 members=02:00:00:00:02:02\n"
	"slink lan@s2 s2:2 link=lan multi=1 members=02:00:00:00:01:02\n"
	"slink x@s1 s1:2 link=x peer=02:00:00:00:02:02 vlan=7 priority=5\n"
	"slink x@s2 s2:2 link=x peer=02:00:00:00:01:02 vlan=7 priority=5\n"
	"vbm vbm@lan s1 link=lan rate=8Mbit\n"
	"share vbm@lan red percent=30%\n"
	"vlink v:ab a:eth0@s1 vnet=red path=x to=b:eth0@s2 min=1Mbit max=8Mbit\n"
	"vlink v:ba b:eth0@s2 vnet=red path=x to=a:eth0@s1 max=2Mbit\n"
	"vlink m:a:eth1 a:eth1@s1 vnet=red lan=lan group=m\n"
	"vlink m:b:eth1 b:eth1@s2 vnet=red lan=lan group=m\n";

START_TEST(a_virtual_network_has_this_plan)
{
	struct plan *p =
		plan_of(TWO_PLACES "v = vlink(a, b, forward = {min = 1Mbit}, back = {max = 2Mbit}, "
				   "via = x) m = vlink(lan, a, b)");
	char *got = print_virtual(p);

	ck_assert_str_eq(got, virtual_whole);
	free(got);
	plan_destroy(p);
}
END_TEST

START_TEST(an_end_system_has_this_plan)
{
	struct plan *p = plan_of("s = alloc(substrate) t = alloc(substrate) slink(s, t)\n"
				 "v = vnet()\n"
				 "e = attach(alloc(endsystem, vnet = v, on = s), alloc(NIC, mac = "
				 "02:00:00:00:00:01, mtu = 1400))\n"
				 "f = alloc(endsystem, vnet = v, on = t) vlink(e, f)\n"
				 "exec(e, \"one | two\", \"three\")");
	char *got = print(p);

	ck_assert_ptr_nonnull(strstr(got,
				     "file n/e/vnet.conf\n    node e\n    vnet v\n    nic eth0 "
				     "path=/run/lab/n/e/j/eth0 mac=02:00:00:00:00:01 mtu=1400\n"));
	ck_assert_ptr_nonnull(strstr(got, "nic e:eth0 seqpacket path=/run/lab/n/e/j/eth0"));
	/* Last of all: when they begin, all is there. */
	ck_assert_ptr_nonnull(strstr(got, "start\nprogram e#1: one | two\nprogram e#2: three\n"));
	ck_assert_ptr_null(strstr(got, "guest e"));
	free(got);
	plan_destroy(p);
}
END_TEST

START_TEST(a_changed_rate_is_set)
{
	assert_diff(TWO_PLACES "v = vlink(a, b, min = 1Mbit, via = w)",
		    TWO_PLACES "v = vlink(a, b, min = 2Mbit, via = w)",
		    "~ substrate v:ab\n~ substrate v:ba\n");
	/* The wire, and what is in front of it. */
	assert_diff(TWO_PLACES "v = vlink(a, b, via = w, max = 1Mbit)",
		    TWO_PLACES "v = vlink(a, b, via = w, max = 1Mbit) impair(w, rate = 3Mbit)",
		    "~ substrate s1:1\n~ substrate s2:1\n~ substrate w\n");
	assert_diff(TWO_PLACES "v = vlink(a, b, via = x)",
		    TWO_PLACES "v = vlink(a, b, via = x) set(red, share = 40%)",
		    "~ substrate vbm@lan red\n");
}
END_TEST

/* Another way, another place: what began there is undone, and begins anew. */
START_TEST(a_changed_way_is_laid_anew)
{
	assert_diff(TWO_PLACES "v = vlink(a, b, max = 1Mbit, via = w)",
		    TWO_PLACES "v = vlink(a, b, max = 1Mbit, via = x)",
		    "- substrate v:ba\n- substrate v:ab\n+ substrate vbm@lan red\n"
		    "+ substrate v:ab\n+ substrate v:ba\n");
	assert_diff(TWO_PLACES "v = vlink(a, b)", TWO_PLACES "v = vlink(a, b) set(b, on = s1)",
		    "- substrate v:ba\n- substrate v:ab\n- substrate b:eth0-b:eth0@s2\n"
		    "- substrate b:eth0@s2\n+ substrate b:eth0@s1\n"
		    "+ substrate b:eth0-b:eth0@s1\n+ substrate v:ab\n+ substrate v:ba\n");
}
END_TEST

/* The far direction is told anew too: where it ends began anew. */
START_TEST(what_a_line_needs_takes_it_along)
{
	assert_diff(TWO_PLACES
		    "v = vlink(a, attach(b, alloc(NIC, mac = 02:00:00:00:00:0b)), via = w)",
		    TWO_PLACES "v = vlink(a, attach(b, alloc(NIC, mac = 02:00:00:00:00:0b, "
			       "mtu = 1400)), via = w)",
		    "- substrate v:ba\n- substrate v:ab\n- substrate b:eth0-b:eth0@s2\n"
		    "- substrate b:eth0@s2\n- substrate b:eth0\n~ file n/b/j/init.conf\n"
		    "+ substrate b:eth0\n+ substrate b:eth0@s2\n"
		    "+ substrate b:eth0-b:eth0@s2\n+ substrate v:ab\n+ substrate v:ba\n");
}
END_TEST

START_TEST(a_virtual_network_goes_alone)
{
	assert_diff(TWO_PLACES "v = vlink(a, b, via = w)",
		    TWO_PLACES "v = vlink(a, b, via = w) free(red)",
		    "- guest b\n- guest a\n- substrate v:ba\n- substrate v:ab\n"
		    "- substrate b:eth0-b:eth0@s2\n- substrate a:eth0-a:eth0@s1\n"
		    "- substrate b:eth0@s2\n- substrate a:eth0@s1\n- substrate b:eth0\n"
		    "- substrate b:agent\n- file n/b/j/init.conf\n- dir n/b/j\n- dir n/b\n"
		    "- substrate a:eth0\n- substrate a:agent\n- file n/a/j/init.conf\n"
		    "- dir n/a/j\n- dir n/a\n");
}
END_TEST

START_TEST(names_of_other_networks_are_unknown)
{
	struct plan *p =
		plan_of(TWO_PLACES "vlink(a, b) blue = vnet()\n"
				   "c = alloc(host, vnet = blue, on = s1)\n"
				   "vlink(c, alloc(host, vnet = blue, on = s2, name = \"d\"))");
	const char *text = "";

	for (size_t i = 0; i < p->n_steps; i++)
		if (!strcmp(p->steps[i].name, "n/c/j/init.conf"))
			text = p->steps[i].text;
	ck_assert_ptr_nonnull(strstr(text, "addr eth0 10.0.0.1/24"));
	ck_assert_ptr_nonnull(strstr(text, "host d 10.0.0.2"));
	ck_assert_ptr_null(strstr(text, "host a "));
	plan_destroy(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan: virtual networks");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, a_virtual_network_has_this_plan);
	tcase_add_test(tc, an_end_system_has_this_plan);
	tcase_add_test(tc, a_changed_rate_is_set);
	tcase_add_test(tc, a_changed_way_is_laid_anew);
	tcase_add_test(tc, what_a_line_needs_takes_it_along);
	tcase_add_test(tc, a_virtual_network_goes_alone);
	tcase_add_test(tc, names_of_other_networks_are_unknown);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
