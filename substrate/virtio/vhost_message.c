/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What messages mean, by a table: a function for each request, and how long its payload is at
 * least. Only what Linux's virtio_uml.c needs is there. A message that is not known, too short or
 * out of its place ends the connection: a driver that we misunderstand is worse than none.
 *
 * Payloads are copied out of the buffer that they came in, which is not aligned for them.
 * Descriptors that a message brought and nobody took are closed behind it (vhost_close_fds()).
 */
#include "substrate/virtio/vhost_message.h"

#include "lib/container_of.h"
#include "substrate/virtio/vhost_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSPORT_FEATURES                                               \
	(VHOST_F_PROTOCOL_FEATURES | UINT64_C(1) << VIRTIO_F_VERSION_1 | \
	 UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX | UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC)

static uint64_t u64_of(const struct vhost *v)
{
	uint64_t value;

	memcpy(&value, v->payload, sizeof(value));
	return value;
}

static struct vhost_state state_of(const struct vhost *v)
{
	struct vhost_state s;

	memcpy(&s, v->payload, sizeof(s));
	return s;
}

/* Takes the first descriptor of the message; -1: there is none. */
static int take_fd(struct vhost *v)
{
	int fd = v->n_fds ? v->fds[0] : -1;

	if (v->n_fds)
		v->fds[0] = -1;
	return fd;
}

static struct vhost_queue *queue_at(struct vhost *v, uint32_t index, struct err *e)
{
	if (index < vhost_queues(v))
		return &v->queue[index];
	err_set(e, ERR_ENV, "there is no queue %u", index);
	return NULL;
}

static void reply_u64(struct vhost *v, uint64_t value)
{
	vhost_send(v, v->head.request, &value, sizeof(value));
}

static uint64_t protocol_features(const struct vhost *v)
{
	return VHOST_PROTOCOL_F_REPLY_ACK | VHOST_PROTOCOL_F_SLAVE_REQ | VHOST_PROTOCOL_F_CONFIG |
	       (v->guest ? VHOST_PROTOCOL_F_INBAND | VHOST_PROTOCOL_F_MAIL : 0);
}

static int set_owner(struct vhost *v, int64_t now_ns, struct err *e)
{
	return 0;
}

static uint64_t offered(const struct vhost *v)
{
	return v->kind->features | v->offers | TRANSPORT_FEATURES;
}

static int get_features(struct vhost *v, int64_t now_ns, struct err *e)
{
	reply_u64(v, offered(v));
	return 1;
}

static int set_features(struct vhost *v, int64_t now_ns, struct err *e)
{
	uint64_t f = u64_of(v);

	if (f & ~offered(v))
		return err_set(e, ERR_ENV, "features that were not offered: %#llx",
			       (unsigned long long)f);
	v->features = f;
	return 0;
}

static int get_protocol_features(struct vhost *v, int64_t now_ns, struct err *e)
{
	reply_u64(v, protocol_features(v));
	return 1;
}

/*
 * In virtual time all of them are needed: a kernel that acknowledges fewer would send its kicks in
 * a way that has no time, and the run would not repeat.
 */
static int set_protocol_features(struct vhost *v, int64_t now_ns, struct err *e)
{
	v->protocol_features = u64_of(v) & protocol_features(v);
	if (v->guest && ~v->protocol_features & protocol_features(v))
		return err_set(e, ERR_ENV, "the kernel cannot take part in virtual time");
	return 0;
}

static int set_slave_fd(struct vhost *v, int64_t now_ns, struct err *e)
{
	int fd = take_fd(v);

	if (fd < 0)
		return err_set(e, ERR_ENV, "SET_SLAVE_REQ_FD without a descriptor");
	if (v->slave_fd >= 0)
		close(v->slave_fd);
	v->slave_fd = fd;
	if (v->awaited && !v->guest)
		vhost_resume(v, now_ns);
	return 0;
}

