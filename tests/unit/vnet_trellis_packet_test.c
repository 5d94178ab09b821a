/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vnet/trellis/packet.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct trellis_address address(const char *text)
{
	struct trellis_address a;

	ck_assert_msg(trellis_address_parse(&a, text), "%s", text);
	return a;
}

static const char *const good[] = {
	"/", "/a", "/east/hall/h1", "/0/1-2/abcdefghijklmno",
	"/abcdefghijklmno/abcdefghijklmno/abcdefghijklmno/abcdefghijklm"};

START_TEST(addresses_are_read_and_written)
{
	struct trellis_address a = address(good[_i]);
	struct trellis_address b;
	char text[TRELLIS_TEXT_MAX];
	uint8_t wire[64];
	size_t n = trellis_address_write(&a, wire, sizeof(wire));

	ck_assert_str_eq(trellis_address_format(&a, text), good[_i]);
	ck_assert_uint_eq(n, 1u + a.len);
	ck_assert_uint_eq(trellis_address_read(&b, wire, n), n);
	ck_assert(trellis_address_equal(&a, &b));
	ck_assert_uint_eq(trellis_address_read(&b, wire, n - 1), 0);
	ck_assert_uint_eq(trellis_address_write(&a, wire, n - 1), 0);
}
END_TEST

static const char *const bad[] = {
	"",      "a",
	"//",    "/a/",
	"/a//b", "/A",
	"/a b",  "/abcdefghijklmnop",
	"/a.b",  "/abcdefghijklmno/abcdefghijklmno/abcdefghijklmno/abcdefghijklmno",
};

START_TEST(what_is_no_address_is_refused)
{
	struct trellis_address a;

	ck_assert_msg(!trellis_address_parse(&a, bad[_i]), "%s", bad[_i]);
}
END_TEST

START_TEST(labels_are_compared_whole)
{
	struct trellis_address east = address("/east");
	struct trellis_address h1 = address("/east/h1");
	struct trellis_address easter = address("/easter/h1");
	struct trellis_address root = address("/");

	ck_assert(trellis_address_has_prefix(&h1, &east));
	ck_assert(trellis_address_has_prefix(&h1, &h1));
	ck_assert(trellis_address_has_prefix(&h1, &root));
	ck_assert(!trellis_address_has_prefix(&easter, &east));
	ck_assert(!trellis_address_has_prefix(&east, &h1));
	ck_assert(trellis_address_has_suffix(&h1, "h1"));
	ck_assert(trellis_address_has_suffix(&h1, "east/h1"));
	ck_assert(!trellis_address_has_suffix(&h1, "1"));
	ck_assert(!trellis_address_has_suffix(&h1, ""));
	ck_assert_int_lt(trellis_address_compare(&east, &h1), 0);
	ck_assert_int_ne(trellis_address_compare(&h1, &easter), 0);
}
END_TEST

static size_t make(uint8_t frame[300], struct trellis_packet *p)
{
	static const uint8_t payload[] = "what is said";
	uint8_t to[6] = {2, 1};
	uint8_t from[6] = {2, 2};

	*p = (struct trellis_packet){
		.kind = TRELLIS_DATAGRAM,
		.hop_limit = 9,
		.source_port = 1234,
		.destination_port = 56789,
		.destination = address("/east/h2"),
		.source = address("/west/hall/h1"),
		.payload = payload,
		.len = sizeof(payload),
	};
	return trellis_packet_write(p, to, from, frame, 300);
}

START_TEST(packets_are_read_as_they_were_written)
{
	uint8_t frame[300];
	struct trellis_packet p;
	struct trellis_packet q;
	size_t n = make(frame, &p);

	ck_assert_uint_eq(n, 14 + trellis_packet_overhead(&p.destination, &p.source) + p.len);
	ck_assert(trellis_packet_read(&q, frame, n));
	ck_assert(trellis_packet_read(&q, frame, n + 20)); /* padded */
	ck_assert_uint_eq(q.kind, p.kind);
	ck_assert_uint_eq(q.hop_limit, 9);
	ck_assert_uint_eq(q.source_port, 1234);
	ck_assert_uint_eq(q.destination_port, 56789);
	ck_assert(trellis_address_equal(&q.source, &p.source));
	ck_assert(trellis_address_equal(&q.destination, &p.destination));
	ck_assert_uint_eq(q.len, p.len);
	ck_assert_int_eq(memcmp(q.payload, p.payload, p.len), 0);
	for (size_t len = 0; len < n; len++)
		ck_assert(!trellis_packet_read(&q, frame, len));
	ck_assert_uint_eq(trellis_packet_write(&p, frame, frame, frame, n - 1), 0);
}
END_TEST

START_TEST(damage_is_seen_and_the_hop_limit_is_not)
{
	uint8_t frame[300];
	struct trellis_packet p;
	size_t n = make(frame, &p);

	for (size_t bit = 14 * 8; bit < n * 8; bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(trellis_packet_read(&p, frame, n) == (bit / 8 == 18), "octet %zu",
			      bit / 8);
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(the_check_is_that_of_the_standard)
{
	uint8_t zeros[32] = {0};
	const uint8_t *digits = (const uint8_t *)"123456789";

	/* RFC 3720, appendix B.4. */
	ck_assert_uint_eq(trellis_crc(0, zeros, 32), 0x8a9136aa);
	ck_assert_uint_eq(trellis_crc(0, digits, 9), 0xe3069283);
	ck_assert_uint_eq(trellis_crc(trellis_crc(0, digits, 4), digits + 4, 5), 0xe3069283);
}
END_TEST

START_TEST(errors_say_what_they_are_about)
{
	struct trellis_error e = {
		.code = TRELLIS_ERROR_SIZE,
		.mtu = 1400,
		.kind = TRELLIS_STREAM,
		.source_port = 1,
		.destination_port = 2,
		.destination = address("/east/h2"),
	};
	struct trellis_error got;
	uint8_t payload[100];
	size_t n = trellis_error_write(&e, payload, sizeof(payload));

	ck_assert(trellis_error_read(&got, payload, n));
	ck_assert_int_eq(got.code, TRELLIS_ERROR_SIZE);
	ck_assert_uint_eq(got.mtu, 1400);
	ck_assert(trellis_address_equal(&got.destination, &e.destination));
	ck_assert(!trellis_error_read(&got, payload, n - 1));
	payload[0] = 99;
	ck_assert(!trellis_error_read(&got, payload, n));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trellis packet");
	TCase *tc = tcase_create("packet");

	tcase_add_loop_test(tc, addresses_are_read_and_written, 0, sizeof(good) / sizeof(*good));
	tcase_add_loop_test(tc, what_is_no_address_is_refused, 0, sizeof(bad) / sizeof(*bad));
	tcase_add_test(tc, labels_are_compared_whole);
	tcase_add_test(tc, packets_are_read_as_they_were_written);
	tcase_add_test(tc, damage_is_seen_and_the_hop_limit_is_not);
	tcase_add_test(tc, the_check_is_that_of_the_standard);
	tcase_add_test(tc, errors_say_what_they_are_about);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
