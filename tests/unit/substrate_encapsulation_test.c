/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headers of substrate links, octet for octet, and the numbers of virtual links. */
#include "lib/vec.h"
#include "substrate/overlay/encapsulation.h"
#include "substrate/overlay/vli.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t to[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t from[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t payload_octets[3] = {7, 8, 9};

static struct encapsulation headers(enum encapsulation_kind kind)
{
	struct encapsulation h = {.kind = kind, .vlan = -1, .vli = 0x01020304};

	memcpy(h.to, to, 6);
	memcpy(h.from, from, 6);
	return h;
}

/* Writes them in front of 3 octets and reads them again. */
static enum encapsulation_drop round_trip(const struct encapsulation *h, uint8_t buf[128],
					  struct encapsulation *got, size_t *len)
{
	const uint8_t *payload;
	size_t n = encapsulation_size(h);

	encapsulation_write(buf, h, 3);
	memcpy(buf + n, payload_octets, sizeof(payload_octets));
	memset(buf + n + 3, 0, 20); /* padding */
	enum encapsulation_drop why = encapsulation_read(h->kind, buf, n + 23, got, &payload, len);

	if (why == ENCAPSULATION_GOOD) {
		ck_assert_uint_eq(*len, 3);
		ck_assert_mem_eq(payload, payload_octets, 3);
		ck_assert_uint_eq(got->vli, 0x01020304);
		ck_assert_mem_eq(got->to, to, 6);
		ck_assert_mem_eq(got->from, from, 6);
	}
	return why;
}

START_TEST(ethernet_without_a_vlan)
{
	static const uint8_t wanted[] = {2, 0, 0,    0,    0, 2, 2, 0, 0, 0,
					 0, 1, 0x88, 0xb5, 1, 2, 3, 4, 0, 3};
	struct encapsulation h = headers(ENCAPSULATION_ETHERNET);
	uint8_t buf[128];
	struct encapsulation got;
	size_t len;

	ck_assert_int_eq(round_trip(&h, buf, &got, &len), ENCAPSULATION_GOOD);
	ck_assert_uint_eq(encapsulation_size(&h), sizeof(wanted));
	ck_assert_mem_eq(buf, wanted, sizeof(wanted));
	ck_assert_int_eq(got.vlan, -1);
}
END_TEST

START_TEST(ethernet_with_vlan_and_priority)
{
	static const uint8_t wanted[] = {0x81, 0, 0xa0, 100, 0x88, 0xb5, 1, 2, 3, 4, 0, 3};
	struct encapsulation h = headers(ENCAPSULATION_ETHERNET);
	uint8_t buf[128];
	struct encapsulation got;
	size_t len;

	h.vlan = 100;
	h.priority = 5;
	ck_assert_int_eq(round_trip(&h, buf, &got, &len), ENCAPSULATION_GOOD);
	ck_assert_mem_eq(buf + 12, wanted, sizeof(wanted));
	ck_assert_int_eq(got.vlan, 100);
	ck_assert_uint_eq(got.priority, 5);
}
END_TEST

START_TEST(udp)
{
	static const uint8_t wanted[] = {8,    0,    0x45, 0,  0, 35, 0,  0, 0x40, 0, 64,   17,
					 0x26, 0xc8, 10,   0,  0, 1,  10, 0, 0,    2, 0x88, 0xb5,
					 0x88, 0xb5, 0,    15, 0, 0,  1,  2, 3,    4};
	struct encapsulation h = headers(ENCAPSULATION_UDP);
	uint8_t buf[128];
	struct encapsulation got;
	size_t len;

	h.from_ip = 0x0a000001;
	h.to_ip = 0x0a000002;
	ck_assert_int_eq(round_trip(&h, buf, &got, &len), ENCAPSULATION_GOOD);
	ck_assert_mem_eq(buf + 12, wanted, sizeof(wanted));
	ck_assert_uint_eq(got.from_ip, h.from_ip);
	ck_assert_uint_eq(got.to_ip, h.to_ip);
	buf[25] ^= 1; /* in the IPv4 header */
	const uint8_t *payload;

	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_UDP, buf, 49, &got, &payload, &len),
			 ENCAPSULATION_BAD_IP);
}
END_TEST

