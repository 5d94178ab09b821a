/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two streams on a simulated wire that loses, duplicates, reorders and delays. */
#include "lib/rng.h"
#include "lib/vec.h"
#include "tests/support/suite.h"
#include "vnet/trellis/stream.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

enum { MSS = 1000 };

struct message {
	int64_t at_ns;
	int to;
	size_t len;
	uint8_t data[STREAM_HEAD + MSS];
};

static struct world {
	struct stream s[2];
	VEC(struct message) wire;
	struct rng rng;
	int64_t now_ns;
	uint32_t loss_ppm, duplicate_ppm, reorder_ppm;
	int64_t delay_ns;
	bool dead;     /* nothing arrives */
	bool answered; /* s[1] exists */
	uint8_t *data; /* what s[0] writes */
	size_t len, written, read;
	bool ended[2];
	size_t longest;  /* segment that s[0] sent */
	size_t read_max; /* what s[1] reads at most; 0: nothing */
} w;

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	rng_init(&w.rng, 1, "wire", "test");
	w.now_ns = 5000 * MS;
	w.delay_ns = 10 * MS;
	w.read_max = SIZE_MAX;
}

static void teardown(void)
{
	stream_finish(&w.s[0]);
	stream_finish(&w.s[1]);
	vec_free(&w.wire);
	free(w.data);
}

static void put_on_wire(int to, const uint8_t *data, size_t len)
{
	struct message m = {.at_ns = w.now_ns + w.delay_ns, .to = to, .len = len};

	if (to == 1 && len > w.longest)
		w.longest = len;
	if (w.dead || rng_chance_ppm(&w.rng, w.loss_ppm))
		return;
	if (rng_chance_ppm(&w.rng, w.reorder_ppm))
		m.at_ns += (int64_t)rng_below(&w.rng, 30) * MS;
	memcpy(m.data, data, len);
	vec_push(&w.wire, m);
	if (rng_chance_ppm(&w.rng, w.duplicate_ppm))
		vec_push(&w.wire, m);
}

static void emit_all(int i)
{
	uint8_t segment[STREAM_HEAD + MSS];
	size_t len;

	if (i == 1 && !w.answered)
		return;
	while ((len = stream_emit(&w.s[i], segment, sizeof(segment), w.now_ns)))
		put_on_wire(!i, segment, len);
}

static void arrive(const struct message *m)
{
	if (m->to == 1 && !w.answered)
		w.answered = stream_answer(&w.s[1], m->data, m->len, 0xfffffff0, MSS, w.now_ns);
	else
		stream_receive(&w.s[m->to], m->data, m->len, w.now_ns);
}

/* The application: writes from one side, reads and compares on the other. */
static void application(void)
{
	uint8_t got[5000];
	size_t room = w.read_max < sizeof(got) ? w.read_max : sizeof(got);
	size_t n;

	w.written += stream_write(&w.s[0], w.data + w.written, w.len - w.written);
	if (w.written == w.len && !w.ended[0] && w.s[0].state == STREAM_OPEN) {
		w.ended[0] = true;
		stream_end(&w.s[0], w.now_ns);
	}
	while (w.answered && (n = stream_read(&w.s[1], got, room)) > 0) {
		ck_assert_uint_le(w.read + n, w.len);
		ck_assert_int_eq(memcmp(got, w.data + w.read, n), 0);
		w.read += n;
	}
	if (w.answered && stream_at_end(&w.s[1]) && !w.ended[1]) {
		ck_assert_uint_eq(w.read, w.len);
		w.ended[1] = true;
		stream_end(&w.s[1], w.now_ns);
	}
}

/* The next thing that happens; false: nothing ever will. */
static bool step(int64_t until_ns)
{
	int64_t next = until_ns;
	size_t first = SIZE_MAX;

	for (int i = 0; i < 2; i++)
		if ((i == 0 || w.answered) && stream_due_ns(&w.s[i]) < next)
			next = stream_due_ns(&w.s[i]);
	for (size_t i = 0; i < w.wire.n; i++) {
		if (w.wire.at[i].at_ns <= next &&
		    (first == SIZE_MAX || w.wire.at[i].at_ns < w.wire.at[first].at_ns)) {
			first = i;
			next = w.wire.at[i].at_ns;
		}
	}
	if (next == until_ns && first == SIZE_MAX)
		return false;
	if (next > w.now_ns)
		w.now_ns = next;
	if (first != SIZE_MAX) {
		struct message m = w.wire.at[first];

		vec_remove(&w.wire, first);
		arrive(&m);
	}
	for (int i = 0; i < 2; i++)
		if (i == 0 || w.answered)
			stream_tick(&w.s[i], w.now_ns);
	application();
	emit_all(0);
	emit_all(1);
	return true;
}

