/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages over streams: two ends, and all that can happen to what is between them. */
#include "lib/rng.h"
#include "substrate/overlay/message_stream.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ms = 1000000;
static struct message_key key;
static uint64_t next_number = 1000;

/* One end, and what is under way to it. */
struct side {
	struct message_stream stream;
	struct side *far;
	uint8_t in[65536];
	size_t len;
	bool broken;
	unsigned opened, messages;
	char last[MESSAGE_BODY_MAX + 1];
};

static struct side a, b;

static void send_far(struct message_stream *s, const uint8_t *data, size_t len)
{
	struct side *me = s->owner;
	struct side *far = me->far;

	if (!far)
		return; /* cut */
	ck_assert_uint_le(far->len + len, sizeof(far->in));
	memcpy(far->in + far->len, data, len);
	far->len += len;
}

static void opened(struct message_stream *s, int64_t now_ns)
{
	((struct side *)s->owner)->opened++;
}

static void message(struct message_stream *s, const struct message *m, const uint8_t *data,
		    size_t len, int64_t now_ns)
{
	struct side *me = s->owner;

	me->messages++;
	memcpy(me->last, m->body, m->body_len);
	me->last[m->body_len] = '\0';
}

static const struct message_stream_ops ops = {
	.send = send_far, .opened = opened, .message = message};

/* s2 listens and knows nobody, s1 connects to it. */
static void join(int64_t now_ns)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.far = &b;
	b.far = &a;
	next_number += 1000;
	message_stream_init(&a.stream, &ops, &a, &key, "s1", "s2", next_number, now_ns);
	message_stream_init(&b.stream, &ops, &b, &key, "s2", NULL, next_number + 500, now_ns);
}

static void read_side(struct side *s, size_t most, int64_t now_ns)
{
	long n = 1;

	while (!s->broken && n > 0 && s->len) {
		n = message_stream_take(&s->stream, s->in, s->len < most ? s->len : most, now_ns);
		s->broken = n < 0;
		if (n <= 0)
			break;
		s->len -= (size_t)n;
		memmove(s->in, s->in + n, s->len);
	}
}

static void pump(int64_t now_ns)
{
	while ((a.len && !a.broken) || (b.len && !b.broken)) {
		size_t before = a.len + b.len;

		read_side(&a, SIZE_MAX, now_ns);
		read_side(&b, SIZE_MAX, now_ns);
		if (a.len + b.len == before)
			break;
	}
}

static void pass_time(int64_t from_ns, int64_t to_ns)
{
	for (int64_t t = from_ns; t <= to_ns; t += 100 * ms) {
		a.broken |= !a.broken && !message_stream_tick(&a.stream, t);
		b.broken |= !b.broken && !message_stream_tick(&b.stream, t);
		pump(t);
	}
}

/* A message of s1 to s2 about link "a". */
static size_t write_message(uint8_t buf[MESSAGE_MAX], const char *body)
{
	struct message m = {.type = MESSAGE_SETUP,
			    .sequence = 1,
			    .sender = message_id("s1"),
			    .receiver = message_id("s2"),
			    .link = message_id("a"),
			    .number = ++next_number,
			    .body = body,
			    .body_len = strlen(body)};

	return message_write(buf, &m, &key);
}

static void setup(void)
{
	memset(&key, 0, sizeof(key));
	message_key_init(&key, (const uint8_t *)"0123456789abcdef");
	join(0);
}

START_TEST(both_open_and_messages_pass)
{
	uint8_t buf[MESSAGE_MAX];
	size_t len = write_message(buf, "vlink=x");

	ck_assert(!message_stream_send(&a.stream, buf, len));
	pump(0);
	ck_assert(a.stream.open && b.stream.open);
	ck_assert_uint_eq(a.opened + b.opened, 2);
	ck_assert_str_eq(b.stream.peer, "s1");
	ck_assert(message_stream_send(&a.stream, buf, len));
	pump(0);
	ck_assert_str_eq(b.last, "vlink=x");
	pass_time(0, 60000 * ms);
	ck_assert(!a.broken && !b.broken);
	ck_assert_uint_eq(a.opened + b.opened, 2);
}
END_TEST

