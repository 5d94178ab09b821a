/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual links over substrate links: set up by messages, forwarded by VLI, kept apart, mended. */
#include "tests/unit/snet_help.h"

static const struct device_kind *const no_devices[] = {NULL};

/* s1 - a - s2 - b - s3, encapsulated as said; each link takes 1 ms. */
static void build_line(const char *encap)
{
	bool udp = !strcmp(encap, "udp");

	for (int i = 1; i <= 3; i++)
		say("snode s%d key=000102030405060708090a0b0c0d0e0f", i);
	say("snif s1:1 s1 mac=02:00:00:00:01:01 encap=%s addr=10.9.0.1", encap);
	say("snif s2:1 s2 mac=02:00:00:00:02:01 encap=%s addr=10.9.0.2", encap);
	say("snif s2:2 s2 mac=02:00:00:00:02:02 encap=%s addr=10.9.1.2", encap);
	say("snif s3:1 s3 mac=02:00:00:00:03:01 encap=%s addr=10.9.1.3", encap);
	say("cable a s1:1 s2:1 delay=1ms mtu=1600");
	say("cable b s2:2 s3:1 delay=1ms mtu=1600");
	say("slink a@s1 s1:1 link=a peer=%s", udp ? "10.9.0.2" : "02:00:00:00:02:01");
	say("slink a@s2 s2:1 link=a peer=%s", udp ? "10.9.0.1" : "02:00:00:00:01:01");
	say("slink b@s2 s2:2 link=b peer=%s", udp ? "10.9.1.3" : "02:00:00:00:03:01");
	say("slink b@s3 s3:1 link=b peer=%s", udp ? "10.9.1.2" : "02:00:00:00:02:02");
}

/* A virtual link of a vNet from s1 to s3 and back, with a station at each end. */
static void lay(const char *vnet, struct station *st[2])
{
	char name[64];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%d", vnet, i);
		say("vif %s@s s%d vnet=%s", name, i ? 3 : 1, vnet);
	}
	say("vlink %s:ab %s0@s vnet=%s path=a,b to=%s1@s", vnet, vnet, vnet, vnet);
	say("vlink %s:ba %s1@s vnet=%s path=b,a to=%s0@s", vnet, vnet, vnet, vnet);
	for (int i = 0; i < 2; i++) {
		char end[64];

		snprintf(name, sizeof(name), "%s%d", vnet, i);
		snprintf(end, sizeof(end), "%s%d@s", vnet, i);
		st[i] = station_at(name, end);
	}
}

static void setup(void)
{
	world_setup_with(no_devices);
}

START_TEST(a_virtual_link_passes_a_node_that_holds_nothing)
{
	struct station *red[2];

	build_line("ethernet");
	lay("red", red);
	run_for(20 * ms);
	ck_assert(happened("event vlink red:ab up"));
	ck_assert(happened("event vlink red:ba up"));
	station_send_marked(red[0], 0x11, 100);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	ck_assert_uint_eq(red[1]->len, 100);
	ck_assert_uint_eq(red[1]->data[50], 0x11);
	station_send_marked(red[1], 0x22, 1514);
	run_for(10 * ms);
	ck_assert_uint_eq(red[0]->frames, 1);
	ck_assert_uint_eq(red[0]->len, 1514);
	status_has("a@s1", "\"vlink\":\"red:ab\"");
	status_has("a@s1", "\"offered_frames\":1");
	status_has("b@s2", "\"carried_bytes\":100");
}
END_TEST

START_TEST(the_same_over_udp)
{
	struct station *red[2];

	build_line("udp");
	lay("red", red);
	run_for(20 * ms);
	station_send_marked(red[0], 0x11, 1514);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	ck_assert_uint_eq(red[1]->len, 1514);
	ck_assert_uint_eq(red[1]->data[1500], 0x11);
	station_send_marked(red[1], 0x22, 60);
	run_for(10 * ms);
	ck_assert_uint_eq(red[0]->frames, 1);
	ck_assert_uint_eq(red[0]->data[50], 0x22);
}
END_TEST

