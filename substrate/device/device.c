/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/device/device.h"

#include "lib/nearest.h"

#include <string.h>

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