static void transfer(size_t len, int64_t limit_ms)
{
	struct rng r;
	int64_t limit = w.now_ns + limit_ms * MS;

	rng_init(&r, 2, "data", "test");
	w.len = len;
	w.data = malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		w.data[i] = (uint8_t)rng_next(&r);
	stream_connect(&w.s[0], 0xffffff00, MSS, w.now_ns); /* numbers wrap around soon */
	emit_all(0);
	while (step(limit))
		if (w.s[0].state >= STREAM_CLOSED && w.answered && w.s[1].state >= STREAM_CLOSED)
			break;
}

static const struct {
	uint32_t loss, duplicate, reorder;
	size_t len;
} wires[] = {
	{0, 0, 0, 0},
	{0, 0, 0, 1},
	{0, 0, 0, 3000000},
	{10000, 0, 0, 1000000},
	{50000, 0, 0, 300000},
	{200000, 0, 0, 60000},
	{0, 100000, 0, 300000},
	{0, 0, 200000, 300000},
	{30000, 30000, 100000, 500000},
	{100000, 100000, 300000, 100000},
};

START_TEST(every_octet_arrives_once_and_in_order)
{
	w.loss_ppm = wires[_i].loss;
	w.duplicate_ppm = wires[_i].duplicate;
	w.reorder_ppm = wires[_i].reorder;
	transfer(wires[_i].len, 3600000);
	ck_assert_uint_eq(w.read, w.len);
	ck_assert(stream_all_acked(&w.s[0]));
	ck_assert_int_eq(w.s[0].state, STREAM_CLOSED);
	ck_assert_int_eq(w.s[1].state, STREAM_CLOSED);
}
END_TEST

START_TEST(a_clean_wire_is_not_used_twice)
{
	int64_t begin = w.now_ns;

	transfer(2000000, 3600000);
	ck_assert_uint_eq(w.s[0].segments_again, 0);
	/* Slow start, then a window of 256 KiB every 20 ms: two million octets take eight of them.
	 */
	ck_assert_int_lt(w.now_ns - begin, 500 * MS);
	ck_assert_int_ge(w.s[0].srtt_ns, 19 * MS);
	ck_assert_int_le(w.s[0].srtt_ns, 22 * MS);
}
END_TEST

START_TEST(one_lost_segment_is_repaired_within_a_round_trip)
{
	int64_t begin = w.now_ns;

	w.loss_ppm = 2000;
	transfer(3000000, 3600000);
	ck_assert_uint_ge(w.s[0].segments_again, 1);
	ck_assert_uint_le(w.s[0].segments_again, 200);
	ck_assert_int_lt(w.now_ns - begin, 8000 * MS);
}
END_TEST

START_TEST(a_reader_that_rests_stops_the_writer)
{
	w.read_max = 0;
	transfer(1000000, 60000);
	ck_assert_uint_eq(w.s[0].window, 0);
	ck_assert_uint_le(w.written, 2 * STREAM_BUFFER);
	ck_assert_int_eq(w.s[0].state, STREAM_OPEN);
	/* A minute has passed; it goes on. Even the message that says so may be lost. */
	w.read_max = SIZE_MAX;
	w.loss_ppm = 100000;
	int64_t limit = w.now_ns + 600000 * MS;

	application();
	emit_all(1);
	while (step(limit) && w.s[0].state == STREAM_OPEN)
		;
	ck_assert_uint_eq(w.read, w.len);
}
END_TEST

START_TEST(nobody_there_is_found_out)
{
	w.dead = true;
	int64_t begin = w.now_ns;

	transfer(10, 3600000);
	ck_assert_int_eq(w.s[0].state, STREAM_FAILED);
	ck_assert_int_eq(w.s[0].error, ETIMEDOUT);
	ck_assert_int_le(w.now_ns - begin, 60000 * MS);
}
END_TEST

