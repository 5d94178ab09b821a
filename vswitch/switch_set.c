/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settings of the switch, and what it says about itself.
 *
 * Two tables, one of the switch's keys and one of a port's. A setting checks its value completely
 * before it changes anything. What has been learned is forgotten where a setting makes it wrong: a
 * station that was learned in one VLAN must not be found in another.
 */
#include "lib/nearest.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vswitch/switch_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_ENTRIES = 4096 }; /* told of the table: a full one would be 100 MB of text */
static const int64_t second_ns = 1000000000;

static int set_ageing(struct device *d, const char *value, struct err *e)
{
	return unit_parse(UNIT_TIME, value, &d->fdb.ageing_ns, e);
}

static int set_max_entries(struct device *d, const char *value, struct err *e)
{
	int64_t n;

	if (unit_parse(UNIT_COUNT, value, &n, e) < 0)
		return -1;
	if (n > FDB_LIMIT_MAX)
		return err_set(e, ERR_USAGE, "'%s' is more than %d stations", value, FDB_LIMIT_MAX);
	fdb_resize(&d->fdb, (uint32_t)n);
	return 0;
}

static int set_wire(struct device *d, const char *value, struct err *e)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return err_set(e, ERR_USAGE, "'%s' is not on or off", value);
	d->wire = !strcmp(value, "on");
	return 0;
}

/*
 * Told again for every change of a port; the tree itself finds out whether anything is new. A
 * port's cost is set only when it differs, for that makes all roles be chosen anew.
 */
void switch_tell_rstp(struct device *d, uint16_t port)
{
	const struct port *p = &d->port[port];

	if (!d->rstp)
		return;
	if (d->rstp->n_ports <= port || d->rstp->port[port].cost != p->cost)
		rstp_set_cost(d->rstp, port, p->cost);
	rstp_set_point_to_point(d->rstp, port, !p->shared);
	rstp_enable_port(d->rstp, port, p->up && !p->mirror);
}

static int set_rstp(struct device *d, const char *value, struct err *e)
{
	bool on = !strcmp(value, "on");

	if (!on && strcmp(value, "off") != 0)
		return err_set(e, ERR_USAGE, "'%s' is not on or off", value);
	if (on == (d->rstp != NULL))
		return 0;
	if (d->rstp)
		rstp_finish(d->rstp);
	free(d->rstp);
	d->rstp = NULL;
	if (!on)
		return 0;
	/* Ports that are up already join now, all as if they came up this instant. */
	d->rstp = xmalloc(sizeof(*d->rstp));
	rstp_init(d->rstp, d->mac);
	rstp_set_priority(d->rstp, d->priority);
	d->tick_ns = d->now_ns + second_ns;
	for (int i = 0; i < DEVICE_PORTS_MAX; i++)
		if (d->port[i].up)
			switch_tell_rstp(d, (uint16_t)i);
	return 0;
}

static int set_priority(struct device *d, const char *value, struct err *e)
{
	int64_t n;

	if (unit_parse(UNIT_COUNT, value, &n, e) < 0)
		return -1;
	if (n % 4096 || n > 61440)
		return err_set(e, ERR_USAGE, "'%s' is not a multiple of 4096 up to 61440", value);
	d->priority = (uint16_t)n;
	if (d->rstp)
		rstp_set_priority(d->rstp, d->priority);
	return 0;
}

static const struct device_setting settings[] = {
	{"ageing", set_ageing}, {"max_entries", set_max_entries}, {"wire", set_wire},
	{"rstp", set_rstp},     {"priority", set_priority},
};

int switch_set(struct device *d, const char *key, const char *value, struct err *e)
{
	return device_set_key(settings, ARRAY_LEN(settings), "a switch", d, key, value, e);
}

/*
 * Stations that were learned at the port may be in VLANs now that it is not in. If the switch did
 * not care about VLANs until now, all that it learned lacks one.
 */
static void vlans_changed(struct device *d, const struct port *p)
{
	if (d->vlan_aware)
		fdb_flush_port(&d->fdb, (uint16_t)(p - d->port));
	else
		fdb_flush(&d->fdb);
	d->vlan_aware = true;
}

static int set_vlan(struct device *d, struct port *p, const char *value, struct err *e)
{
	if (vlan_parse(value, false, &p->untagged, e) < 0)
		return -1;
	free(p->trunk);
	p->trunk = NULL;
	vlans_changed(d, p);
	return 0;
}

static int set_trunk(struct device *d, struct port *p, const char *value, struct err *e)
{
	struct vlan_set s;

	if (vlan_parse_set(value, &s, e) < 0)
		return -1;
	if (!p->trunk) {
		p->trunk = xmalloc(sizeof(*p->trunk));
		p->untagged = 0;
	}
	*p->trunk = s;
	vlans_changed(d, p);
	return 0;
}

static int set_native(struct device *d, struct port *p, const char *value, struct err *e)
{
	uint16_t vid;

	if (vlan_parse(value, true, &vid, e) < 0)
		return -1;
	if (!p->trunk)
		p->trunk = xcalloc(1, sizeof(*p->trunk)); /* its VLANs may be said later */
	p->untagged = vid;
	vlans_changed(d, p);
	return 0;
}

/* "1,3": ports as people count them. */
static int parse_ports(const char *text, struct port_set *s, struct err *e)
{
	const char *at = text;

	*s = (struct port_set){0};
	if (!strcmp(text, "all")) {
		memset(s, 0xff, sizeof(*s));
		return 0;
	}
	do {
		char *end;
		unsigned long n = strtoul(at, &end, 10);

		if (*at < '1' || *at > '9' || n > DEVICE_PORTS_MAX || (*end && *end != ','))
			return err_set(e, ERR_USAGE, "'%s' is not a list of ports such as 1,3",
				       text);
		port_put(s, (uint16_t)(n - 1), true);
		at = end;
	} while (*at++ == ',');
	return 0;
}

