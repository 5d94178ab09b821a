/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page that a guest's kernel shares with the virtual clock: a good kernel, and one that lies.
 */
#include "lib/sock.h"
#include "substrate/clock/mail.h"
#include "substrate/clock/vclock_priv.h"
#include "substrate/nic/nic.h"
#include "substrate/nic/nic_vhost_priv.h"
#include "tests/support/suite.h"
#include "tests/support/vuser.h"

#include <check.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { START = 1, WAIT = 3, RUN = 6, SLOT = 3 };

static const struct device_kind *const no_kinds[] = {NULL};
static struct loop *loop;
static struct substrate *sub;
static struct vclock_guest *guest;
static char dir[64];
static int conn = -1, run_fd = -1, wait_fd = -1;
static uint8_t *page;
static struct mail *mail;

struct seen {
	unsigned queue;
	uint16_t avail;
	int64_t at_ns;
};

static struct vclock_guest_device device;
static struct seen seen[MAIL_KICKS + 1];
static size_t n_seen;

static void kicked(struct vclock_guest_device *d, unsigned queue, uint16_t avail, int64_t now_ns)
{
	ck_assert_uint_lt(n_seen, MAIL_KICKS + 1);
	ck_assert_int_eq(substrate_now_ns(sub), now_ns);
	seen[n_seen++] = (struct seen){.queue = queue, .avail = avail, .at_ns = now_ns};
}

static int64_t answer_ns(const struct vclock_guest_device *d, unsigned queue)
{
	return queue == 1 ? 7 : INT64_MAX;
}

static void pump(void)
{
	struct err e;

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
		substrate_run(sub);
	}
}

static void say(uint32_t op)
{
	struct time_message m = {.op = op};
	int fd = op == WAIT ? wait_fd : conn;

	ck_assert_int_eq(write(fd, &m, sizeof(m)), sizeof(m));
	pump();
}

/* The next turn: RUN, or -1 for none. */
static int hear(struct time_message *m)
{
	struct pollfd p = {.fd = run_fd, .events = POLLIN};

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLIN))
		return -1;
	return read(run_fd, m, sizeof(*m)) == sizeof(*m) ? (int)m->op : -1;
}

/* It has no guest any more. */
static bool has_left(void)
{
	char c;

	return recv(conn, &c, 1, MSG_DONTWAIT) == 0;
}

static void map_page(int fd)
{
	uint32_t len;

	ck_assert_int_eq(pread(fd, &len, sizeof(len), 4), sizeof(len));
	ck_assert_uint_ge(len, MAIL_OFFSET + sizeof(struct mail));
	page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	mail = (struct mail *)(page + MAIL_OFFSET);
	*(uint32_t *)(page + 4096 + 128) = 1; /* this kernel shares its memory */
}

static void set_up(void)
{
	char path[128], *none[] = {(char *)"clock"};
	struct words w = {.at = none, .n = 1};
	struct time_message m;
	struct err e = {0};
	int fds[4];
	size_t n_fds;

	signal(SIGPIPE, SIG_IGN);
	strcpy(dir, "/tmp/vbet-guest-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/time", dir);
	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	ck_assert_int_eq(vclock_create(sub, &w, &e), 0);
	guest = vclock_guest_create(vclock_of(sub), "g", path, &e);
	ck_assert_ptr_nonnull(guest);
	vclock_cmd_start(sub, &w, NULL, &e);
	conn = sock_connect(path, SOCK_STREAM, &e);
	ck_assert_int_ge(conn, 0);
	say(START);
	ck_assert_int_eq(sock_recv_fds(conn, &m, sizeof(m), fds, 4, &n_fds, 0), sizeof(m));
	ck_assert_uint_eq(n_fds, 4);
	map_page(fds[0]);
	run_fd = fds[2];
	wait_fd = fds[3];
	close(fds[0]);
	close(fds[1]);
	device = (struct vclock_guest_device){.kicked = kicked, .answer_ns = answer_ns};
	n_seen = 0;
	ck_assert_int_eq(vclock_guest_join(guest, &device, SLOT, &e), 0);
}

static void tear_down(void)
{
	close(conn);
	close(run_fd);
	close(wait_fd);
	substrate_destroy(sub);
	loop_destroy(loop);
	rmdir(dir);
}

static void kick(uint64_t time, uint16_t slot, uint16_t queue, uint16_t avail)
{
	mail->kick[mail->n_kicks++] =
		(struct mail_kick){.time = time, .device = slot, .queue = queue, .avail = avail};
}

START_TEST(kicks_come_with_their_times)
{
	ck_assert_uint_eq(mail->device[SLOT].answer_ns[1], 7);
	ck_assert_uint_eq(mail->device[SLOT].answer_ns[0], UINT32_MAX);
	kick(100, SLOT, 1, 5);
	kick(100, SLOT, 0, 6);
	kick(250, SLOT, 1, 7);
	ck_assert_uint_eq(n_seen, 0);
	say(WAIT);
	ck_assert_uint_eq(n_seen, 3);
	ck_assert_int_eq(seen[0].at_ns, 100);
	ck_assert_uint_eq(seen[1].queue, 0);
	ck_assert_uint_eq(seen[1].avail, 6);
	ck_assert_int_eq(seen[2].at_ns, 250);
	ck_assert_uint_eq(mail->n_kicks, 0);
}
END_TEST

