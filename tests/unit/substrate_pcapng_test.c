/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we write is read by libpcap's own reader in lab tests; here: sizes, padding, options. */
#include "substrate/core/pcapng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint32_t u32_at(const struct pcapng *p, size_t at)
{
	uint32_t v;

	ck_assert_uint_le(at + 4, p->len);
	memcpy(&v, p->buf + at, sizeof(v));
	return v;
}

/* Walks over all blocks; returns how many there are. Types go to type[]. */
static size_t walk(const struct pcapng *p, uint32_t *type, size_t *where, size_t max)
{
	size_t n = 0;

	for (size_t at = 0; at < p->len; n++) {
		uint32_t size = u32_at(p, at + 4);

		ck_assert_uint_lt(n, max);
		ck_assert_uint_ge(size, 12);
		ck_assert_uint_eq(size % 4, 0);
		ck_assert_uint_eq(u32_at(p, at + size - 4), size);
		type[n] = u32_at(p, at);
		where[n] = at;
		at += size;
	}
	return n;
}

/* The value of an option among those that begin at `at`, or NULL. */
static const uint8_t *option(const struct pcapng *p, size_t at, uint16_t code, uint16_t *len)
{
	for (;;) {
		uint16_t head[2];

		ck_assert_uint_le(at + 4, p->len);
		memcpy(head, p->buf + at, sizeof(head));
		if (head[0] == 0)
			return NULL;
		*len = head[1];
		if (head[0] == code)
			return p->buf + at + 4;
		at += 4 + ((head[1] + 3U) & ~3U);
	}
}

START_TEST(test_blocks)
{
	const struct pcapng_interface nic = {"r1:eth0", "the first", 96, 104};
	const struct pcapng_statistics stats = {7, 3, 1};
	const uint8_t data[5] = {1, 2, 3, 4, 5};
	struct pcapng p = {0};
	uint32_t type[8];
	size_t where[8];
	uint16_t len;

	pcapng_begin(&p, "why", &nic);
	pcapng_put_frame(&p, 0x100000002, data, 5, 60, PCAPNG_OUT);
	pcapng_put_statistics(&p, &stats);
	ck_assert_uint_eq(walk(&p, type, where, 8), 4);
	ck_assert_uint_eq(type[0], 0x0a0d0d0a);
	ck_assert_uint_eq(type[1], 1);
	ck_assert_uint_eq(type[2], 6);
	ck_assert_uint_eq(type[3], 5);
	ck_assert_mem_eq(option(&p, where[0] + 24, 1, &len), "why", 3);
	ck_assert_uint_eq(len, 3);
	ck_assert_uint_eq(u32_at(&p, where[1] + 12), 96);
	ck_assert_mem_eq(option(&p, where[1] + 16, 2, &len), "r1:eth0", 7);
	ck_assert_mem_eq(option(&p, where[1] + 16, 3, &len), "the first", 9);
	ck_assert_uint_eq(*option(&p, where[1] + 16, 9, &len), 9);
	ck_assert_uint_eq(u32_at(&p, where[2] + 12), 1);
	ck_assert_uint_eq(u32_at(&p, where[2] + 16), 2);
	ck_assert_uint_eq(u32_at(&p, where[2] + 20), 5);
	ck_assert_uint_eq(u32_at(&p, where[2] + 24), 60);
	ck_assert_mem_eq(p.buf + where[2] + 28, "\1\2\3\4\5\0\0\0", 8);
	ck_assert_uint_eq(*option(&p, where[2] + 36, 2, &len), PCAPNG_OUT);
	ck_assert_uint_eq(*option(&p, where[3] + 20, 4, &len), 3);
	ck_assert_uint_eq(*option(&p, where[3] + 20, 5, &len), 1);
	pcapng_finish(&p);
}
END_TEST

START_TEST(test_without_words)
{
	const struct pcapng_interface nic = {"a", NULL, 1, 1};
	struct pcapng p = {0};
	uint32_t type[2];
	size_t where[2];
	uint16_t len;

	pcapng_begin(&p, NULL, &nic);
	ck_assert_uint_eq(walk(&p, type, where, 2), 2);
	ck_assert_ptr_null(option(&p, where[0] + 24, 1, &len));
	ck_assert_ptr_null(option(&p, where[1] + 16, 3, &len));
	pcapng_consume(&p, where[1]);
	ck_assert_uint_eq(u32_at(&p, 0), 1);
	pcapng_consume(&p, p.len);
	ck_assert_uint_eq(p.len, 0);
	pcapng_finish(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pcapng");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_blocks);
	tcase_add_test(t, test_without_words);
	suite_add_tcase(s, t);
	return suite_run(s);
}
