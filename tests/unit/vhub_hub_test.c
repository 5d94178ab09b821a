/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vhub/hub.h"

#include "tests/unit/device_help.h"

#define US     INT64_C(1000)
#define SECOND INT64_C(1000000000)

enum { MAX_FRAMES = 20000 };

static struct {
	int64_t at_ns;
	int from;
} arrived[MAX_FRAMES];
static int n_arrived;

static void setup(void)
{
	open_device(&hub_kind, 3);
	n_arrived = 0;
}

static void teardown(void)
{
	close_device();
}

static void share(void)
{
	set("medium", "shared");
	set("rate", "10Mbit");
	set("propagation", "5us");
}

START_TEST(everybody_behind_it_shares_it)
{
	int64_t rate_bps = 0;

	ck_assert(kind->is_shared(dev, &rate_bps));
	ck_assert_int_eq(rate_bps, 0);
	share();
	ck_assert(kind->is_shared(dev, &rate_bps));
	ck_assert_int_eq(rate_bps, 10000000);
}
END_TEST

/* A station gives the hub a frame of len bytes, whose byte 11 says whose it is. */
static void station_sends(int port, uint32_t len, int64_t now_ns)
{
	uint8_t f[1514] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};

	f[11] = (uint8_t)port;
	send_bytes(port, f, len, now_ns);
}

/* Does what the hub wants done up to a time; frames that arrive are noted. */
static void run_until(int64_t until_ns)
{
	int64_t last = INT64_MIN;

	for (int64_t t; (t = kind->next_due_ns(dev)) <= until_ns;) {
		drop_out();
		if (t < last)
			ck_abort_msg("time goes backwards");
		last = t;
		kind->tick(dev, t, pool, &out);
		if (!out.n)
			continue;
		ck_assert_int_lt(n_arrived, MAX_FRAMES);
		arrived[n_arrived].at_ns = t;
		arrived[n_arrived++].from = out.at[0].frame->data[11];
		for (uint32_t i = 0; i < out.n; i++)
			if (out.at[i].port == out.at[0].frame->data[11])
				ck_abort_msg("a frame came back");
	}
}

START_TEST(a_plain_hub_repeats_to_all_others)
{
	ck_assert_str_eq(send_frame(0, 'a', 'b', 0), "12");
	ck_assert_ptr_eq(out.at[0].frame, sent);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "02");
	kind->port_change(dev, 2, false, 0);
	kind->port_change(dev, 2, false, 0);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "0");
	kind->port_change(dev, 0, false, 0);
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "");
	ck_assert_str_eq(why, "nobody else");
	send_bytes(1, "x", 1, 0);
	ck_assert_str_eq(why, "runt");
	ck_assert_int_eq(kind->next_due_ns(dev), INT64_MAX);
	assert_status(0, "\"repeated\":3");
}
END_TEST

/* Where nothing takes time, what is not yet as on a wire passes, and counts for what it will be. */
START_TEST(a_plain_hub_passes_segments)
{
	uint8_t bytes[60] = {0xff};

	ck_assert(kind->takes_raw(dev));
	drop_out();
	sent = frame_get(pool, sizeof(bytes));
	memcpy(sent->data, bytes, sizeof(bytes));
	sent->offload = (struct offload){.flags = OFFLOAD_CSUM | OFFLOAD_TCP4, .segments = 3};
	forward(0, 0);
	ck_assert_ptr_null(why);
	ck_assert_str_eq(ports(), "12");
	assert_status(0, "\"repeated\":3");
	share();
	ck_assert(!kind->takes_raw(dev));
}
END_TEST

START_TEST(a_frame_takes_its_time_on_the_medium)
{
	share();
	station_sends(0, 1514, SECOND);
	ck_assert_ptr_null(why);
	ck_assert_uint_eq(out.n, 0);
	run_until(2 * SECOND);
	ck_assert_int_eq(n_arrived, 1);
	/* 8 bytes of preamble, 1514, 4 of FCS at 0.1 us a bit, and the propagation. */
	ck_assert_int_eq(arrived[0].at_ns, SECOND + 1526 * 800 + 5 * US);
	/* Short ones are filled up to 60. */
	station_sends(0, 20, 2 * SECOND);
	run_until(3 * SECOND);
	ck_assert_int_eq(arrived[1].at_ns, 2 * SECOND + 72 * 800 + 5 * US);
}
END_TEST

