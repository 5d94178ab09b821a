/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vswitch/switch.h"

#include "tests/unit/device_help.h"

#define SECOND INT64_C(1000000000)

static void setup(void)
{
	open_device(&switch_kind, 5);
}

static void teardown(void)
{
	close_device();
}

START_TEST(it_floods_until_it_has_learned)
{
	ck_assert_str_eq(send_frame(0, 'a', 'b', 0), "1234");
	ck_assert_str_eq(send_frame(1, 'b', 'a', 1), "0");
	ck_assert_str_eq(send_frame(0, 'a', 'b', 2), "1");
	ck_assert_ptr_null(why);
	ck_assert_ptr_eq(out.at[0].frame, sent); /* not a copy */
	ck_assert_str_eq(send_frame(2, 'c', '*', 3), "0134");
	ck_assert_str_eq(send_frame(3, 'd', 'c', 4), "2");
}
END_TEST

START_TEST(a_station_that_moves_is_followed)
{
	send_frame(0, 'a', '*', 0);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "0");
	send_frame(4, 'a', '*', 1);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 1), "4");
	assert_status(1, "\"moved\":1");
}
END_TEST

START_TEST(a_frame_for_its_own_port_goes_nowhere)
{
	send_frame(0, 'a', '*', 0);
	ck_assert_str_eq(send_frame(0, 'b', 'a', 1), "");
	ck_assert_str_eq(why, "same port");
}
END_TEST

START_TEST(stations_are_forgotten_after_the_ageing_time)
{
	set("ageing", "10s");
	send_frame(0, 'a', '*', 0);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 10 * SECOND - 1), "0");
	ck_assert_str_eq(send_frame(1, 'b', 'a', 10 * SECOND), "0234");
	assert_status(10 * SECOND, "\"stations\":1,");
	set("ageing", "0");
	ck_assert_str_eq(send_frame(1, 'b', 'a', 10000 * SECOND), "0");
}
END_TEST

START_TEST(a_full_table_floods_what_it_does_not_know)
{
	set("max_entries", "2");
	send_frame(0, 'a', '*', 0);
	send_frame(1, 'b', '*', 0);
	send_frame(2, 'c', '*', 0);
	ck_assert_str_eq(send_frame(3, 'd', 'a', 1), "0");
	ck_assert_str_eq(send_frame(3, 'd', 'c', 1), "0124");
	assert_status(1, "\"not_learned\":3");
	assert_status(1, "\"max_entries\":2");
}
END_TEST

START_TEST(a_port_that_goes_down_is_forgotten)
{
	send_frame(0, 'a', '*', 0);
	kind->port_change(dev, 0, false, 1);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 1), "234");
	kind->port_change(dev, 0, true, 2);
	kind->port_change(dev, 0, true, 2); /* twice is once */
	ck_assert_str_eq(send_frame(1, 'b', '*', 2), "0234");
}
END_TEST

START_TEST(alone_there_is_nobody_to_send_to)
{
	for (int i = 1; i < 5; i++)
		kind->port_change(dev, (uint16_t)i, false, 0);
	ck_assert_str_eq(send_frame(0, 'a', 'b', 0), "");
	ck_assert_str_eq(why, "nobody else");
}
END_TEST

START_TEST(reserved_addresses_pass_only_on_a_wire)
{
	uint8_t bpdu[60] = {0x01, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 1};
	uint8_t ospf[60] = {0x01, 0x00, 0x5e, 0, 0, 5, 2, 0, 0, 0, 0, 1};

	for (int last = 0; last <= 0x10; last++) {
		bpdu[5] = (uint8_t)last;
		set("wire", "off");
		send_bytes(0, bpdu, sizeof(bpdu), 0);
		ck_assert_str_eq(ports(), last < 0x10 ? "" : "1234");
		if (last < 0x10)
			ck_assert_str_eq(why, "reserved");
		set("wire", "on");
		send_bytes(0, bpdu, sizeof(bpdu), 0);
		ck_assert_str_eq(ports(), "1234");
	}
	set("wire", "off");
	send_bytes(0, ospf, sizeof(ospf), 0);
	ck_assert_str_eq(ports(), "1234");
}
END_TEST

