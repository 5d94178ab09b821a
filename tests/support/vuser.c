/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/vuser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD = 12, TRIES = 1000 };

int vuser_open(struct vuser *v, const char *path, void (*pump)(void *arg), void *arg)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memset(v, 0, sizeof(*v));
	v->pump = pump;
	v->arg = arg;
	v->sock = v->slave_fd = v->memory_fd = -1;
	for (unsigned i = 0; i < VUSER_QUEUES; i++)
		v->queue[i].kick_fd = v->queue[i].call_fd = -1;
	strncpy(sa.sun_path, path, sizeof(sa.sun_path) - 1);
	v->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(v->sock, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	v->memory_fd = memfd_create("vuser", MFD_CLOEXEC);
	if (v->memory_fd < 0 || ftruncate(v->memory_fd, VUSER_MEM) < 0)
		return -1;
	v->memory = mmap(NULL, VUSER_MEM, PROT_READ | PROT_WRITE, MAP_SHARED, v->memory_fd, 0);
	for (unsigned i = 0; i < VUSER_QUEUES; i++) {
		uint8_t *at = v->memory + (size_t)i * VUSER_RINGS;

		v->queue[i].desc = (struct vring_desc *)at;
		v->queue[i].avail = (volatile uint16_t *)(at + 0x2000);
		v->queue[i].used = (volatile uint16_t *)(at + 0x3000);
	}
	return v->memory == MAP_FAILED ? -1 : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vuser_close(struct vuser *v)
{
	close_fd(&v->sock);
	close_fd(&v->slave_fd);
	close_fd(&v->memory_fd);
	for (unsigned i = 0; i < VUSER_QUEUES; i++) {
		close_fd(&v->queue[i].kick_fd);
		close_fd(&v->queue[i].call_fd);
	}
	if (v->memory && v->memory != MAP_FAILED)
		munmap(v->memory, VUSER_MEM);
}

void vuser_send(struct vuser *v, uint32_t request, uint32_t flags, const void *payload,
		uint32_t size, const int *fds, unsigned n_fds)
{
	uint32_t head[3] = {request, flags, size};
	struct iovec iov[2] = {{head, sizeof(head)},
			       {(void *)(uintptr_t)payload, payload ? size : 0}};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	(void)!sendmsg(v->sock, &msg, MSG_NOSIGNAL);
}

static bool receive(struct vuser *v, void *to, size_t len)
{
	size_t have = 0;

	for (int i = 0; i < TRIES && have < len; i++) {
		v->pump(v->arg);
		ssize_t n = recv(v->sock, (char *)to + have, len - have, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n > 0)
			have += (size_t)n;
	}
	return have == len;
}

bool vuser_answer(struct vuser *v, uint64_t *value)
{
	uint32_t head[3];

	return receive(v, head, sizeof(head)) && head[1] == 5 && head[2] == 8 &&
	       receive(v, value, sizeof(*value));
}

bool vuser_ask(struct vuser *v, uint32_t request, const void *payload, uint32_t size,
	       const int *fds, unsigned n_fds)
{
	uint64_t value = 1;

	vuser_send(v, request, 1 | 8, payload, size, fds, n_fds);
	return vuser_answer(v, &value) && value == 0;
}

static bool set_up_queue(struct vuser *v, unsigned i)
{
	struct vuser_queue *q = &v->queue[i];
	uint64_t start = VUSER_BASE + (uint64_t)i * VUSER_RINGS;
	struct {
		uint32_t index, num;
	} num = {i, VUSER_NUM}, base = {i, 0};
	struct {
		uint32_t index, flags;
		uint64_t desc, used, avail, log;
	} addr = {i, 0, start, start + 0x3000, start + 0x2000, UINT64_MAX};
	uint64_t index = i;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	q->call_fd = pair[0];
	q->kick_fd = v->more_protocol & VUSER_INBAND ? -1 : eventfd(0, EFD_NONBLOCK);
	bool ok = vuser_ask(v, 13, &index, 8, &pair[1], 1) && vuser_ask(v, 8, &num, 8, NULL, 0) &&
		  vuser_ask(v, 10, &base, 8, NULL, 0) && vuser_ask(v, 9, &addr, 40, NULL, 0) &&
		  (q->kick_fd < 0 || vuser_ask(v, 12, &index, 8, &q->kick_fd, 1));

	close(pair[1]);
	return ok;
}

bool vuser_set_up(struct vuser *v, unsigned n_queues, uint64_t features)
{
	struct {
		uint32_t num, zero;
		uint64_t region[8];
	} table = {.num = 1, .region = {VUSER_BASE, VUSER_MEM, VUSER_BASE, 0}};
	uint64_t value;
	uint64_t protocol = 1 << 3 | 1 << 5 | 1 << 9 | v->more_protocol;
	int pair[2];

	vuser_send(v, 3, 1, NULL, 0, NULL, 0);
	vuser_send(v, 1, 1, NULL, 0, NULL, 0);
	if (!vuser_answer(v, &value))
		return false;
	vuser_send(v, 15, 1, NULL, 0, NULL, 0);
	if (!vuser_answer(v, &value) || !vuser_ask(v, 16, &protocol, 8, NULL, 0) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	v->slave_fd = pair[0];
	bool ok = vuser_ask(v, 21, NULL, 0, &pair[1], 1) &&
		  vuser_ask(v, 2, &features, 8, NULL, 0) &&
		  vuser_ask(v, 5, &table, sizeof(table), &v->memory_fd, 1);

	close(pair[1]);
	for (unsigned i = 0; i < n_queues && ok; i++)
		ok = set_up_queue(v, i);
	for (unsigned i = 0; i < n_queues && ok; i++) {
		uint32_t enable[2] = {i, 1};

		ok = vuser_ask(v, 18, enable, 8, NULL, 0);
	}
	return ok;
}

bool vuser_hung_up(struct vuser *v)
{
	char byte;

	for (int i = 0; i < TRIES; i++) {
		v->pump(v->arg);
		ssize_t n = recv(v->sock, &byte, 1, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return true;
	}
	return false;
}

static uint64_t buffer_offset(unsigned queue, unsigned i)
{
	return VUSER_DATA + ((uint64_t)queue * VUSER_NUM + i) * VUSER_BUFFER;
}

uint8_t *vuser_buffer(struct vuser *v, unsigned queue, unsigned i)
{
	return v->memory + buffer_offset(queue, i);
}

unsigned vuser_offer(struct vuser *v, unsigned queue, uint32_t len, bool write)
{
	struct vuser_queue *q = &v->queue[queue];
	unsigned i = q->next++ % VUSER_NUM;

	q->desc[i] = (struct vring_desc){.addr = VUSER_BASE + buffer_offset(queue, i),
					 .len = len,
					 .flags = write ? VRING_DESC_F_WRITE : 0};
	q->avail[2 + i] = (uint16_t)i;
	__atomic_store_n(&q->avail[1], q->next, __ATOMIC_RELEASE);
	return i;
}

void vuser_kick(struct vuser *v, unsigned queue)
{
	const uint64_t one = 1;
	const uint32_t state[2] = {queue, 0};

	if (v->queue[queue].kick_fd < 0)
		vuser_send(v, 35, 1, state, sizeof(state), NULL, 0);
	else
		(void)!write(v->queue[queue].kick_fd, &one, sizeof(one));
}

bool vuser_used(struct vuser *v, unsigned queue, uint32_t *index, uint32_t *len)
{
	struct vuser_queue *q = &v->queue[queue];

	if (__atomic_load_n(&q->used[1], __ATOMIC_ACQUIRE) == q->seen)
		return false;
	volatile uint32_t *entry =
		(volatile uint32_t *)&q->used[2] + (size_t)(q->seen % VUSER_NUM) * 2;

	q->seen++;
	*index = entry[0];
	*len = entry[1];
	return true;
}
