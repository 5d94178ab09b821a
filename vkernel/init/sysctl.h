/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sysctl lines of init.conf. In Linux, most of what is set in net/ipv4/conf/all or default
 * (ipv6 as well) does not hold for a NIC that is there already. Here both hold for every NIC,
 * whether it is there at boot or comes later; a line for one NIC that comes behind goes before.
 */
#ifndef VKERNEL_INIT_SYSCTL_H
#define VKERNEL_INIT_SYSCTL_H

#include "vkernel/init/conf.h"

#include <stdbool.h>

/* Told of a key that could not be set, and why. */
typedef void sysctl_failed(const char *key, const char *why);

/* Sets all lines, in their order; the NICs have their names. */
void sysctl_set_all(const struct conf *c, sysctl_failed *failed);
/* A NIC came later: sets all that holds for it. */
void sysctl_set_nic(const struct conf *c, const char *nic, sysctl_failed *failed);

/*
 * The key by which a line of all or default holds for that NIC, with slashes, into buf; NULL: the
 * line is of something else. Pure.
 */
const char *sysctl_nic_key(const char *key, const char *nic, char *buf, size_t size);
/* True if the key is one of that NIC's own. Pure. */
bool sysctl_is_of_nic(const char *key, const char *nic);

#endif
