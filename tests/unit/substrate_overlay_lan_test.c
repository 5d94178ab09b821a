/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual links over substrate links: set up by messages, forwarded by VLI, kept apart, mended. */
#include "tests/unit/overlay_links_help.h"

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void send_from_to(struct station *st, uint8_t from, int to, uint8_t mark)
{
	uint8_t data[64];

	memset(data, mark, sizeof(data));
	memset(data, 0, 12);
	data[0] = data[6] = 2;
	data[5] = (uint8_t)to;
	data[11] = from;
	if (to < 0)
		memcpy(data, everybody, 6);
	station_send(st, data, sizeof(data));
}

static void multi_access(const char *members)
{
	struct station *red[4];
	struct station *blue[4];

	build_lan(members);
	join("red", red);
	join("blue", blue);
	run_for(3000 * ms);
	ck_assert(happened("event vlink red1-lan up"));
	ck_assert(happened("event vlink red2-lan up"));
	ck_assert(happened("event vlink blue3-lan up"));
	send_from_to(red[1], 1, -1, 0x11);
	run_for(10 * ms);
	ck_assert_uint_eq(red[2]->frames, 1);
	ck_assert_uint_eq(red[3]->frames, 1);
	ck_assert_uint_eq(red[1]->frames, 0);
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(blue[i]->frames, 0);
	send_from_to(red[2], 2, 1, 0x22); /* it is known where that is */
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	ck_assert_uint_eq(red[3]->frames, 1);
	send_from_to(blue[3], 3, -1, 0x33);
	run_for(10 * ms);
	ck_assert_uint_eq(blue[1]->frames, 1);
	ck_assert_uint_eq(red[1]->frames, 1);
	status_has("lan@s1", "\"in_frames\":1");
}

START_TEST(a_multi_access_link)
{
	multi_access("");
}
END_TEST

START_TEST(a_multi_access_link_with_named_members)
{
	multi_access(" members=02:00:00:00:00:01,02:00:00:00:00:02,02:00:00:00:00:03");
}
END_TEST

/* Each knows of its own wire. */
START_TEST(a_member_of_a_lan_learns_its_mtu)
{
	struct station *red[4];

	build_lan("");
	join("red", red);
	run_for(3000 * ms);
	ck_assert(happened("event vlink red2-lan up"));
	ck_assert(!happened("mtu"));
	say("set c2 mtu=1400");
	run_for(2000 * ms);
	ck_assert(happened("event vlink red2-lan mtu 1376"));
	ck_assert(!happened("vlink red1-lan mtu"));
	say("set c2 mtu=1600");
	run_for(2000 * ms);
	ck_assert(happened("event vlink red2-lan mtu 1500"));
}
END_TEST

