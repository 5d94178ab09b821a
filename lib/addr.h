/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv4, IPv6 and MAC addresses as values: text, prefixes, arithmetic. This is the only parser of
 * them, and a strict one: what it takes is what addr_format() may write, apart from the case of
 * letters and the ways to shorten IPv6 (RFC 4291, 2.2). No sign, space or leading zero passes.
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_NO_PREFIX 255u /* addr.prefix of a bare address */

struct addr {
	int family;        /* AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* network order */
	unsigned prefix;   /* length in bits, or ADDR_NO_PREFIX */
};

/* Parses "10.0.0.1", "10.0.0.1/24", "fd00::1/64" (len bytes). 0, or -1 with the reason. */
int addr_parse(const char *text, size_t len, struct addr *out, struct err *e);
/*
 * Parses "02:00:00:00:00:01" (len bytes), the MAC of a NIC: not a group's, not zero. 0, or -1 with
 * the reason.
 */
int addr_parse_mac(const char *text, size_t len, uint8_t mac[6], struct err *e);
/* "10.0.0.1/24" into buf; returns buf. Without the prefix if with_prefix is false. */
const char *addr_format(const struct addr *a, bool with_prefix, char *buf, size_t size);
const char *addr_format_mac(const uint8_t mac[6], char *buf, size_t size);
/* 32 or 128. */
unsigned addr_bits(const struct addr *a);
/* Same family and bytes; the prefix does not matter. */
bool addr_same(const struct addr *a, const struct addr *b);
/* True if `a` lies in the network of `net` (which has a prefix). */
bool addr_in_net(const struct addr *a, const struct addr *net);
/* True if the two networks have an address in common. */
bool addr_nets_overlap(const struct addr *a, const struct addr *b);
/* Of 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291). */
bool addr_is_link_local(const struct addr *a);
/* True if a bit behind the prefix is set. */
bool addr_has_host_bits(const struct addr *a);
/* True if all bits behind the prefix are set. */
bool addr_is_last(const struct addr *a);
/* The address with all bits behind the prefix cleared. */
struct addr addr_network(const struct addr *a);
/* Adds n. -1 if that leaves the network (if it has a prefix) or the address family's space. */
int addr_add(struct addr *a, int64_t n);
/* Adds n * 2^shift: the n-th next network. -1 if that leaves the address space. */
int addr_add_shifted(struct addr *a, uint64_t n, unsigned shift);
/* < 0, 0, > 0: by family, bytes, prefix. */
int addr_compare(const struct addr *a, const struct addr *b);
/* 0, or -1 with the reason why no NIC can have this address. */
int addr_check_for_nic(const struct addr *a, struct err *e);

#endif
