/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How an imprint lies in its file: a header of one page, pages of memory, and tables of what they
 * are. Within the machine's own byte order, as it holds its pointers.
 */
#ifndef IMPRINT_IMPRINT_FILE_H
#define IMPRINT_IMPRINT_FILE_H

#include "imprint/imprint.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	IMPRINT_PAGE = 4096,
	IMPRINT_VERSION = 2, /* of this format */
	IMPRINT_MAPS_MAX = 8192,
	IMPRINT_EXTENTS_MAX = 1 << 18,
	IMPRINT_FILES_MAX = 256,
};

#define IMPRINT_MAGIC UINT64_C(0x31706d6974656276) /* "vbetimp1" */

/* What a mapping is made of. */
enum imprint_map_kind {
	IMPRINT_MAP_ANONYMOUS,
	IMPRINT_MAP_STACK, /* the same, and grows downwards */
	IMPRINT_MAP_FILE,  /* of files[file], from offset */
	IMPRINT_MAP_VDSO,  /* the kernel's own code and data: moved to here */
};

struct imprint_map {
	uint64_t start, end, offset;
	uint32_t kind, prot; /* enum imprint_map_kind; PROT_* */
	uint32_t file;
	uint32_t filled; /* 1: pages of it are in the imprint */
};

/* So many bytes of memory from addr are at `at` in the file. */
struct imprint_extent {
	uint64_t addr, len, at;
};

/* A program or library that is mapped: it must be the same, byte by byte. */
struct imprint_file {
	char path[256];
	uint64_t size, sum;
	uint64_t inode; /* when it was mapped */
};

struct imprint_header {
	uint64_t magic;
	uint32_t version, header_size;
	uint64_t size; /* of the file */
	uint64_t sum;  /* of all of the file, with this field 0 */
	char note[IMPRINT_NOTE_MAX];
	uint64_t cpu, vdso; /* imprint_cpu(), imprint_vdso() */
	uint32_t n_maps, n_extents, n_files, reserved;
	uint64_t maps_at, extents_at, files_at;
	/* Where it goes on. */
	uint64_t entry, fs_base;
	/* Of the kernel's own notes of a process (struct prctl_mm_map). */
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t robust_list, robust_len, tid_address;
};

_Static_assert(sizeof(struct imprint_header) <= IMPRINT_PAGE, "the header is a page");

/* Adds n bytes (a multiple of 8) to a sum. */
uint64_t imprint_sum(uint64_t sum, const void *data, size_t n);
/* Opens the file at f->path and finds its size, sum and inode: the descriptor, or -1. */
int imprint_file_open(struct imprint_file *f, struct err *e);

/* Where the thread's own data are: the C library's, and what is thread-local (x86-64 ABI). */
static inline uint8_t *imprint_thread(void)
{
	uint8_t *p;

	__asm__("mov %%fs:0, %0" : "=r"(p));
	return p;
}

/* What the C library and the program may have chosen by: features of the processor. */
uint64_t imprint_cpu(void);

/* A table of mappings from /proc/self/maps, made without malloc(). */
struct imprint_maps {
	uint32_t n, n_files;
	struct imprint_map at[IMPRINT_MAPS_MAX];
	struct imprint_file file[IMPRINT_FILES_MAX];
	char text[1 << 16];
};

/*
 * Reads what is mapped; shared: also memory that is shared with others. -1: something is there that
 * cannot be described. Files have only their paths and inodes.
 */
int imprint_maps_read(struct imprint_maps *m, bool shared, struct err *e);
/* The sum of the kernel's code among the mappings. */
uint64_t imprint_vdso(const struct imprint_maps *m);

/* First in a process made of an imprint: never returns. The region is that of jump.h. */
typedef void imprint_entry_fn(const void *region, size_t region_len);

#endif
