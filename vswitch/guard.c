/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list sorted by address, found by bisection: it changes when somebody sets it, and is asked for
 * each frame. A station may live behind several ports (a bond, a bridge with two legs), so each has
 * a set of them.
 *
 * Setting a port says all that live there and nothing of other ports, so the port is first taken
 * out everywhere. Nothing is changed before all addresses are read: a mistake in the last one
 * leaves the list as it was.
 */
#include "vswitch/guard.h"

#include "lib/addr.h"
#include "vswitch/fdb.h"

void guard_finish(struct guard *g)
{
	vec_free(&g->stations);
}

/* The index of that address, or of the first behind it. */
static size_t place_of(const struct guard *g, uint64_t mac)
{
	size_t low = 0, high = g->stations.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (g->stations.at[middle].mac < mac)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct port_set *guard_find(const struct guard *g, const uint8_t mac[6])
{
	uint64_t n = fdb_key(0, mac);
	size_t i = g->stations.n ? place_of(g, n) : 0;

	return i < g->stations.n && g->stations.at[i].mac == n ? &g->stations.at[i].ports : NULL;
}

static void add(struct guard *g, uint16_t port, uint64_t mac)
{
	size_t i = place_of(g, mac);

	if (i == g->stations.n || g->stations.at[i].mac != mac) {
		vec_push_zero(&g->stations);
		memmove(&g->stations.at[i + 1], &g->stations.at[i],
			(g->stations.n - 1 - i) * sizeof(*g->stations.at));
		g->stations.at[i] = (struct guard_station){.mac = mac};
	}
	port_put(&g->stations.at[i].ports, port, true);
}

/* A station that no port names any more may be anywhere again. */
static void forget_port(struct guard *g, uint16_t port)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->stations.n; i++) {
		struct guard_station s = g->stations.at[i];

		port_put(&s.ports, port, false);
		if (!port_set_is_empty(&s.ports))
			g->stations.at[kept++] = s;
	}
	g->stations.n = kept;
}

int guard_set(struct guard *g, uint16_t port, const char *macs, struct err *e)
{
	VEC(uint64_t) wanted = {0};
	const char *at = macs;
	int rc = 0;

	while (strcmp(macs, "none") != 0 && rc == 0) {
		size_t len = strcspn(at, ",");
		uint8_t mac[6];

		rc = addr_parse_mac(at, len, mac, e);
		if (rc == 0)
			vec_push(&wanted, fdb_key(0, mac));
		at += len;
		if (!*at++)
			break;
	}
	if (rc == 0) {
		forget_port(g, port);
		for (size_t i = 0; i < wanted.n; i++)
			add(g, port, wanted.at[i]);
	}
	vec_free(&wanted);
	return rc;
}
