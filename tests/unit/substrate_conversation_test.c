/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages, and conversations over a wire that loses, delays, repeats, reorders, damages and
 * forges. */
#include "lib/rng.h"
#include "substrate/overlay/conversation.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t ms = 1000000;
static struct message_key key;

static struct message a_message(void)
{
	return (struct message){.type = MESSAGE_SETUP,
				.sequence = 7,
				.sender = message_id("s1"),
				.receiver = message_id("s2"),
				.link = message_id("a"),
				.number = UINT64_C(0x1234567890),
				.body = "vlink=x",
				.body_len = 7};
}

START_TEST(what_is_written_can_be_read)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = a_message();
	struct message got;
	size_t len = message_write(buf, &m, &key);

	ck_assert_uint_eq(len, MESSAGE_HEAD + 7);
	ck_assert_int_eq(message_read(buf, len, &key, &got), MESSAGE_GOOD);
	ck_assert_int_eq(got.type, m.type);
	ck_assert_uint_eq(got.sequence, m.sequence);
	ck_assert_uint_eq(got.sender, m.sender);
	ck_assert_uint_eq(got.receiver, m.receiver);
	ck_assert_uint_eq(got.link, m.link);
	ck_assert_uint_eq(got.number, m.number);
	ck_assert_uint_eq(got.body_len, 7);
	ck_assert_mem_eq(got.body, "vlink=x", 7);
	m.body_len = MESSAGE_BODY_MAX + 1;
	ck_assert_uint_eq(message_write(buf, &m, &key), 0);
}
END_TEST

/* No octet can be changed, none left out; what is added is no part of it. */
START_TEST(every_octet_is_authenticated)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = a_message();
	struct message got;
	size_t len = message_write(buf, &m, &key);

	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			buf[i] ^= (uint8_t)(1 << bit);
			ck_assert_int_ne(message_read(buf, len, &key, &got), MESSAGE_GOOD);
			buf[i] ^= (uint8_t)(1 << bit);
		}
	}
	for (size_t n = 0; n < len; n++)
		ck_assert_int_ne(message_read(buf, n, &key, &got), MESSAGE_GOOD);
	ck_assert_int_eq(message_read(buf, len + 1, &key, &got), MESSAGE_GOOD);
	ck_assert_uint_eq(got.body_len, m.body_len);
}
END_TEST

START_TEST(another_key_is_told_apart)
{
	uint8_t buf[MESSAGE_MAX];
	struct message_key other;
	struct message m = a_message();
	struct message got;
	struct err e;

	ck_assert_int_eq(message_key_parse(&other, "ffffffffffffffffffffffffffffffff", &e), 0);
	ck_assert_int_eq(message_read(buf, message_write(buf, &m, &other), &key, &got),
			 MESSAGE_DROP_KEY);
	ck_assert_int_eq(message_key_parse(&other, "ff", &e), -1);
	ck_assert_int_eq(message_key_parse(&other, "fffffffffffffffffffffffffffffffg", &e), -1);
	ck_assert_int_eq(message_key_parse(&other, "fffffffffffffffffffffffffffffffff", &e), -1);
}
END_TEST

START_TEST(messages_on_a_stream)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = a_message();
	int len = (int)message_write(buf, &m, &key);

	for (int i = 0; i < len; i++)
		ck_assert_int_eq(message_stream_length(buf, (size_t)i), 0);
	ck_assert_int_eq(message_stream_length(buf, (size_t)len + 9), len);
	buf[0]++;
	ck_assert_int_eq(message_stream_length(buf, 1), -1);
}
END_TEST

START_TEST(a_number_is_taken_once)
{
	struct message_window w = {0};

	ck_assert(message_window_take(&w, 1000));
	ck_assert(!message_window_take(&w, 1000));
	ck_assert(message_window_take(&w, 998));
	ck_assert(!message_window_take(&w, 998));
	ck_assert(message_window_take(&w, 1062));
	ck_assert(message_window_take(&w, 999));
	ck_assert(!message_window_take(&w, 998)); /* too old to know */
	ck_assert(message_window_take(&w, 5000));
	ck_assert(!message_window_take(&w, 1062));
	ck_assert(message_window_take(&w, 4999));
}
END_TEST

/* Two sides and the wire between them. */
enum { SIDES = 2, UNDER_WAY = 4096, REQUESTS = 300 };

struct flying {
	int64_t at_ns;
	int to;
	size_t len;
	uint8_t data[MESSAGE_MAX];
};

struct world {
	struct conversation side[SIDES];
	struct flying *flying;
	size_t n;
	int64_t now_ns;
	struct rng rng;
	uint32_t loss_ppm, twice_ppm, forge_ppm, damage_ppm;
	int64_t delay_ns, jitter_ns;
	unsigned carried_out[SIDES][REQUESTS + 1]; /* how often each request was done */
	unsigned done[REQUESTS + 1], answered, failed;
	bool answer_late;
	uint32_t late[REQUESTS + 1];
	size_t n_late;
};

static struct world w;

