/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cable between two substrates that are joined by a trunk: it does to frames, carrier and
 * counters what a cable in one substrate does. Both substrates run here, on one loop.
 */
#include "substrate/cable/cable.h"
#include "substrate/core/thaw.h"
#include "substrate/trunk/trunk.h"

#include "lib/words.h"
#include "tests/support/suite.h"
#include "tests/support/tcpframe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct device_kind *const no_kinds[] = {NULL};
static struct loop *loop;
static struct substrate *sub[2];
static char dir[64];

/* An end that remembers what reaches it. */
struct probe {
	struct object object;
	struct end end;
	unsigned frames;
	uint8_t last[2000];
	uint32_t last_len;
	bool last_raw;
	int carriers; /* times that it came or went */
};

static struct probe probe[2]; /* "a" in the first substrate, "b" in the second */
static struct object *cable[2];

static void probe_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	struct probe *p = (struct probe *)n->object;

	p->frames++;
	p->last_len = f->len;
	p->last_raw = frame_is_raw(f);
	memcpy(p->last, f->data, f->len < sizeof(p->last) ? f->len : sizeof(p->last));
	frame_unref(f);
}

static void probe_carrier(struct end *n, int64_t now_ns)
{
	((struct probe *)n->object)->carriers++;
}

static void probe_destroy(struct object *o)
{
	end_finish(&((struct probe *)o)->end);
	object_finish(o);
}

static bool probe_takes_raw;

static uint16_t probe_takes(const struct end *n)
{
	return probe_takes_raw ? UINT16_MAX : 0;
}

static const struct end_kind probe_end = {
	.deliver = probe_deliver, .carrier = probe_carrier, .takes = probe_takes};
static const struct object_kind probe_kind = {.name = "probe", .destroy = probe_destroy};

static void pump(void)
{
	struct err e;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
		substrate_run(sub[0]);
		substrate_run(sub[1]);
	}
}

/* Turns until it is so; a test that waits in vain ends by its timeout. */
#define PUMP_UNTIL(condition)        \
	do {                         \
		while (!(condition)) \
			pump();      \
	} while (0)

static struct object *add_trunk(int i)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	char line[256];

	snprintf(line, sizeof(line), "trunk t%d path=%s/t%s", i, dir, i ? "" : " listen=1");
	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
	struct object *o = trunk_create(sub[i], w.at[1], &w, &e);

	ck_assert_msg(o != NULL, "%s", e.text);
	arena_finish(&arena);
	return o;
}

static void add_half(int i, const char *word)
{
	struct err e = {0};
	char *words[] = {(char *)(uintptr_t)word};
	const char *names[] = {"a", "b"};
	struct object *far = trunk_create_far(sub[i], names[!i],
					      object_find(sub[i], i ? "t1" : "t0"), "c", NULL, &e);

	ck_assert_msg(far != NULL, "%s", e.text);
	probe[i] = (struct probe){.end = {.kind = &probe_end, .object = &probe[i].object}};
	ck_assert_int_eq(object_add(&probe[i].object, sub[i], &probe_kind, names[i], &e), 0);
	struct end *mine = &probe[i].end;

	cable[i] = cable_create(sub[i], "c", i ? end_of_object(far) : mine,
				i ? mine : end_of_object(far), words, word ? 1 : 0, &e);
	ck_assert_msg(cable[i] != NULL, "%s", e.text);
}

static void join(const char *word)
{
	for (int i = 0; i < 2; i++)
		add_half(i, word);
	PUMP_UNTIL(probe[0].end.carrier && probe[1].end.carrier);
}

static void send_from(int i, uint32_t len, uint8_t fill)
{
	struct frame *f = frame_get(sub[i]->pool, len);

	memset(f->data, fill, len);
	end_send(&probe[i].end, f, substrate_now_ns(sub[i]));
	substrate_drain(sub[i], substrate_now_ns(sub[i]));
}

