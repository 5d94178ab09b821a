/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks that speak the language of one kind of device: the disk, and the channel of the agent. */
#include "tests/faults/hostile.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_console.h>
#include <string.h>

enum { AGENT_EVENT = 14 }; /* enum wire_type */

void attack_disk(void)
{
	const struct device *d = some_device(BLOCK);
	struct vuser v;

	if (d && set_up(&v, d)) {
		for (int i = 0; i < 2000 && goes_on() && is_heard(&v); i++) {
			struct vuser_queue *q = &v.queue[0];
			struct virtio_blk_outhdr h = {.type = below(16),
						      .sector = below(4) ? below(3000) : next()};
			unsigned first = q->next % VUSER_NUM;
			unsigned n = 2 + below(6);

			for (unsigned k = 0; k < n; k++) {
				unsigned at = (first + k) % VUSER_NUM;
				bool last = k + 1 == n;

				q->desc[at] = (struct vring_desc){
					VUSER_BASE + (uint64_t)(vuser_buffer(&v, 0, at) - v.memory),
					k == 0 ? 16
					: last ? 1
					       : 512 << below(12),
					(uint16_t)((k && (last || below(2)) ? VRING_DESC_F_WRITE
									    : 0) |
						   (last ? 0 : VRING_DESC_F_NEXT)),
					(uint16_t)((at + 1) % VUSER_NUM)};
			}
			memcpy(vuser_buffer(&v, 0, first), &h, sizeof(h));
			q->avail[2 + first] = (uint16_t)first;
			__atomic_store_n(&q->avail[1], ++q->next, __ATOMIC_RELEASE);
			vuser_kick(&v, 0);
		}
	}
	vuser_close(&v);
}

/* The handshake by which the port of the agent is opened. */
static void open_port(struct vuser *v)
{
	static const uint16_t steps[][2] = {{VIRTIO_CONSOLE_DEVICE_READY, 1},
					    {VIRTIO_CONSOLE_PORT_READY, 1},
					    {VIRTIO_CONSOLE_PORT_OPEN, 1}};

	for (int i = 0; i < 64; i++)
		vuser_offer(v, 2, VUSER_BUFFER, true);
	vuser_kick(v, 2);
	for (size_t i = 0; i < 3; i++) {
		struct virtio_console_control c = {
			.id = i > 0, .event = steps[i][0], .value = steps[i][1]};

		memcpy(vuser_buffer(v, PORT_CONTROL_TX, v->queue[PORT_CONTROL_TX].next % VUSER_NUM),
		       &c, sizeof(c));
		vuser_offer(v, PORT_CONTROL_TX, sizeof(c), false);
		vuser_kick(v, PORT_CONTROL_TX);
		pump(NULL);
	}
}

static uint32_t make_agent_bytes(uint8_t *to)
{
	static const char *const lines[] = {
		"ready x",   "failed x y",  "ready-all", "address eth0 1.2.3.4/5 come",
		"power off", "done hosts",  "",          "tolerated \\\"",
		"\"",        "power reboot"};
	const char *line = lines[below(10)];
	uint32_t head[3] = {below(4)   ? (uint32_t)strlen(line)
			    : below(2) ? below(70000)
				       : (uint32_t)next(),
			    below(2) ? 0 : below(12), below(3) ? AGENT_EVENT : below(20)};

	memcpy(to, head, sizeof(head));
	memset(to + 12, below(2) ? ' ' : 'x', 4000);
	memcpy(to + 12, line, strlen(line));
	return below(8) ? 12 + (head[0] < 4000 ? head[0] : 4000) : below(VUSER_BUFFER);
}

void attack_agent(void)
{
	const struct device *d = some_device(CONSOLE);
	struct vuser v;

	if (d && set_up(&v, d)) {
		bool good = below(2);
		uint8_t hello[12] = {9, 0, 0, 0, 0, 0, 0, 0, 1};

		open_port(&v);
		memcpy(vuser_buffer(&v, PORT_TX, 0), hello, 12);
		memcpy(vuser_buffer(&v, PORT_TX, 0) + 12, "version=1", 9);
		vuser_offer(&v, PORT_TX, 21, false);
		vuser_kick(&v, PORT_TX);
		for (int i = 0; goes_on() && is_heard(&v); i++) {
			uint8_t *to = vuser_buffer(&v, PORT_TX, v.queue[PORT_TX].next % VUSER_NUM);
			uint32_t len =
				good || below(50) ? make_agent_bytes(to) : below(VUSER_BUFFER);

			vuser_offer(&v, PORT_TX, len + 1, false);
			vuser_kick(&v, PORT_TX);
			if (i % 64 == 63)
				pump(NULL);
		}
	}
	vuser_close(&v);
}
