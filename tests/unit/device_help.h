/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of hubs and switches share: a device with frames that are named by one letter. */
#ifndef TESTS_UNIT_DEVICE_HELP_H
#define TESTS_UNIT_DEVICE_HELP_H

#include "substrate/device/device.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct device_kind *kind;
static struct device *dev;
static struct frame_pool *pool;
static struct device_out out;
static const char *why;    /* the last frame went nowhere; NULL: it went on */
static struct frame *sent; /* the last frame: the test's own reference */

static inline void open_device(const struct device_kind *k, int ports)
{
	kind = k;
	dev = k->create("sw", 1);
	pool = frame_pool_create(16 << 20);
	for (int i = 0; i < ports; i++)
		k->port_change(dev, (uint16_t)i, true, 0);
}

static inline void drop_out(void)
{
	for (uint32_t i = 0; i < out.n; i++)
		if (out.at[i].frame != sent)
			frame_unref(out.at[i].frame);
	out.n = 0;
	if (sent)
		frame_unref(sent);
	sent = NULL;
}

static inline void close_device(void)
{
	drop_out();
	kind->destroy(dev);
	frame_pool_destroy(pool);
}

static inline void set(const char *key, const char *value)
{
	struct err e = {0};

	ck_assert_msg(kind->set(dev, key, value, &e) == 0, "%s", e.text);
}

static inline void set_port(int port, const char *key, const char *value)
{
	struct err e = {0};

	ck_assert_msg(kind->set_port(dev, (uint16_t)port, key, value, &e) == 0, "%s", e.text);
}

/* Hands `sent` over at a port. */
static inline void forward(int in, int64_t now_ns)
{
	enum device_drop reason = kind->forward(dev, (uint16_t)in, sent, now_ns, &out);

	why = reason == DEVICE_FORWARDED ? NULL : device_drop_name(reason);
}

/* Sends a frame with these bytes in by a port; the list is in `out`. */
static inline void send_bytes(int in, const void *data, uint32_t len, int64_t now_ns)
{
	drop_out();
	sent = frame_get(pool, len);
	ck_assert_ptr_nonnull(sent);
	memcpy(sent->data, data, len);
	forward(in, now_ns);
}

static inline int by_port(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* The ports of the list in order, as "123" (port 10 is ':'); "" if none. */
static inline const char *ports(void)
{
	static char text[DEVICE_PORTS_MAX + 1];

	for (uint32_t i = 0; i < out.n; i++)
		text[i] = (char)('0' + out.at[i].port);
	text[out.n] = '\0';
	qsort(text, out.n, 1, by_port);
	return text;
}

/*
 * Sends a frame from station `from` to station `to` ('*': all), with a tag of this VLAN (-1: none),
 * by a port; returns the ports it leaves by, in order, as "123".
 */
static inline const char *send_tagged(int in, char from, char to, int vid, int64_t now_ns)
{
	uint8_t f[64] = {0x02,          0,    0,   0, 0, (uint8_t)to, 0x02, 0, 0, 0, 0,
			 (uint8_t)from, 0x08, 0x00};

	if (to == '*')
		memset(f, 0xff, 6);
	if (vid >= 0) {
		f[12] = 0x81;
		f[13] = 0x00;
		f[14] = (uint8_t)(vid >> 8);
		f[15] = (uint8_t)vid;
		f[16] = 0x08;
		f[17] = 0x00;
	}
	f[sizeof(f) - 1] = 0x5a;
	send_bytes(in, f, vid < 0 ? sizeof(f) - 4 : sizeof(f), now_ns);
	return ports();
}

static inline const char *send_frame(int in, char from, char to, int64_t now_ns)
{
	return send_tagged(in, from, to, -1, now_ns);
}

/* The whole tag of the frame that leaves by a port; -1: it has none, -2: nothing leaves there. */
static inline int tag_at(int port)
{
	for (uint32_t i = 0; i < out.n; i++) {
		const uint8_t *d = out.at[i].frame->data;

		if (out.at[i].port == port)
			return d[12] == 0x81 ? d[14] << 8 | d[15] : -1;
	}
	return -2;
}

static inline char *status_text(int64_t now_ns)
{
	static char
		*text; /* static: gcc 12 takes the address given to the stream for a dangling one */
	static size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	kind->status(dev, now_ns, &j);
	json_close(&j, '}');
	fclose(f);
	return text;
}

static inline void assert_status(int64_t now_ns, const char *part)
{
	char *text = status_text(now_ns);

	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in %s", part, text);
	free(text);
}

#endif
