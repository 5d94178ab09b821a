/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all devices share: names of their reasons to drop, and settings by a table. The reasons are
 * one enum for all kinds, counted by devnode.c, so that a device only says why.
 */
#include "substrate/device/device.h"

#include "lib/nearest.h"
#include "lib/xalloc.h"

#include <assert.h>
#include <string.h>

static const char *const drop_names[] = {
	[DEVICE_FORWARDED] = "forwarded",
	[DEVICE_DROP_RUNT] = "runt",
	[DEVICE_DROP_NOBODY] = "nobody else",
	[DEVICE_DROP_QUEUE] = "queue",
	[DEVICE_DROP_STP] = "stp",
	[DEVICE_DROP_SOURCE] = "bad source",
	[DEVICE_DROP_FOREIGN] = "foreign source",
	[DEVICE_DROP_RESERVED] = "reserved",
	[DEVICE_DROP_VLAN] = "vlan",
	[DEVICE_DROP_SAME_PORT] = "same port",
	[DEVICE_DROP_MIRROR_PORT] = "mirror port",
	[DEVICE_DROP_MEMORY] = "memory",
};
static_assert(ARRAY_LEN(drop_names) == DEVICE_DROPS, "drop_names out of step with the enum");

const char *device_drop_name(enum device_drop why)
{
	return drop_names[why];
}

int device_set_key(const struct device_setting *settings, size_t n, const char *what,
		   struct device *d, const char *key, const char *value, struct err *e)
{
	struct nearest near;

	nearest_init(&near, key);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(settings[i].key, key))
			return settings[i].set(d, value, e) < 0 ? err_wrap(e, "%s", key) : 0;
		nearest_offer(&near, settings[i].key);
	}
	return err_set(e, ERR_USAGE, "%s has no parameter '%s'%s", what, key, nearest_hint(&near));
}
