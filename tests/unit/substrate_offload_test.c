/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest leaves to its NIC becomes what would have been on a wire, or is refused. */
#include "substrate/core/offload.h"

#include "lib/rng.h"
#include "lib/xalloc.h"
#include "substrate/core/frame.h"
#include "tests/support/suite.h"
#include "tests/support/tcpframe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t all = UINT64_MAX;
static uint8_t frame[FRAME_MAX], out[FRAME_MAX];

enum { FIN = 1, PSH = 8, ACK = 16, CWR = 128 };

static void check_cut(const struct tcpframe *t)
{
	struct virtio_net_hdr h;
	struct offload o;
	uint32_t len = tcpframe_make(t, frame, &h);
	uint32_t header = tcpframe_header(t);
	uint32_t at = 0;

	ck_assert(offload_read(&h, all, frame, len, &o));
	ck_assert_uint_eq(o.header, header);
	ck_assert_uint_eq(o.segments, (t->payload + t->mss - 1) / t->mss);
	for (unsigned i = 0; i < o.segments; i++) {
		uint32_t n = offload_segment_len(&o, len, i);
		uint8_t flags;

		offload_cut(&o, frame, len, i, out);
		ck_assert_msg(tcpframe_is_real(t, out, n, at), "frame %u of %u", i, o.segments);
		flags = out[o.csum_start + 13];
		ck_assert_uint_eq(flags & (FIN | PSH),
				  i + 1 == o.segments ? t->flags & (FIN | PSH) : 0);
		ck_assert_uint_eq(flags & CWR, i ? 0 : t->flags & CWR);
		ck_assert_uint_eq(flags & ACK, t->flags & ACK);
		at += n - header;
		ck_assert(i + 1 == o.segments || n - header == t->mss);
	}
	ck_assert_uint_eq(at, t->payload);
}

START_TEST(a_long_segment_becomes_frames)
{
	static const uint32_t payloads[] = {1, 1448, 1449, 2896, 5000, 60000, 65400};

	for (unsigned i = 0; i < ARRAY_LEN(payloads); i++)
		for (int k = 0; k < 4; k++)
			check_cut(&(struct tcpframe){.v6 = k & 1,
						     .tagged = k & 2,
						     .payload = payloads[i],
						     .mss = 1448,
						     .flags = ACK | PSH | FIN | CWR});
	check_cut(&(struct tcpframe){.payload = 10000, .mss = 9, .flags = ACK});
}
END_TEST

START_TEST(a_checksum_is_filled_in)
{
	for (uint32_t payload = 0; payload < 300; payload++) {
		struct tcpframe t = {.v6 = payload & 1, .payload = payload, .flags = ACK};
		struct virtio_net_hdr h;
		struct offload o;
		uint32_t len = tcpframe_make(&t, frame, &h);

		ck_assert(offload_read(&h, all, frame, len, &o));
		ck_assert_uint_eq(o.segments, 0);
		offload_sum(&o, frame, len);
		ck_assert(tcpframe_is_real(&t, frame, len, 0));
	}
}
END_TEST

/* An interface of the host hands frames over without a word of what is left to do. */
START_TEST(what_the_host_left_is_found)
{
	static const uint32_t payloads[] = {0, 1, 1448, 1460, 1461, 5000, 65400};

	for (unsigned i = 0; i < 4 * ARRAY_LEN(payloads); i++) {
		struct tcpframe t = {.v6 = i & 1,
				     .tagged = i & 2,
				     .payload = payloads[i / 4],
				     .flags = ACK | PSH};
		struct virtio_net_hdr h;
		struct offload o;
		uint32_t len = tcpframe_make(&t, frame, &h);
		uint32_t header = tcpframe_header(&t);
		uint32_t network = t.tagged ? 18 : 14;
		uint32_t at = 0;

		offload_find(frame, len, 1500, &o);
		ck_assert_uint_eq(o.csum_start, h.csum_start);
		ck_assert_uint_eq(o.csum_offset, h.csum_offset);
		if (len - network <= 1500) {
			ck_assert_uint_eq(o.flags, OFFLOAD_CSUM);
			offload_sum(&o, frame, len);
			ck_assert(tcpframe_is_real(&t, frame, len, 0));
			/* All is done: nothing is found, nor changed. */
			offload_find(frame, len, 1500, &o);
			ck_assert_uint_eq(o.flags, 0);
			ck_assert(tcpframe_is_real(&t, frame, len, 0));
			continue;
		}
		ck_assert_uint_eq(o.flags, OFFLOAD_CSUM | (t.v6 ? OFFLOAD_TCP6 : OFFLOAD_TCP4));
		t.mss = o.segment;
		for (unsigned k = 0; k < o.segments; k++) {
			uint32_t n = offload_segment_len(&o, len, k);

			ck_assert_uint_le(n - network, 1500);
			offload_cut(&o, frame, len, k, out);
			ck_assert(tcpframe_is_real(&t, out, n, at));
			at += n - header;
		}
		ck_assert_uint_eq(at, t.payload);
	}
}
END_TEST

