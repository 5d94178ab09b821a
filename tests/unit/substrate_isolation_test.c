/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Isolation, proved in virtual time: whatever other vNets do, a vNet keeps its minimum and its
 * latency. Whole nodes, with all their messages; only guests are played by the test.
 *
 *   s1 ---a--- s2 ---b--- s3     100 Mbit/s, 3 ms each
 *
 * or three nodes at one LAN, each 3 ms and 100 Mbit/s from its middle.
 */
#include "lib/container_of.h"
#include "tests/unit/overlay_help.h"

#include "lib/rng.h"
#include "substrate/clock/vclock.h"
#include "tests/support/suite.h"

enum { SECOND_MS = 1000, SAMPLES_MAX = 200000, FLOODS_MAX = 8, HEAD = 14 };

#define MBIT INT64_C(1000000)

/* Sends frames into a virtual interface, and looks at those that come out at the other end. */
struct talk {
	struct object from_object, to_object;
	struct end from, to;
	struct event event;
	struct event_source source;
	struct rng random;
	int64_t rate_bps; /* what it offers, as the substrate counts; 0: silent */
	uint64_t sent, sent_bytes, got, got_bytes, alien;
	int64_t *waits; /* of each frame that came, in ns */
	size_t n_waits;
	uint32_t least, most; /* octets of a frame */
	uint8_t mark;
	bool regular; /* else gaps are random */
};

static struct talk talks[FLOODS_MAX + 2];
static size_t n_talks;

static struct talk *talk_of_end(struct end *n, bool to)
{
	return (struct talk *)((char *)n -
			       (to ? offsetof(struct talk, to) : offsetof(struct talk, from)));
}

/* All vNets use the same addresses: only the mark tells them apart. */
static void put_frame(struct talk *t, int64_t now_ns)
{
	uint32_t len = t->least + (uint32_t)rng_below(&t->random, t->most - t->least + 1);
	struct frame *f = frame_get(world.sub->pool, len);

	if (!f)
		return;
	memset(f->data, 0x02, len);
	f->data[5] = 0x03; /* to another than from */
	f->data[HEAD] = t->mark;
	memcpy(f->data + HEAD + 1, &now_ns, sizeof(now_ns));
	t->sent++;
	t->sent_bytes += len + VLINK_OVERHEAD;
	end_send(&t->from, f, now_ns);
}

static void take_frame(struct end *n, struct frame *f, int64_t now_ns)
{
	struct talk *t = talk_of_end(n, true);
	int64_t sent_ns;

	if (f->data[HEAD] != t->mark) {
		t->alien++;
	} else {
		memcpy(&sent_ns, f->data + HEAD + 1, sizeof(sent_ns));
		t->got++;
		t->got_bytes += f->len + VLINK_OVERHEAD;
		if (t->n_waits < SAMPLES_MAX)
			t->waits[t->n_waits++] = now_ns - sent_ns;
	}
	frame_unref(f);
}

static void take_nothing(struct end *n, struct frame *f, int64_t now_ns)
{
	talk_of_end(n, false)->alien++;
	frame_unref(f);
}

static void ignore_carrier(struct end *n, int64_t now_ns)
{
}

static const struct end_kind from_kind = {.deliver = take_nothing, .carrier = ignore_carrier};
static const struct end_kind to_kind = {.deliver = take_frame, .carrier = ignore_carrier};

static struct end *from_of(struct object *o)
{
	return &container_of(o, struct talk, from_object)->from;
}

static struct end *to_of(struct object *o)
{
	return &container_of(o, struct talk, to_object)->to;
}

static void end_destroy(struct object *o)
{
	end_finish(end_of_object(o));
	object_finish(o);
}

static const struct object_kind talk_from_kind = {
	.name = "talk", .destroy = end_destroy, .end = from_of};
static const struct object_kind talk_to_kind = {
	.name = "talk", .destroy = end_destroy, .end = to_of};

static void next_frame(struct talk *t, int64_t now_ns)
{
	int64_t mean_ns = (t->least + t->most) / 2 + VLINK_OVERHEAD;

	mean_ns = mean_ns * 8 * 1000000000 / t->rate_bps;
	if (!t->regular)
		mean_ns = mean_ns / 2 + (int64_t)rng_below(&t->random, (uint64_t)mean_ns);
	substrate_schedule(world.sub, NULL, &t->event, now_ns + mean_ns, &t->source);
}