/* The well-known 14,880 and 812 frames a second of 10 Mbit/s Ethernet. */
START_TEST(one_station_alone_gets_all_of_it)
{
	static const struct {
		uint32_t len;
		int frames;
	} known[] = {{60, 14880}, {1514, 812}};

	share();
	for (int64_t i = 0; i < 20000; i++) {
		run_until(i * 50 * US);
		station_sends(0, known[_i].len, i * 50 * US);
	}
	run_until(SECOND + 5 * US);
	ck_assert_int_ge(n_arrived, known[_i].frames);
	ck_assert_int_le(n_arrived, known[_i].frames + 1);
	assert_status(0, "\"collisions\":0");
}
END_TEST

START_TEST(who_hears_another_waits)
{
	share();
	station_sends(0, 60, 0);
	run_until(5 * US - 1);
	station_sends(1, 60, 5 * US); /* hears it just then */
	run_until(SECOND);
	ck_assert_int_eq(n_arrived, 2);
	ck_assert_int_eq(arrived[0].at_ns, 57600 + 5 * US);
	/* It begins 9.6 us after it heard the end. */
	ck_assert_int_eq(arrived[1].at_ns, 57600 + 5 * US + 9600 + 57600 + 5 * US);
	assert_status(0, "\"port\":2,\"queued\":0,\"sent\":1,\"collisions\":0,"
			 "\"single_collision_frames\":0,\"multiple_collision_frames\":0,"
			 "\"deferred_transmissions\":1");
}
END_TEST

START_TEST(who_does_not_hear_another_collides)
{
	share();
	station_sends(0, 60, 0);
	station_sends(1, 60, 5 * US - 1);
	run_until(SECOND);
	ck_assert_int_eq(n_arrived, 2); /* both get through later */
	ck_assert_int_gt(arrived[0].at_ns, 57600 + 5 * US);
	char *text = status_text(0);

	ck_assert_ptr_null(strstr(text, "\"sent\":2,\"collisions\":0"));
	free(text);
}
END_TEST

/*
 * After a collision at 0, jams end at 9.6 us, and all hear silence at 14.6. Each waits 0 or 1
 * slots: if they differ, one begins after the gap, at 24.2 us; if not, they collide again, at 24.2
 * or 60.8.
 */
START_TEST(back_off_is_a_whole_number_of_slots)
{
	int later[2] = {0};

	for (int i = 0; i < 2000; i++) {
		kind->destroy(dev);
		dev = kind->create("hub", (uint64_t)i);
		for (uint16_t p = 0; p < 3; p++)
			kind->port_change(dev, p, true, 0);
		share();
		n_arrived = 0;
		station_sends(0, 60, 0);
		station_sends(1, 60, 0);
		run_until(SECOND);
		ck_assert_int_eq(n_arrived, 2);
		int64_t first = arrived[0].at_ns - 57600 - 5 * US;

		if (first == 9600 + 5 * US + 9600)
			later[0]++;
		else if (first >= 24200 + 2 * 9600 + 5 * US)
			later[1]++;
		else
			ck_abort_msg("%lld", (long long)first);
	}
	/* Chance 1/2; 4 deviations. */
	ck_assert_int_gt(later[0], 1000 - 90);
	ck_assert_int_lt(later[0], 1000 + 90);
}
END_TEST

START_TEST(a_full_queue_says_so)
{
	share();
	set("queue", "2");
	station_sends(0, 60, 0);
	station_sends(0, 60, 0);
	ck_assert_ptr_null(why);
	station_sends(0, 60, 0);
	ck_assert_str_eq(why, "queue");
	run_until(SECOND);
	ck_assert_int_eq(n_arrived, 2);
	assert_status(0, "\"queue_full\":1");
}
END_TEST

START_TEST(a_port_that_goes_gives_its_frames_back)
{
	share();
	station_sends(0, 60, 0);
	station_sends(0, 60, 0);
	run_until(0);
	kind->port_change(dev, 0, false, 1000);
	station_sends(1, 60, 2000);
	run_until(SECOND);
	ck_assert_int_eq(n_arrived, 1);
	ck_assert_int_eq(arrived[0].from, 1);
	set("medium", "plain");
	ck_assert_str_eq(send_frame(1, 'b', 'a', 0), "2");
}
END_TEST