START_TEST(vnets_are_apart)
{
	struct station *red[2];
	struct station *blue[2];

	build_line("ethernet");
	lay("red", red);
	lay("blue", blue);
	run_for(20 * ms);
	station_send_marked(red[0], 1, 64);
	station_send_marked(blue[1], 2, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	ck_assert_uint_eq(red[1]->data[20], 1);
	ck_assert_uint_eq(blue[0]->frames, 1);
	ck_assert_uint_eq(blue[0]->data[20], 2);
	ck_assert_uint_eq(red[0]->frames + blue[1]->frames, 0);
	say("remove red:ab");
	station_send_marked(red[0], 1, 64);
	station_send_marked(blue[1], 2, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	ck_assert_uint_eq(blue[0]->frames, 2);
	status_has("red0@s", "\"no-link\":1");
	status_has("a@s2", "\"in\":[{\"vli\":17,\"vlink\":\"blue:ab\"");
}
END_TEST

/* Two virtual nodes of a vNet on one substrate node. */
START_TEST(a_virtual_link_within_one_node)
{
	say("snode s1");
	say("vif x s1 vnet=red");
	say("vif y s1 vnet=red");
	say("vif z s1 vnet=blue");
	say("vlink l x path= to=y");
	struct station *x = station_at("sx", "x");
	struct station *y = station_at("sy", "y");
	char error[1024];

	run_for(ms);
	station_send_marked(x, 7, 64);
	run_for(ms);
	ck_assert_uint_eq(y->frames, 1);
	ck_assert_int_eq(try_to_say(error, "vlink m x path= to=y"), -1);
	ck_assert_ptr_nonnull(strstr(error, "begins at 'x' already"));
	ck_assert_int_eq(try_to_say(error, "vlink m z vnet=red path= to=y"), -1);
	say("vlink m z path= to=y");
	run_for(ms);
	ck_assert(happened("event vlink m down \"the virtual interface belongs to another vNet\""));
}
END_TEST

START_TEST(a_cut_is_told_and_mended)
{
	struct station *red[2];

	build_line("ethernet");
	lay("red", red);
	run_for(20 * ms);
	forget_events();
	say("set b ab.up=0 ba.up=0");
	run_for(5000 * ms);
	ck_assert(happened("event slink b@s2 lost"));
	ck_assert(happened("event slink b@s3 lost"));
	ck_assert(
		happened("event vlink red:ab down \"substrate link b: the other node is silent\""));
	ck_assert(happened("event vlink red:ba down"));
	ck_assert(!happened("slink a"));
	station_send_marked(red[0], 1, 64);
	forget_events();
	say("set b up=1");
	run_for(10000 * ms);
	ck_assert(happened("event slink b@s2 back"));
	ck_assert(happened("event vlink red:ab up"));
	ck_assert(happened("event vlink red:ba up"));
	ck_assert_uint_eq(red[1]->frames, 0);
	station_send_marked(red[0], 1, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
}
END_TEST

START_TEST(a_link_cut_in_one_direction_is_lost_in_both)
{
	build_line("ethernet");
	run_for(20 * ms);
	say("set a ab.up=0");
	run_for(6000 * ms);
	ck_assert(happened("event slink a@s1 lost"));
	ck_assert(happened("event slink a@s2 lost"));
}
END_TEST

START_TEST(a_node_that_begins_anew_gets_its_links_again)
{
	struct station *red[2];

	build_line("ethernet");
	lay("red", red);
	run_for(20 * ms);
	forget_events();
	say("remove s2");
	run_for(1000 * ms);
	say("snode s2 key=000102030405060708090a0b0c0d0e0f");
	say("snif s2:1 s2 mac=02:00:00:00:02:01");
	say("snif s2:2 s2 mac=02:00:00:00:02:02");
	say("cable a s1:1 s2:1 delay=1ms mtu=1600");
	say("cable b s2:2 s3:1 delay=1ms mtu=1600");
	say("slink a@s2 s2:1 link=a peer=02:00:00:00:01:01");
	say("slink b@s2 s2:2 link=b peer=02:00:00:00:03:01");
	run_for(10000 * ms);
	ck_assert(happened("event vlink red:ab down"));
	ck_assert(happened("event vlink red:ab up"));
	ck_assert(happened("event vlink red:ba up"));
	station_send_marked(red[0], 1, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
}
END_TEST

START_TEST(refusals_say_why)
{
	build_line("ethernet");
	say("vif x s1 vnet=red");
	say("vif y s1 vnet=red");
	say("vif z s3 vnet=blue");
	say("vlink l x path=a,c to=z");
	say("vlink m y path=a,b to=z");
	run_for(100 * ms);
	ck_assert(happened("event vlink l down \"s2 has no end of substrate link c\""));
	ck_assert(happened("event vlink m down \"the virtual interface belongs to another vNet\""));
	status_has("a@s2", "\"in\":[]"); /* nothing is left of them */
	status_has("b@s3", "\"in\":[]");
}
END_TEST

/* A narrower wire in the middle: the link's MTU is what fits, and follows a change. */
START_TEST(the_mtu_is_what_fits)
{
	struct station *red[2];

	build_line("ethernet");
	say("set b mtu=1500");
	lay("red", red);
	run_for(20 * ms);
	ck_assert(happened("event vlink red:ab mtu 1476"));
	station_send_marked(red[0], 1, 1494);
	station_send_marked(red[0], 1, 1495);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->frames, 1);
	status_has("a@s1", "\"dropped\":{\"too-long\":1}");
	say("set b mtu=1400");
	run_for(2000 * ms);
	ck_assert(happened("event vlink red:ab mtu 1376"));
	ck_assert(happened("event vlink red:ba mtu 1376"));
}
END_TEST

/* Messages are lost, late, twice and in disorder; afterwards all is as it should be. */
START_TEST(a_bad_wire)
{
	struct station *red[2];
	struct station *blue[2];

	build_line("ethernet");
	say("set a loss=20%% duplicate=20%% jitter=30ms corrupt=2%%");
	say("set b loss=20%% duplicate=20%% jitter=30ms corrupt=2%%");
	lay("red", red);
	lay("blue", blue);
	run_for(20000 * ms);
	say("reset a");
	say("reset b");
	run_for(20000 * ms);
	station_send_marked(red[0], 1, 64);
	station_send_marked(blue[0], 2, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(red[1]->data[20], 1);
	ck_assert_uint_eq(blue[1]->data[20], 2);
	say("remove red:ab");
	say("remove blue:ab");
	say("remove red:ba");
	say("remove blue:ba");
	run_for(20000 * ms);
	for (int i = 1; i <= 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%d", i);
		status_has(name, "\"hops\":[]");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtual links");
	TCase *tc = tcase_create("virtual links");

	tcase_add_checked_fixture(tc, setup, world_teardown);
	tcase_add_test(tc, a_virtual_link_passes_a_node_that_holds_nothing);
	tcase_add_test(tc, the_same_over_udp);
	tcase_add_test(tc, vnets_are_apart);
	tcase_add_test(tc, a_virtual_link_within_one_node);
	tcase_add_test(tc, a_cut_is_told_and_mended);
	tcase_add_test(tc, a_link_cut_in_one_direction_is_lost_in_both);
	tcase_add_test(tc, a_node_that_begins_anew_gets_its_links_again);
	tcase_add_test(tc, refusals_say_why);
	tcase_add_test(tc, the_mtu_is_what_fits);
	tcase_add_test(tc, a_bad_wire);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
