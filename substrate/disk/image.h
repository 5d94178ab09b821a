/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a disk holds: a base that is only read, and may be shared by any number of disks, and under
 * its name, if it has one, a layer in which all that is written goes.
 *
 * A layer without a base is the plain content of the disk, with holes: it may be the base of
 * another disk later. A layer over a base is, in this order (numbers little-endian):
 *
 *     0     "vbet disk layer\n"
 *     16    u64 bytes of the disk, u64 bytes of the base, i64 time of the base's last change (ns)
 *     4096  a bit for each block of 4096 bytes: the layer has it (bit 0 of byte 0: block 0)
 *     ...   from the next multiple of 4096 on: the blocks, each in its place; holes for the others
 *
 * A block is written before its bit: whenever the process that writes is killed, each block is
 * there as it was or as it is now. That holds for the file as processes see it; what a machine
 * that loses power has kept of it is not known.
 */
#ifndef SUBSTRATE_DISK_IMAGE_H
#define SUBSTRATE_DISK_IMAGE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IMAGE_SECTOR = 512,
	IMAGE_BLOCK = 4096, /* bytes that a layer takes from its base at once */
};
#define IMAGE_SIZE_MAX (INT64_C(64) << 30)

struct image_spec {
	const char *base;  /* path of a regular file; NULL: all zeroes */
	const char *layer; /* path, made if it is not there; NULL: a file without a name */
	int64_t size;      /* bytes; 0: as large as the base */
	bool read_only;    /* there is no layer */
};

struct image {
	int base_fd, layer_fd; /* owned; -1: there is none */
	uint64_t size, base_size;
	uint8_t *map;     /* owned: which blocks the layer has; NULL: all of them */
	bool map_differs; /* from that in the file, which could not be written */
	uint64_t data_at; /* where block 0 is in the layer */
	char *base;       /* owned: its path; NULL: there is none */
	int64_t base_changed_ns;
	bool has_name; /* the layer: it outlives this disk */
};

/*
 * Opens it. The layer is locked: two disks never write one, nor does one read what another writes
 * as its base. -1 with the error set: a file is missing or in use, a layer was made for another
 * size or another base. image_close() is fine after that, too.
 */
int image_open(struct image *m, const struct image_spec *spec, struct err *e);
void image_close(struct image *m);
/*
 * A snapshot. Keep: all that was written goes into a new file at path, which replaces what is
 * there. Thaw, in another process: that file's content is the layer, the base is opened again. 0,
 * or -1 with the error set: the base has changed.
 */
int image_keep(const struct image *m, const char *path, struct err *e);
int image_thaw(struct image *m, const char *path, struct err *e);
/*
 * A guest goes to another process of this machine (mover.h). Leave: as keep; a layer that has a
 * name stays where it is. Arrive, of one that was opened by the same spec: that content is its own,
 * and the file goes. 0 or -1 with the error set.
 */
int image_leave(const struct image *m, const char *path, struct err *e);
int image_arrive(struct image *m, const char *path, struct err *e);
/*
 * len bytes from byte `at` on, which the caller has found to be within the size, and, to write,
 * that it is not read-only. 0, or -1 with errno.
 */
int image_read(const struct image *m, uint64_t at, uint8_t *to, size_t len);
int image_write(struct image *m, uint64_t at, const uint8_t *from, size_t len);

#endif
