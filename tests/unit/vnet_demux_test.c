/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vnet/mux/demux.h"

#include <check.h>
#include <string.h>

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
static struct demux demux;
static struct demux_binding b[4];
static size_t n_bound;

static void teardown(void)
{
	for (size_t i = 0; i < n_bound; i++)
		demux_binding_finish(&b[i]);
	demux_finish(&demux);
	n_bound = 0;
}

static struct demux_binding *bound(unsigned id, int priority, const char *in, const char *out)
{
	struct err e;
	struct demux_binding *x = &b[n_bound];

	ck_assert_msg(demux_binding_init(x, id, priority, in, out, &e) == 0, "%s", e.text);
	n_bound++;
	ck_assert_int_eq(demux_add(&demux, x, &e), 0);
	return x;
}

/* A frame of the toy network: for octet 14, from octet 15. */
static const uint8_t *frame(uint8_t to, uint8_t from)
{
	static uint8_t f[60];

	memcpy(f + 6, mac, 6);
	f[12] = 0x88;
	f[13] = 0xb6;
	f[14] = to;
	f[15] = from;
	return f;
}

START_TEST(a_frame_is_of_the_endpoint_whose_filter_matches)
{
	struct demux_binding *seven = bound(1, 5, "ether proto 0x88b6 and ether[14] = 7", "");
	struct demux_binding *eight = bound(2, 5, "ether proto 0x88b6 and ether[14] = 8", "");

	ck_assert_ptr_eq(demux_find(&demux, frame(7, 0), 60), seven);
	ck_assert_ptr_eq(demux_find(&demux, frame(8, 0), 60), eight);
	ck_assert_ptr_null(demux_find(&demux, frame(9, 0), 60));
	/* Too short for the filter to look into: nobody's. */
	ck_assert_ptr_null(demux_find(&demux, frame(7, 0), 14));
	demux_remove(&demux, seven);
	ck_assert_ptr_null(demux_find(&demux, frame(7, 0), 60));
}
END_TEST

START_TEST(priority_comes_first_then_age)
{
	struct demux_binding *all = bound(1, 9, "", "");
	struct demux_binding *listener = bound(2, 5, "ether[14] = 7", "");
	struct demux_binding *later = bound(3, 5, "ether[14] = 7", "");
	struct demux_binding *connection = bound(4, 1, "ether[14] = 7 and ether[15] = 3", "");

	ck_assert_ptr_eq(demux_find(&demux, frame(7, 3), 60), connection);
	ck_assert_ptr_eq(demux_find(&demux, frame(7, 4), 60), listener);
	ck_assert_ptr_eq(demux_find(&demux, frame(1, 1), 60), all);
	demux_remove(&demux, listener);
	ck_assert_ptr_eq(demux_find(&demux, frame(7, 4), 60), later);
}
END_TEST

START_TEST(an_endpoint_cannot_send_as_another)
{
	struct demux_binding *x = bound(1, 5, "", "ether proto 0x88b6 and ether[15] = 7");
	uint8_t other[6] = {2, 0, 0, 0, 0, 2};

	ck_assert_int_eq(demux_check(x, mac, frame(1, 7), 60), DEMUX_PASS);
	ck_assert_int_eq(demux_check(x, mac, frame(1, 8), 60), DEMUX_FILTER);
	ck_assert_int_eq(demux_check(x, other, frame(1, 7), 60), DEMUX_SOURCE);
	ck_assert_int_eq(demux_check(x, mac, frame(1, 7), 13), DEMUX_RUNT);
}
END_TEST

START_TEST(offsets_may_come_from_the_frame)
{
	/* What follows a field of variable length can be checked, too. */
	struct demux_binding *x = bound(1, 5, "ether[16 + ether[14]] = 42", "");
	uint8_t f[60] = {[12] = 0x88, [13] = 0xb6, [14] = 5, [21] = 42};

	ck_assert_ptr_eq(demux_find(&demux, f, 60), x);
	f[14] = 6;
	ck_assert_ptr_null(demux_find(&demux, f, 60));
	f[14] = 255; /* outside of the frame */
	ck_assert_ptr_null(demux_find(&demux, f, 60));
}
END_TEST

START_TEST(what_is_no_filter_is_refused)
{
	struct demux_binding x;
	struct err e;
	char text[3000];

	ck_assert_int_eq(demux_binding_init(&x, 1, 1, "ether[", "", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "in: filter 'ether['"));
	ck_assert_int_eq(demux_binding_init(&x, 1, 1, "", "no such word", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "out: "));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(demux_binding_init(&x, 1, 1, text, "", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "at most"));
}
END_TEST

START_TEST(an_id_is_bound_once)
{
	struct demux_binding *x = bound(1, 5, "", "");
	struct err e;

	ck_assert_int_eq(demux_add(&demux, x, &e), -1);
	ck_assert_ptr_eq(demux_find_id(&demux, 1), x);
	ck_assert_ptr_null(demux_find_id(&demux, 2));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vnet demux");
	TCase *tc = tcase_create("demux");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, a_frame_is_of_the_endpoint_whose_filter_matches);
	tcase_add_test(tc, priority_comes_first_then_age);
	tcase_add_test(tc, an_endpoint_cannot_send_as_another);
	tcase_add_test(tc, offsets_may_come_from_the_frame);
	tcase_add_test(tc, what_is_no_filter_is_refused);
	tcase_add_test(tc, an_id_is_bound_once);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
