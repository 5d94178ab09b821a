/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantities as tc(8) users write them: 10Mbit, 5ms, 64M, 0.1%. Case of the unit does not matter,
 * except that a lone "m"/"M" in a size is mega. All results are exact integers; a value that does
 * not fit or has an unknown unit is refused.
 */
#ifndef LIB_UNITS_H
#define LIB_UNITS_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

enum unit_kind {
	UNIT_COUNT, /* a plain whole number */
	UNIT_RATE,  /* bit/s: bit kbit Mbit Gbit Tbit (also kbps-style bytes: bps kbps Mbps Gbps) */
	UNIT_TIME,  /* ns: ns us ms s m(in) h */
	UNIT_SIZE,  /* bytes: b k/kb/kib M/Mb/MiB G/Gb/GiB (all powers of 1024, as tc) */
	UNIT_PPM,   /* a probability in parts per million: "1%" or a fraction "0.01" */
};

/* Parses all of text; 0, or -1 with an error that says which units exist. */
int unit_parse(enum unit_kind kind, const char *text, int64_t *value, struct err *e);
/* The shortest exact form, e.g. 10Mbit, 1500us, 64M, 0.1%. Returns buf. */
const char *unit_format(enum unit_kind kind, int64_t value, char *buf, size_t size);
/* A rate beside others in a table: "10.000Mbit", "0.064Mbit", rounded. Returns buf. */
const char *unit_format_mbit(int64_t rate_bps, char *buf, size_t size);
/* "10Mbit, 64kbit" ...: what to write, for messages. */
const char *unit_example(enum unit_kind kind);
/* The kind a suffix belongs to ("ms" -> UNIT_TIME), or -1. `scale` gets its factor. */
int unit_of_suffix(const char *suffix, size_t len, int64_t *scale);

#endif
