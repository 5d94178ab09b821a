/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes blocks of pcapng (draft-ietf-opsawg-pcapng) into a buffer that grows. Times are
 * nanoseconds. The same calls give the same bytes.
 */
#ifndef SUBSTRATE_CORE_PCAPNG_H
#define SUBSTRATE_CORE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

struct pcapng {
	uint8_t *buf; /* owned; pcapng_finish() */
	size_t len, cap;
	uint32_t interfaces; /* so far: frames are of the last one */
};

enum pcapng_direction {
	PCAPNG_IN = 1, /* epb_flags: inbound, outbound */
	PCAPNG_OUT = 2,
};

struct pcapng_interface {
	const char *name;
	const char *description; /* or NULL */
	uint32_t snaplen;
	uint16_t linktype; /* of its frames: tcpdump.org/linktypes.html */
};

/* What the interface has seen. */
struct pcapng_statistics {
	uint64_t at_ns, received, dropped;
};

void pcapng_finish(struct pcapng *p);
/* Section Header and Interface Description: what a file begins with. comment may be NULL. */
void pcapng_begin(struct pcapng *p, const char *comment, const struct pcapng_interface *i);
/* From here on frames are of this interface. */
void pcapng_put_interface(struct pcapng *p, const struct pcapng_interface *i);
/* A frame of len bytes of which the first kept ones are at data. */
void pcapng_put_frame(struct pcapng *p, uint64_t at_ns, const uint8_t *data, uint32_t kept,
		      uint32_t len, enum pcapng_direction direction);
/* Of the first interface, for all of them. */
void pcapng_put_statistics(struct pcapng *p, const struct pcapng_statistics *s);
/* The first n bytes were used. */
void pcapng_consume(struct pcapng *p, size_t n);

#endif