static void fly(int to, const uint8_t *data, size_t len, int64_t at_ns)
{
	ck_assert_uint_lt(w.n, UNDER_WAY);
	struct flying *f = &w.flying[w.n++];

	*f = (struct flying){.at_ns = at_ns, .to = to, .len = len};
	memcpy(f->data, data, len);
}

static int64_t when(void)
{
	return w.now_ns + w.delay_ns +
	       (w.jitter_ns ? (int64_t)rng_below(&w.rng, (uint64_t)w.jitter_ns) : 0);
}

static void wire_send(struct conversation *p, const uint8_t *data, size_t len, int64_t now_ns)
{
	int to = p == &w.side[0];
	uint8_t forged[MESSAGE_MAX];

	if (rng_chance_ppm(&w.rng, w.forge_ppm)) {
		/* The same with another body, made without the key; and the same once more, later.
		 */
		memcpy(forged, data, len);
		forged[len - 1] ^= 1;
		fly(to, forged, len, when());
		fly(to, data, len, when() + 500 * ms);
	}
	if (rng_chance_ppm(&w.rng, w.loss_ppm))
		return;
	memcpy(forged, data, len);
	if (rng_chance_ppm(&w.rng, w.damage_ppm))
		forged[rng_below(&w.rng, len)] ^= 0x10;
	fly(to, forged, len, when());
	if (rng_chance_ppm(&w.rng, w.twice_ppm))
		fly(to, forged, len, when());
}

static void take_request(struct conversation *p, const struct message *m, const struct words *words,
			 int64_t now_ns)
{
	int side = p == &w.side[1];
	int n = atoi(words_get(words, "n"));

	ck_assert_int_ge(n, 1);
	ck_assert_int_le(n, REQUESTS);
	w.carried_out[side][n]++;
	if (w.answer_late)
		w.late[w.n_late++] = m->sequence;
	else
		conversation_answer(p, m->sequence, MESSAGE_RATE_OK, words->at[0], now_ns);
}

static void take_hello(struct conversation *p, const struct message *m, const struct words *words,
		       int64_t now_ns)
{
	p->other = m->sender;
	p->open = true;
}

static void take_answer(struct conversation *p, void *ctx, const struct message *m,
			const struct words *words, int64_t now_ns)
{
	uintptr_t n = (uintptr_t)ctx;

	w.done[n]++;
	if (m && m->type == MESSAGE_RATE_OK) {
		ck_assert_int_eq(atoi(words_get(words, "n")), (int)n);
		w.answered++;
	} else {
		w.failed++;
	}
}

static const struct conversation_ops ops = {
	.send = wire_send, .request = take_request, .tell = take_hello};

/* The next thing that happens: a message arrives, or a side wants to be called. False: nothing
 * will. */
static bool step(void)
{
	int64_t due[SIDES] = {conversation_due_ns(&w.side[0]), conversation_due_ns(&w.side[1])};
	int64_t first = due[0] < due[1] ? due[0] : due[1];
	size_t at = SIZE_MAX;

	for (size_t i = 0; i < w.n; i++) {
		if (w.flying[i].at_ns <= first) {
			first = w.flying[i].at_ns;
			at = i;
		}
	}
	if (first == INT64_MAX)
		return false;
	w.now_ns = first;
	if (at == SIZE_MAX) {
		conversation_tick(&w.side[due[1] == first], first);
		return true;
	}
	struct flying f = w.flying[at];

	w.flying[at] = w.flying[--w.n];
	conversation_receive(&w.side[f.to], f.data, f.len, first);
	return true;
}

static void setup(void)
{
	struct err e;

	memset(&w, 0, sizeof(w));
	ck_assert_int_eq(message_key_parse(&key, "000102030405060708090a0b0c0d0e0f", &e), 0);
	w.flying = calloc(UNDER_WAY, sizeof(*w.flying));
	w.delay_ns = ms;
	rng_init(&w.rng, 1, "wire", "test");
	conversation_init(&w.side[0], &ops, NULL, &key, "s1", "a", 1000);
	conversation_init(&w.side[1], &ops, NULL, &key, "s2", "a", 1000);
	conversation_tell(&w.side[0], MESSAGE_HELLO, "name=s1", 0);
	conversation_tell(&w.side[1], MESSAGE_HELLO, "name=s2", 0);
	while (step()) {
	}
}

static void teardown(void)
{
	for (int i = 0; i < SIDES; i++)
		conversation_finish(&w.side[i], w.now_ns);
	free(w.flying);
}

static void ask(int side, unsigned n)
{
	char body[32];

	snprintf(body, sizeof(body), "n=%u", n);
	conversation_ask(&w.side[side], MESSAGE_RATE, body, take_answer, (void *)(uintptr_t)n,
			 w.now_ns);
}

START_TEST(a_request_is_answered)
{
	ask(0, 1);
	while (step()) {
	}
	ck_assert_uint_eq(w.answered, 1);
	ck_assert_int_eq(w.now_ns, 3 * ms); /* hello, there and back */
	ck_assert_uint_eq(w.side[0].count.repeated, 0);
}
END_TEST