static int sum_in(const char *text, const char *name)
{
	int sum = 0;

	for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
		sum += atoi(at + strlen(name));
	return sum;
}

/* The sum of a counter of all stations. */
static int field_sum(const char *name)
{
	char *text = status_text(0);
	int sum = sum_in(strstr(text, "\"stations\""), name);

	free(text);
	return sum;
}

/*
 * Stations that always have something to send. Metcalfe and Boggs (CACM 19(7), 1976) expect 94 % of
 * the medium for ten of them with long frames; collisions and back-off take the rest. Nothing gets
 * lost uncounted, and the short-term winner often goes on winning: the capture effect.
 */
START_TEST(a_crowded_medium_still_works)
{
	enum { STATIONS = 10 };
	int64_t now = 0;
	int offered = 0;
	int got[STATIONS] = {0};
	int again = 0;

	for (int i = 3; i < STATIONS; i++)
		kind->port_change(dev, (uint16_t)i, true, 0);
	share();
	set("queue", "4");
	for (; now < 10 * SECOND; now += 200 * US) {
		run_until(now);
		for (int i = 0; i < STATIONS; i++) {
			station_sends(i, 1514, now);
			offered += why == NULL;
		}
	}
	int in_time = n_arrived;

	run_until(100 * SECOND);
	for (int i = 0; i < n_arrived; i++) {
		got[arrived[i].from]++;
		again += i && arrived[i].from == arrived[i - 1].from;
	}
	double share_of_medium = in_time * 1526 * 800.0 / 10e9;

	ck_assert_msg(share_of_medium > 0.80 && share_of_medium < 0.98, "%f", share_of_medium);
	ck_assert_int_eq(field_sum("\"sent\":"), n_arrived);
	ck_assert_int_eq(offered, n_arrived + field_sum("\"excessive_collisions\":"));
	for (int i = 0; i < STATIONS; i++)
		ck_assert_msg(got[i] > n_arrived / STATIONS / 2, "station %d: %d of %d", i, got[i],
			      n_arrived);
	ck_assert_int_gt(again, n_arrived / STATIONS * 2);
}
END_TEST

static const struct {
	const char *key, *value, *says;
} bad[] = {
	{"rate", "100Mbit", "half a slot"},     {"medum", "shared", "did you mean 'medium'"},
	{"medium", "x", "not plain or shared"}, {"rate", "0bit", "not between"},
	{"rate", "fast", "a rate such as"},     {"propagation", "1ms", "half a slot"},
	{"queue", "0", "not between"},
};

START_TEST(bad_settings_are_refused)
{
	struct err e = {0};

	set("propagation", "20us"); /* too long for 100 Mbit/s */
	ck_assert_int_eq(kind->set(dev, bad[_i].key, bad[_i].value, &e), -1);
	ck_assert_msg(strstr(e.text, bad[_i].says), "%s", e.text);
	ck_assert_int_eq(kind->set_port(dev, 0, "vlan", "1", &e), -1);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, everybody_behind_it_shares_it);
	tcase_add_test(tc, a_plain_hub_repeats_to_all_others);
	tcase_add_test(tc, a_plain_hub_passes_segments);
	tcase_add_test(tc, a_frame_takes_its_time_on_the_medium);
	tcase_add_loop_test(tc, one_station_alone_gets_all_of_it, 0, 2);
	tcase_add_test(tc, who_hears_another_waits);
	tcase_add_test(tc, who_does_not_hear_another_collides);
	tcase_add_test(tc, back_off_is_a_whole_number_of_slots);
	tcase_add_test(tc, a_full_queue_says_so);
	tcase_add_test(tc, a_port_that_goes_gives_its_frames_back);
	tcase_add_test(tc, a_crowded_medium_still_works);
	tcase_add_loop_test(tc, bad_settings_are_refused, 0, sizeof(bad) / sizeof(*bad));
}

int main(void)
{
	return suite_run_case("hub", add_tests);
}
