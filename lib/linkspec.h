/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one direction of a cable does to frames, as data: the script writes it, the plan carries it
 * as "key=value" words, the substrate obeys it. One table names every key, its unit and its range,
 * so that parser, printer, help and completion agree. Vocabulary of tc-netem(8), tc-tbf(8),
 * tc-red(8) and tc-codel(8).
 */
#ifndef LIB_LINKSPEC_H
#define LIB_LINKSPEC_H

#include "lib/err.h"
#include "lib/linksched.h"
#include "lib/units.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum link_distribution { LINK_UNIFORM, LINK_NORMAL, LINK_PARETO, LINK_PARETONORMAL };
enum link_order { LINK_ORDER_FREE, LINK_ORDER_KEEP };
enum link_aqm { LINK_AQM_NONE, LINK_AQM_RED, LINK_AQM_CODEL };
/* What stands in front of packets; the same for both directions of a cable, for its whole life. */
enum link_framing { LINK_ETHERNET, LINK_HDLC };

enum { LINK_PATH_MAX = 256, LINK_SCHEDULE_MAX = 256 };

/* Gilbert-Elliott: chances per frame of good to bad and bad to good, and of loss in each. */
struct link_gemodel {
	int64_t p_ppm, r_ppm;
	int64_t loss_bad_ppm;  /* 1-h */
	int64_t loss_good_ppm; /* 1-k */
};

/* All zero is a link that does nothing. Plain data: copied by assignment. */
struct linkspec {
	int64_t rate_bps;    /* 0: unlimited */
	int64_t burst_bytes; /* bytes that may pass at once when the link was idle; 0: none */
	int64_t delay_ns;
	int64_t jitter_ns;    /* spread around delay_ns; 0: none */
	int64_t distribution; /* of the jitter: enum link_distribution, unless a table is named */
	int64_t delay_correlation_ppm;
	int64_t order; /* enum link_order: may frames of different delay overtake each other? */
	int64_t loss_ppm;
	int64_t loss_correlation_ppm;
	struct link_gemodel gemodel;
	int64_t loss_every; /* every n-th frame is lost; 0: none */
	int64_t duplicate_ppm;
	int64_t duplicate_correlation_ppm;
	int64_t corrupt_ppm;
	int64_t corrupt_correlation_ppm;
	int64_t reorder_ppm; /* share of frames that jump the delay */
	int64_t reorder_correlation_ppm;
	int64_t gap;          /* only every n-th frame may jump; 0 or 1: all */
	int64_t limit_frames; /* queue in front of the rate; 0: default of the substrate */
	int64_t limit_bytes;  /* the same in bytes; 0: no limit of its own */
	int64_t aqm;          /* enum link_aqm */
	int64_t ecn;          /* 1: mark what can be marked instead of dropping it (RED, CoDel) */
	int64_t red_min_bytes, red_max_bytes; /* 0: a twelfth and a quarter of the limit */
	int64_t red_probability_ppm;          /* at red_max; 0: 2 % */
	int64_t red_weight; /* the average follows by 1/2^weight per frame; 0: 9 */
	int64_t codel_target_ns, codel_interval_ns; /* 0: 5 ms, 100 ms */
	int64_t framing;                            /* enum link_framing */
	int64_t mtu;                      /* largest layer-3 payload that passes; 0: no check */
	char table[LINK_PATH_MAX];        /* file of the jitter's distribution; "": none */
	char schedule[LINK_SCHEDULE_MAX]; /* lib/linksched.h; "": nothing changes over time */
};

/* Sets a key from text ("rate", "10Mbit"). 0, or -1: a bad value, or no such key (names one). */
int linkspec_set(struct linkspec *s, const char *key, const char *value, struct err *e);
/* Sets an already scaled value (a number of the script); kind is an enum unit_kind. */
int linkspec_set_number(struct linkspec *s, const char *key, int kind, int64_t value,
			struct err *e);
/* True if key is a parameter of a link. */
bool linkspec_has_key(const char *key);
/* The i-th key and its one-line help, or NULL past the end. */
const char *linkspec_key(size_t i, const char **help);
/*
 * The j-th word that a key takes as its value ("normal"), for help and completion; NULL past the
 * end and for keys that take something else.
 */
const char *linkspec_key_word(const char *key, size_t j);
/* Writes " key=value" for everything that is not default, each key prefixed with `prefix`. */
void linkspec_print(FILE *out, const struct linkspec *s, const char *prefix);
/* The same without a prefix and without the first blank, malloc'ed; "" if all is default. */
char *linkspec_text(const struct linkspec *s);
bool linkspec_equal(const struct linkspec *a, const struct linkspec *b);

/*
 * The field of a key that may change over time by a schedule (a number such as rate or loss), its
 * unit and its largest value; NULL for all others. unit and max may be NULL.
 */
int64_t *linkspec_field(struct linkspec *s, const char *key, enum unit_kind *unit, int64_t *max);
/* Reads a schedule of such keys: linksched_parse(). */
int linkspec_parse_schedule(struct linksched *s, const char *text, struct err *e);

#endif