/*
 * A mirror takes part in nothing: it is not flooded to, the tree does not know it, and what was
 * learned there is forgotten. n_mirrors spares frames the look at all ports while there is none.
 */
static int set_mirror(struct device *d, struct port *p, const char *value, struct err *e)
{
	struct port_set s;

	if (!strcmp(value, "off")) {
		d->n_mirrors -= p->mirror != NULL;
		free(p->mirror);
		p->mirror = NULL;
	} else {
		if (parse_ports(value, &s, e) < 0)
			return -1;
		if (!p->mirror)
			p->mirror = xmalloc(sizeof(*p->mirror));
		else
			d->n_mirrors--;
		d->n_mirrors++;
		*p->mirror = s;
		fdb_flush_port(&d->fdb, (uint16_t)(p - d->port));
	}
	switch_list_ports(d);
	switch_tell_rstp(d, (uint16_t)(p - d->port));
	return 0;
}

static int set_cost(struct device *d, struct port *p, const char *value, struct err *e)
{
	int64_t n;

	if (unit_parse(UNIT_COUNT, value, &n, e) < 0)
		return -1;
	if (n < 1 || n > RSTP_COST_MAX)
		return err_set(e, ERR_USAGE, "'%s' is not between 1 and %d", value, RSTP_COST_MAX);
	p->cost = (uint32_t)n;
	switch_tell_rstp(d, (uint16_t)(p - d->port));
	return 0;
}

static int set_point_to_point(struct device *d, struct port *p, const char *value, struct err *e)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return err_set(e, ERR_USAGE, "'%s' is not on or off", value);
	p->shared = !strcmp(value, "off");
	switch_tell_rstp(d, (uint16_t)(p - d->port));
	return 0;
}

static int set_stations(struct device *d, struct port *p, const char *value, struct err *e)
{
	if (guard_set(&d->guard, (uint16_t)(p - d->port), value, e) < 0)
		return -1;
	/* It may have been learned where it does not live. */
	fdb_flush(&d->fdb);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct device *d, struct port *p, const char *value, struct err *e);
} port_settings[] = {
	{"vlan", set_vlan},         {"trunk", set_trunk}, {"native", set_native},
	{"mirror", set_mirror},     {"cost", set_cost},   {"point_to_point", set_point_to_point},
	{"stations", set_stations},
};

int switch_set_port(struct device *d, uint16_t port, const char *key, const char *value,
		    struct err *e)
{
	struct nearest near;

	nearest_init(&near, key);
	for (size_t i = 0; i < ARRAY_LEN(port_settings); i++) {
		if (!strcmp(port_settings[i].key, key))
			return port_settings[i].set(d, &d->port[port], value, e) < 0
				       ? err_wrap(e, "%s", key)
				       : 0;
		nearest_offer(&near, port_settings[i].key);
	}
	return err_set(e, ERR_USAGE, "a port of a switch has no parameter '%s'%s", key,
		       nearest_hint(&near));
}

static void table_status(const struct device *d, int64_t now_ns, struct json *j)
{
	int told = 0;

	json_open(j, "table", '[');
	for (const struct fdb_entry *f = fdb_first(&d->fdb); f && told < STATUS_ENTRIES;
	     f = fdb_next(&d->fdb, f)) {
		char mac[18];

		if (fdb_is_old(&d->fdb, f, now_ns))
			continue;
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x",
			 (unsigned)(f->key >> 40 & 0xff), (unsigned)(f->key >> 32 & 0xff),
			 (unsigned)(f->key >> 24 & 0xff), (unsigned)(f->key >> 16 & 0xff),
			 (unsigned)(f->key >> 8 & 0xff), (unsigned)(f->key & 0xff));
		json_open(j, NULL, '{');
		json_string(j, "mac", mac);
		if (d->vlan_aware)
			json_uint(j, "vlan", f->key >> 48);
		json_uint(j, "port", f->port + 1u);
		json_int(j, "age_ms", (now_ns - f->seen_ns) / 1000000);
		json_close(j, '}');
		told++;
	}
	json_close(j, ']');
}

void switch_status(const struct device *d, int64_t now_ns, struct json *j)
{
	uint32_t old = 0;

	for (const struct fdb_entry *f = fdb_first(&d->fdb); f && fdb_is_old(&d->fdb, f, now_ns);
	     f = fdb_next(&d->fdb, f))
		old++;
	json_uint(j, "ports_up", d->n_up);
	json_bool(j, "vlan_aware", d->vlan_aware);
	json_bool(j, "wire", d->wire);
	json_uint(j, "forwarded", d->forwarded);
	json_uint(j, "flooded", d->flooded);
	json_uint(j, "mirrored", d->mirrored);
	json_uint(j, "no_memory", d->no_memory);
	json_uint(j, "not_learned", d->not_learned);
	json_uint(j, "learned", d->fdb.learned);
	json_uint(j, "moved", d->fdb.moved);
	json_uint(j, "aged", d->fdb.aged + old);
	json_uint(j, "stations", d->fdb.n - old);
	json_uint(j, "max_entries", d->fdb.limit);
	json_uint(j, "stations_placed", d->guard.stations.n);
	json_int(j, "ageing_ms", d->fdb.ageing_ns / 1000000);
	if (d->rstp)
		rstp_status(d->rstp, j);
	table_status(d, now_ns, j);
}