/* In however small pieces they come. */
START_TEST(messages_in_pieces)
{
	uint8_t buf[MESSAGE_MAX];
	uint8_t pieces[4 * MESSAGE_MAX];
	size_t total = 0;

	pump(0);
	for (int i = 0; i < 3; i++) {
		size_t len = write_message(buf, i == 1 ? "" : "vlink=x");

		memcpy(pieces + total, buf, len);
		total += len;
	}
	for (size_t i = 0; i < total; i++) {
		b.in[b.len++] = pieces[i];
		read_side(&b, SIZE_MAX, 0);
	}
	ck_assert(!b.broken);
	ck_assert_uint_eq(b.messages, 3);
}
END_TEST

START_TEST(half_a_connection_ends)
{
	pump(0);
	b.far = NULL; /* what b says is lost; b hears a */
	pass_time(0, 3400 * ms);
	ck_assert(!a.broken);
	pass_time(3500 * ms, 3600 * ms);
	ck_assert(a.broken);
	ck_assert_str_eq(a.stream.why, "the other end is silent");
	/* One that never answers is given up as well. */
	join(0);
	b.far = NULL;
	a.far = NULL;
	pass_time(0, 3600 * ms);
	ck_assert(a.broken && b.broken);
	ck_assert_str_eq(a.stream.why, "nobody answers there");
}
END_TEST

/* What came over an earlier connection is put into a later one. */
START_TEST(recorded_greetings_open_nothing)
{
	static uint8_t heard[65536];
	size_t len;

	read_side(&a, SIZE_MAX, 0); /* a has answered */
	memcpy(heard, b.in, b.len);
	len = b.len;
	pump(0);
	ck_assert(b.stream.open);
	join(10000 * ms);
	b.len = 0;
	a.far = b.far = NULL;
	memcpy(b.in, heard, len);
	b.len = len;
	read_side(&b, SIZE_MAX, 10000 * ms);
	ck_assert(!b.stream.open);
	ck_assert(b.broken);
	ck_assert_uint_eq(b.stream.count.dropped[MESSAGE_DROP_REPLAY], 1);
}
END_TEST

START_TEST(the_same_greeting_twice)
{
	uint8_t hello[MESSAGE_MAX];
	size_t len = b.len;

	memcpy(hello, b.in, len);
	pump(0);
	memcpy(b.in, hello, len);
	b.len = len;
	read_side(&b, SIZE_MAX, 0);
	ck_assert(b.broken);
	ck_assert_uint_eq(b.stream.count.dropped[MESSAGE_DROP_REPLAY], 1);
}
END_TEST

static void break_b(const uint8_t *data, size_t len, enum message_drop why)
{
	join(0);
	pump(0);
	memcpy(b.in, data, len);
	b.len = len;
	read_side(&b, SIZE_MAX, 0);
	ck_assert(b.broken);
	ck_assert_uint_eq(b.messages, 0);
	ck_assert_uint_eq(b.stream.count.dropped[why], 1);
	ck_assert_ptr_nonnull(b.stream.why);
}

