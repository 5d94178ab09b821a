/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vhub/hub.h"

#include "lib/xalloc.h"

#include <stdlib.h>

/* A plain repeater: the ports that are up, in the order they came up. */
struct device {
	uint16_t up[DEVICE_PORTS_MAX];
	uint16_t n_up;
	uint64_t frames;
};

static struct device *hub_create(const char *name, uint64_t seed)
{
	return xcalloc(1, sizeof(struct device));
}

static void hub_destroy(struct device *d)
{
	free(d);
}

static int hub_set(struct device *d, const char *key, const char *value, struct err *e)
{
	return err_set(e, ERR_USAGE, "a hub has no parameter '%s'", key);
}

static int hub_set_port(struct device *d, uint16_t port, const char *key, const char *value,
			struct err *e)
{
	return err_set(e, ERR_USAGE, "a port of a hub has no parameter '%s'", key);
}

static void hub_port_change(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	uint16_t i = 0;

	while (i < d->n_up && d->up[i] != port)
		i++;
	if (up && i == d->n_up && d->n_up < DEVICE_PORTS_MAX)
		d->up[d->n_up++] = port;
	else if (!up && i < d->n_up)
		d->up[i] = d->up[--d->n_up];
}

static const char *hub_forward(struct device *d, uint16_t in, struct frame *f, int64_t now_ns,
			       struct device_out *out)
{
	if (f->len < FRAME_MIN)
		return "runt";
	for (uint16_t i = 0; i < d->n_up; i++) {
		if (d->up[i] == in)
			continue;
		out->at[out->n].port = d->up[i];
		out->at[out->n++].frame = f;
	}
	if (!out->n)
		return "nobody else";
	d->frames++;
	return NULL;
}

static void hub_status(const struct device *d, int64_t now_ns, struct json *j)
{
	json_uint(j, "ports_up", d->n_up);
	json_uint(j, "frames", d->frames);
}

const struct device_kind hub_kind = {
	.name = "hub",
	.create = hub_create,
	.destroy = hub_destroy,
	.set = hub_set,
	.set_port = hub_set_port,
	.port_change = hub_port_change,
	.forward = hub_forward,
	.status = hub_status,
};
