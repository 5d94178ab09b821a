/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vswitch/switch.h"

#include "lib/rng.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vswitch/fdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_DEFAULT = 8192 };
static const int64_t ageing_default_ns = INT64_C(300000000000); /* 802.1Q-2018, table 8-6 */

struct device {
	struct fdb fdb;
	uint16_t up[DEVICE_PORTS_MAX]; /* the ports that are up */
	uint16_t n_up;
	bool wire; /* passes what is meant for the switch itself */
	uint64_t forwarded, flooded, not_learned;
};

static struct device *switch_create(const char *name, uint64_t seed)
{
	struct device *d = xcalloc(1, sizeof(*d));
	struct rng salt;

	rng_init(&salt, seed, name, "fdb");
	fdb_init(&d->fdb, TABLE_DEFAULT, rng_next(&salt));
	d->fdb.ageing_ns = ageing_default_ns;
	return d;
}

static void switch_destroy(struct device *d)
{
	if (!d)
		return;
	fdb_finish(&d->fdb);
	free(d);
}

static int set_ageing(struct device *d, const char *value, struct err *e)
{
	return unit_parse(UNIT_TIME, value, &d->fdb.ageing_ns, e);
}

static int set_table(struct device *d, const char *value, struct err *e)
{
	int64_t n;

	if (unit_parse(UNIT_COUNT, value, &n, e) < 0)
		return -1;
	if (n > FDB_LIMIT_MAX)
		return err_set(e, ERR_USAGE, "'%s' is more than %d entries", value, FDB_LIMIT_MAX);
	fdb_resize(&d->fdb, (uint32_t)n);
	return 0;
}

static int set_wire(struct device *d, const char *value, struct err *e)
{
	d->wire = !strcmp(value, "on");
	if (!d->wire && strcmp(value, "off") != 0)
		return err_set(e, ERR_USAGE, "'%s' is not on or off", value);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct device *d, const char *value, struct err *e);
} settings[] = {
	{"ageing", set_ageing},
	{"table", set_table},
	{"wire", set_wire},
};

static int switch_set(struct device *d, const char *key, const char *value, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!strcmp(settings[i].key, key))
			return settings[i].set(d, value, e) < 0 ? err_wrap(e, "%s", key) : 0;
	return err_set(e, ERR_USAGE, "a switch has no parameter '%s'", key);
}

static int switch_set_port(struct device *d, uint16_t port, const char *key, const char *value,
			   struct err *e)
{
	return err_set(e, ERR_USAGE, "a port of a switch has no parameter '%s'", key);
}

static void switch_port_change(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	uint16_t i = 0;

	while (i < d->n_up && d->up[i] != port)
		i++;
	if (up && i == d->n_up && d->n_up < DEVICE_PORTS_MAX) {
		d->up[d->n_up++] = port;
	} else if (!up && i < d->n_up) {
		d->up[i] = d->up[--d->n_up];
		fdb_flush_port(&d->fdb, port);
	}
}

/* 01-80-C2-00-00-00 to -0F: for the next switch only (802.1Q-2018, table 8-1). */
static bool is_reserved(const uint8_t *mac)
{
	static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return !memcmp(mac, prefix, sizeof(prefix)) && mac[5] <= 0x0f;
}

static void send_to(struct device_out *out, uint16_t port, struct frame *f)
{
	out->at[out->n].port = port;
	out->at[out->n++].frame = f;
}

static const char *flood(struct device *d, uint16_t in, struct frame *f, struct device_out *out)
{
	for (uint16_t i = 0; i < d->n_up; i++)
		if (d->up[i] != in)
			send_to(out, d->up[i], f);
	if (!out->n)
		return "nobody else";
	d->flooded++;
	return NULL;
}

static const char *switch_forward(struct device *d, uint16_t in, struct frame *f, int64_t now_ns,
				  struct device_out *out)
{
	const uint8_t *dst = f->data;

	if (f->len < FRAME_MIN)
		return "runt";
	if (dst[6] & 1)
		return "bad source";
	if (!d->wire && is_reserved(dst))
		return "reserved";
	if (!fdb_learn(&d->fdb, fdb_key(0, dst + 6), in, now_ns))
		d->not_learned++;
	if (dst[0] & 1)
		return flood(d, in, f, out);
	int port = fdb_find(&d->fdb, fdb_key(0, dst), now_ns);

	if (port < 0)
		return flood(d, in, f, out);
	if (port == in)
		return "same port";
	d->forwarded++;
	send_to(out, (uint16_t)port, f);
	return NULL;
}

static int64_t switch_next_due_ns(const struct device *d)
{
	return INT64_MAX;
}

static void switch_status(const struct device *d, int64_t now_ns, struct json *j)
{
	json_uint(j, "ports_up", d->n_up);
	json_uint(j, "forwarded", d->forwarded);
	json_uint(j, "flooded", d->flooded);
	json_uint(j, "not_learned", d->not_learned);
}

const struct device_kind switch_kind = {
	.name = "switch",
	.create = switch_create,
	.destroy = switch_destroy,
	.set = switch_set,
	.set_port = switch_set_port,
	.port_change = switch_port_change,
	.forward = switch_forward,
	.next_due_ns = switch_next_due_ns,
	.status = switch_status,
};
