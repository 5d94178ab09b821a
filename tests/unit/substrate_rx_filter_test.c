/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multicast frames at a NIC whose driver says which groups it wants, by the control queue. */
#include "substrate/nic/rx_filter.h"

#include "tests/unit/vhost_help.h"

enum { CONTROL = 2, PROMISC = 0, ALLMULTI = 1, RX_CLASS = 0, MAC_CLASS = 1 };

static const uint64_t filter_features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
					UINT64_C(1) << VIRTIO_NET_F_CTRL_VQ |
					UINT64_C(1) << VIRTIO_NET_F_CTRL_RX;
static const uint8_t group[] = {0x01, 0x00, 0x5e, 0, 0, 5};
static const uint8_t other[] = {0x33, 0x33, 0, 0, 0, 2};
static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t station[] = {2, 0, 0, 0, 0, 9};

static void connect_filtered(void)
{
	join(NULL);
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert_int_eq(vuser_open(&b, path_of("b"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, plain_features));
	ck_assert(vuser_set_up(&b, 3, filter_features));
}

static void close_both(void)
{
	vuser_close(&a);
	vuser_close(&b);
}

/* A command of len bytes, and room for the answer in a buffer of its own; returns the answer. */
static int command(uint8_t class, uint8_t number, const void *data, size_t len)
{
	struct vuser_queue *q = &b.queue[CONTROL];
	unsigned first = q->next % VUSER_NUM;
	unsigned second = (first + 1) % VUSER_NUM;
	uint8_t *to = vuser_buffer(&b, CONTROL, first);
	uint8_t *answer = vuser_buffer(&b, CONTROL, second);
	uint32_t index, used;

	to[0] = class;
	to[1] = number;
	memcpy(to + 2, data, len);
	*answer = 0xff;
	/* The second is offered to be described; the driver's index then counts one chain. */
	vuser_offer(&b, CONTROL, (uint32_t)len + 2, false);
	vuser_offer(&b, CONTROL, 1, true);
	q->next--;
	q->avail[1]--;
	q->desc[first].flags = VRING_DESC_F_NEXT;
	q->desc[first].next = (uint16_t)second;
	vuser_kick(&b, CONTROL);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(vuser_used(&b, CONTROL, &index, &used));
	ck_assert_uint_eq(used, 1);
	return *answer;
}

static int mode(uint8_t number, uint8_t on)
{
	return command(RX_CLASS, number, &on, 1);
}

/* A table of one station and n groups, the first of them ours. */
static int table(uint32_t n)
{
	uint8_t data[4 + 6 + 4 + 6 * 100] = {1};

	memcpy(data + 10, &n, sizeof(n));
	for (uint32_t i = 0; i < n && i < 100; i++)
		data[14 + i * 6] = 1;
	memcpy(data + 14, group, 6);
	return command(MAC_CLASS, 0, data, 14 + (size_t)n * 6);
}

/* Whether a frame to this address arrives. If not, it is counted. */
static bool arrives(const uint8_t *to)
{
	uint64_t filtered = counters("b")->dropped[END_DROP_FILTER];
	uint64_t seen = counters("b")->out_frames;
	uint32_t index, len;

	vuser_offer(&b, RX, 2048, true);
	uint8_t *frame = vuser_buffer(&a, TX, a.queue[TX].next % VUSER_NUM);

	memset(frame, 0, HEADER + 60);
	memcpy(frame + HEADER, to, 6);
	vuser_offer(&a, TX, HEADER + 60, false);
	vuser_kick(&a, TX);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->out_frames, seen + 1);
	bool came = vuser_used(&b, RX, &index, &len);

	ck_assert_uint_eq(counters("b")->dropped[END_DROP_FILTER], filtered + !came);
	return came;
}

START_TEST(what_was_not_joined_stops_at_the_nic)
{
	connect_filtered();
	/* It has said nothing yet. */
	ck_assert(arrives(other));
	ck_assert_int_eq(table(1), VIRTIO_NET_OK);
	ck_assert(arrives(group));
	ck_assert(!arrives(other));
	ck_assert(arrives(all));
	ck_assert(arrives(station));
	ck_assert_int_eq(mode(PROMISC, 1), VIRTIO_NET_OK);
	ck_assert(arrives(other));
	ck_assert_int_eq(mode(PROMISC, 0), VIRTIO_NET_OK);
	ck_assert(!arrives(other));
	ck_assert_int_eq(mode(ALLMULTI, 1), VIRTIO_NET_OK);
	ck_assert(arrives(other));
	ck_assert_int_eq(mode(ALLMULTI, 0), VIRTIO_NET_OK);
	ck_assert_int_eq(table(RX_FILTER_GROUPS), VIRTIO_NET_OK);
	ck_assert(arrives(group));
	ck_assert(!arrives(other));
	/* More than are kept: better too much than too little. */
	ck_assert_int_eq(table(RX_FILTER_GROUPS + 1), VIRTIO_NET_OK);
	ck_assert(arrives(other));
	close_both();
}
END_TEST

START_TEST(the_next_boot_begins_without_a_filter)
{
	uint32_t off[2] = {CONTROL, 0}, on[2] = {CONTROL, 1};

	connect_filtered();
	ck_assert_int_eq(table(1), VIRTIO_NET_OK);
	ck_assert(!arrives(other));
	ck_assert(vuser_ask(&b, VHOST_SET_VRING_ENABLE, off, sizeof(off), NULL, 0));
	ck_assert(vuser_ask(&b, VHOST_SET_VRING_ENABLE, on, sizeof(on), NULL, 0));
	ck_assert(arrives(other));
	close_both();
}
END_TEST

START_TEST(damaged_commands_change_nothing)
{
	/* Counts that are longer than what is there, up to those that run over. */
	static const uint32_t damaged[][2] = {
		{0, 1}, {1, 0}, {0, 0x2aaaaaab}, {0xffffffff, 0}, {0x80000000, 0x80000000}};

	connect_filtered();
	ck_assert_int_eq(table(1), VIRTIO_NET_OK);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
		ck_assert_int_eq(command(MAC_CLASS, 0, damaged[i], 8), VIRTIO_NET_ERR);
	ck_assert_int_eq(command(MAC_CLASS, 0, "", 1), VIRTIO_NET_ERR);
	ck_assert_int_eq(command(MAC_CLASS, 1, station, 6), VIRTIO_NET_ERR);
	ck_assert_int_eq(command(RX_CLASS, PROMISC, "\1\1", 2), VIRTIO_NET_ERR);
	ck_assert_int_eq(mode(5, 1), VIRTIO_NET_ERR);
	ck_assert_int_eq(command(4, 0, "", 1), VIRTIO_NET_ERR);
	ck_assert(arrives(group));
	ck_assert(!arrives(other));
	close_both();
}
END_TEST

START_TEST(no_room_for_an_answer)
{
	connect_filtered();
	memset(vuser_buffer(&b, CONTROL, 0), 0, 3);
	vuser_offer(&b, CONTROL, 3, false);
	vuser_kick(&b, CONTROL);
	ck_assert(vuser_hung_up(&b));
	ck_assert_ptr_nonnull(strstr(events, "a command without room for its answer"));
	close_both();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rx_filter");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, what_was_not_joined_stops_at_the_nic);
	tcase_add_test(t, the_next_boot_begins_without_a_filter);
	tcase_add_test(t, damaged_commands_change_nothing);
	tcase_add_test(t, no_room_for_an_answer);
	tcase_set_timeout(t, 20);
	suite_add_tcase(s, t);
	return suite_run(s);
}
