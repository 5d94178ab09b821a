/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/vguest.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "substrate/clock/time_page.h"

#include <check.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RX, TX, HEADER = 12, SLOT = 5, SET_MAIL = 60, FRAME_MOST = 1400 };

static const uint64_t features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				 UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF;

/* The other side is another process. */
static void wait_a_little(void *arg)
{
	struct vuser *v = arg;
	struct pollfd p = {.fd = v->sock, .events = POLLIN};

	poll(&p, 1, 5);
}

static uint64_t next_random(struct vguest *g)
{
	g->random = g->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return g->random >> 33;
}

static void kick(struct vguest *g, unsigned queue)
{
	struct mail *m = &g->page->mail;

	ck_assert_uint_lt(m->n_kicks, MAIL_KICKS);
	m->kick[m->n_kicks++] = (struct mail_kick){.time = g->page->current_time,
						   .device = SLOT,
						   .queue = (uint16_t)queue,
						   .avail = g->nic.queue[queue].next};
}

static void say(struct vguest *g, enum time_op op)
{
	struct time_message m = {.op = op, .seq = 7};

	ck_assert_int_eq(send(g->conn, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
}

static void come(struct vguest *g, const char *dir, enum time_op op)
{
	struct err e;

	snprintf(g->time_path, sizeof(g->time_path), "%s/%s.time", dir, g->name);
	snprintf(g->nic_path, sizeof(g->nic_path), "%s/%s.nic", dir, g->name);
	g->conn = sock_connect(g->time_path, SOCK_STREAM, &e);
	ck_assert_msg(g->conn >= 0, "%s", e.text);
	say(g, op);
}

void vguest_start(struct vguest *g, const char *name, const char *dir, int64_t every_ns)
{
	*g = (struct vguest){.every_ns = every_ns, .next_ns = every_ns};
	snprintf(g->name, sizeof(g->name), "%s", name);
	for (const char *p = name; *p; p++)
		g->random = g->random * 31 + (unsigned char)*p;
	g->notes = xstrdup("");
	come(g, dir, TIME_START);
}

static void leave(struct vguest *g)
{
	if (g->page) {
		munmap(g->page, sizeof(*g->page));
		close(g->run_fd);
		close(g->wait_fd);
	}
	g->page = NULL;
	close(g->conn);
}

void vguest_finish(struct vguest *g)
{
	leave(g);
	vuser_close(&g->nic);
	free(g->notes);
}

/* The answer to START or RESUME: the page, and the pipes. */
static bool take_page(struct vguest *g)
{
	struct time_message m;
	int fds[4];
	size_t n = 0;

	if (sock_recv_fds(g->conn, &m, sizeof(m), fds, 4, &n, 0) != sizeof(m))
		return false;
	ck_assert_uint_eq(m.op, TIME_ACK);
	ck_assert_uint_eq(m.seq, 7);
	ck_assert_uint_eq(n, 4);
	g->page = mmap(NULL, sizeof(*g->page), PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	ck_assert_ptr_ne(g->page, MAP_FAILED);
	close(fds[0]);
	close(fds[1]);
	g->run_fd = fds[2];
	g->wait_fd = fds[3];
	return true;
}

static void plug_in(struct vguest *g)
{
	uint64_t slot = SLOT;

	ck_assert(vuser_ask(&g->nic, SET_MAIL, &slot, sizeof(slot), NULL, 0));
	ck_assert(vuser_set_up(&g->nic, 2, features));
}

static void first_turn(struct vguest *g)
{
	g->page->client[PAGE_GUEST].capabilities = PAGE_CAP_SHARE;
	ck_assert_int_eq(vuser_open(&g->nic, g->nic_path, wait_a_little, &g->nic), 0);
	g->nic.more_protocol = VUSER_INBAND | UINT64_C(1) << 40;
	plug_in(g);
	for (int i = 0; i < VUSER_NUM; i++)
		vuser_offer(&g->nic, RX, VUSER_BUFFER, true);
	kick(g, RX);
}

static void note(struct vguest *g, const uint8_t *frame, uint32_t len)
{
	size_t room = g->notes_len + 64 + 2 * (size_t)len;

	g->notes = xrealloc(g->notes, room);
	g->notes_len += (size_t)sprintf(g->notes + g->notes_len, "%s %llu ", g->name,
					(unsigned long long)g->page->current_time);
	for (uint32_t i = 0; i < len; i++)
		g->notes_len += (size_t)sprintf(g->notes + g->notes_len, "%02x", frame[i]);
	g->notes_len += (size_t)sprintf(g->notes + g->notes_len, "\n");
	g->came++;
}

static void take_frames(struct vguest *g)
{
	uint32_t i, len;
	bool any = false;

	while (vuser_used(&g->nic, RX, &i, &len)) {
		note(g, vuser_buffer(&g->nic, RX, i) + HEADER, len - HEADER);
		vuser_offer(&g->nic, RX, VUSER_BUFFER, true);
		any = true;
	}
	while (vuser_used(&g->nic, TX, &i, &len))
		;
	if (any)
		kick(g, RX);
}

/* To the other one, to all, or to somebody whom the switch does not know. */
static void send_frame(struct vguest *g)
{
	uint32_t len = 60 + (uint32_t)(next_random(g) % (FRAME_MOST - 60));
	uint8_t *at = vuser_buffer(&g->nic, TX, g->nic.queue[TX].next % VUSER_NUM);
	uint8_t *f = at + HEADER;
	uint64_t to = next_random(g) % 8;

	memset(at, 0, HEADER);
	for (uint32_t i = 0; i < len; i++)
		f[i] = (uint8_t)next_random(g);
	memset(f, to == 0 ? 0xff : 0, 6);
	memset(f + 6, 0, 6);
	f[0] = to == 0 ? 0xff : 2;
	f[5] = to == 0 ? 0xff : to == 1 ? 9 : (uint8_t)(g->name[0] == 'a' ? 'b' : 'a');
	f[6] = 2;
	f[11] = (uint8_t)g->name[0];
	f[12] = 0x88;
	f[13] = 0xb5;
	memcpy(f + 14, &g->sent, sizeof(g->sent));
	g->sent++;
	vuser_offer(&g->nic, TX, HEADER + len, false);
	kick(g, TX);
}

static void take_turn(struct vguest *g)
{
	struct mail *m = &g->page->mail;
	struct time_client *me = &g->page->client[PAGE_GUEST];
	const struct time_message wait = {.op = TIME_WAIT};

	memset(m->called, 0, sizeof(m->called));
	m->device[SLOT].calls = 0;
	take_frames(g);
	while ((int64_t)g->page->current_time >= g->next_ns) {
		send_frame(g);
		g->next_ns += g->every_ns;
	}
	me->request = (uint64_t)g->next_ns;
	me->flags = PAGE_WANTS_RUN;
	ck_assert_int_eq(write(g->wait_fd, &wait, sizeof(wait)), sizeof(wait));
}

/* Its memory is what it is. */
static void write_out(struct vguest *g, uint32_t seq, int fd)
{
	struct time_message m = {.op = TIME_ACK, .seq = seq, .time = VUSER_MEM};

	ck_assert_int_eq(sock_write_all(fd, g->nic.memory, VUSER_MEM), 0);
	close(fd);
	ck_assert_int_eq(send(g->conn, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
}

int vguest_fd(const struct vguest *g)
{
	return g->page ? g->run_fd : g->conn;
}

bool vguest_turn(struct vguest *g)
{
	struct time_message m;
	int fd = -1;
	size_t n = 0;

	if (!g->page) {
		if (!take_page(g))
			return false;
		first_turn(g);
		take_turn(g);
		return true;
	}
	if (read(g->run_fd, &m, sizeof(m)) != sizeof(m))
		return false;
	if (m.op == TIME_FREEZE || m.op == TIME_FREEZE_SHARE) {
		g->shares = m.op == TIME_FREEZE_SHARE;
		ck_assert_int_eq(sock_recv_fds(g->conn, &m, sizeof(m), &fd, 1, &n, 0), sizeof(m));
		ck_assert_uint_eq(n, 1);
		write_out(g, m.seq, fd);
		return true;
	}
	ck_assert_uint_eq(m.op, TIME_RUN);
	take_turn(g);
	return true;
}

void vguest_keep(const struct vguest *g, struct vguest_kept *k, const char *file)
{
	FILE *f = fopen(file, "re");

	k->was = *g;
	k->memory = xmalloc(VUSER_MEM);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(k->memory, 1, VUSER_MEM, f), VUSER_MEM);
	fclose(f);
	k->was.notes = xstrndup(g->notes, g->notes_len);
}

void vguest_forget(struct vguest_kept *k)
{
	free(k->memory);
	free(k->was.notes);
}

void vguest_resume(struct vguest *g, const struct vguest_kept *k, const char *dir)
{
	*g = k->was;
	g->page = NULL;
	g->notes = xstrdup(k->was.notes);
	come(g, dir, TIME_RESUME);
	ck_assert(take_page(g));
	ck_assert_int_eq(vuser_open(&g->nic, g->nic_path, wait_a_little, &g->nic), 0);
	g->nic.more_protocol = k->was.nic.more_protocol;
	memcpy(g->nic.memory, k->memory, VUSER_MEM);
	for (unsigned i = 0; i < VUSER_QUEUES; i++) {
		g->nic.queue[i].next = k->was.nic.queue[i].next;
		g->nic.queue[i].seen = k->was.nic.queue[i].seen;
	}
	plug_in(g);
}
