/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last step of a restore: code and data that lie apart from all memory of the old process and
 * of the new, and put the one into the place of the other.
 */
#ifndef IMPRINT_JUMP_H
#define IMPRINT_JUMP_H

#include "imprint/imprint_file.h"

struct jump_range {
	uint64_t start, end, to; /* to: where it is moved to; 0: it goes */
};

/* All pointers are within the region, which begins with this. */
struct jump {
	uint64_t region_len;
	uint64_t code, code_len, stack_end; /* addresses within the region */
	struct jump_range *old;             /* what this process has */
	uint64_t n_old;
	struct imprint_map *map;
	uint64_t n_maps;
	struct imprint_extent *extent;
	uint64_t n_extents;
	int *file_fd; /* by the number of the file */
	int imprint_fd;
	uint64_t parking; /* room for the kernel's code on its way */
	uint64_t fs_base, entry;
	struct imprint_header *header;
	uint32_t rseq_len; /* of what the C library registers; 0: it does not */
	char *complaint;   /* if there is no memory half-way */
	uint64_t complaint_len;
	uint8_t *argument;
	uint64_t argument_len;
};

/* Runs from a copy of [__start_imprint_jump, __stop_imprint_jump): its addresses are relative. */
__attribute__((noreturn)) void imprint_jump_code(struct jump *j);
extern const uint8_t __start_imprint_jump[], __stop_imprint_jump[];

#endif
