/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual links over substrate links: set up by messages, forwarded by VLI, kept apart, mended. */
#include "tests/unit/overlay_links_help.h"

START_TEST(a_virtual_link_passes_a_node_that_holds_nothing)
{
	struct station *red[2];

	lay_red(red);
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
	status_has("b@s2", "\"carried_bytes\":146");
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

	lay_red(red);
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

	lay_red(red);
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
	forget_events();
	say("set b mtu=1600");
	run_for(2000 * ms);
	ck_assert(happened("event vlink red:ab mtu 1500"));
	ck_assert(happened("event vlink red:ba mtu 1500"));
	forget_events();
	run_for(2000 * ms);
	ck_assert(!happened("mtu")); /* each change is said once */
}
END_TEST

/* What is said of a running link where it begins is known where it passes. */
START_TEST(a_new_maximum_is_known_at_further_hops)
{
	struct station *red[2];

	lay_red(red);
	say("set red:ab min=2Mbit max=7Mbit");
	run_for(4000 * ms);
	status_has("b@s2", "\"guaranteed_bps\":2000000");
	status_has("b@s2", "\"max_bps\":7000000");
	say("set red:ab max=0");
	run_for(4000 * ms);
	status_has("a@s1", "\"max_bps\":0");
	status_has("b@s2", "\"max_bps\":0");
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

static uint32_t vli_of(const char *status_name, const char *before)
{
	char *text = status_of(status_name);
	const char *at = strstr(text, before);

	ck_assert_msg(at != NULL, "no %s in %s", before, text);
	while (at > text && strncmp(at, "\"vli\":", 6) != 0)
		at--;
	uint32_t vli = (uint32_t)strtoul(at + 6, NULL, 10);

	free(text);
	return vli;
}

static void forge(struct station *st, uint8_t to, uint8_t from, int vlan, uint32_t vli)
{
	uint8_t data[200] = {0};
	struct encapsulation h = {.to = {2, 0, 0, 0, 0, to},
				  .from = {2, 0, 0, 0, 0, from},
				  .vlan = vlan,
				  .priority = 5,
				  .vli = vli};

	encapsulation_write(data, &h, 64);
	memset(data + encapsulation_size(&h), 0x66, 64);
	station_send(st, data, encapsulation_size(&h) + 64);
	run_for(10 * ms);
}

START_TEST(forged_frames_enter_no_vnet)
{
	struct station *red[4];
	struct station *ends[2];

	build_lan("");
	join("red", red);
	say("vif a s1 vnet=blue");
	say("vif b s3 vnet=blue");
	say("vlink blue:ab a path=p to=b min=1Mbit");
	ends[0] = station_at("sa", "a");
	ends[1] = station_at("sb", "b");
	struct station *outsider = station_at("outsider", "lan:4");

	run_for(5000 * ms);
	uint32_t p2p = vli_of("p@s3", "\"vlink\":\"blue:ab\"");
	uint32_t multi = vli_of("lan@s3", "\"vnet\":\"red\"");

	forge(outsider, 3, 9, -1, multi); /* a sender that nobody knows */
	forge(outsider, 3, 9, 100, p2p);
	status_has("s3:1", "\"unknown-link\":2");
	forge(outsider, 3, 1, -1, p2p); /* without the VLAN it is another link's name space */
	forge(outsider, 3, 1, 100, multi);
	forge(outsider, 3, 1, 100, p2p + 1); /* a number that is not in use */
	forge(outsider, 3, 1, 100, 3);       /* a reserved one */
	forge(outsider, 3, 1, -1, 0xffffffff);
	status_has("s3:1", "\"unknown-vli\":5");
	forge(outsider, 3, 1, 101, p2p); /* another VLAN */
	forge(outsider, 3, 2, 100, p2p); /* a node that is no end of that link */
	status_has("s3:1", "\"wrong-vlan\":2");
	forge(outsider, 2, 1, 100, p2p); /* to a node that is no end of it */
	forge(outsider, 3, 1, -1, 0);    /* the control channel, without the key */
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(red[i]->frames, 0);
	ck_assert_uint_eq(ends[0]->frames + ends[1]->frames, 0);
	/* And all that is real still works. */
	station_send_marked(ends[0], 1, 64);
	run_for(10 * ms);
	ck_assert_uint_eq(ends[1]->frames, 1);
}
END_TEST

/* A vNet that floods does not take another's minimum, nor a place in its queues. */
START_TEST(a_flood_leaves_others_their_minimum)
{
	struct station *red[2];
	struct station *blue[2];

	build_line("ethernet");
	say("set s1:1 rate=10Mbit");
	lay("red", red);
	say("vif blue0@s s1 vnet=blue");
	say("vif blue1@s s3 vnet=blue");
	say("vlink blue:ab blue0@s path=a,b to=blue1@s min=2Mbit");
	blue[0] = station_at("blue0", "blue0@s");
	blue[1] = station_at("blue1", "blue1@s");
	run_for(3000 * ms);
	uint64_t before = blue[1]->frames;

	/* For 2 s: red at 50 Mbit/s, blue at its minimum: a frame of 976 + 24 octets each 4 ms. */
	for (int i = 0; i < 20000; i++) {
		station_send_marked(red[0], 1, 1226);
		if (i % 40 == 0)
			station_send_marked(blue[0], 2, 976);
		run_for(ms / 10);
	}
	run_for(100 * ms);
	ck_assert_uint_eq(blue[1]->frames - before, 500);
	status_has("a@s1", "\"queue-full\"");
}
END_TEST

START_TEST(minima_beyond_the_wire_are_refused)
{
	struct station *red[2];

	build_line("ethernet");
	say("set s2:2 rate=10Mbit");
	lay("red", red);
	say("vif x s1 vnet=red");
	say("vif y s3 vnet=red");
	say("vlink l x path=a,b to=y min=8Mbit");
	run_for(1000 * ms);
	ck_assert(happened("event vlink l up"));
	say("vif x2 s1 vnet=red");
	say("vif y2 s3 vnet=red");
	say("vlink m x2 path=a,b to=y2 min=8Mbit");
	run_for(1000 * ms);
	ck_assert(happened("event vlink m down \"s2: "));
	say("remove l");
	run_for(10000 * ms);
	ck_assert(happened("event vlink m up"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtual links");
	TCase *tc = tcase_create("virtual links");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, world_setup, world_teardown);
	tcase_add_test(tc, a_virtual_link_passes_a_node_that_holds_nothing);
	tcase_add_test(tc, the_same_over_udp);
	tcase_add_test(tc, vnets_are_apart);
	tcase_add_test(tc, a_virtual_link_within_one_node);
	tcase_add_test(tc, a_cut_is_told_and_mended);
	tcase_add_test(tc, a_link_cut_in_one_direction_is_lost_in_both);
	tcase_add_test(tc, a_node_that_begins_anew_gets_its_links_again);
	tcase_add_test(tc, refusals_say_why);
	tcase_add_test(tc, the_mtu_is_what_fits);
	tcase_add_test(tc, a_new_maximum_is_known_at_further_hops);
	tcase_add_test(tc, a_bad_wire);
	tcase_add_test(tc, forged_frames_enter_no_vnet);
	tcase_add_test(tc, a_flood_leaves_others_their_minimum);
	tcase_add_test(tc, minima_beyond_the_wire_are_refused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