START_TEST(a_dead_wire_is_given_up)
{
	w.loss_ppm = 1000000;
	int64_t begin = w.now_ns;

	ask(0, 1);
	while (step()) {
	}
	ck_assert_uint_eq(w.failed, 1);
	ck_assert_uint_eq(w.side[0].count.sent, 1 + CONVERSATION_TRIES);
	ck_assert_int_eq(w.now_ns - begin, (100 + 200 + 400 + 800 + 1600) * ms);
}
END_TEST

/* Each request is carried out at most once, and done() is called exactly once. */
START_TEST(a_bad_wire)
{
	w.loss_ppm = 200000;
	w.twice_ppm = 300000;
	w.forge_ppm = 100000;
	w.damage_ppm = 50000;
	w.jitter_ns = 300 * ms;
	for (unsigned n = 1; n <= REQUESTS; n++)
		ask(n & 1, n);
	while (step()) {
	}
	for (unsigned n = 1; n <= REQUESTS; n++) {
		ck_assert_uint_eq(w.done[n], 1);
		ck_assert_uint_le(w.carried_out[0][n] + w.carried_out[1][n], 1);
		ck_assert_uint_eq(w.carried_out[n & 1][n], 0); /* never by the asker */
	}
	ck_assert_uint_eq(w.answered + w.failed, REQUESTS);
	ck_assert_uint_gt(w.answered, REQUESTS * 9 / 10);
	ck_assert_uint_gt(w.side[0].count.dropped[MESSAGE_DROP_AUTHENTICATOR], 0);
	ck_assert_uint_gt(w.side[0].count.dropped[MESSAGE_DROP_REPLAY], 0);
}
END_TEST

/* Whoever takes long says so when asked again, and is waited for. */
START_TEST(a_late_answer_is_waited_for)
{
	w.answer_late = true;
	ask(0, 1);
	while (w.now_ns < 10000 * ms)
		ck_assert(step());
	ck_assert_uint_eq(w.done[1], 0);
	ck_assert_uint_eq(w.carried_out[1][1], 1);
	conversation_answer(&w.side[1], w.late[0], MESSAGE_RATE_OK, "n=1", w.now_ns);
	while (step()) {
	}
	ck_assert_uint_eq(w.answered, 1);
}
END_TEST

/* What was recorded on the wire is worth nothing later, on another link, or to somebody else. */
START_TEST(a_recorded_message_is_worth_nothing)
{
	struct conversation elsewhere;
	struct flying f;

	ask(0, 1);
	f = w.flying[0];
	while (step()) {
	}
	conversation_receive(&w.side[1], f.data, f.len, w.now_ns);
	ck_assert_uint_eq(w.carried_out[1][1], 1);
	ck_assert_uint_eq(w.side[1].count.dropped[MESSAGE_DROP_REPLAY], 1);
	conversation_init(&elsewhere, &ops, NULL, &key, "s2", "b", 0);
	elsewhere.open = true;
	conversation_receive(&elsewhere, f.data, f.len, w.now_ns);
	ck_assert_uint_eq(elsewhere.count.dropped[MESSAGE_DROP_RECEIVER], 1);
	conversation_finish(&elsewhere, 0);
	conversation_init(&elsewhere, &ops, NULL, &key, "s3", "a", 0);
	elsewhere.open = true;
	conversation_receive(&elsewhere, f.data, f.len, w.now_ns);
	ck_assert_uint_eq(elsewhere.count.dropped[MESSAGE_DROP_RECEIVER], 1);
	conversation_finish(&elsewhere, 0);
}
END_TEST

START_TEST(a_restart_ends_what_was_asked)
{
	ask(0, 1);
	ask(0, 2);
	conversation_restart(&w.side[0], w.now_ns);
	ck_assert_uint_eq(w.failed, 2);
	while (step()) {
	}
	ck_assert_uint_eq(w.done[1] + w.done[2], 2);
	ask(0, 3);
	conversation_forget(&w.side[0], (void *)3);
	while (step()) {
	}
	ck_assert_uint_eq(w.done[3], 0);
}
END_TEST

START_TEST(nobody_is_served_before_a_greeting)
{
	w.side[1].open = false;
	ask(0, 1);
	while (step()) {
	}
	ck_assert_uint_eq(w.carried_out[1][1], 0);
	ck_assert_uint_eq(w.failed, 1);
	ck_assert_uint_eq(w.side[1].count.dropped[MESSAGE_DROP_STATE], CONVERSATION_TRIES);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("messages between substrate nodes");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_written_can_be_read);
	tcase_add_test(tc, every_octet_is_authenticated);
	tcase_add_test(tc, another_key_is_told_apart);
	tcase_add_test(tc, messages_on_a_stream);
	tcase_add_test(tc, a_number_is_taken_once);
	tcase_add_test(tc, a_request_is_answered);
	tcase_add_test(tc, a_dead_wire_is_given_up);
	tcase_add_test(tc, a_bad_wire);
	tcase_add_test(tc, a_late_answer_is_waited_for);
	tcase_add_test(tc, a_recorded_message_is_worth_nothing);
	tcase_add_test(tc, a_restart_ends_what_was_asked);
	tcase_add_test(tc, nobody_is_served_before_a_greeting);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