static int set_mem_table(struct vhost *v, int64_t now_ns, struct err *e)
{
	uint32_t n;

	memcpy(&n, v->payload, sizeof(n));
	if (n < 1 || n > GUESTMEM_REGIONS || n > v->n_fds ||
	    v->head.size < 8 + n * sizeof(struct vhost_region))
		return err_set(e, ERR_ENV, "bad table of memory regions");
	/* Rings and frames that were lent lie in the memory that goes. */
	if (!v->awaited)
		vhost_set_up(v, false, now_ns);
	for (unsigned i = 0; i < v->kind->n_queues && !v->awaited; i++)
		vhost_queue_reset(v, i);
	guestmem_clear(&v->mem);
	for (uint32_t i = 0; i < n; i++) {
		struct vhost_region r;

		memcpy(&r, v->payload + 8 + i * sizeof(r), sizeof(r));
		if (guestmem_add(&v->mem, r.guest_addr, r.size, v->fds[i], r.offset, e) < 0)
			return -1;
	}
	return 0;
}

/* Of a device that is awaited nothing may be used before all of it is there. */
static struct virtq *ring_of(struct vhost_queue *q)
{
	return q->vhost->awaited ? &q->coming : &q->ring;
}

static int set_vring_num(struct vhost *v, int64_t now_ns, struct err *e)
{
	struct vhost_state s = state_of(v);
	struct vhost_queue *q = queue_at(v, s.index, e);

	return q ? vring_set_num(ring_of(q), s.num, e) : -1;
}

/* Where the driver goes on counting: 0 after a boot, else where a stopped queue was left. */
static int set_vring_base(struct vhost *v, int64_t now_ns, struct err *e)
{
	struct vhost_state s = state_of(v);
	struct vhost_queue *q = queue_at(v, s.index, e);

	if (!q)
		return -1;
	vring_set_base(ring_of(q), (uint16_t)s.num);
	return 0;
}

static int set_vring_addr(struct vhost *v, int64_t now_ns, struct err *e)
{
	struct vhost_addr a;

	memcpy(&a, v->payload, sizeof(a));
	struct vhost_queue *q = queue_at(v, a.index, e);

	if (!q)
		return -1;
	/* Features come before addresses, as the kernel does it. */
	struct virtq *r = ring_of(q);

	r->event_idx = v->features & UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX;
	return vring_set_addr(r, &v->mem, a.desc, a.avail, a.used, e);
}

static void kick_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct vhost_queue *q = container_of(w, struct vhost_queue, kick);
	struct vhost *v = q->vhost;
	struct substrate *s = v->object->sub;

	if (!v->up)
		return;
	v->kind->kicked(v, (unsigned)(q - v->queue), now_ns);
	vhost_check(v, now_ns);
	substrate_drain(s, now_ns);
}

static int set_vring_kick(struct vhost *v, int64_t now_ns, struct err *e)
{
	uint64_t value = u64_of(v);
	struct vhost_queue *q = queue_at(v, value & VHOST_VRING_INDEX_MASK, e);

	if (!q)
		return -1;
	/* It would be dated by the clock on the wall, and its frames with it. */
	if (v->guest)
		return err_set(e, ERR_ENV, "a kick through a descriptor has no virtual time");
	if (value & VHOST_VRING_NO_FD || q->kick.slot)
		return err_set(e, ERR_ENV, "a queue needs one descriptor for kicks");
	q->kick.fd = take_fd(v);
	q->kick.ready = kick_ready;
	/*
	 * Edge-triggered: each kick is one event, and nobody needs to read the counter. So we need
	 * no descriptor for it either, as the guest has its own (loop.h).
	 */
	int rc = loop_add(v->object->sub->loop, &q->kick, EPOLLIN | EPOLLET, e);

	if (q->kick.fd >= 0)
		close(q->kick.fd);
	q->kick.fd = -1;
	return rc;
}

