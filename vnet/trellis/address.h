/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses of Trellis: paths of labels, "/east/hall/h1", as long as they need to be. On the wire,
 * and here, a label is its length and its characters; an address is its labels, behind their length
 * in octets.
 */
#ifndef VNET_TRELLIS_ADDRESS_H
#define VNET_TRELLIS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRELLIS_LABEL_MAX = 15,   /* characters: a to z, 0 to 9, '-' */
	TRELLIS_ADDRESS_MAX = 63, /* octets of all labels with their lengths */
	TRELLIS_TEXT_MAX = 80,    /* characters of an address, with the NUL */
};

struct trellis_address {
	uint8_t len; /* octets that are used; 0: "/", the prefix of all */
	uint8_t octets[TRELLIS_ADDRESS_MAX];
};

/* Reads "/east/h1". False: not an address. */
bool trellis_address_parse(struct trellis_address *a, const char *text);
/* Writes it; returns text. */
const char *trellis_address_format(const struct trellis_address *a, char text[TRELLIS_TEXT_MAX]);
/* Takes an address, its length first, from the wire: how many octets it took; 0: it is none. */
size_t trellis_address_read(struct trellis_address *a, const uint8_t *data, size_t len);
/* Puts it on the wire: how many octets that took, or 0: no room. */
size_t trellis_address_write(const struct trellis_address *a, uint8_t *data, size_t room);
bool trellis_address_equal(const struct trellis_address *a, const struct trellis_address *b);
/* Any total order, the same everywhere. */
int trellis_address_compare(const struct trellis_address *a, const struct trellis_address *b);
/* Do all labels of `prefix` begin the address? */
bool trellis_address_has_prefix(const struct trellis_address *a,
				const struct trellis_address *prefix);
/* Are its last labels those of "h1" or "hall/h1"? */
bool trellis_address_has_suffix(const struct trellis_address *a, const char *text);

#endif
