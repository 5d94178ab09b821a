/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as settings of a switch and frames into it. The input is a run of records: a kind, a
 * length, that many bytes. Whatever comes, a frame goes to ports that are up, once each, never back
 * to where it came from, holding the bytes it came with but for its tag; and no frame is lost or
 * kept.
 */
#include "vswitch/switch.h"
#include "vswitch/vlan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PORTS = 8 };

struct world {
	struct device *d;
	struct frame_pool *pool;
	struct device_out out;
	bool up[PORTS];
	int64_t now_ns;
};

static void demand(bool true_)
{
	if (!true_)
		abort();
}

/* What follows addresses and tag. */
static void get_payload(const struct frame *f, const uint8_t **at, uint32_t *len)
{
	uint32_t skip = vlan_is_tagged(f) ? 16 : 12;

	*at = f->data + skip;
	*len = f->len - skip;
}

static void check_copy(const struct frame *in, const struct frame *copy)
{
	const uint8_t *a;
	const uint8_t *b;
	uint32_t n;
	uint32_t m;

	get_payload(in, &a, &n);
	get_payload(copy, &b, &m);
	demand(!memcmp(in->data, copy->data, 12));
	/* A frame whose payload looks like another tag may have lost only the first one. */
	demand((n == m && !memcmp(a, b, n)) || in->len + 4 == copy->len ||
	       in->len == copy->len + 4);
}

static void drop_list(struct world *w, const struct frame *f)
{
	for (uint32_t i = 0; i < w->out.n; i++)
		if (w->out.at[i].frame != f)
			frame_unref(w->out.at[i].frame);
	w->out.n = 0;
}

/* What the switch wants done by itself, if it is time. */
static void call(struct world *w)
{
	if (switch_kind.next_due_ns(w->d) > w->now_ns)
		return;
	w->out.n = 0;
	switch_kind.tick(w->d, w->now_ns, w->pool, &w->out);
	for (uint32_t i = 0; i < w->out.n; i++)
		demand(w->out.at[i].port < PORTS && w->out.at[i].frame->len == 60);
	drop_list(w, NULL);
}

static void send_in(struct world *w, const uint8_t *data, size_t len)
{
	bool seen[PORTS] = {false};
	uint16_t in = data[0] % PORTS;
	struct frame *f = frame_get(w->pool, (uint32_t)len - 1);

	demand(f != NULL);
	memcpy(f->data, data + 1, len - 1);
	w->out.n = 0;
	enum device_drop why = switch_kind.forward(w->d, in, f, w->now_ns, &w->out);

	/* A BPDU is taken, not passed on. */
	bool is_bpdu = len > 6 && !memcmp(f->data, "\x01\x80\xc2\0\0\0", 6);

	demand(why != DEVICE_FORWARDED || w->out.n > 0 || is_bpdu);
	if (is_bpdu && why == DEVICE_FORWARDED)
		drop_list(w, f); /* answers, by any port */
	for (uint32_t i = 0; i < w->out.n; i++) {
		uint16_t port = w->out.at[i].port;
		struct frame *copy = w->out.at[i].frame;

		demand(port < PORTS && port != in && w->up[port] && !seen[port]);
		seen[port] = true;
		check_copy(f, copy);
	}
	drop_list(w, f);
	demand(f->refs == 1);
	frame_unref(f);
}

static void set(struct world *w, const uint8_t *data, size_t len)
{
	static const char *const keys[] = {
		"ageing", "max_entries", "wire", "rstp",   "priority", "vlan",
		"trunk",  "native",      "cost", "mirror", "x",
	};
	struct err e;
	char value[64];
	const char *key = keys[data[0] % 11];
	size_t n = len - 1 < sizeof(value) - 1 ? len - 1 : sizeof(value) - 1;

	memcpy(value, data + 1, n);
	value[n] = '\0';
	if (data[0] % 11 < 5)
		switch_kind.set(w->d, key, value, &e);
	else
		switch_kind.set_port(w->d, data[0] / 11 % PORTS, key, value, &e);
}

static void one_record(struct world *w, uint8_t what, const uint8_t *data, size_t len)
{
	if (!len)
		return;
	switch (what % 4) {
	case 0:
		set(w, data, len);
		break;
	case 1:
		w->up[data[0] % PORTS] = data[0] & 0x80;
		switch_kind.port_change(w->d, data[0] % PORTS, data[0] & 0x80, w->now_ns);
		break;
	default:
		call(w);
		w->now_ns += INT64_C(1000000) << (what >> 3);
		if (w->up[data[0] % PORTS])
			send_in(w, data, len);
	}
}

static void tell_status(struct world *w)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	switch_kind.status(w->d, w->now_ns, &j);
	json_close(&j, '}');
	fclose(f);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	w.d = switch_kind.create("sw", 1);
	w.pool = frame_pool_create(1 << 20);
	w.now_ns = 0;
	for (int i = 0; i < PORTS; i++) {
		w.up[i] = true;
		switch_kind.port_change(w.d, (uint16_t)i, true, 0);
	}
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		one_record(&w, data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	tell_status(&w);
	switch_kind.destroy(w.d);
	frame_pool_destroy(w.pool); /* asserts that all frames came back */
	return 0;
}
