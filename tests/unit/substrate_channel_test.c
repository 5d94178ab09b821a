/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A channel whose guest never has enough: everybody else has his turn all the same. */
#include "substrate/virtio/channel.h"

#include "lib/sock.h"
#include "tests/unit/vhost_help.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum {
	CONTROL_TX = 3,
	CHANNEL_TX = 5,
	QUEUES = 6,
	LONG_CHAIN = 100,
	MANY = 300,
	/* In one turn of the loop: a batch when it is kicked, and what is put off. */
	MOST_CHAINS = 5000,
	MOST_MESSAGES = 64,
};

static struct vuser v;
static bool is_full; /* the kernel takes no more descriptors to be waited for */

int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (is_full && op == EPOLL_CTL_ADD) {
		errno = ENOSPC;
		return -1;
	}
	return __real_epoll_ctl(epfd, op, fd, event);
}

static void add_channel(void)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	char line[256];

	snprintf(line, sizeof(line), "channel c path=%s stream=%s", path_of("c"), path_of("s"));
	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
	ck_assert_msg(channel_create(sub, "c", &w, &e) != NULL, "%s", e.text);
	arena_finish(&arena);
	ck_assert_int_eq(vuser_open(&v, path_of("c"), pump, NULL), 0);
	ck_assert(vuser_set_up(&v, QUEUES, plain_features));
}

/*
 * What the device has taken shows in the entries of the used ring, long before its index: each is
 * marked, and offered anew as soon as the mark has gone. The device never finds the ring empty.
 */
static void offer_for_ever(int queue)
{
	struct vuser_queue *q = &v.queue[queue];
	volatile uint32_t *entries = (volatile uint32_t *)&q->used[2];

	for (uint16_t taken = 0;; taken++) {
		volatile uint32_t *entry = &entries[(size_t)(taken % VUSER_NUM) * 2];

		while (*entry == UINT32_MAX)
			;
		*entry = UINT32_MAX;
		__atomic_store_n(&q->avail[1], (uint16_t)(taken + 1 + VUSER_NUM), __ATOMIC_RELEASE);
	}
}

START_TEST(a_flood_of_bytes_has_turns)
{
	const int queue = _i;

	add_channel();
	memset((void *)(uintptr_t)&v.queue[queue].used[2], 0xff, 8 * VUSER_NUM);
	/* All of them the same chain, which takes long to follow. */
	for (int i = 0; i < VUSER_NUM; i++)
		vuser_offer(&v, (unsigned)queue, 60, false);
	for (uint16_t i = 0; i + 1 < LONG_CHAIN; i++) {
		v.queue[queue].desc[i].flags = VRING_DESC_F_NEXT;
		v.queue[queue].desc[i].next = (uint16_t)(i + 1);
	}
	for (int i = 0; i < VUSER_NUM; i++)
		v.queue[queue].avail[2 + i] = 0;
	pid_t other = fork();

	if (other == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		offer_for_ever(queue);
	}
	for (int i = 0; i < 1000; i++) {
		uint16_t before = v.queue[queue].used[1];

		vuser_kick(&v, (unsigned)queue);
		pump(NULL);
		ck_assert_uint_lt((uint16_t)(v.queue[queue].used[1] - before), MOST_CHAINS);
	}
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	vuser_close(&v);
}
END_TEST

static size_t count_answers(void)
{
	uint8_t answers[MANY][20];
	ssize_t got = recv(v.sock, answers, sizeof(answers), MSG_DONTWAIT);

	return got > 0 ? (size_t)got / sizeof(answers[0]) : 0;
}

START_TEST(a_flood_of_messages_has_turns)
{
	uint32_t questions[MANY][3];
	size_t answered = 0;

	add_channel();
	for (size_t i = 0; i < MANY; i++)
		memcpy(questions[i], (uint32_t[]){VHOST_GET_FEATURES, VHOST_VERSION, 0}, 12);
	ck_assert_int_eq(send(v.sock, questions, sizeof(questions), 0), sizeof(questions));
	for (int i = 0; i < 100; i++) {
		pump(NULL);
		size_t n = count_answers();

		ck_assert_uint_le(n, MOST_MESSAGES);
		answered += n;
	}
	ck_assert_uint_eq(answered, MANY);
	vuser_close(&v);
}
END_TEST

/* Somebody comes, and is let go; who comes later finds all as it was. */
static void come_in_vain(const char *name)
{
	struct err e;
	char byte;
	int fd = sock_connect(path_of(name), SOCK_STREAM, &e);

	ck_assert_int_ge(fd, 0);
	is_full = true;
	pump(NULL);
	is_full = false;
	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	fd = sock_connect(path_of(name), SOCK_STREAM, &e);
	pump(NULL);
	ck_assert_int_lt(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	pump(NULL);
}

START_TEST(the_client_that_cannot_be_heard_is_told)
{
	add_channel();
	come_in_vain("s");
	ck_assert_ptr_nonnull(
		strstr(events, "event unable c \"epoll_ctl: No space left on device\"\n"));
	vuser_close(&v);
}
END_TEST

START_TEST(a_device_that_cannot_be_heard_is_told)
{
	add_nic("n", 1);
	come_in_vain("n");
	ck_assert_ptr_nonnull(
		strstr(events, "event unable n \"epoll_ctl: No space left on device\"\n"));
}
END_TEST

/* A stranger that would stay for ever, and ours behind it. */
START_TEST(only_the_server_is_let_in)
{
	struct err e;
	char byte;
	int status, there[2];

	add_channel();
	sub->server = getpid();
	ck_assert_int_eq(pipe(there), 0);
	pid_t stranger = fork();

	if (stranger == 0) {
		int fd = sock_connect(path_of("s"), SOCK_STREAM, &e);

		(void)!write(there[1], "x", 1);
		_exit(fd >= 0 && recv(fd, &byte, 1, 0) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(read(there[0], &byte, 1), 1);
	int fd = sock_connect(path_of("s"), SOCK_STREAM, &e);

	pump(NULL);
	ck_assert_int_eq(waitpid(stranger, &status, 0), stranger);
	ck_assert_int_eq(status, 0);
	ck_assert_int_lt(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	close(there[0]);
	close(there[1]);
	vuser_close(&v);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_flood_of_bytes_has_turns, CONTROL_TX, CONTROL_TX + 1);
	tcase_add_loop_test(t, a_flood_of_bytes_has_turns, CHANNEL_TX, CHANNEL_TX + 1);
	tcase_add_test(t, a_flood_of_messages_has_turns);
	tcase_add_test(t, the_client_that_cannot_be_heard_is_told);
	tcase_add_test(t, a_device_that_cannot_be_heard_is_told);
	tcase_add_test(t, only_the_server_is_let_in);
}

int main(void)
{
	return suite_run_case("channel", add);
}