static void speak(struct event *ev, int64_t now_ns)
{
	struct talk *t = container_of(ev, struct talk, event);

	if (!t->rate_bps)
		return;
	put_frame(t, now_ns);
	next_frame(t, now_ns);
}

static void plug(struct object *o, const struct object_kind *object_kind, struct end *n,
		 const struct end_kind *kind, const char *name, const char *vif)
{
	char cable[64];
	struct err e;

	ck_assert_int_eq(object_add(o, world.sub, object_kind, name, &e), 0);
	*n = (struct end){.kind = kind, .object = o};
	snprintf(cable, sizeof(cable), "%s-cable", name);
	ck_assert_ptr_nonnull(cable_create(
		world.sub, cable, n, end_of_object(object_find(world.sub, vif)), NULL, 0, &e));
}

static struct talk *talk(const char *name)
{
	struct talk *t = &talks[n_talks++];

	ck_assert_uint_le(n_talks, FLOODS_MAX + 2);
	*t = (struct talk){.mark = (uint8_t)n_talks,
			   .least = 60,
			   .most = 1514,
			   .waits = calloc(SAMPLES_MAX, sizeof(int64_t)),
			   .event = {.fire = speak}};
	rng_init(&t->random, 1, name, "talk");
	event_source_init(&t->source, world.sub);
	return t;
}

/* Guests at two virtual interfaces, NAME@sA and NAME@sB. */
static void plug_guests(struct talk *t, const char *name, int from, int to)
{
	char guest[48], vif[32];

	snprintf(guest, sizeof(guest), "%s-from", name);
	snprintf(vif, sizeof(vif), "%s@s%d", name, from);
	plug(&t->from_object, &talk_from_kind, &t->from, &from_kind, guest, vif);
	snprintf(guest, sizeof(guest), "%s-to", name);
	snprintf(vif, sizeof(vif), "%s@s%d", name, to);
	plug(&t->to_object, &talk_to_kind, &t->to, &to_kind, guest, vif);
}

/* A vNet with a virtual link over that path, and a guest at each end. */
static struct talk *vnet_on(const char *name, int from, int to, const char *path, int64_t min_bps)
{
	struct talk *t = talk(name);

	say("vif %s@s%d s%d vnet=%s mtu=1500", name, from, from, name);
	say("vif %s@s%d s%d vnet=%s mtu=1500", name, to, to, name);
	say("vlink %s:link %s@s%d vnet=%s path=%s to=%s@s%d min=%lldbit", name, name, from, name,
	    path, name, to, (long long)min_bps);
	plug_guests(t, name, from, to);
	return t;
}

static struct talk *vnet(const char *name, int64_t min_bps)
{
	return vnet_on(name, 1, 3, "a,b", min_bps);
}

static void set_talking(struct talk *t, int64_t rate_bps)
{
	bool begins = !t->rate_bps;

	t->rate_bps = rate_bps;
	if (begins && rate_bps)
		next_frame(t, world.now_ns);
}

static void forget(struct talk *t)
{
	t->sent = t->sent_bytes = t->got = t->got_bytes = 0;
	t->n_waits = 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t percentile(struct talk *t, int percent)
{
	ck_assert_uint_gt(t->n_waits, 100);
	qsort(t->waits, t->n_waits, sizeof(*t->waits), compare);
	return t->waits[(t->n_waits - 1) * (size_t)percent / 100];
}

/* What was under way at the beginning and at the end is all that may differ. */
static void assert_nothing_lost(const struct talk *t)
{
	ck_assert_int_le((int64_t)t->sent - (int64_t)t->got, 15);
	ck_assert_int_ge((int64_t)t->sent - (int64_t)t->got, -15);
}

static void build(void)
{
	n_talks = 0;
	for (int i = 1; i <= 3; i++)
		say("snode s%d key=000102030405060708090a0b0c0d0e0f", i);
	say("snif s1:1 s1 mac=02:00:00:00:01:01 rate=100Mbit");
	say("snif s2:1 s2 mac=02:00:00:00:02:01 rate=100Mbit");
	say("snif s2:2 s2 mac=02:00:00:00:02:02 rate=100Mbit");
	say("snif s3:1 s3 mac=02:00:00:00:03:01 rate=100Mbit");
	say("cable a s1:1 s2:1 delay=3ms rate=100Mbit mtu=1600");
	say("cable b s2:2 s3:1 delay=3ms rate=100Mbit mtu=1600");
	say("slink a@s1 s1:1 link=a peer=02:00:00:00:02:01");
	say("slink a@s2 s2:1 link=a peer=02:00:00:00:01:01");
	say("slink b@s2 s2:2 link=b peer=02:00:00:00:03:01");
	say("slink b@s3 s3:1 link=b peer=02:00:00:00:02:02");
}

/* Floods of any number of vNets, at several times the rate of the wire together. */
static void add_floods(int n)
{
	for (int i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "flood%d", i);
		vnet(name, 72 * MBIT / n);
	}
}