START_TEST(gre)
{
	static const uint8_t wanted[] = {8,  0,  0x45, 0,    0,    31,   0, 0, 0x40, 0,
					 64, 47, 0x26, 0xae, 10,   0,    0, 1, 10,   0,
					 0,  2,  0x20, 0,    0x65, 0x58, 1, 2, 3,    4};
	struct encapsulation h = headers(ENCAPSULATION_GRE);
	uint8_t buf[128];
	struct encapsulation got;
	const uint8_t *payload;
	size_t len;

	h.from_ip = 0x0a000001;
	h.to_ip = 0x0a000002;
	ck_assert_int_eq(round_trip(&h, buf, &got, &len), ENCAPSULATION_GOOD);
	ck_assert_uint_eq(encapsulation_size(&h), 12 + sizeof(wanted));
	ck_assert_mem_eq(buf + 12, wanted, sizeof(wanted));
	ck_assert_uint_eq(got.from_ip, h.from_ip);
	ck_assert_uint_eq(got.to_ip, h.to_ip);
	/* Without a key, or of routing: a tunnel of others. */
	for (size_t at = 34; at < 38; at++) {
		buf[at] ^= 0x10;
		ck_assert_int_eq(
			encapsulation_read(ENCAPSULATION_GRE, buf, 65, &got, &payload, &len),
			ENCAPSULATION_LEGACY);
		buf[at] ^= 0x10;
	}
	/* What the TMs say is no Ethernet. */
	h.vli = VLI_CONTROL;
	encapsulation_write(buf, &h, 3);
	ck_assert_uint_eq(buf[36] << 8 | buf[37], ENCAPSULATION_TYPE);
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_GRE, buf, 65, &got, &payload, &len),
			 ENCAPSULATION_GOOD);
	ck_assert_uint_eq(got.vli, VLI_CONTROL);
	buf[36] = 0x65;
	buf[37] = 0x58;
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_GRE, buf, 65, &got, &payload, &len),
			 ENCAPSULATION_LEGACY);
}
END_TEST

START_TEST(mpls)
{
	/* Label 0x12345, the last; TTL 64; a control word with the length, as the frame is padded.
	 */
	static const uint8_t wanted[] = {0x88, 0x47, 0x12, 0x34, 0x51, 64, 0, 7, 0, 0};
	static const uint8_t control[] = {0x88, 0x47, 0, 0, 0xd1, 64, 0x10, 0, 0x7f, 0xf8};
	struct encapsulation h = headers(ENCAPSULATION_MPLS);
	uint8_t buf[256];
	struct encapsulation got;
	const uint8_t *payload;
	size_t len;

	h.vli = 0x12345;
	encapsulation_write(buf, &h, 3);
	ck_assert_uint_eq(encapsulation_size(&h), 12 + sizeof(wanted));
	ck_assert_mem_eq(buf + 12, wanted, sizeof(wanted));
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_MPLS, buf, 60, &got, &payload, &len),
			 ENCAPSULATION_GOOD);
	ck_assert_uint_eq(len, 3);
	ck_assert_uint_eq(got.vli, 0x12345);
	/* Too long to be padded: the frame says it. */
	encapsulation_write(buf, &h, 60);
	ck_assert_uint_eq(buf[19], 0);
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_MPLS, buf, 82, &got, &payload, &len),
			 ENCAPSULATION_GOOD);
	ck_assert_uint_eq(len, 60);
	h.vli = VLI_CONTROL;
	encapsulation_write(buf, &h, 60);
	ck_assert_mem_eq(buf + 12, control, sizeof(control));
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_MPLS, buf, 82, &got, &payload, &len),
			 ENCAPSULATION_GOOD);
	ck_assert_uint_eq(got.vli, VLI_CONTROL);
	ck_assert_uint_eq(len, 60);
}
END_TEST

START_TEST(mpls_that_is_not_ours)
{
	static const struct {
		size_t at;
		uint8_t octet;
	} others[] = {
		{16, 0},    /* not the last of its stack */
		{17, 0},    /* its time is over */
		{18, 0x10}, /* another channel */
		{18, 0x45}, /* IPv4 without a control word */
		{19, 0x40}, /* a fragment */
		{21, 1},    /* a sequence number */
	};
	uint8_t buf[128];
	struct encapsulation got;
	const uint8_t *payload;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct encapsulation h = headers(ENCAPSULATION_MPLS);

		h.vli = 16;
		encapsulation_write(buf, &h, 60);
		buf[others[i].at] = others[i].octet;
		ck_assert_int_eq(
			encapsulation_read(ENCAPSULATION_MPLS, buf, 82, &got, &payload, &len),
			ENCAPSULATION_LEGACY);
	}
	/* Reserved labels, of which 0 would be read as VLI 0. */
	for (uint32_t label = 0; label < VLI_FIRST; label++) {
		struct encapsulation h = headers(ENCAPSULATION_MPLS);

		h.vli = label ? label : 1;
		encapsulation_write(buf, &h, 60);
		buf[15] = 0;
		buf[16] = (uint8_t)(label << 4 | 1);
		ck_assert_int_eq(
			encapsulation_read(ENCAPSULATION_MPLS, buf, 82, &got, &payload, &len),
			ENCAPSULATION_LEGACY);
	}
	/* A length beyond the frame, or less than its own. */
	for (int said = 1; said < 64; said++) {
		struct encapsulation h = headers(ENCAPSULATION_MPLS);

		h.vli = 16;
		encapsulation_write(buf, &h, 30);
		buf[19] = (uint8_t)said;
		ck_assert_int_eq(
			encapsulation_read(ENCAPSULATION_MPLS, buf, 52, &got, &payload, &len),
			said < 4 || said > 34 ? ENCAPSULATION_BAD_LENGTH : ENCAPSULATION_GOOD);
	}
}
END_TEST