/* All queues of Linux's driver are called by one pipe: one descriptor will do. */
static bool share_call_fd(struct vhost *v, struct vhost_queue *q)
{
	struct stat ours;
	struct stat other;

	if (fstat(q->call_fd, &ours) < 0)
		return false;
	for (unsigned i = 0; i < v->kind->n_queues; i++) {
		struct vhost_queue *p = &v->queue[i];

		if (p == q || p->call_fd < 0 || fstat(p->call_fd, &other) < 0 ||
		    ours.st_dev != other.st_dev || ours.st_ino != other.st_ino)
			continue;
		close(q->call_fd);
		q->call_fd = p->call_fd;
		q->call_is_socket = p->call_is_socket;
		return true;
	}
	return false;
}

/*
 * We never wait for a guest that does not read. O_NONBLOCK belongs to what it and we have open in
 * common, so it could take the flag away again: a pipe is opened once more, for us alone, and a
 * socket is asked with each send(2). All else is refused.
 */
static int own_call_fd(struct vhost_queue *q, struct err *e)
{
	char path[64];
	struct stat st;

	if (fstat(q->call_fd, &st) < 0)
		return err_sys(e, "a descriptor for calls");
	q->call_is_socket = S_ISSOCK(st.st_mode);
	if (q->call_is_socket)
		return 0;
	if (!S_ISFIFO(st.st_mode))
		return err_set(e, ERR_ENV, "calls go through a pipe or a socket");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", q->call_fd);
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the guest's pipe for calls");
	close(q->call_fd);
	q->call_fd = fd;
	return 0;
}

static int set_vring_call(struct vhost *v, int64_t now_ns, struct err *e)
{
	uint64_t value = u64_of(v);
	struct vhost_queue *q = queue_at(v, value & VHOST_VRING_INDEX_MASK, e);

	if (!q)
		return -1;
	vhost_close_call(q);
	q->call_fd = value & VHOST_VRING_NO_FD ? -1 : take_fd(v);
	return q->call_fd < 0 || share_call_fd(v, q) ? 0 : own_call_fd(q, e);
}

static int set_vring_enable(struct vhost *v, int64_t now_ns, struct err *e)
{
	struct vhost_state s = state_of(v);
	struct vhost_queue *q = queue_at(v, s.index, e);
	bool all = true;

	if (!q)
		return -1;
	if (s.num && !ring_of(q)->desc)
		return err_set(e, ERR_ENV, "queue %u is enabled before it is there", s.index);
	/* A driver enables its queues one by one: the device is up with the last. */
	q->enabled = s.num;
	if (v->awaited) {
		vhost_resume(v, now_ns);
		return 0;
	}
	for (unsigned i = 0; i < vhost_queues(v); i++)
		all = all && v->queue[i].enabled;
	vhost_set_up(v, all, now_ns);
	return 0;
}

/*
 * The driver says how much it wants and from where, and checks that the answer repeats both. What
 * is beyond our configuration reads as zeroes.
 */
static int get_config(struct vhost *v, int64_t now_ns, struct err *e)
{
	uint8_t config[VHOST_CONFIG_MAX] = {0};
	uint8_t reply[VHOST_PAYLOAD_MAX] = {0};
	uint32_t head[3]; /* offset, size, flags */

	memcpy(head, v->payload, sizeof(head));
	if (head[1] != v->head.size - VHOST_CONFIG_HEAD)
		return err_set(e, ERR_ENV, "bad size of GET_CONFIG");
	v->kind->read_config(v, config);
	memcpy(reply, head, sizeof(head));
	for (uint32_t i = 0; i < head[1] && (uint64_t)head[0] + i < sizeof(config); i++)
		reply[VHOST_CONFIG_HEAD + i] = config[head[0] + i];
	vhost_send(v, v->head.request, reply, v->head.size);
	return 1;
}

static int set_config(struct vhost *v, int64_t now_ns, struct err *e)
{
	return 0; /* the driver of an old device may write its MAC address: not obeyed */
}