START_TEST(a_wire_that_dies_is_found_out_and_one_that_comes_back_is_not)
{
	transfer(1000000, 100); /* under way */
	w.dead = true;
	int64_t back = w.now_ns + 5000 * MS;

	while (step(back))
		;
	w.now_ns = back;
	ck_assert_int_eq(w.s[0].state, STREAM_OPEN);
	w.dead = false;
	while (step(back + 10000 * MS) && w.s[1].state != STREAM_CLOSED)
		;
	ck_assert_uint_eq(w.read, w.len);
}
END_TEST

START_TEST(refusal_and_reset)
{
	uint8_t segment[STREAM_HEAD + MSS];

	stream_connect(&w.s[0], 1, MSS, w.now_ns);
	emit_all(0);
	stream_network_error(&w.s[0], ECONNREFUSED);
	ck_assert_int_eq(w.s[0].state, STREAM_FAILED);
	ck_assert_int_eq(w.s[0].error, ECONNREFUSED);
	stream_finish(&w.s[0]);
	w.wire.n = 0;
	w.answered = false;
	transfer(100000, 50);
	ck_assert_int_eq(w.s[0].state, STREAM_OPEN);
	stream_network_error(&w.s[0], ENETUNREACH); /* there may be another way soon */
	ck_assert_int_eq(w.s[0].state, STREAM_OPEN);
	stream_abort(&w.s[1]);
	size_t n = stream_emit(&w.s[1], segment, sizeof(segment), w.now_ns);

	ck_assert_uint_eq(n, STREAM_HEAD);
	ck_assert_uint_eq(stream_emit(&w.s[1], segment, sizeof(segment), w.now_ns), 0);
	stream_receive(&w.s[0], segment, n, w.now_ns);
	ck_assert_int_eq(w.s[0].state, STREAM_FAILED);
	ck_assert_int_eq(w.s[0].error, ECONNRESET);
}
END_TEST

START_TEST(a_forged_reset_does_nothing)
{
	uint8_t reset[STREAM_HEAD] = {8, 0, 0, 0, 0x12, 0x34, 0x56, 0x78};

	transfer(100000, 50);
	stream_receive(&w.s[0], reset, sizeof(reset), w.now_ns);
	ck_assert_int_eq(w.s[0].state, STREAM_OPEN);
}
END_TEST

START_TEST(smaller_segments_are_learnt_under_way)
{
	transfer(500000, 60);
	ck_assert_int_eq(w.s[0].state, STREAM_OPEN);
	stream_set_mss(&w.s[0], 400);
	int64_t limit = w.now_ns + 60000 * MS;

	ck_assert_uint_eq(w.longest, STREAM_HEAD + MSS);
	w.longest = 0;
	while (step(limit) && w.s[0].state == STREAM_OPEN)
		;
	ck_assert_uint_eq(w.longest, STREAM_HEAD + 400);
	ck_assert_uint_eq(w.read, w.len);
}
END_TEST

START_TEST(what_is_not_a_call_is_not_answered)
{
	uint8_t segment[STREAM_HEAD] = {2};

	ck_assert(!stream_answer(&w.s[1], segment, sizeof(segment), 1, MSS, 0));
	segment[0] = 1;
	ck_assert(!stream_answer(&w.s[1], segment, sizeof(segment) - 1, 1, MSS, 0));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trellis stream");
	TCase *tc = tcase_create("stream");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, every_octet_arrives_once_and_in_order, 0, (int)ARRAY_LEN(wires));
	tcase_add_test(tc, a_clean_wire_is_not_used_twice);
	tcase_add_test(tc, one_lost_segment_is_repaired_within_a_round_trip);
	tcase_add_test(tc, a_reader_that_rests_stops_the_writer);
	tcase_add_test(tc, nobody_there_is_found_out);
	tcase_add_test(tc, a_wire_that_dies_is_found_out_and_one_that_comes_back_is_not);
	tcase_add_test(tc, refusal_and_reset);
	tcase_add_test(tc, a_forged_reset_does_nothing);
	tcase_add_test(tc, smaller_segments_are_learnt_under_way);
	tcase_add_test(tc, what_is_not_a_call_is_not_answered);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
