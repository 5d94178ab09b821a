/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All frames that pass an end, written to a file as pcapng (draft-ietf-opsawg-pcapng) with times in
 * nanoseconds. The file says nothing but what passed: two runs that are the same give the same
 * bytes.
 */
#ifndef SUBSTRATE_CORE_CAPTURE_H
#define SUBSTRATE_CORE_CAPTURE_H

#include "lib/words.h"
#include "substrate/core/substrate.h"

struct capture;
struct end;

/*
 * words: file=PATH (a file, replaced, or a FIFO that has a reader), snaplen=BYTES, description=TEXT
 * (of the interface), comment=TEXT (of the whole). When it ends the file says how many frames
 * passed, and how many of them it misses because its reader was slower than 16 MiB can bridge.
 */
struct object *capture_create(struct substrate *s, const char *name, struct end *n,
			      const struct words *w, struct err *e);
/* A frame passes; sent: from the end into its cable. */
void capture_frame(struct capture *first, const struct frame *f, bool sent, int64_t now_ns);
/* The end goes away, and its captures with it. */
void capture_end_gone(struct end *n);

#endif
