/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that says and writes anything. The input is a run of records: a kind, then its bytes. It
 * is connected to a NIC or to a channel; another NIC is at the other end of the cable, of nobody
 * and with somebody who looks, or of a good guest, to whom long frames are lent. Whatever comes,
 * the substrate goes on, and takes the next guest; and the good one never loses its connection.
 */
#include "substrate/cable/cable.h"
#include "substrate/core/capture.h"
#include "substrate/core/end.h"
#include "substrate/nic/nic.h"
#include "substrate/virtio/channel.h"
#include "substrate/virtio/guestmem.h"
#include "tests/support/scratch.h"
#include "tests/support/tcpframe.h"
#include "tests/support/vuser_input.h"

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAY, WRITE, KICK, SET_UP, FRAME, SHRINK, SEGMENT, KINDS };

static const uint64_t control_features =
	UINT64_C(1) << VIRTIO_NET_F_CTRL_VQ | UINT64_C(1) << VIRTIO_NET_F_CTRL_RX;
static const struct device_kind *const no_kinds[] = {NULL};
static struct loop *loop;
static struct substrate *sub;
static char nic_path[64], peer_path[64], channel_path[64], stream_path[64];
static char lender_path[64], good_path[64];
static struct vuser good;

static void pump(void *arg)
{
	struct err e;

	if (loop_turn(loop, 0, &e) < 0)
		abort();
	substrate_run(sub);
}

static struct words split(const char *line, struct arena *a)
{
	struct words w;
	struct err e;

	if (words_split(line, strlen(line), a, &w, &e) < 0)
		abort();
	return w;
}

static struct end *add_nic(const char *name, const char *path, struct arena *a)
{
	struct err e = {0};
	char line[256];

	snprintf(line, sizeof(line), "nic %s vhost path=%s mac=02:00:00:00:00:01", name, path);
	struct words w = split(line, a);
	struct object *o = nic_vhost.create(sub, name, &w, &e);

	if (!o)
		abort();
	return end_of_object(o);
}

/* The good guest takes what it got, and has buffers again. */
static void take_good(void)
{
	uint32_t index, len;
	char byte;

	while (vuser_used(&good, 0, &index, &len)) {
		if (index >= VUSER_NUM || len > VUSER_BUFFER)
			abort();
		vuser_offer(&good, 0, VUSER_BUFFER, true);
	}
	vuser_kick(&good, 0);
	if (recv(good.sock, &byte, 1, MSG_DONTWAIT) == 0)
		abort();
}

static void prepare_good(struct arena *a)
{
	struct err e = {0};
	struct end *lender = add_nic("d", lender_path, a);
	struct end *end = add_nic("e", good_path, a);

	if (!cable_create(sub, "m", lender, end, NULL, 0, &e) ||
	    vuser_open(&good, good_path, pump, NULL) < 0 ||
	    !vuser_set_up(&good, 2,
			  UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				  UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF | offload_features()))
		abort();
	for (int i = 0; i < VUSER_NUM; i++)
		vuser_offer(&good, 0, VUSER_BUFFER, true);
	take_good();
}

static void prepare(void)
{
	struct arena a = {0};
	struct err e = {0};
	char dir[] = "/tmp/vhost-fuzz-XXXXXX";
	char line[256];

	scratch_make(dir);
	snprintf(nic_path, sizeof(nic_path), "%s/a", dir);
	snprintf(peer_path, sizeof(peer_path), "%s/b", dir);
	snprintf(channel_path, sizeof(channel_path), "%s/c", dir);
	snprintf(stream_path, sizeof(stream_path), "%s/s", dir);
	snprintf(lender_path, sizeof(lender_path), "%s/d", dir);
	snprintf(good_path, sizeof(good_path), "%s/e", dir);
	guestmem_guard();
	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	struct end *first = add_nic("a", nic_path, &a);
	struct end *second = add_nic("b", peer_path, &a);
	struct words w = split("capture x b file=/dev/null", &a);

	if (!capture_create(sub, "x", second, &w, &e))
		abort();
	snprintf(line, sizeof(line), "channel c path=%s stream=%s", channel_path, stream_path);
	w = split(line, &a);
	if (!channel_create(sub, "c", &w, &e) ||
	    !cable_create(sub, "l", first, second, NULL, 0, &e))
		abort();
	prepare_good(&a);
	arena_finish(&a);
}

/* A segment that its NIC shall cut, with some bytes changed. It is looked at at the other end. */
static void send_segment(struct vuser *v, struct input *in)
{
	uint8_t *buffer = vuser_buffer(v, 1, v->queue[1].next % VUSER_NUM);
	uint32_t bits = take(in, 1);
	struct tcpframe t = {.v6 = bits & 1,
			     .tagged = bits & 2,
			     .payload = take(in, 2) % 3900,
			     .mss = (uint16_t)take(in, 2),
			     .flags = (uint8_t)take(in, 1)};
	struct virtio_net_hdr h;

	memset(buffer, 0, 12);
	uint32_t len = tcpframe_make(&t, buffer + 12, &h) + 12;

	memcpy(buffer, &h, sizeof(h));
	for (uint32_t i = take(in, 1) % 4; i; i--)
		buffer[take(in, 1) % 100] = (uint8_t)take(in, 1);
	vuser_offer(v, 1, bits & 4 ? take(in, 2) % (len + 1) : len, false);
	if (v->queue[1].kick_fd >= 0)
		vuser_kick(v, 1);
}

static void do_record(struct vuser *v, struct input *in, unsigned queues, bool *shrunk)
{
	uint32_t kind = take(in, 1) % KINDS;

	if (*shrunk && (kind == WRITE || kind == FRAME || kind == SET_UP || kind == SEGMENT))
		return;
	if (kind == SAY) {
		say(v, in);
	} else if (kind == WRITE) {
		/* Rings of the first queues: what matters is near the start of each part. */
		write_memory(v, in, take(in, 1) % (2 * VUSER_QUEUES) * (VUSER_RINGS / 2));
	} else if (kind == KICK) {
		unsigned q = take(in, 1) % queues;

		if (v->queue[q].kick_fd >= 0)
			vuser_kick(v, q);
	} else if (kind == SET_UP && v->slave_fd < 0) {
		uint32_t bits = take(in, 1);

		vuser_set_up(v, queues,
			     UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				     (bits & 1 ? UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX : 0) |
				     (bits & 2 && queues <= 3 ? offload_features() : 0) |
				     (queues == 3 ? control_features : 0));
	} else if (kind == FRAME) {
		unsigned q = take(in, 1) % queues;

		vuser_offer(v, q, take(in, 2) % (VUSER_BUFFER + 1), take(in, 1) & 1);
		vuser_kick(v, q);
	} else if (kind == SEGMENT) {
		send_segment(v, in);
	} else if (kind == SHRINK && take(in, 1) == 7) {
		*shrunk = true;
		if (ftruncate(v->memory_fd, 0x5000) < 0)
			abort();
	}
	pump(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct vuser v;
	bool shrunk = false;

	if (!sub)
		prepare();
	uint32_t bits = take(&in, 1);
	bool nic = bits & 1, lends = bits & 4, slow = bits & 8, controls = bits & 16;
	const char *path = !nic ? channel_path : lends ? lender_path : nic_path;

	if (vuser_open(&v, path, pump, NULL) < 0)
		abort();
	while (in.left) {
		do_record(&v, &in, !nic ? 6 : controls ? 3 : 2, &shrunk);
		if (!slow)
			take_good();
	}
	vuser_close(&v);
	for (int i = 0; i < 4; i++)
		pump(NULL);
	take_good();
	pump(NULL);
	return 0;
}
