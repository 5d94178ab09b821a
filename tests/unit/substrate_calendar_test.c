/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/core/calendar.h"

#include "lib/rng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>

enum { N = 500 };

struct item {
	struct event event;
	int64_t at;
	uint32_t source;
	uint64_t number;
};

static struct item *fired[N];
static size_t n_fired;

static void fire(struct event *ev, int64_t now_ns)
{
	struct item *i = (struct item *)ev;

	ck_assert_int_eq(now_ns, i->at);
	fired[n_fired++] = i;
}

static void check_order(void)
{
	for (size_t i = 1; i < n_fired; i++) {
		const struct item *a = fired[i - 1];
		const struct item *b = fired[i];

		ck_assert(a->at < b->at ||
			  (a->at == b->at && (a->source < b->source ||
					      (a->source == b->source && a->number < b->number))));
	}
}

/* Whatever order events are put in, they come out by (time, source, number). */
START_TEST(order_is_total)
{
	static struct item items[N];
	struct event_source sources[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
	struct calendar c;
	struct rng r;

	rng_init(&r, (uint64_t)_i, "calendar", "test");
	calendar_init(&c);
	n_fired = 0;
	for (size_t i = 0; i < N; i++) {
		struct event_source *s = &sources[rng_below(&r, 3)];

		items[i] = (struct item){.event = {.fire = fire},
					 .at = (int64_t)rng_below(&r, 50),
					 .source = s->id,
					 .number = s->next};
		calendar_add(&c, &items[i].event, items[i].at, s);
	}
	while (calendar_next_ns(&c) != INT64_MAX)
		calendar_fire(&c);
	ck_assert_uint_eq(n_fired, N);
	check_order();
	calendar_finish(&c);
}
END_TEST

START_TEST(cancel_and_move)
{
	static struct item items[N];
	struct event_source from = {.id = 1};
	struct calendar c;
	struct rng r;
	size_t cancelled = 0;

	rng_init(&r, (uint64_t)_i, "calendar", "cancel");
	calendar_init(&c);
	n_fired = 0;
	for (size_t i = 0; i < N; i++) {
		items[i] = (struct item){.event = {.fire = fire}, .at = (int64_t)rng_below(&r, 99)};
		calendar_add(&c, &items[i].event, items[i].at, &from);
	}
	for (size_t i = 0; i < N; i++) {
		items[i].source = 1;
		if (rng_below(&r, 3) == 0) {
			calendar_cancel(&c, &items[i].event);
			calendar_cancel(&c, &items[i].event);
			cancelled++;
			continue;
		}
		items[i].at = (int64_t)rng_below(&r, 99);
		items[i].number = from.next;
		calendar_add(&c, &items[i].event, items[i].at, &from);
	}
	while (calendar_next_ns(&c) != INT64_MAX)
		calendar_fire(&c);
	ck_assert_uint_eq(n_fired, N - cancelled);
	check_order();
	calendar_finish(&c);
}
END_TEST

START_TEST(finish_forgets)
{
	struct event_source from = {.id = 1};
	struct event ev = {.fire = fire};
	struct calendar c;

	calendar_init(&c);
	calendar_add(&c, &ev, 5, &from);
	calendar_finish(&c);
	ck_assert_uint_eq(ev.heap_index, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("calendar");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, order_is_total, 0, 20);
	tcase_add_loop_test(t, cancel_and_move, 0, 20);
	tcase_add_test(t, finish_forgets);
	suite_add_tcase(s, t);
	return suite_run(s);
}