START_TEST(nonsense_is_dropped)
{
	uint8_t f[60] = {2, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 2};

	send_bytes(0, f, sizeof(f), 0);
	ck_assert_str_eq(why, "bad source");
	send_bytes(0, f, 13, 0);
	ck_assert_str_eq(why, "runt");
	ck_assert_uint_eq(out.n, 0);
	assert_status(0, "\"stations\":0,");
}
END_TEST

START_TEST(without_vlans_tags_are_payload)
{
	ck_assert_str_eq(send_tagged(0, 'a', 'b', 10, 0), "1234");
	ck_assert_int_eq(tag_at(1), 10);
	ck_assert_ptr_eq(out.at[0].frame, sent);
	ck_assert_str_eq(send_tagged(1, 'b', 'a', 20, 0), "0"); /* one table for all */
	assert_status(0, "\"vlan_aware\":false");
}
END_TEST

/* Ports 0 and 1 in VLAN 10, 2 in 20, 3 a trunk of both, 4 says nothing: VLAN 1. */
static void make_vlans(void)
{
	set_port(0, "vlan", "10");
	set_port(1, "vlan", "10");
	set_port(2, "vlan", "20");
	set_port(3, "trunk", "10,20");
}

START_TEST(vlans_keep_apart)
{
	make_vlans();
	ck_assert_str_eq(send_frame(0, 'a', '*', 0), "13");
	ck_assert_int_eq(tag_at(1), -1);
	ck_assert_int_eq(tag_at(3), 10);
	ck_assert_str_eq(send_frame(2, 'c', 'a', 0), "3"); /* a is not known in 20 */
	ck_assert_int_eq(tag_at(3), 20);
	ck_assert_str_eq(send_frame(4, 'e', '*', 0), "");
	ck_assert_str_eq(why, "nobody else");
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "0");
}
END_TEST

START_TEST(a_trunk_carries_its_vlans_with_tags)
{
	make_vlans();
	ck_assert_str_eq(send_tagged(3, 'x', '*', 10, 0), "01");
	ck_assert_int_eq(tag_at(0), -1);
	ck_assert_uint_eq(out.at[0].frame->len, 60);
	ck_assert_uint_eq(out.at[0].frame->data[59], 0x5a);
	ck_assert_uint_eq(out.at[0].frame->data[12], 0x08);
	ck_assert_ptr_eq(out.at[0].frame, out.at[1].frame);         /* made once */
	ck_assert_str_eq(send_tagged(3, 'y', '*', 0x6014, 0), "2"); /* priority 3, VLAN 20 */
	ck_assert_str_eq(send_tagged(3, 'y', '*', 30, 0), "");
	ck_assert_str_eq(why, "vlan");
	ck_assert_str_eq(send_tagged(3, 'y', '*', 4095, 0), "");
	ck_assert_str_eq(send_frame(3, 'y', '*', 0), "");
	ck_assert_str_eq(why, "vlan");
	ck_assert_str_eq(send_tagged(0, 'a', '*', 10, 0), ""); /* no tags by access ports */
	ck_assert_str_eq(why, "vlan");
}
END_TEST

START_TEST(tags_pass_from_trunk_to_trunk_unchanged)
{
	make_vlans();
	set_port(4, "trunk", "all");
	ck_assert_str_eq(send_tagged(3, 'x', '*', 0xa014, 0), "24");
	ck_assert_int_eq(tag_at(4), 0xa014);
	ck_assert_int_eq(tag_at(2), -1);
}
END_TEST

START_TEST(a_native_vlan_goes_without_a_tag)
{
	make_vlans();
	set_port(3, "native", "10");
	ck_assert_str_eq(send_frame(3, 'x', '*', 0), "01");
	ck_assert_ptr_eq(out.at[0].frame, sent);
	ck_assert_str_eq(send_frame(0, 'a', 'x', 0), "3");
	ck_assert_int_eq(tag_at(3), -1);
	set_port(3, "native", "none");
	ck_assert_str_eq(send_frame(3, 'x', '*', 0), "");
	/* In the other order, too. */
	set_port(3, "vlan", "20");
	set_port(3, "native", "10");
	ck_assert_str_eq(send_frame(3, 'x', '*', 0), "01");
	set_port(3, "trunk", "20");
	ck_assert_str_eq(send_frame(3, 'x', '*', 0), "01");
	ck_assert_str_eq(send_tagged(3, 'x', '*', 20, 0), "2");
	/* A native VLAN is a member, listed or not. */
	set_port(3, "native", "1");
	ck_assert_str_eq(send_frame(4, 'e', '*', 0), "3");
	ck_assert_int_eq(tag_at(3), -1);
	ck_assert_str_eq(send_tagged(3, 'x', '*', 1, 0), "4");
}
END_TEST