/* Put together by the host's kernel, with the checksum of the first of them, or any other. */
START_TEST(what_the_host_put_together_is_cut_whatever_its_checksum_says)
{
	struct tcpframe t = {.payload = 20000, .flags = ACK};
	struct virtio_net_hdr h;
	struct virtio_net_hdr told;
	struct offload o;
	struct offload again;
	uint32_t len = tcpframe_make(&t, frame, &h);

	memset(frame + h.csum_start + h.csum_offset, 0x5a, 2);
	offload_find(frame, len, 1500, &o);
	ck_assert_uint_eq(o.flags, OFFLOAD_CSUM | OFFLOAD_TCP4);
	ck_assert_uint_eq(tcpframe_header(&t) + o.segment, 14 + 1500);
	/* A guest that takes it whole finds in it what virtio says. */
	offload_write(&o, &told);
	ck_assert(offload_read(&told, all, frame, len, &again));
	ck_assert_mem_eq(&o, &again, sizeof(o));
	tcpframe_make(&t, out, &h);
	ck_assert_mem_eq(frame, out, len);
}
END_TEST

START_TEST(nothing_is_found_in_what_is_no_tcp_or_udp)
{
	struct virtio_net_hdr h;
	struct offload o;
	struct tcpframe t = {.payload = 3000, .flags = ACK};
	struct rng rng;

	rng_init(&rng, 1, "host", "test");
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t len = 14 + (uint32_t)rng_below(&rng, i % 3 ? 100 : 4000);

		t.v6 = i & 1;
		tcpframe_make(&t, frame, &h);
		for (unsigned k = 0; k < 4; k++)
			frame[12 + rng_below(&rng, 50)] = (uint8_t)rng_next(&rng);
		offload_find(frame, len, 1500, &o);
		if (o.flags)
			ck_assert_uint_le(o.csum_start + o.csum_offset + 2u, len);
		for (unsigned k = 0; k < o.segments; k++)
			ck_assert_uint_le(offload_segment_len(&o, len, k), 1500u + 14 + 48);
	}
	tcpframe_make(&t, frame, &h);
	frame[14 + 6] = 44; /* a fragment header in IPv6 */
	offload_find(frame, 3000, 1500, &o);
	ck_assert_uint_eq(o.flags, 0);
}
END_TEST

/* 0 stays 0 in TCP, as a kernel sends it, and is 0xffff in UDP, where 0 would mean that there is
 * none. */
START_TEST(a_sum_of_nothing_has_the_form_of_its_protocol)
{
	static const uint16_t offsets[] = {6, 16};

	for (int i = 0; i < 2; i++) {
		struct offload o = {
			.flags = OFFLOAD_CSUM, .csum_start = 14, .csum_offset = offsets[i]};
		uint8_t *field = frame + 14 + offsets[i];

		memset(frame, 0, 60);
		frame[14] = frame[15] = 0xff;
		offload_sum(&o, frame, 60);
		ck_assert_uint_eq(field[0], i ? 0 : 0xff);
		ck_assert_uint_eq(field[1], i ? 0 : 0xff);
	}
}
END_TEST

START_TEST(what_is_told_comes_back)
{
	struct tcpframe t = {.v6 = true, .payload = 5000, .mss = 1400, .flags = ACK};
	struct virtio_net_hdr h, again;
	struct offload o, o_again;
	uint32_t len = tcpframe_make(&t, frame, &h);

	h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	ck_assert(offload_read(&h, all, frame, len, &o));
	offload_write(&o, &again);
	ck_assert_int_eq(memcmp(&h, &again, sizeof(h)), 0);
	ck_assert(offload_read(&again, all, frame, len, &o_again));
	ck_assert_int_eq(memcmp(&o, &o_again, sizeof(o)), 0);
	memset(&o, 0, sizeof(o));
	memset(&h, 0, sizeof(h));
	offload_write(&o, &again);
	ck_assert_int_eq(memcmp(&h, &again, sizeof(h)), 0);
}
END_TEST

