/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one direction of a cable does to frames, as data: the script writes it, the plan carries it as
 * "key=value" words, the substrate obeys it. One table names every key, its unit and its range, so
 * that parser, printer, help and completion agree. Vocabulary of tc-netem(8).
 */
#ifndef LIB_LINKSPEC_H
#define LIB_LINKSPEC_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct linkspec {
	int64_t rate_bps;     /* 0: unlimited */
	int64_t burst_bytes;  /* bytes that may pass at once when the link was idle; 0: none */
	int64_t delay_ns;
	int64_t jitter_ns;    /* spread around delay_ns; 0: none */
	int64_t loss_ppm;
	int64_t duplicate_ppm;
	int64_t corrupt_ppm;
	int64_t reorder_ppm;  /* share of frames that jump the delay */
	int64_t limit_frames; /* queue in front of the rate; 0: default of the substrate */
	int64_t limit_bytes;  /* the same in bytes; 0: no limit of its own */
	int64_t mtu;          /* largest layer-3 payload that passes; 0: no check */
};

/* Sets one key from text ("rate", "10Mbit"). 0, or -1: unknown key (names the nearest), bad value. */
int linkspec_set(struct linkspec *s, const char *key, const char *value, struct err *e);
/* Sets an already scaled value (a number of the script); kind is an enum unit_kind. */
int linkspec_set_number(struct linkspec *s, const char *key, int kind, int64_t value,
			struct err *e);
/* True if key is a parameter of a link. */
bool linkspec_has_key(const char *key);
/* The i-th key and its one-line help, or NULL past the end. */
const char *linkspec_key(size_t i, const char **help);
/* Writes " key=value" for everything that is not default, each key prefixed with `prefix`. */
void linkspec_print(FILE *out, const struct linkspec *s, const char *prefix);
bool linkspec_equal(const struct linkspec *a, const struct linkspec *b);

#endif