/* Tag with VLAN 0: a priority, no VLAN (802.1Q, 6.9.1). */
START_TEST(a_priority_tag_means_the_vlan_of_the_port)
{
	make_vlans();
	ck_assert_str_eq(send_tagged(0, 'a', '*', 0xe000, 0), "13");
	ck_assert_int_eq(tag_at(1), -1);
	ck_assert_int_eq(tag_at(3), 0xe00a);
	ck_assert_ptr_ne(out.at[0].frame, out.at[1].frame);
}
END_TEST

START_TEST(changed_vlans_forget_what_was_learned)
{
	make_vlans();
	send_frame(0, 'a', '*', 0);
	set_port(0, "vlan", "20");
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "3");
	ck_assert_str_eq(send_frame(2, 'c', 'a', 0), "03");
}
END_TEST

/* MAC addresses of stations 'a' and 'b' of the helper. */
#define A "02:00:00:00:00:61"
#define B "02:00:00:00:00:62"

START_TEST(nobody_speaks_for_a_station_that_lives_elsewhere)
{
	set_port(0, "stations", A);
	ck_assert_str_eq(send_frame(0, 'a', '*', 0), "1234");
	ck_assert_str_eq(send_frame(3, 'a', '*', 1), "");
	ck_assert_str_eq(why, "foreign source");
	ck_assert_str_eq(send_frame(3, 'b', 'a', 2), "0"); /* it was not learned there */
	ck_assert_str_eq(send_frame(3, 'b', '*', 3), "0124");
	/* Two ways to one station, as between switches. */
	set_port(1, "stations", A "," B);
	ck_assert_str_eq(send_frame(1, 'a', 'c', 4), "0234");
	ck_assert_str_eq(send_frame(3, 'b', '*', 5), "");
	set_port(1, "stations", "none");
	ck_assert_str_eq(send_frame(3, 'b', '*', 6), "0124");
	ck_assert_str_eq(send_frame(1, 'a', '*', 7), "");
}
END_TEST

START_TEST(frames_for_a_station_with_a_place_go_nowhere_else)
{
	set_port(0, "stations", A);
	ck_assert_str_eq(send_frame(3, 'b', 'a', 0), "0");
	set_port(1, "stations", A);
	ck_assert_str_eq(send_frame(3, 'b', 'a', 1), "01");
	kind->port_change(dev, 0, false, 2);
	kind->port_change(dev, 1, false, 2);
	ck_assert_str_eq(send_frame(3, 'b', 'a', 3), "");
	ck_assert_str_eq(why, "nobody else");
}
END_TEST

START_TEST(a_trunk_beside_access_ports_takes_tags_off_strangers)
{
	set_port(0, "trunk", "50");
	set_port(0, "native", "1");
	set_port(1, "trunk", "50");
	set_port(1, "native", "1");
	ck_assert_str_eq(send_tagged(0, 'a', '*', 50, 0), "1");
	ck_assert_str_eq(send_tagged(3, 'c', '*', 50, 0), "");
	ck_assert_str_eq(why, "vlan");
	/* Priority 7 in VLAN 0: it comes out without. */
	ck_assert_str_eq(send_tagged(3, 'c', '*', 7 << 13, 0), "0124");
	for (uint32_t i = 0; i < out.n; i++)
		ck_assert_uint_eq(out.at[i].frame->data[12], 0x08);
}
END_TEST

