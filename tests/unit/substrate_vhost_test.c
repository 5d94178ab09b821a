/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NICs and their cables against a driver in this process: a good one, a slow one, hostile ones. */
#include "tests/unit/vhost_help.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

static int failing_writes; /* so many of the next ones find no memory */

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (failing_writes > 0) {
		failing_writes--;
		errno = ENOMEM;
		return -1;
	}
	return __real_write(fd, data, len);
}

static void send_frame(struct vuser *v, uint8_t byte, uint32_t len)
{
	unsigned i = v->queue[TX].next % VUSER_NUM;

	memset(vuser_buffer(v, TX, i), 0, HEADER);
	memset(vuser_buffer(v, TX, i) + HEADER, byte, len);
	vuser_offer(v, TX, HEADER + len, false);
	vuser_kick(v, TX);
}

static void expect_frame(struct vuser *v, uint8_t byte, uint32_t len)
{
	uint32_t index, used;

	for (int i = 0; i < 100; i++)
		pump(NULL);
	ck_assert(vuser_used(v, RX, &index, &used));
	ck_assert_uint_eq(used, HEADER + len);
	ck_assert_uint_eq(vuser_buffer(v, RX, index)[10], 1); /* num_buffers */
	ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER], byte);
	ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER + len - 1], byte);
}