/* Changes one thing of a good frame; it must be refused. */
#define REFUSED(change)                                                                    \
	do {                                                                               \
		struct tcpframe t = {.payload = 5000, .mss = 1400, .flags = ACK};          \
		struct virtio_net_hdr h;                                                   \
		struct offload o;                                                          \
		uint64_t features = all;                                                   \
		uint32_t len = tcpframe_make(&t, frame, &h);                               \
                                                                                           \
		(void)features;                                                            \
		change;                                                                    \
		ck_assert_msg(!offload_read(&h, features, frame, len, &o), "%s", #change); \
	} while (0)

START_TEST(what_cannot_be_is_refused)
{
	REFUSED(h.flags = 0);
	REFUSED(h.gso_type = VIRTIO_NET_HDR_GSO_UDP);
	REFUSED(h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	REFUSED(h.gso_type = VIRTIO_NET_HDR_GSO_ECN);
	REFUSED(h.gso_type = 77);
	REFUSED(h.gso_size = 0);
	REFUSED(h.gso_size = 7);
	REFUSED(h.csum_start = 65535);
	REFUSED(h.csum_start += 2);
	REFUSED(h.csum_offset = 65535);
	REFUSED(h.csum_offset = 14);
	REFUSED(frame[12] = 0x86);
	REFUSED(frame[14] = 0x44);
	REFUSED(frame[14] = 0x4f);
	REFUSED(frame[14 + 6] = 0x20);
	REFUSED(frame[14 + 7] = 1);
	REFUSED(frame[14 + 9] = 17);
	REFUSED(frame[38 + 12] = 0x40);
	REFUSED(len = 14);
	REFUSED(len = 38 + 19);
	REFUSED(len = tcpframe_header(&t));
	REFUSED(features &= ~(UINT64_C(1) << VIRTIO_NET_F_CSUM));
	REFUSED(features &= ~(UINT64_C(1) << VIRTIO_NET_F_HOST_TSO4));
	REFUSED(h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		features &= ~(UINT64_C(1) << VIRTIO_NET_F_HOST_ECN));
	REFUSED(h.gso_type = 0; h.csum_start = (uint16_t)(len - 17));
	/* More frames than anybody asks for. */
	REFUSED(t.payload = 60000; len = tcpframe_make(&t, frame, &h); h.gso_size = 8);
}
END_TEST

/* Anything at all: what is accepted can be done, within the buffers. ASan looks on. */
START_TEST(anything_is_refused_or_done)
{
	struct rng r;
	unsigned done = 0;

	rng_init(&r, 1, "offload", "test");
	for (int i = 0; i < 200000; i++) {
		struct tcpframe t = {.v6 = rng_next(&r) & 1,
				     .tagged = rng_next(&r) & 1,
				     .payload = (uint32_t)(rng_next(&r) % 400),
				     .mss = (uint16_t)(rng_next(&r) % 100),
				     .flags = ACK};
		struct virtio_net_hdr h;
		struct offload o;
		uint32_t len = tcpframe_make(&t, frame, &h);

		for (uint64_t k = rng_next(&r) % 3; k; k--)
			((uint8_t *)&h)[rng_next(&r) % sizeof(h)] = (uint8_t)rng_next(&r);
		for (uint64_t k = rng_next(&r) % 3; k; k--)
			frame[rng_next(&r) % 80] = (uint8_t)rng_next(&r);
		if (rng_next(&r) % 4 == 0)
			len = (uint32_t)(rng_next(&r) % (len + 1));
		uint8_t *exact = xmalloc(len + 1);

		memcpy(exact, frame, len);
		if (offload_read(&h, all, exact, len, &o)) {
			done++;
			if (o.flags && !o.segments)
				offload_sum(&o, exact, len);
			for (unsigned k = 0; k < o.segments; k++) {
				ck_assert_uint_le(offload_segment_len(&o, len, k),
						  o.header + o.segment);
				offload_cut(&o, exact, len, k, out);
			}
		}
		free(exact);
	}
	ck_assert_uint_gt(done, 50000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("offload");
	TCase *tc = tcase_create("offload");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_long_segment_becomes_frames);
	tcase_add_test(tc, a_checksum_is_filled_in);
	tcase_add_test(tc, what_the_host_left_is_found);
	tcase_add_test(tc, what_the_host_put_together_is_cut_whatever_its_checksum_says);
	tcase_add_test(tc, nothing_is_found_in_what_is_no_tcp_or_udp);
	tcase_add_test(tc, a_sum_of_nothing_has_the_form_of_its_protocol);
	tcase_add_test(tc, what_is_told_comes_back);
	tcase_add_test(tc, what_cannot_be_is_refused);
	tcase_add_test(tc, anything_is_refused_or_done);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
