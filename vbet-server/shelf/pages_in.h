/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a directory as pages: which there are, and which of them are equal. */
#ifndef VBET_SERVER_SHELF_PAGES_IN_H
#define VBET_SERVER_SHELF_PAGES_IN_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* A page's content, once. */
struct page_in {
	const uint8_t *data; /* in a mapped copy */
	uint64_t hash;
	uint32_t refs;       /* how many pages of files it is */
	uint32_t pack, page; /* where it is kept, once that is known */
	bool is_kept;
};

struct page_ref {
	uint32_t at; /* number of the page in the file */
	uint32_t in; /* which page_in */
};

struct file_in {
	char *name; /* owned; relative to the directory */
	uint64_t size;
	const uint8_t *map;
	bool is_dir;
	VEC(struct page_ref) refs; /* ordered; pages that are zero are left out */
};

/* Zeroed: empty. */
struct pages_in {
	const char *dir;           /* borrowed, while it is read */
	VEC(struct file_in) files; /* directories before what is in them; else by name */
	VEC(struct page_in) pages;
	uint32_t *slot; /* owned: numbers of pages, plus one, by hash */
	uint64_t mask;
};

/*
 * Reads all but the file `but` at the top. Copies of the files, without names, are mapped until
 * pages_in_finish(): whatever becomes of the files, pages stay as they are. 0 or -1.
 */
int pages_in_read(struct pages_in *p, const char *dir, const char *but, struct err *e);
void pages_in_finish(struct pages_in *p);

#endif