START_TEST(a_mirror_sees_what_its_ports_do)
{
	set_port(4, "mirror", "1,2"); /* people count from 1: ports 0 and 1 here */
	ck_assert_str_eq(send_frame(0, 'a', 'b', 0), "1234");
	ck_assert_str_eq(send_frame(2, 'c', 'd', 0), "0134"); /* a copy for port 0 */
	send_frame(3, 'd', '*', 0);
	ck_assert_str_eq(send_frame(2, 'c', 'd', 0), "3"); /* between others */
	ck_assert_str_eq(send_frame(2, 'c', 'a', 0), "04");
	ck_assert_str_eq(send_frame(0, 'b', 'a', 0), "4"); /* same port: seen all the same */
	ck_assert_str_eq(why, "same port");
	ck_assert_str_eq(send_frame(4, 'm', '*', 0), "");
	ck_assert_str_eq(why, "mirror port");
	assert_status(0, "\"mirrored\":5");
	set_port(4, "mirror", "off");
	ck_assert_str_eq(send_frame(0, 'a', '*', 0), "1234");
	set_port(4, "mirror", "all");
	ck_assert_str_eq(send_frame(2, 'c', 'd', 0), "34");
	ck_assert_str_eq(send_frame(4, 'm', '*', 0), ""); /* not its own */
}
END_TEST

/* Ports 0 and 1 of two switches are joined: what one puts out, the other takes, and so on. */
static void carry(struct device *two[2], int from, struct device_out *list, int64_t now_ns)
{
	for (uint32_t i = 0; i < list->n; i++) {
		struct device_out answer = {.n = 0};

		if (list->at[i].port < 2)
			kind->forward(two[!from], list->at[i].port, list->at[i].frame, now_ns,
				      &answer);
		carry(two, !from, &answer, now_ns);
		frame_unref(list->at[i].frame);
	}
}

/* Two switches joined twice: frames go once round and not for ever. */
START_TEST(a_loop_does_no_harm_with_rstp)
{
	struct device *two[2] = {dev, kind->create("other", 2)};
	struct err e = {0};
	int blocked = 0;

	for (int s = 0; s < 2; s++) {
		ck_assert_int_eq(kind->set(two[s], "rstp", "on", &e), 0);
		for (uint16_t p = 0; p < 3; p++)
			kind->port_change(two[s], p, true, SECOND);
	}
	for (int64_t now = SECOND; now < 8 * SECOND; now += 1000) {
		for (int s = 0; s < 2; s++) {
			struct device_out list = {.n = 0};

			if (kind->next_due_ns(two[s]) > now)
				continue;
			kind->tick(two[s], now, pool, &list);
			carry(two, s, &list, now);
		}
	}
	for (int s = 0; s < 2; s++) {
		dev = two[s];
		const char *to = send_frame(2, 'a', '*', 9 * SECOND);

		blocked += strchr(to, '1') == NULL;
		ck_assert_ptr_nonnull(strchr(to, '0'));
	}
	ck_assert_int_eq(blocked, 1);
	drop_out();
	kind->destroy(two[1]);
	dev = two[0];
	assert_status(0, "\"rstp\":{\"bridge\":\"32768.");
}
END_TEST

START_TEST(without_rstp_nobody_is_called)
{
	send_frame(0, 'a', '*', 0);
	ck_assert_int_eq(kind->next_due_ns(dev), INT64_MAX);
	set("rstp", "on");
	ck_assert_str_eq(send_frame(0, 'a', '*', 1), "");
	ck_assert_str_eq(why, "stp");
	ck_assert_int_lt(kind->next_due_ns(dev), INT64_MAX);
	set("rstp", "off");
	ck_assert_str_eq(send_frame(0, 'a', '*', 2), "1234");
}
END_TEST

static const struct {
	bool port;
	const char *key, *value, *says;
} bad[] = {
	{false, "agein", "1s", "did you mean 'ageing'"},
	{false, "ageing", "5", "a time such as"},
	{false, "max_entries", "9999999", "more than"},
	{false, "wire", "yes", "not on or off"},
	{false, "rstp", "yes", "not on or off"},
	{false, "priority", "1", "multiple of 4096"},
	{true, "cost", "0", "not between"},
	{true, "point_to_point", "1", "not on or off"},
	{true, "vlna", "1", "did you mean 'vlan'"},
	{true, "vlan", "0", "not a VLAN from 1 to 4094"},
	{true, "vlan", "4095", "not a VLAN"},
	{true, "vlan", "10x", "not a VLAN"},
	{true, "vlan", "", "not a VLAN"},
	{true, "trunk", "10,", "list of VLANs"},
	{true, "trunk", "20-10", "list of VLANs"},
	{true, "trunk", "10 20", "list of VLANs"},
	{true, "trunk", "1-99999999999", "list of VLANs"},
	{true, "mirror", "0", "list of ports"},
	{true, "mirror", "1025", "list of ports"},
	{true, "mirror", "1,,2", "list of ports"},
};