static int vring_kick(struct vhost *v, int64_t now_ns, struct err *e)
{
	struct vhost_state s = state_of(v);

	if (!queue_at(v, s.index, e))
		return -1;
	/* By message where descriptors are not used, and the page has no room for another kick. */
	if (v->up)
		v->kind->kicked(v, s.index, now_ns);
	substrate_drain(v->object->sub, now_ns);
	return 0;
}

static int set_mail(struct vhost *v, int64_t now_ns, struct err *e)
{
	if (!v->guest)
		return err_set(e, ERR_ENV, "mail is for the virtual clock");
	if (vclock_guest_join(v->guest, &v->device, u64_of(v), e) < 0)
		return -1;
	/* Without a driver this is all that it says. */
	if (v->awaited)
		vhost_resume(v, now_ns);
	return 0;
}

static const struct {
	/* 0: acknowledge, 1: answered already, -1: the connection ends */
	int (*handle)(struct vhost *v, int64_t now_ns, struct err *e);
	uint32_t min_size;
} requests[VHOST_REQUESTS] = {
	[VHOST_GET_FEATURES] = {get_features, 0},
	[VHOST_SET_FEATURES] = {set_features, 8},
	[VHOST_SET_OWNER] = {set_owner, 0},
	[VHOST_SET_MEM_TABLE] = {set_mem_table, 8},
	[VHOST_SET_VRING_NUM] = {set_vring_num, sizeof(struct vhost_state)},
	[VHOST_SET_VRING_ADDR] = {set_vring_addr, sizeof(struct vhost_addr)},
	[VHOST_SET_VRING_BASE] = {set_vring_base, sizeof(struct vhost_state)},
	[VHOST_SET_VRING_KICK] = {set_vring_kick, 8},
	[VHOST_SET_VRING_CALL] = {set_vring_call, 8},
	[VHOST_GET_PROTOCOL_FEATURES] = {get_protocol_features, 0},
	[VHOST_SET_PROTOCOL_FEATURES] = {set_protocol_features, 8},
	[VHOST_SET_VRING_ENABLE] = {set_vring_enable, sizeof(struct vhost_state)},
	[VHOST_SET_SLAVE_REQ_FD] = {set_slave_fd, 0},
	[VHOST_GET_CONFIG] = {get_config, VHOST_CONFIG_HEAD},
	[VHOST_SET_CONFIG] = {set_config, VHOST_CONFIG_HEAD},
	[VHOST_VRING_KICK] = {vring_kick, sizeof(struct vhost_state)},
	[VHOST_SET_MAIL] = {set_mail, 8},
};

/*
 * An acknowledgement goes out only after the request was carried out and nothing was found broken:
 * a driver that has it may rely on it.
 */
int vhost_handle(struct vhost *v, int64_t now_ns)
{
	uint32_t request = v->head.request;
	struct err e = {0};
	int rc = -1;

	errno = 0;
	if ((v->head.flags & 3) != VHOST_VERSION)
		err_set(&e, ERR_ENV, "a message of another version of vhost-user");
	else if (request >= VHOST_REQUESTS || !requests[request].handle)
		err_set(&e, ERR_ENV, "vhost-user message %u is not known", request);
	else if (v->head.size < requests[request].min_size)
		err_set(&e, ERR_ENV, "vhost-user message %u is too short", request);
	else
		rc = requests[request].handle(v, now_ns, &e);
	if (rc < 0) {
		bool is_ours = vhost_is_short(errno);

		vhost_hang_up(v, now_ns, e.text);
		if (is_ours)
			vhost_tell_unable(v, e.text);
		return -1;
	}
	if (vhost_check(v, now_ns))
		return -1;
	if (rc == 0 && v->head.flags & VHOST_FLAG_NEED_REPLY)
		reply_u64(v, 0);
	return 0;
}
