/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a fuzzer's input lets the driver of a device say and write. */
#ifndef TESTS_SUPPORT_VUSER_INPUT_H
#define TESTS_SUPPORT_VUSER_INPUT_H

#include "tests/support/vuser.h"

#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next bytes as a number, the first one highest; those that are missing do not count. */
static inline uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		value = value << 8 | *in->at++;
	return value;
}

/* Any message of vhost-user, with any descriptors of the driver's memory. */
static inline void say(struct vuser *v, struct input *in)
{
	uint32_t request = take(in, 1) % 40;
	uint32_t flags = take(in, 1) % 16;
	uint32_t size = take(in, 1);
	uint32_t n_fds = take(in, 1) % 4;
	int fds[3] = {v->memory_fd, v->memory_fd, v->memory_fd};
	uint8_t payload[256] = {0};

	for (uint32_t i = 0; i < size && in->left; i++)
		payload[i] = (uint8_t)take(in, 1);
	vuser_send(v, request, flags, payload, size, fds, n_fds);
}

/* Up to 63 bytes into the memory, in the first 12 kB from there on. */
static inline void write_memory(struct vuser *v, struct input *in, uint32_t from)
{
	uint32_t offset = from + take(in, 2) % 0x3000;
	uint32_t len = take(in, 1) % 64;

	for (uint32_t i = 0; i < len && in->left; i++)
		v->memory[offset + i] = (uint8_t)take(in, 1);
}

#endif