START_TEST(point_to_point_across_a_lan)
{
	struct station *red[2];

	build_lan("");
	say("vif red0@s s1 vnet=red");
	say("vif red1@s s3 vnet=red");
	say("vlink red:ab red0@s path=p to=red1@s min=10Mbit");
	red[0] = station_at("a", "red0@s");
	red[1] = station_at("b", "red1@s");
	run_for(5000 * ms);
	ck_assert(happened("event vlink red:ab up"));
	station_send_marked(red[0], 1, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	status_has("p@s1", "\"guaranteed_bps\":10000000");
	/* More than the vNet's share of the LAN is refused, and said why. */
	say("vif more s1 vnet=red");
	say("vif more1 s3 vnet=red");
	say("vlink red:more more path=p to=more1 min=25Mbit");
	run_for(5000 * ms);
	ck_assert(!happened("event vlink red:more up"));
	ck_assert(happened("event vlink red:more down"));
	/* What was set up goes on. */
	station_send_marked(red[0], 1, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 2);
}
END_TEST

/* The VBM goes and comes: the old numbers are void, new ones are others. */
START_TEST(a_vbm_that_begins_anew)
{
	struct station *red[4];

	build_lan("");
	join("red", red);
	run_for(3000 * ms);
	forget_events();
	say("remove vbm@lan");
	run_for(2000 * ms);
	ck_assert(happened("event vlink red2-lan down \"LAN lan: its VBM was removed\""));
	send_from_to(red[1], 1, -1, 0x11);
	run_for(10 * ms);
	ck_assert_uint_eq(red[2]->frames, 0);
	say("vbm vbm@lan s1 link=lan rate=100Mbit");
	run_for(10000 * ms);
	ck_assert(happened("event vlink red2-lan up"));
	send_from_to(red[1], 1, -1, 0x11);
	run_for(10 * ms);
	ck_assert_uint_eq(red[2]->frames, 1);
	ck_assert_uint_eq(red[3]->frames, 1);
	for (int i = 1; i <= 3; i++)
		say("remove red%d", i);
	run_for(1000 * ms);
	status_has("vbm@lan", "\"multi\":[]");
}
END_TEST

/* Whatever is taken away under a virtual link, it is down with a reason, and nothing stays behind.
 */
START_TEST(what_is_removed_takes_its_virtual_links_along)
{
	struct station *red[2];

	lay_red(red);
	forget_events();
	say("remove b@s2");
	run_for(20 * ms);
	ck_assert(happened("event vlink red:ab down \"substrate link b: "
			   "the substrate link was removed\""));
	status_has("s2", "\"hops\":[]");
	run_for(5000 * ms);
	ck_assert(happened("event vlink red:ba down"));
	say("slink b@s2 s2:2 link=b peer=02:00:00:00:03:01");
	run_for(10000 * ms);
	ck_assert(happened("event vlink red:ab up"));
	forget_events();
	say("remove red1@s"); /* where it ends */
	run_for(20 * ms);
	ck_assert(happened("event vlink red:ab down \"its virtual interface was removed\""));
	status_has("red:ba", "\"vif\":null");
	say("remove s1:1"); /* an interface, with the link over it */
	run_for(20 * ms);
	status_has("s1", "\"hops\":[]");
	ck_assert_ptr_null(object_find(world.sub, "a@s1"));
	station_send_marked(red[0], 1, 100);
	status_has("red0@s", "\"no-link\":1");
}
END_TEST

START_TEST(a_lan_that_is_removed_takes_its_members_and_its_vbm_along)
{
	struct station *red[4];

	build_lan("");
	join("red", red);
	run_for(3000 * ms);
	ck_assert(happened("event vlink red1-lan up"));
	forget_events();
	say("remove lan@s1"); /* it holds the VBM */
	ck_assert_ptr_null(object_find(world.sub, "vbm@lan"));
	run_for(5000 * ms);
	ck_assert(happened("event vlink red1-lan down \"the substrate link was removed\""));
	ck_assert(happened("event vlink red2-lan down \"LAN lan: the other node is silent\""));
	station_send_marked(red[1], 1, 100);
	status_has("red1", "\"no-link\":1");
	say("remove red2");
	status_has("red2-lan", "\"vif\":null");
	status_has("lan@s2", "\"multi_access\":[]");
}
END_TEST

START_TEST(mac_addresses_are_read_strictly)
{
	static const char *const bad[] = {"2:0:0:0:1:1",       "+2:00:00:00:01:01",
					  "02:00:00:00:01",    "02:00:00:00:01:01:01",
					  "02-00-00-00-01-01", "01:00:5e:00:00:01"};
	char error[1024];

	say("snode s1");
	say("snif i s1 mac=02:00:00:00:01:01");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(try_to_say(error, "snif j s1 mac=%s", bad[i]), -1);
		ck_assert_msg(strstr(error, bad[i]) != NULL, "%s", error);
		ck_assert_int_eq(try_to_say(error, "slink l i link=l peer=%s", bad[i]), -1);
		ck_assert_int_eq(try_to_say(error, "slink l i link=l multi=1 members=%s", bad[i]),
				 -1);
		ck_assert_int_eq(try_to_say(error, "nic n vhost path=/nowhere/n mac=%s", bad[i]),
				 -1);
		ck_assert_msg(strstr(error, bad[i]) != NULL, "%s", error);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtual links on LANs");
	TCase *tc = tcase_create("virtual links");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, world_setup, world_teardown);
	tcase_add_test(tc, a_member_of_a_lan_learns_its_mtu);
	tcase_add_test(tc, a_multi_access_link);
	tcase_add_test(tc, a_multi_access_link_with_named_members);
	tcase_add_test(tc, point_to_point_across_a_lan);
	tcase_add_test(tc, a_vbm_that_begins_anew);
	tcase_add_test(tc, what_is_removed_takes_its_virtual_links_along);
	tcase_add_test(tc, a_lan_that_is_removed_takes_its_members_and_its_vbm_along);
	tcase_add_test(tc, mac_addresses_are_read_strictly);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