static void let_floods_go(void)
{
	for (size_t i = 2; i < n_talks; i++) {
		talks[i].least = i % 2 ? 60 : 1514;
		talks[i].most = i % 2 ? 200 : 1514;
		set_talking(&talks[i], (i % 2 ? 150 : 300) * MBIT / (int64_t)(n_talks - 2));
	}
}

static const int floods[] = {1, 3, 8};

/*
 * Good keeps to its minimum of 10 Mbit/s (8, with random gaps and sizes): nothing is lost, and the
 * 99th percentile of its latency grows by less than 5 %. Eager wants more than its minimum of 15
 * Mbit/s: it gets at least that.
 */
START_TEST(floods_change_nothing)
{
	build();
	struct talk *good = vnet("good", 10 * MBIT);
	struct talk *eager = vnet("eager", 15 * MBIT);

	add_floods(floods[_i]);
	run_for(100 * ms);
	set_talking(good, 8 * MBIT);
	run_for(2 * SECOND_MS * ms);
	forget(good);
	run_for(2 * SECOND_MS * ms);
	int64_t quiet_ns = percentile(good, 99);

	assert_nothing_lost(good);
	set_talking(eager, 40 * MBIT);
	let_floods_go();
	run_for(2 * SECOND_MS * ms);
	forget(good);
	forget(eager);
	for (size_t i = 2; i < n_talks; i++)
		forget(&talks[i]);
	run_for(4 * SECOND_MS * ms);
	int64_t loud_ns = percentile(good, 99);

	assert_nothing_lost(good);
	ck_assert_int_lt(loud_ns * 100, quiet_ns * 105);
	/* One longest frame (1,538 octets on the wire) at each of two hops is the most it waits. */
	ck_assert_int_le(percentile(good, 100) - quiet_ns, 2 * 123040);
	ck_assert_int_ge((int64_t)eager->got_bytes * 8, 15 * MBIT * 4 * 99 / 100);
	for (size_t i = 2; i < n_talks; i++)
		ck_assert_int_ge((int64_t)talks[i].got_bytes * 8,
				 72 * MBIT / floods[_i] * 4 * 99 / 100);
	for (size_t i = 0; i < n_talks; i++)
		ck_assert_uint_eq(talks[i].alien, 0);
}
END_TEST

/* A vNet is deleted while it floods: nobody else loses a frame, or waits longer than before. */
START_TEST(deleting_a_flood_disturbs_nobody)
{
	build();
	struct talk *good = vnet("good", 10 * MBIT);
	struct talk *eager = vnet("eager", 15 * MBIT);

	add_floods(3);
	run_for(100 * ms);
	set_talking(good, 8 * MBIT);
	set_talking(eager, 40 * MBIT);
	let_floods_go();
	run_for(2 * SECOND_MS * ms);
	forget(good);
	run_for(2 * SECOND_MS * ms);
	int64_t before_ns = percentile(good, 100);

	forget(good);
	forget(eager);
	say("remove flood1:link");
	say("remove flood1@s3");
	say("remove flood1@s1");
	run_for(2 * SECOND_MS * ms);
	assert_nothing_lost(good);
	ck_assert_int_le(percentile(good, 100), before_ns + 1000);
	ck_assert_int_ge((int64_t)eager->got_bytes * 8, 15 * MBIT * 2 * 99 / 100);
	/* And it may come again, under load: VLIs are given anew. */
	forget(good);
	say("vif flood1@s1 s1 vnet=flood1 mtu=1500");
	say("vif flood1@s3 s3 vnet=flood1 mtu=1500");
	say("vlink flood1:link flood1@s1 vnet=flood1 path=a,b to=flood1@s3 min=10Mbit");
	run_for(SECOND_MS * ms);
	ck_assert(happened("event vlink flood1:link up"));
	assert_nothing_lost(good);
	ck_assert_int_le(percentile(good, 100), before_ns + 1000);
	for (size_t i = 0; i < n_talks; i++)
		ck_assert_uint_eq(talks[i].alien, 0);
}
END_TEST