START_TEST(bad_settings_are_refused)
{
	struct err e = {0};
	int status = bad[_i].port ? kind->set_port(dev, 0, bad[_i].key, bad[_i].value, &e)
				  : kind->set(dev, bad[_i].key, bad[_i].value, &e);

	ck_assert_int_eq(status, -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_msg(strstr(e.text, bad[_i].says), "%s", e.text);
}
END_TEST

START_TEST(the_table_is_told)
{
	send_frame(0, 'a', '*', 0);
	send_frame(3, 'd', 'a', 5000000);
	assert_status(7000000, "{\"mac\":\"02:00:00:00:00:61\",\"port\":1,\"age_ms\":7},"
			       "{\"mac\":\"02:00:00:00:00:64\",\"port\":4,\"age_ms\":2}");
	assert_status(0, "\"flooded\":1");
	assert_status(0, "\"forwarded\":1");
	make_vlans();
	send_frame(0, 'a', '*', 0);
	assert_status(0, "{\"mac\":\"02:00:00:00:00:61\",\"vlan\":10,\"port\":1,\"age_ms\":0}");
}
END_TEST

/* When the pool is empty, ports that need another form of the frame go without, and it is counted.
 */
START_TEST(no_memory_is_counted)
{
	struct frame *hoard = NULL;

	make_vlans();
	drop_out();
	sent = frame_get(pool, 60);
	memset(sent->data, 0xff, 6);
	memset(sent->data + 6, 2, 54);
	for (struct frame *f; (f = frame_get(pool, 64));) {
		f->next = hoard;
		hoard = f;
	}
	forward(0, 0);
	ck_assert_str_eq(ports(), "1");
	assert_status(0, "\"no_memory\":1");
	for (struct frame *next; hoard; hoard = next) {
		next = hoard->next;
		frame_unref(hoard);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_floods_until_it_has_learned);
	tcase_add_test(tc, a_station_that_moves_is_followed);
	tcase_add_test(tc, a_frame_for_its_own_port_goes_nowhere);
	tcase_add_test(tc, stations_are_forgotten_after_the_ageing_time);
	tcase_add_test(tc, a_full_table_floods_what_it_does_not_know);
	tcase_add_test(tc, a_port_that_goes_down_is_forgotten);
	tcase_add_test(tc, alone_there_is_nobody_to_send_to);
	tcase_add_test(tc, reserved_addresses_pass_only_on_a_wire);
	tcase_add_test(tc, nonsense_is_dropped);
	tcase_add_test(tc, without_vlans_tags_are_payload);
	tcase_add_test(tc, vlans_keep_apart);
	tcase_add_test(tc, a_trunk_carries_its_vlans_with_tags);
	tcase_add_test(tc, tags_pass_from_trunk_to_trunk_unchanged);
	tcase_add_test(tc, a_native_vlan_goes_without_a_tag);
	tcase_add_test(tc, a_priority_tag_means_the_vlan_of_the_port);
	tcase_add_test(tc, changed_vlans_forget_what_was_learned);
	tcase_add_test(tc, nobody_speaks_for_a_station_that_lives_elsewhere);
	tcase_add_test(tc, frames_for_a_station_with_a_place_go_nowhere_else);
	tcase_add_test(tc, a_trunk_beside_access_ports_takes_tags_off_strangers);
	tcase_add_test(tc, a_mirror_sees_what_its_ports_do);
	tcase_add_loop_test(tc, bad_settings_are_refused, 0, sizeof(bad) / sizeof(*bad));
	tcase_add_test(tc, a_loop_does_no_harm_with_rstp);
	tcase_add_test(tc, without_rstp_nobody_is_called);
	tcase_add_test(tc, the_table_is_told);
	tcase_add_test(tc, no_memory_is_counted);
}

int main(void)
{
	return suite_run_case("switch", add_tests);
}