START_TEST(frames_pass)
{
	uint32_t index, len;
	uint64_t call;

	join(NULL);
	connect_both(plain_features);
	ck_assert_ptr_nonnull(strstr(events, "event up a"));
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	send_frame(&a, 0x42, 60);
	expect_frame(&b, 0x42, 60);
	ck_assert_int_eq(recv(b.queue[RX].call_fd, &call, 8, MSG_DONTWAIT), 8);
	send_frame(&a, 0x43, 1514);
	expect_frame(&b, 0x43, 1514);
	ck_assert(vuser_used(&a, TX, &index, &len));
	ck_assert_uint_eq(counters("a")->in_frames, 2);
	ck_assert_uint_eq(counters("b")->out_frames, 2);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

/* A guest that does not read its calls: a full pipe, which it makes block after it gave it to us.
 */
START_TEST(nobody_waits_at_a_pipe_for_calls)
{
	uint64_t queue = RX;
	char much[4096] = "";
	int ends[2];

	join(NULL);
	connect_both(plain_features);
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	ck_assert(vuser_ask(&b, 13, &queue, 8, &ends[1], 1));
	while (write(ends[1], much, sizeof(much)) > 0)
		;
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	alarm(10);
	send_frame(&a, 0x42, 60);
	expect_frame(&b, 0x42, 60);
	alarm(0);
	while (read(ends[0], much, sizeof(much)) > 0)
		;
	send_frame(&a, 0x43, 60);
	expect_frame(&b, 0x43, 60);
	ck_assert_int_eq(read(ends[0], much, sizeof(much)), 8);
	vuser_close(&a);
	vuser_close(&b);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* A pipe needs memory for what is written: a call that finds none is tried again. */
START_TEST(a_call_without_memory_comes_later)
{
	uint64_t queue = RX;
	uint64_t call;
	int ends[2];

	join(NULL);
	connect_both(plain_features);
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	ck_assert(vuser_ask(&b, 13, &queue, 8, &ends[1], 1));
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	send_frame(&a, 0x42, 60);
	failing_writes = INT_MAX;
	expect_frame(&b, 0x42, 60);
	ck_assert_int_lt(read(ends[0], &call, sizeof(call)), 0);
	failing_writes = 2;
	while (read(ends[0], &call, sizeof(call)) < 0)
		pump(NULL);
	ck_assert_int_eq(failing_writes, 0);
	vuser_close(&a);
	vuser_close(&b);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* An eventfd that is full holds its writer up, and nobody can open it anew. */
START_TEST(calls_by_what_may_block_are_refused)
{
	uint64_t queue = RX;
	int full = eventfd(0, 0);

	join(NULL);
	connect_both(plain_features);
	ck_assert(!vuser_ask(&b, 13, &queue, 8, &full, 1));
	ck_assert(vuser_hung_up(&b));
	ck_assert_ptr_nonnull(strstr(events, "calls go through a pipe or a socket"));
	close(full);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(delay_and_buffers_that_come_late)
{
	join("delay=1ms");
	connect_both(plain_features);
	vuser_offer(&b, RX, 2048, true);
	for (int i = 0; i < 5; i++)
		send_frame(&a, (uint8_t)i, 100);
	for (int i = 0; i < 3000; i++)
		pump(NULL);
	usleep(2000);
	pump(NULL);
	for (int i = 0; i < 4; i++)
		vuser_offer(&b, RX, 2048, true);
	vuser_kick(&b, RX);
	for (int i = 0; i < 5; i++)
		expect_frame(&b, (uint8_t)i, 100);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(frames_over_several_buffers)
{
	uint32_t index, used;

	join(NULL);
	connect_both(plain_features | UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF);
	for (int i = 0; i < 3; i++)
		vuser_offer(&b, RX, 500, true);
	vuser_kick(&b, RX);
	send_frame(&a, 7, 1200);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(used, 500);
	ck_assert_uint_eq(vuser_buffer(&b, RX, index)[10], 3);
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(used, 1212 - 1000);
	/* Two buffers are not enough for the next: it waits for the third. */
	vuser_offer(&b, RX, 500, true);
	vuser_offer(&b, RX, 500, true);
	send_frame(&a, 8, 1200);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(!vuser_used(&b, RX, &index, &used));
	vuser_offer(&b, RX, 500, true);
	vuser_kick(&b, RX);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(vuser_used(&b, RX, &index, &used));
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(drops_are_counted)
{
	connect_both(plain_features);
	send_frame(&a, 1, 60); /* no cable */
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert_uint_eq(counters("a")->dropped[END_DROP_UNPLUGGED], 1);
	join(NULL);
	/* Nobody has set the interface up yet: nothing is kept for it. */
	send_frame(&a, 1, 60);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->dropped[END_DROP_DOWN], 1);
	vuser_offer(&b, RX, 2048, true);
	send_frame(&a, 1, 13);
	unsigned i = a.queue[TX].next % VUSER_NUM;

	send_frame(&a, 1, 60);
	vuser_buffer(&a, TX, i)[1] = VIRTIO_NET_HDR_GSO_TCPV4;
	for (int k = 0; k < 20; k++)
		pump(NULL);
	ck_assert_uint_eq(counters("a")->dropped[END_DROP_RUNT], 1);
	ck_assert_uint_eq(counters("a")->dropped[END_DROP_OFFLOAD], 1);
	for (int k = 0; k < 1030; k++) {
		uint32_t index, len;

		send_frame(&a, 1, 60);
		pump(NULL);
		vuser_used(&a, TX, &index, &len);
	}
	for (int k = 0; k < 20; k++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->dropped[END_DROP_QUEUE], 5);
	vuser_close(&b);
	for (int k = 0; k < 20; k++)
		pump(NULL);
	send_frame(&a, 1, 60);
	for (int k = 0; k < 20; k++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->dropped[END_DROP_DOWN], 1 + 1024 + 1);
	vuser_close(&a);
}
END_TEST

START_TEST(a_guest_comes_back)
{
	join(NULL);
	for (int i = 0; i < 3; i++) {
		connect_both(plain_features);
		vuser_offer(&b, RX, 2048, true);
		send_frame(&a, 9, 60);
		expect_frame(&b, 9, 60);
		vuser_close(&a);
		vuser_close(&b);
		for (int k = 0; k < 20; k++)
			pump(NULL);
	}
	ck_assert_ptr_nonnull(strstr(events, "event down a \"the guest closed the connection\""));
}
END_TEST

START_TEST(a_message_in_pieces)
{
	uint32_t head[3] = {VHOST_GET_FEATURES, 1, 0};
	uint64_t value;

	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	for (size_t i = 0; i < sizeof(head); i++) {
		ck_assert_int_eq(send(a.sock, (char *)head + i, 1, 0), 1);
		pump(NULL);
		pump(NULL);
	}
	ck_assert(vuser_answer(&a, &value));
	ck_assert(value & VHOST_F_PROTOCOL_FEATURES);
	vuser_close(&a);
}
END_TEST

/* What a guest must not say; each costs it the connection. */
static const struct {
	uint32_t request, flags, size;
	uint32_t payload[18];
	unsigned n_fds;
} bad[] = {
	{77, 1, 0, {0}, 0},                                      /* unknown */
	{VHOST_SET_OWNER, 2, 0, {0}, 0},                         /* version */
	{VHOST_SET_OWNER, 1, 100000, {0}, 0},                    /* too long */
	{VHOST_SET_FEATURES, 1, 4, {0}, 0},                      /* too short */
	{VHOST_SET_FEATURES, 1, 8, {0xffffffff, 0xffffffff}, 0}, /* not offered */
	{VHOST_SET_MEM_TABLE, 1, 72, {1, 0, 0, 0, 4096}, 0},     /* no descriptor */
	{VHOST_SET_MEM_TABLE, 1, 72, {3, 0, 0, 0, 4096}, 1},     /* too many regions */
	{VHOST_SET_MEM_TABLE, 1, 72, {1, 0, 0, 0, VUSER_MEM + 1}, 1},
	{VHOST_SET_MEM_TABLE, 1, 72, {1, 0, 0, 0, 4096, 0, 0, 0, ~0u, ~0u}, 1}, /* offset wraps */
	{VHOST_SET_VRING_NUM, 1, 8, {2, 256}, 0},                               /* no such queue */
	{VHOST_SET_VRING_NUM, 1, 8, {0, 3}, 0},
	{VHOST_SET_VRING_ADDR, 1, 40, {0}, 0},     /* before size */
	{VHOST_SET_VRING_ENABLE, 1, 8, {0, 1}, 0}, /* before address */
	{VHOST_SET_VRING_KICK, 1, 8, {0}, 0},      /* no descriptor */
	{VHOST_SET_VRING_KICK, 1, 8, {VHOST_VRING_NO_FD}, 0},
	{VHOST_SET_SLAVE_REQ_FD, 1, 0, {0}, 0},
	{VHOST_GET_CONFIG, 1, 20, {0, 4000, 0}, 0},
	{VHOST_VRING_KICK, 1, 8, {9}, 0},
};

START_TEST(bad_messages)
{
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	vuser_send(&a, bad[_i].request, bad[_i].flags,
		   bad[_i].size > sizeof(bad[_i].payload) ? NULL : bad[_i].payload, bad[_i].size,
		   &a.memory_fd, bad[_i].n_fds);
	ck_assert(vuser_hung_up(&a));
	vuser_close(&a);
	/* And the next one is welcome. */
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, plain_features));
	vuser_close(&a);
}
END_TEST

START_TEST(a_broken_ring_costs_only_its_port)
{
	join(NULL);
	connect_both(plain_features);
	a.queue[TX].desc[0].addr = 1;
	a.queue[TX].desc[0].len = 100;
	a.queue[TX].avail[1] = 1;
	vuser_kick(&a, TX);
	ck_assert(vuser_hung_up(&a));
	ck_assert_ptr_nonnull(
		strstr(events, "event down a \"a buffer is not in the guest's memory\""));
	ck_assert_ptr_null(strstr(events, "event down b"));
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(memory_that_shrinks)
{
	join(NULL);
	connect_both(plain_features);
	ck_assert_int_eq(ftruncate(a.memory_fd, 4096), 0);
	vuser_kick(&a, TX);
	ck_assert(vuser_hung_up(&a));
	ck_assert_ptr_nonnull(strstr(events, "event down a \"the guest's memory shrank\""));
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(removed_while_busy)
{
	join("delay=10ms");
	connect_both(plain_features);
	for (int i = 0; i < 10; i++)
		send_frame(&a, 1, 60);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	struct object *o = object_find(sub, _i ? "b" : "a");

	o->kind->destroy(o);
	ck_assert_ptr_null(object_find(sub, "c"));
	usleep(11000);
	pump(NULL);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -1; /* its own */

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Of what a guest hands over only what is needed is kept, and nothing of a guest that has gone. */
START_TEST(few_descriptors)
{
	enum { OF_DRIVER = 3 + 2 * 2, OF_DEVICE = 2 + 2, LISTENER = 1, ENDS = 2 };
	int before = open_descriptors();
	uint64_t queue;
	int ends[ENDS];

	join(NULL);
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, plain_features));
	ck_assert_int_eq(open_descriptors(), before + OF_DRIVER + OF_DEVICE - LISTENER);
	/* Both queues are called by one pipe, as Linux does it. */
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	for (queue = 0; queue < 2; queue++)
		ck_assert(vuser_ask(&a, VHOST_SET_VRING_CALL, &queue, 8, &ends[1], 1));
	ck_assert_int_eq(open_descriptors(), before + OF_DRIVER + OF_DEVICE - 1 - LISTENER + ENDS);
	/* One of them gets another: that of the other stays. */
	queue = TX;
	ck_assert(vuser_ask(&a, VHOST_SET_VRING_CALL, &queue, 8, &a.slave_fd, 1));
	ck_assert_int_eq(vuser_open(&b, path_of("b"), pump, NULL), 0);
	ck_assert(vuser_set_up(&b, 2, plain_features));
	vuser_offer(&a, RX, VUSER_BUFFER, true);
	vuser_kick(&a, RX);
	send_frame(&b, 0x42, 60);
	for (int i = 0; i < 100; i++)
		pump(NULL);
	ck_assert_int_eq(read(ends[0], &queue, 8), 8);
	vuser_close(&a);
	vuser_close(&b);
	for (int i = 0; i < 100; i++)
		pump(NULL);
	ck_assert_int_eq(open_descriptors(), before + ENDS);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Before the next boot whoever is still connected is hung up, whether his end was seen or not. */
START_TEST(it_listens_when_it_is_told_to)
{
	struct object *o = object_find(sub, "a");
	struct vuser next;
	struct err e = {0};

	ck_assert_int_eq(o->kind->listen(o, &e), 0);
	connect_both(plain_features);
	ck_assert_int_lt(vuser_open(&next, path_of("a"), pump, NULL), 0);
	vuser_close(&next);
	vuser_close(&a); /* nobody has looked at that yet */
	ck_assert_int_eq(o->kind->listen(o, &e), 0);
	ck_assert_ptr_nonnull(strstr(events, "event down a"));
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, plain_features));
	ck_assert_int_eq(o->kind->listen(o, &e), 0);
	ck_assert(vuser_hung_up(&a));
	/* What is left of it may go on kicking. */
	vuser_kick(&a, TX);
	pump(NULL);
	vuser_close(&a);
	/* Something else lies in its place: that is said. */
	o = object_find(sub, "b");
	ck_assert_int_eq(unlink(path_of("b")), 0);
	ck_assert_int_eq(mkdir(path_of("b"), 0700), 0);
	ck_assert_int_eq(o->kind->listen(o, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "listen at"));
	ck_assert_int_eq(rmdir(path_of("b")), 0);
	ck_assert_int_eq(o->kind->listen(o, &e), 0);
	vuser_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, frames_pass);
	tcase_add_test(t, nobody_waits_at_a_pipe_for_calls);
	tcase_add_test(t, a_call_without_memory_comes_later);
	tcase_add_test(t, calls_by_what_may_block_are_refused);
	tcase_add_test(t, delay_and_buffers_that_come_late);
	tcase_add_test(t, frames_over_several_buffers);
	tcase_add_test(t, drops_are_counted);
	tcase_add_test(t, a_guest_comes_back);
	tcase_add_test(t, a_message_in_pieces);
	tcase_add_loop_test(t, bad_messages, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, a_broken_ring_costs_only_its_port);
	tcase_add_test(t, memory_that_shrinks);
	tcase_add_test(t, few_descriptors);
	tcase_add_test(t, it_listens_when_it_is_told_to);
	tcase_add_loop_test(t, removed_while_busy, 0, 2);
	tcase_set_timeout(t, 20);
	suite_add_tcase(s, t);
	return suite_run(s);
}
