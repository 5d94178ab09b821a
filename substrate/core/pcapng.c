/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pcapng format (draft-ietf-opsawg-pcapng), as much of it as a capture needs: a section, one
 * interface, packets, and statistics at the end. Blocks are put into a buffer that the capture
 * writes out; a reader that skips blocks finds the next one by the length that stands at both ends
 * of each.
 *
 * Everything is in the byte order of this machine, which the section's magic tells. Times count
 * nanoseconds (if_tsresol is 9), as those of the lab do. Nothing of the host goes in: no name of an
 * operating system, no time of writing. So equal runs give equal files.
 */
#include "substrate/core/pcapng.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_IF_NAME = 2,
	OPTION_IF_DESCRIPTION = 3,
	OPTION_IF_TSRESOL = 9,
	OPTION_EPB_FLAGS = 2,
	OPTION_ISB_RECEIVED = 4,
	OPTION_ISB_DROPPED = 5,
};

/* The room grows by doubling, and never shrinks: it settles at what one batch of frames needs. */
static void put(struct pcapng *p, const void *data, size_t len)
{
	if (p->len + len > p->cap) {
		p->cap = (p->len + len) * 2;
		p->buf = xrealloc(p->buf, p->cap);
	}
	memcpy(p->buf + p->len, data, len);
	p->len += len;
}

static void put_u32(struct pcapng *p, uint32_t value)
{
	put(p, &value, sizeof(value));
}

/* The upper half of a time comes first, whatever the byte order of the rest is. */
static void put_time(struct pcapng *p, uint64_t at_ns)
{
	put_u32(p, (uint32_t)(at_ns >> 32));
	put_u32(p, (uint32_t)at_ns);
}

/* Everything in the format begins at a multiple of four. */
static void put_padded(struct pcapng *p, const void *data, uint32_t len)
{
	static const uint8_t zeroes[4];

	if (len)
		put(p, data, len);
	put(p, zeroes, -len & 3);
}

static void put_option(struct pcapng *p, uint16_t code, const void *data, uint16_t len)
{
	const uint16_t head[2] = {code, len};

	put(p, head, sizeof(head));
	put_padded(p, data, len);
}

static void put_text(struct pcapng *p, uint16_t code, const char *text)
{
	if (text)
		put_option(p, code, text, (uint16_t)strnlen(text, UINT16_MAX));
}

/* Starts a block; its length is filled in by end_block(). */
static size_t begin_block(struct pcapng *p, uint32_t type)
{
	size_t at = p->len;

	put_u32(p, type);
	put_u32(p, 0);
	return at;
}

static void end_block(struct pcapng *p, size_t at)
{
	uint32_t len = (uint32_t)(p->len - at) + 4;

	put_u32(p, len);
	memcpy(p->buf + at + 4, &len, sizeof(len));
}

void pcapng_finish(struct pcapng *p)
{
	free(p->buf);
	*p = (struct pcapng){0};
}

void pcapng_begin(struct pcapng *p, const char *comment, const struct pcapng_interface *i)
{
	const uint16_t version[2] = {1, 0};
	const uint64_t unknown = UINT64_MAX;
	size_t at = begin_block(p, BLOCK_SECTION);

	/* The byte order of all that follows, by which a reader finds out ours. */
	put_u32(p, 0x1a2b3c4d);
	put(p, version, sizeof(version));
	/* How long the section is: it goes to the end of the file, wherever that will be. */
	put(p, &unknown, sizeof(unknown));
	put_text(p, OPTION_COMMENT, comment);
	put_option(p, OPTION_END, NULL, 0);
	end_block(p, at);
	pcapng_put_interface(p, i);
}

void pcapng_put_interface(struct pcapng *p, const struct pcapng_interface *i)
{
	const uint8_t nanoseconds = 9;
	const uint16_t type[2] = {i->linktype, 0};
	size_t at = begin_block(p, BLOCK_INTERFACE);

	p->interfaces++;
	put(p, type, sizeof(type));
	put_u32(p, i->snaplen);
	put_text(p, OPTION_IF_NAME, i->name);
	put_text(p, OPTION_IF_DESCRIPTION, i->description);
	put_option(p, OPTION_IF_TSRESOL, &nanoseconds, 1);
	put_option(p, OPTION_END, NULL, 0);
	end_block(p, at);
}

void pcapng_put_frame(struct pcapng *p, uint64_t at_ns, const uint8_t *data, uint32_t kept,
		      uint32_t len, enum pcapng_direction direction)
{
	const uint32_t flags = direction;
	size_t at = begin_block(p, BLOCK_PACKET);

	put_u32(p, p->interfaces - 1);
	put_time(p, at_ns);
	put_u32(p, kept);
	put_u32(p, len);
	put_padded(p, data, kept);
	put_option(p, OPTION_EPB_FLAGS, &flags, sizeof(flags));
	put_option(p, OPTION_END, NULL, 0);
	end_block(p, at);
}

void pcapng_put_statistics(struct pcapng *p, const struct pcapng_statistics *s)
{
	size_t at = begin_block(p, BLOCK_STATISTICS);

	put_u32(p, 0);
	put_time(p, s->at_ns);
	put_option(p, OPTION_ISB_RECEIVED, &s->received, sizeof(s->received));
	put_option(p, OPTION_ISB_DROPPED, &s->dropped, sizeof(s->dropped));
	put_option(p, OPTION_END, NULL, 0);
	end_block(p, at);
}

void pcapng_consume(struct pcapng *p, size_t n)
{
	p->len -= n;
	if (p->len)
		memmove(p->buf, p->buf + n, p->len);
}