static void build_lan(void)
{
	n_talks = 0;
	say("device sw repeater");
	for (int i = 1; i <= 3; i++) {
		say("snode s%d key=000102030405060708090a0b0c0d0e0f", i);
		say("port sw:%d sw %d", i, i);
		say("snif s%d:1 s%d mac=02:00:00:00:0%d:01 rate=100Mbit", i, i, i);
		say("cable c%d s%d:1 sw:%d delay=3ms rate=100Mbit mtu=1600", i, i, i);
		say("slink lan@s%d s%d:1 link=lan multi=1", i, i);
	}
	for (int i = 1; i <= 2; i++) {
		say("slink p%d@s%d s%d:1 link=p%d peer=02:00:00:00:03:01 vlan=100 priority=5", i, i,
		    i, i);
		say("slink p%d@s3 s3:1 link=p%d peer=02:00:00:00:0%d:01 vlan=100 priority=5", i, i,
		    i);
	}
	say("vbm vbm@lan s1 link=lan rate=100Mbit");
}

/* A multi-access virtual link: best effort, and a guest on s1 or s2 that floods it. */
static struct talk *best_effort(const char *name, int from)
{
	struct talk *t = talk(name);

	for (int i = 1; i <= 3; i++) {
		say("vif %s@s%d s%d vnet=%s mtu=1500", name, i, i, name);
		say("vlink %s:%d %s@s%d vnet=%s lan=lan", name, i, name, i, name);
	}
	plug_guests(t, name, from, 3);
	return t;
}

/*
 * On a LAN best effort may flood from all sides: what goes over point-to-point links has a priority
 * at nodes and at the ports of the switch. Another vNet with a share floods point to point, too.
 */
START_TEST(a_lan_keeps_its_promises)
{
	build_lan();
	say("share vbm@lan good percent=30%%");
	say("share vbm@lan other percent=60%%");
	struct talk *good = vnet_on("good", 1, 3, "p1", 10 * MBIT);
	struct talk *other = vnet_on("other", 2, 3, "p2", 20 * MBIT);
	struct talk *flood1 = best_effort("flood1", 1);
	struct talk *flood2 = best_effort("flood2", 2);

	run_for(3 * SECOND_MS * ms);
	ck_assert(happened("event vlink good:link up"));
	ck_assert(happened("event vlink flood1:1 up"));
	set_talking(good, 8 * MBIT);
	run_for(SECOND_MS * ms);
	forget(good);
	run_for(2 * SECOND_MS * ms);
	int64_t quiet_ns = percentile(good, 99);

	flood1->least = flood2->least = other->least = 1514;
	set_talking(flood1, 150 * MBIT);
	set_talking(flood2, 150 * MBIT);
	set_talking(other, 150 * MBIT);
	run_for(2 * SECOND_MS * ms);
	forget(good);
	forget(other);
	forget(flood1);
	run_for(4 * SECOND_MS * ms);
	int64_t loud_ns = percentile(good, 99);

	assert_nothing_lost(good);
	ck_assert_int_lt(loud_ns * 100, quiet_ns * 105);
	/* Best effort's frame on the wire at the node and at the port, and one of other's there. */
	ck_assert_int_le(percentile(good, 100) - quiet_ns, 3 * 123520);
	/* Other floods, and gets its share of the LAN (99 Mbit/s are for virtual links). */
	ck_assert_int_ge((int64_t)other->got_bytes * 8, 60 * 99 * MBIT / 100 * 4 * 99 / 100);
	ck_assert_int_le((int64_t)other->got_bytes * 8, 60 * 99 * MBIT / 100 * 4 * 101 / 100);
	/* Best effort has what is left, and is not starved. */
	ck_assert_uint_gt(flood1->got, 1000);
	ck_assert_uint_gt(flood1->sent, 2 * flood1->got);
	for (size_t i = 0; i < n_talks; i++)
		if (talks[i].mark != flood1->mark && talks[i].mark != flood2->mark)
			ck_assert_uint_eq(talks[i].alien, 0);
}
END_TEST

static void teardown(void)
{
	for (size_t i = 0; i < n_talks; i++)
		set_talking(&talks[i], 0);
	world_teardown();
	for (size_t i = 0; i < n_talks; i++)
		free(talks[i].waits);
	n_talks = 0;
}

int main(void)
{
	Suite *s = suite_create("isolation");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, world_setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, floods_change_nothing, 0, 3);
	tcase_add_test(t, a_lan_keeps_its_promises);
	tcase_add_test(t, deleting_a_flood_disturbs_nobody);
	suite_add_tcase(s, t);
	return suite_run(s);
}