static void set_up(void)
{
	struct err e = {0};

	strcpy(dir, "/tmp/vbet-trunk-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	loop = loop_create(&e);
	for (int i = 0; i < 2; i++)
		sub[i] = substrate_create(loop, no_kinds);
	/* The one that connects is there first. */
	add_trunk(1);
	add_trunk(0);
}

static void tear_down(void)
{
	for (int i = 0; i < 2; i++)
		substrate_destroy(sub[i]);
	loop_destroy(loop);
	rmdir(dir);
}

static char *status_of(int i, const char *name)
{
	struct object *o = object_find(sub[i], name);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	o->kind->status(o, &j, 0);
	fclose(f);
	return text;
}

static void assert_has(int i, const char *name, const char *want, bool has)
{
	char *text = status_of(i, name);

	ck_assert_msg((strstr(text, want) != NULL) == has, "%s: %s", name, text);
	free(text);
}

START_TEST(frames_pass_both_ways)
{
	join(NULL);
	send_from(0, 60, 0x11);
	send_from(1, 1514, 0x22);
	PUMP_UNTIL(probe[0].frames && probe[1].frames);
	ck_assert_uint_eq(probe[1].last_len, 60);
	ck_assert_uint_eq(probe[1].last[59], 0x11);
	ck_assert_uint_eq(probe[0].last_len, 1514);
	ck_assert_uint_eq(probe[0].last[1513], 0x22);
	ck_assert_uint_eq(probe[0].end.count.in_frames, 1);
	ck_assert_uint_eq(probe[0].end.count.out_frames, 1);
}
END_TEST

/* A segment that is still to be cut passes whole, for who takes it so; else it is frames there. */
START_TEST(a_raw_frame_stays_what_it_is)
{
	static const struct tcpframe segment = {.payload = 3000, .mss = 1000, .flags = 16};

	join(NULL);
	for (int i = 0; i < 2; i++) {
		struct frame *f = frame_get(sub[0]->pool, 4096);
		struct virtio_net_hdr h;
		unsigned before = probe[1].frames;

		probe_takes_raw = i;
		f->len = tcpframe_make(&segment, f->data, &h);
		ck_assert(offload_read(&h, UINT64_MAX, f->data, f->len, &f->offload));
		end_send(&probe[0].end, f, 0);
		substrate_drain(sub[0], 0);
		PUMP_UNTIL(probe[1].frames == before + (i ? 1 : 3));
		pump();
		ck_assert_uint_eq(probe[1].frames, before + (i ? 1 : 3));
		ck_assert_uint_eq(probe[1].last_raw, i);
		if (!i)
			ck_assert(
				tcpframe_is_real(&segment, probe[1].last, probe[1].last_len, 2000));
	}
	ck_assert_uint_eq(probe[0].end.count.in_frames, 6);
	ck_assert_uint_eq(probe[1].end.count.out_frames, 6);
	ck_assert_uint_eq(probe[0].end.count.in_bytes, probe[1].end.count.out_bytes);
}
END_TEST

static int returns;

static void returned(struct frame_lender *l, uint16_t tag)
{
	returns++;
}

/* It goes from the lender's memory into the trunk, and what is to be done to it goes along. */
START_TEST(a_lent_frame_needs_its_lender_no_more)
{
	static const struct tcpframe segment = {.payload = 3000, .mss = 1000, .flags = 16};
	static uint8_t memory[4096];
	struct frame_lender lender = {.returned = returned};
	struct iovec iov[] = {{memory, 1500}, {memory + 1500, sizeof(memory) - 1500}};
	struct virtio_net_hdr h;
	struct offload o;
	uint32_t len = tcpframe_make(&segment, memory, &h);

	join(NULL);
	probe_takes_raw = true;
	ck_assert(offload_read(&h, UINT64_MAX, memory, len, &o));
	for (int i = 0; i < 2; i++) {
		struct frame *f = frame_get_lent(sub[0]->pool, &lender, 0, iov, 2, 0, len);

		if (i)
			frame_set_offload(f, &o);
		end_send(&probe[0].end, f, 0);
		substrate_drain(sub[0], 0);
		ck_assert_int_eq(returns, i + 1);
		PUMP_UNTIL(probe[1].frames == (unsigned)i + 1);
		ck_assert_uint_eq(probe[1].last_raw, i);
		ck_assert_uint_eq(probe[1].last_len, len);
		ck_assert_int_eq(memcmp(probe[1].last, memory, sizeof(probe[1].last)), 0);
	}
	ck_assert_uint_eq(probe[1].end.count.out_frames, 1 + 3);
}
END_TEST

START_TEST(none_is_lost_and_their_order_stays)
{
	join(NULL);
	for (int i = 0; i < 5000; i++) {
		send_from(0, 1000, (uint8_t)i);
		if (i % 100 == 99)
			PUMP_UNTIL(probe[1].frames == (unsigned)i + 1);
	}
	ck_assert_uint_eq(probe[1].last[0], (uint8_t)4999);
}
END_TEST

/* What the other end does not take in time is dropped, counted, and hinders nobody. */
START_TEST(a_stopped_process_costs_its_own_frames)
{
	join(NULL);
	struct end *far = end_of_object(object_find(sub[0], "b"));

	for (int i = 0; i < 10000; i++)
		send_from(0, 1514, 1);
	uint64_t dropped = far->count.dropped[END_DROP_QUEUE];

	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_lt(dropped, 9000);
	PUMP_UNTIL(probe[1].frames == 10000 - dropped);
	assert_has(0, "b", "\"queue\":", true);
}
END_TEST

/*
 * What waits in the ring when both are kept is there afterwards, once, and in its order; neither
 * end has heard of anything. Who goes on without having been restored reads the ring.
 */
START_TEST(frames_in_the_ring_are_kept)
{
	struct thaw t = {.dir = ".", .paths = "", .len = 0};
	struct err e = {0};

	join(NULL);
	for (int life = 0; life < 3; life++) {
		unsigned before = probe[1].frames;

		for (int i = 0; i < 100; i++)
			send_from(0, 1000, (uint8_t)(i + 1));
		/* As in the server: all stand, then all are kept. */
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(substrate_freeze(sub[i % 2], &e), 0);
		if (life) {
			char path[80];

			/* Where the other process is, it is not there. */
			snprintf(path, sizeof(path), "%s/t", dir);
			unlink(path);
			ck_assert_int_eq(loop_thaw(loop, clock_monotonic_ns(), &e), 0);
			for (int i = 0; i < 2; i++)
				ck_assert_int_eq(substrate_thaw(sub[i], &t, &e), 0);
			ck_assert_uint_eq(sub[0]->awaited + sub[1]->awaited, 2);
			PUMP_UNTIL(!sub[0]->awaited && !sub[1]->awaited);
		}
		send_from(0, 1000, 0xaa);
		PUMP_UNTIL(probe[1].last[0] == 0xaa);
		ck_assert_uint_eq(probe[1].frames - before, 101);
		send_from(0, 1000, 0xbb);
		PUMP_UNTIL(probe[1].last[0] == 0xbb);
		ck_assert_uint_eq(probe[1].frames - before, 102);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(probe[i].carriers, 1);
}
END_TEST

START_TEST(the_direction_that_begins_here_does_its_work_here)
{
	join("ab.loss=100%");
	for (int i = 0; i < 10; i++)
		send_from(0, 60, 1);
	send_from(1, 60, 2);
	PUMP_UNTIL(probe[0].frames);
	ck_assert_uint_eq(probe[1].frames, 0);
	assert_has(0, "c", "\"ab\":{\"up\":true,\"frames\":0", true);
	assert_has(0, "c", "\"loss\":10", true);
	assert_has(0, "c", "\"ba\":", false);
	assert_has(1, "c", "\"ba\":{\"up\":true,\"frames\":1", true);
	assert_has(1, "c", "\"ab\":", false);
}
END_TEST

START_TEST(a_delay_is_that_of_the_cable_once)
{
	int64_t shortest = INT64_MAX;

	join("delay=20ms");
	/* A busy machine makes some of them late; were it there twice, none would take less. */
	for (unsigned i = 1; i <= 20; i++) {
		int64_t start = clock_monotonic_ns();

		send_from(0, 60, 1);
		PUMP_UNTIL(probe[1].frames == i);
		int64_t took = clock_monotonic_ns() - start;

		shortest = took < shortest ? took : shortest;
	}
	ck_assert_int_ge(shortest, 20000000);
	ck_assert_int_lt(shortest, 40000000);
}
END_TEST

START_TEST(carrier_goes_and_comes_as_both_are_told)
{
	struct err e;

	join(NULL);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(cable_set_carrier(cable[i], false, 0, &e), 0);
	ck_assert(!probe[0].end.carrier);
	ck_assert(probe[1].end.carrier);
	send_from(1, 60, 1);
	pump();
	ck_assert_uint_eq(probe[0].frames, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(cable_set_carrier(cable[i], true, -1, &e), 0);
	ck_assert(probe[0].end.carrier);
	send_from(1, 60, 1);
	PUMP_UNTIL(probe[0].frames == 1);
}
END_TEST

START_TEST(what_is_under_way_is_cut_with_the_cable)
{
	struct err e;

	join(NULL);
	send_from(0, 60, 1);
	/* It is in the trunk when the second process hears of the cut. */
	ck_assert_int_eq(cable_set_carrier(cable[1], false, -1, &e), 0);
	while (!probe[1].end.count.dropped[END_DROP_CUT])
		pump();
	ck_assert_uint_eq(probe[1].frames, 0);
}
END_TEST

START_TEST(when_the_other_process_ends_the_carrier_goes)
{
	join(NULL);
	substrate_destroy(sub[1]);
	sub[1] = substrate_create(loop, no_kinds);
	PUMP_UNTIL(!probe[0].end.carrier);
	send_from(0, 60, 1);
	assert_has(0, "b", "\"down\":1", true);
	/* Another comes in its place. */
	add_trunk(1);
	add_half(1, NULL);
	PUMP_UNTIL(probe[0].end.carrier && probe[1].end.carrier);
	send_from(0, 60, 1);
	PUMP_UNTIL(probe[1].frames == 1);
}
END_TEST

START_TEST(a_cable_that_goes_leaves_the_others)
{
	struct err e = {0};

	join(NULL);
	cable[1]->kind->destroy(cable[1]);
	object_find(sub[1], "a")->kind->destroy(object_find(sub[1], "a"));
	send_from(0, 60, 1);
	while (true) {
		pump();
		char *text = status_of(1, "t1");
		bool counted = strstr(text, "\"no far end\":1") != NULL;

		free(text);
		if (counted)
			break;
	}
	/* A new one with the same name at one side; the ids are given anew. */
	object_find(sub[0], "b")->kind->destroy(object_find(sub[0], "b"));
	ck_assert_ptr_nonnull(
		trunk_create_far(sub[0], "b", object_find(sub[0], "t0"), "c", NULL, &e));
	ck_assert_ptr_nonnull(
		trunk_create_far(sub[1], "a", object_find(sub[1], "t1"), "c", NULL, &e));
	cable[0] = cable_create(sub[0], "c", &probe[0].end, end_of_object(object_find(sub[0], "b")),
				NULL, 0, &e);
	cable[1] = cable_create(sub[1], "c", end_of_object(object_find(sub[1], "a")), &probe[1].end,
				NULL, 0, &e);
	send_from(0, 60, 1);
	PUMP_UNTIL(probe[1].frames == 1);
}
END_TEST

START_TEST(who_says_nonsense_is_hung_up_on)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char buf[12] = "nonsense...";

	/* The other side of the trunk goes, and a stranger comes. */
	substrate_destroy(sub[1]);
	sub[1] = substrate_create(loop, no_kinds);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/t", dir);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(send(fd, buf, sizeof(buf), 0), sizeof(buf));
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) != 0)
		pump();
	close(fd);
	add_trunk(1);
	join(NULL);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	struct err e = {0};

	ck_assert_ptr_nonnull(
		trunk_create_far(sub[0], "x", object_find(sub[0], "t0"), "k", NULL, &e));
	ck_assert_ptr_null(trunk_create_far(sub[0], "y", object_find(sub[0], "t0"), "k", NULL, &e));
	ck_assert_str_eq(e.text, "t0: the key 'k' is taken");
	ck_assert_ptr_null(trunk_create_far(sub[0], "y", object_find(sub[0], "x"), "l", NULL, &e));
	ck_assert_str_eq(e.text, "'x' is a far end, not a trunk");
	ck_assert_ptr_null(
		trunk_create_far(sub[0], "y", object_find(sub[0], "t0"), NULL, NULL, &e));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trunk");
	TCase *tc = tcase_create("trunk");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, frames_pass_both_ways);
	tcase_add_test(tc, a_raw_frame_stays_what_it_is);
	tcase_add_test(tc, a_lent_frame_needs_its_lender_no_more);
	tcase_add_test(tc, none_is_lost_and_their_order_stays);
	tcase_add_test(tc, frames_in_the_ring_are_kept);
	tcase_add_test(tc, a_stopped_process_costs_its_own_frames);
	tcase_add_test(tc, the_direction_that_begins_here_does_its_work_here);
	tcase_add_test(tc, a_delay_is_that_of_the_cable_once);
	tcase_add_test(tc, carrier_goes_and_comes_as_both_are_told);
	tcase_add_test(tc, what_is_under_way_is_cut_with_the_cable);
	tcase_add_test(tc, when_the_other_process_ends_the_carrier_goes);
	tcase_add_test(tc, a_cable_that_goes_leaves_the_others);
	tcase_add_test(tc, who_says_nonsense_is_hung_up_on);
	tcase_add_test(tc, what_cannot_be_is_refused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
