/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet filters: pcap-filter(7) text, compiled to BPF (McCanne and Jacobson 1993) by libpcap, on
 * Ethernet frames.
 */
#ifndef VNET_MUX_FILTER_H
#define VNET_MUX_FILTER_H

#include "lib/err.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILTER_STEPS_MAX = 512 }; /* instructions that one frame may cost */

struct filter {
	struct bpf_program program; /* bf_insns NULL: every frame matches */
};

/* Compiles text ("": every frame). 0, or -1: too long, not a filter (what libpcap says), too many
 * steps. */
int filter_compile(struct filter *f, const char *text, struct err *e);
bool filter_matches(const struct filter *f, const uint8_t *frame, size_t len);
void filter_finish(struct filter *f);

#endif
