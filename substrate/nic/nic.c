/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all kinds of NICs read from their commands. An MTU is from 68, the least that IPv4 allows a
 * link to have (RFC 791), to 65,535, the longest IP packet.
 */
#include "substrate/nic/nic.h"

#include "lib/units.h"

enum { MTU_MIN = 68, MTU_MAX = 65535 };

int nic_read_mtu(const struct words *w, uint16_t *mtu, struct err *e)
{
	const char *text = words_get(w, "mtu");
	int64_t value = 1500;

	if (text && unit_parse(UNIT_COUNT, text, &value, e) < 0)
		return err_wrap(e, "mtu");
	if (value < MTU_MIN || value > MTU_MAX)
		return err_set(e, ERR_USAGE, "mtu is from %d to %d", MTU_MIN, MTU_MAX);
	*mtu = (uint16_t)value;
	return 0;
}

int nic_read_words(const struct words *w, const char **path, uint16_t *mtu, struct err *e)
{
	*path = words_get(w, "path");
	if (!*path)
		return err_set(e, ERR_USAGE, "a NIC needs path=");
	return nic_read_mtu(w, mtu, e);
}

int nic_want_real_clock(const struct substrate *s, const char *backend, struct err *e)
{
	if (!s->time->is_exact)
		return 0;
	return err_set(e, ERR_USAGE, "a %s NIC cannot take part in virtual time", backend);
}