START_TEST(what_is_not_ours_is_left_alone)
{
	uint8_t arp[60] = {0};
	struct encapsulation h;
	const uint8_t *payload;
	size_t len;

	arp[12] = 8;
	arp[13] = 6;
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_ETHERNET, arp, 60, &h, &payload, &len),
			 ENCAPSULATION_LEGACY);
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_UDP, arp, 60, &h, &payload, &len),
			 ENCAPSULATION_LEGACY);
	/* Ours, but of the other encapsulation. */
	arp[12] = 0x88;
	arp[13] = 0xb5;
	ck_assert_int_eq(encapsulation_read(ENCAPSULATION_UDP, arp, 60, &h, &payload, &len),
			 ENCAPSULATION_LEGACY);
}
END_TEST

START_TEST(a_wrong_length_is_seen)
{
	uint8_t buf[128];
	struct encapsulation got;
	const uint8_t *payload;
	size_t len;

	for (int kind = 0; kind < ENCAPSULATION_KINDS; kind++) {
		struct encapsulation h = headers((enum encapsulation_kind)kind);
		size_t whole = encapsulation_size(&h) + 40;

		h.vli = 16;
		encapsulation_write(buf, &h, 40);
		for (size_t n = 0; n < whole; n++)
			ck_assert_int_ne(encapsulation_read(h.kind, buf, n, &got, &payload, &len),
					 ENCAPSULATION_GOOD);
		ck_assert_int_eq(encapsulation_read(h.kind, buf, whole, &got, &payload, &len),
				 ENCAPSULATION_GOOD);
		ck_assert_uint_eq(len, 40);
	}
}
END_TEST

START_TEST(what_fits_a_wire)
{
	ck_assert_uint_eq(encapsulation_room(ENCAPSULATION_ETHERNET, 1600), 1594);
	ck_assert_uint_eq(encapsulation_room(ENCAPSULATION_UDP, 1500), 1468);
	ck_assert_uint_eq(encapsulation_room(ENCAPSULATION_GRE, 1500), 1472);
	ck_assert_uint_eq(encapsulation_room(ENCAPSULATION_MPLS, 1500), 1492);
	ck_assert_uint_eq(encapsulation_room(ENCAPSULATION_UDP, 20), 0);
}
END_TEST

START_TEST(numbers_are_the_longest_unused)
{
	struct vli_table t = {.max = VLI_FIRST + 3};
	int what[5];

	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(vli_allocate(&t, &what[i]), VLI_FIRST + i);
	ck_assert_uint_eq(vli_allocate(&t, &what[4]), 0);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_ptr_eq(vli_find(&t, VLI_FIRST + i), &what[i]);
	vli_release(&t, VLI_FIRST + 2);
	vli_release(&t, VLI_FIRST + 1);
	ck_assert_ptr_null(vli_find(&t, VLI_FIRST + 1));
	ck_assert_uint_eq(vli_allocate(&t, &what[4]), VLI_FIRST + 1);
	vli_release(&t, VLI_FIRST + 1);
	ck_assert_uint_eq(vli_allocate(&t, &what[4]), VLI_FIRST + 2);
	ck_assert_ptr_null(vli_find(&t, VLI_CONTROL));
	vli_finish(&t);
}
END_TEST

START_TEST(numbers_of_others)
{
	struct vli_table t = {0};
	int a;

	ck_assert(!vli_insert(&t, VLI_CONTROL, &a));
	ck_assert(!vli_insert(&t, VLI_FIRST - 1, &a));
	ck_assert(vli_insert(&t, VLI_FIRST, &a));
	ck_assert(!vli_insert(&t, VLI_FIRST, &a));
	ck_assert(vli_insert(&t, UINT32_MAX, &a));
	ck_assert_uint_eq(vli_allocate(&t, &a), VLI_FIRST + 1);
	t.last = UINT32_MAX - 1;
	ck_assert_uint_eq(vli_allocate(&t, &a), VLI_FIRST + 2);
	vli_finish(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("encapsulation");
	TCase *tc = tcase_create("encapsulation");

	tcase_add_test(tc, ethernet_without_a_vlan);
	tcase_add_test(tc, ethernet_with_vlan_and_priority);
	tcase_add_test(tc, udp);
	tcase_add_test(tc, gre);
	tcase_add_test(tc, mpls);
	tcase_add_test(tc, mpls_that_is_not_ours);
	tcase_add_test(tc, what_is_not_ours_is_left_alone);
	tcase_add_test(tc, a_wrong_length_is_seen);
	tcase_add_test(tc, what_fits_a_wire);
	tcase_add_test(tc, numbers_are_the_longest_unused);
	tcase_add_test(tc, numbers_of_others);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