static struct event_source source;
static int64_t fired_ns;

static void fire(struct event *ev, int64_t now_ns)
{
	fired_ns = now_ns;
	ck_assert_int_eq(substrate_now_ns(sub), now_ns);
}

/* The guest may go on for a second meanwhile: what happens elsewhere must not see how far. */
START_TEST(an_event_happens_at_its_time)
{
	struct event ev = {.fire = fire};
	int64_t granted_ns = substrate_now_ns(sub);

	event_source_init(&source, sub);
	ck_assert_int_gt(granted_ns, 1000);
	substrate_schedule(sub, NULL, &ev, 1000, &source);
	pump();
	ck_assert(vclock_guest_is_running(guest));
	ck_assert_int_eq(fired_ns, 1000);
	ck_assert_int_eq(substrate_now_ns(sub), granted_ns);
}
END_TEST

START_TEST(a_call_makes_it_run)
{
	struct time_message m;

	kick(250, SLOT, 1, 7);
	say(WAIT);
	ck_assert_int_eq(hear(&m), -1);
	vclock_guest_call(&device, 1 << 1, 400);
	vclock_guest_call(&device, MAIL_CONFIG, 500);
	pump();
	ck_assert_int_eq(hear(&m), RUN);
	ck_assert_uint_eq(m.time, 400);
	ck_assert_uint_eq(mail->called[0], 1 << SLOT);
	ck_assert_uint_eq(mail->device[SLOT].calls, MAIL_CONFIG | 1 << 1);
	ck_assert(vclock_guest_is_running(guest));
}
END_TEST

/* It can say what it likes of its own turn, which lasts a second, and of nothing else. */
START_TEST(lies_do_no_harm)
{
	struct time_message m;

	kick(100, SLOT, 1, 0);
	kick(50, SLOT, 1, 1);
	kick(UINT64_MAX, SLOT, UINT16_MAX, 2);
	kick(0, MAIL_DEVICES, 1, 3);
	kick(0, UINT16_MAX, 1, 4);
	kick(0, SLOT + 1, 1, 5);
	say(WAIT);
	ck_assert_uint_eq(n_seen, 3);
	ck_assert_int_eq(seen[1].at_ns, 100);
	ck_assert_int_eq(seen[2].at_ns, 1000000000);

	/* Nothing is in its past. */
	vclock_guest_call(&device, 1, 300);
	pump();
	ck_assert_int_eq(hear(&m), RUN);
	ck_assert_uint_eq(m.time, 1000000000);

	/* More than there can be. */
	n_seen = 0;
	for (size_t i = 0; i < MAIL_KICKS; i++)
		mail->kick[i].device = SLOT;
	mail->n_kicks = UINT32_MAX;
	say(WAIT);
	ck_assert_uint_eq(n_seen, MAIL_KICKS);
	ck_assert_uint_eq(mail->n_kicks, 0);
}
END_TEST

/* What it says by its pipe is a turn's end, whole, and in its turn. */
START_TEST(nothing_else_comes_by_the_pipe)
{
	static const struct time_message start = {.op = START}, wait = {.op = WAIT};
	const struct time_message *m = _i == 1 ? &start : &wait;

	if (_i == 0)
		say(WAIT);
	ck_assert_int_gt(write(wait_fd, m, _i == 2 ? 7 : sizeof(*m)), 0);
	pump();
	ck_assert(has_left());
}
END_TEST

/* A kernel's end: what it said before comes first, in whatever order both are heard of. */
START_TEST(what_it_said_last_counts)
{
	struct time_message m = {.op = WAIT};

	kick(250, SLOT, 1, 7);
	ck_assert_int_eq(write(wait_fd, &m, sizeof(m)), sizeof(m));
	close(conn);
	pump();
	ck_assert_uint_eq(n_seen, 1);
	ck_assert(!vclock_guest_is_running(guest));
	/* Nobody reads: that ends nothing of ours. */
	ck_assert_int_eq(write(wait_fd, &m, sizeof(m)), -1);
	conn = open("/dev/null", O_RDONLY | O_CLOEXEC);
}
END_TEST

/* The page goes, and what was closed is not watched for ever. */
START_TEST(a_closed_pipe_is_no_end)
{
	close(wait_fd);
	wait_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pump();
	ck_assert(!has_left());
	ck_assert_int_eq(loop_turn(loop, loop_now_ns(loop) + 1000000, &(struct err){0}), 0);
	ck_assert(vclock_guest_is_running(guest));
}
END_TEST

