/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames of a NIC or port of a running lab, as pcapng. The substrate writes them into a FIFO of
 * ours; here they are filtered (libpcap), counted and passed on, block by block
 * (draft-ietf-opsawg-pcapng, sections 3 and 4).
 */
#ifndef VBET_SERVER_COMMAND_FRAMES_H
#define VBET_SERVER_COMMAND_FRAMES_H

#include "lib/err.h"

#include <stdint.h>
#include <stdio.h>

struct frames_wish {
	const char *lab, *nic; /* "r1:eth0" */
	const char *filter;    /* as tcpdump takes it, or NULL */
	const char *comment;   /* of the capture, or NULL */
	int64_t count;         /* frames after which it ends; 0: no end */
	int64_t duration_ns;   /* on the wall; 0: no end */
	FILE *out;             /* borrowed */
};

struct frames_count {
	uint64_t passed;  /* that the filter let through */
	uint64_t dropped; /* that the substrate could not keep for us: we were too slow */
};

/* What is wrong with a filter. 0 or -1. */
int frames_check_filter(const char *filter, struct err *e);
/*
 * Until the wish is fulfilled, SIGINT or SIGTERM comes, the NIC goes, or nobody reads what we
 * write. 0 or -1.
 */
int frames_capture(const struct frames_wish *wish, struct frames_count *count, struct err *e);

#endif