START_TEST(what_is_no_message_ends_it)
{
	uint8_t buf[MESSAGE_MAX];
	size_t len = write_message(buf, "vlink=x");
	struct message m;

	break_b((const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18, MESSAGE_DROP_SHORT);
	buf[40] = 0xff; /* a length that lies: more than any has */
	break_b(buf, len, MESSAGE_DROP_SHORT);
	len = write_message(buf, "vlink=x");
	buf[41] -= 1; /* a little less */
	break_b(buf, len, MESSAGE_DROP_AUTHENTICATOR);
	len = write_message(buf, "vlink=x");
	buf[MESSAGE_HEAD] ^= 1;
	break_b(buf, len, MESSAGE_DROP_AUTHENTICATOR);
	/* Authentic, but for another. */
	m = (struct message){.type = MESSAGE_SETUP,
			     .sequence = 1,
			     .sender = message_id("s1"),
			     .receiver = message_id("s3"),
			     .link = message_id("a"),
			     .number = 1,
			     .body = ""};
	break_b(buf, message_write(buf, &m, &key), MESSAGE_DROP_RECEIVER);
	/* From another than the one who is there; our own, thrown back. */
	m.receiver = message_id("s2");
	m.sender = message_id("s3");
	break_b(buf, message_write(buf, &m, &key), MESSAGE_DROP_RECEIVER);
	m.sender = message_id("s2");
	break_b(buf, message_write(buf, &m, &key), MESSAGE_DROP_RECEIVER);
}
END_TEST

/* A length that promises more than comes: nothing is taken, and silence ends it. */
START_TEST(a_message_that_never_ends)
{
	uint8_t buf[MESSAGE_MAX];
	size_t len = write_message(buf, "vlink=x");

	pump(0);
	a.far = NULL;
	buf[41] += 100;
	memcpy(b.in, buf, len);
	b.len = len;
	read_side(&b, SIZE_MAX, 0);
	ck_assert(!b.broken);
	pass_time(0, 3600 * ms);
	ck_assert(b.broken);
	ck_assert_uint_eq(b.messages, 0);
}
END_TEST

START_TEST(messages_before_greetings)
{
	uint8_t buf[MESSAGE_MAX];
	size_t len = write_message(buf, "vlink=x");

	memcpy(b.in, buf, len);
	b.len = len;
	read_side(&b, SIZE_MAX, 0);
	ck_assert(b.broken);
	ck_assert_uint_eq(b.messages, 0);
	ck_assert_uint_eq(b.stream.count.dropped[MESSAGE_DROP_STATE], 1);
}
END_TEST

START_TEST(another_node_answers)
{
	message_stream_init(&b.stream, &ops, &b, &key, "s9", NULL, 77, 0);
	a.len = b.len = 0;
	message_stream_init(&b.stream, &ops, &b, &key, "s9", NULL, 77, 0);
	read_side(&a, SIZE_MAX, 0);
	ck_assert(a.broken);
	ck_assert_uint_eq(a.stream.count.dropped[MESSAGE_DROP_RECEIVER], 1);
}
END_TEST

/* Any octets, wherever: never a message that nobody wrote, and the next connection is good. */
START_TEST(damage)
{
	struct rng r;
	uint8_t buf[MESSAGE_MAX];

	rng_init(&r, 1, "damage", "");
	for (int round = 0; round < 2000; round++) {
		join(0);
		pump(0);
		for (int i = 0; i < 4; i++)
			message_stream_send(&a.stream, buf, write_message(buf, "vlink=x"));
		size_t at = (size_t)(rng_next(&r) % b.len);

		if (round % 2)
			b.in[at] ^= (uint8_t)(1 + rng_next(&r) % 255);
		else
			memmove(b.in + at, b.in + at + 1, --b.len - at);
		read_side(&b, SIZE_MAX, 0);
		ck_assert_uint_le(b.messages, 3);
		if (b.messages)
			ck_assert_str_eq(b.last, "vlink=x");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("messages over streams");
	TCase *tc = tcase_create("message_stream");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, both_open_and_messages_pass);
	tcase_add_test(tc, messages_in_pieces);
	tcase_add_test(tc, half_a_connection_ends);
	tcase_add_test(tc, recorded_greetings_open_nothing);
	tcase_add_test(tc, the_same_greeting_twice);
	tcase_add_test(tc, what_is_no_message_ends_it);
	tcase_add_test(tc, a_message_that_never_ends);
	tcase_add_test(tc, messages_before_greetings);
	tcase_add_test(tc, another_node_answers);
	tcase_add_test(tc, damage);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