START_TEST(a_number_is_one_device)
{
	struct vclock_guest_device other = {.kicked = kicked, .answer_ns = answer_ns};
	struct err e = {0};

	ck_assert_int_eq(vclock_guest_join(guest, &other, SLOT, &e), -1);
	ck_assert_int_eq(vclock_guest_join(guest, &other, MAIL_DEVICES, &e), -1);
	vclock_guest_part(&device);
	ck_assert_int_eq(vclock_guest_join(guest, &other, SLOT, &e), 0);
	kick(100, SLOT, 1, 0);
	vclock_guest_part(&other);
	say(WAIT);
	ck_assert_uint_eq(n_seen, 0);
}
END_TEST

static void work(void *arg)
{
	pump();
}

static struct nic *nic;

/* A NIC of the guest's, and its driver. */
static void come(struct vuser *v)
{
	struct arena a = {0};
	struct err e = {0};
	char line[256], path[128];
	struct words w;

	snprintf(path, sizeof(path), "%s/nic", dir);
	snprintf(line, sizeof(line), "nic n vhost path=%s mac=02:00:00:00:00:01 guest=g", path);
	ck_assert_int_eq(words_split(line, strlen(line), &a, &w, &e), 0);
	nic = (struct nic *)nic_vhost.create(sub, "n", &w, &e);
	ck_assert_msg(nic != NULL, "%s", e.text);
	arena_finish(&a);
	ck_assert_int_eq(vuser_open(v, path, work, NULL), 0);
	v->more_protocol = VUSER_INBAND | UINT64_C(1) << 40;
}

/* Or it would have no time, and what it sends would be dated where the lab may never come. */
START_TEST(a_device_speaks_in_its_guests_turn)
{
	uint64_t queue = 0;
	struct vuser v;

	come(&v);
	ck_assert(vuser_set_up(&v, 2, UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30));
	ck_assert(vuser_ask(&v, 3, NULL, 0, NULL, 0));
	/* By the wall clock. */
	if (_i == 0) {
		int kick = eventfd(0, 0);

		ck_assert(!vuser_ask(&v, 12, &queue, 8, &kick, 1));
		close(kick);
	} else {
		say(WAIT);
		ck_assert(!vuser_ask(&v, 3, NULL, 0, NULL, 0));
	}
	ck_assert(vuser_hung_up(&v));
	vuser_close(&v);
}
END_TEST

/* A received frame lies in the guest's memory, of which it is to be told at call_ns. */
static void fill(struct vuser *v, int64_t call_ns)
{
	struct virtq *rx = &nic->vhost.queue[0].ring;
	struct vring_chain c;

	vuser_offer(v, 0, VUSER_BUFFER, true);
	ck_assert_int_eq(vring_take(rx, &c), 1);
	vring_give(rx, c.head, 60);
	vhost_publish_by(&nic->vhost, 0, 100, call_ns);
}

/*
 * What was sent is told late, and with what is received: one turn, not two. If what is received is
 * told soon after, it waits for that; else it does not wait.
 */
START_TEST(late_calls_are_no_turns_of_their_own)
{
	static const struct {
		int64_t rx_ns, run_ns;
		uint32_t calls;
	} cases[] = {{350000, 350000, 3}, {200000, 200000, 3}, {0, 300100, 2}};
	const uint64_t slot = SLOT + 1;
	struct time_message m;
	struct vuser v;

	come(&v);
	ck_assert(vuser_ask(&v, 60, &slot, sizeof(slot), NULL, 0));
	ck_assert(vuser_set_up(&v, 3,
			       UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				       UINT64_C(1) << VIRTIO_NET_F_CTRL_VQ));
	vuser_offer(&v, 1, 80, false);
	kick(100, SLOT + 1, 1, 1);
	if (cases[_i].rx_ns)
		fill(&v, cases[_i].rx_ns);
	say(WAIT);
	ck_assert_int_eq(hear(&m), RUN);
	ck_assert_int_eq((int64_t)m.time, cases[_i].run_ns);
	ck_assert_uint_eq(mail->device[SLOT + 1].calls, cases[_i].calls);
	mail->device[SLOT + 1].calls = 0;
	say(WAIT);
	ck_assert_int_eq(hear(&m), -1);
	vuser_close(&v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guest");
	TCase *t = tcase_create("page");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, kicks_come_with_their_times);
	tcase_add_test(t, an_event_happens_at_its_time);
	tcase_add_test(t, a_call_makes_it_run);
	tcase_add_test(t, lies_do_no_harm);
	tcase_add_loop_test(t, nothing_else_comes_by_the_pipe, 0, 3);
	tcase_add_test(t, what_it_said_last_counts);
	tcase_add_test(t, a_closed_pipe_is_no_end);
	tcase_add_test(t, a_number_is_one_device);
	tcase_add_loop_test(t, a_device_speaks_in_its_guests_turn, 0, 2);
	tcase_add_loop_test(t, late_calls_are_no_turns_of_their_own, 0, 3);
	suite_add_tcase(s, t);
	return suite_run(s);
}
