/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /proc/self/maps as a table. It is read in the middle of an imprint, so nothing here calls
 * malloc() or opens a stream: either would change what is about to be written.
 */
#include "imprint/imprint_file.h"

#include <cpuid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each word is mixed into all bits (splitmix64), so that damage anywhere shows. */
static uint64_t add_word(uint64_t sum, const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	sum = (sum ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
	return sum ^ sum >> 29;
}

uint64_t imprint_sum(uint64_t sum, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i += 8)
		sum = add_word(sum, p + i);
	return sum;
}

/* Four sums side by side: a processor does them at once, as none waits for another. */
static uint64_t sum_bytes(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t lane[4] = {1, 2, 3, 4};
	uint64_t last = 0;
	size_t i;

	for (i = 0; n - i >= 32; i += 32) {
		lane[0] = add_word(lane[0], p + i);
		lane[1] = add_word(lane[1], p + i + 8);
		lane[2] = add_word(lane[2], p + i + 16);
		lane[3] = add_word(lane[3], p + i + 24);
	}
	uint64_t sum = imprint_sum(n, lane, sizeof(lane));

	for (; n - i >= 8; i += 8)
		sum = add_word(sum, p + i);
	memcpy(&last, p + i, n - i);
	return imprint_sum(sum, &last, sizeof(last));
}

int imprint_file_open(struct imprint_file *f, struct err *e)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "open %s", f->path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	f->size = (uint64_t)st.st_size;
	f->inode = st.st_ino;
	void *p = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);

	if (p == MAP_FAILED) {
		close(fd);
		return err_sys(e, "map %s", f->path);
	}
	f->sum = sum_bytes(p, f->size);
	munmap(p, f->size);
	return fd;
}

/*
 * Which functions a library took for this processor, and how much of its registers the loader
 * saves: leaf 1 without the number of the core, what leaves 7 and 0x80000001 offer, sizes of leaf
 * 13.
 */
uint64_t imprint_cpu(void)
{
	static const unsigned leaf[][2] = {{1, 0},  {7, 0},  {7, 1},
					   {13, 0}, {13, 1}, {0x80000001, 0}};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(leaf) / sizeof(leaf[0]); i++) {
		unsigned r[4] = {0};

		__get_cpuid_count(leaf[i][0], leaf[i][1], &r[0], &r[1], &r[2], &r[3]);
		if (leaf[i][0] == 1)
			r[1] = 0;
		sum = imprint_sum(sum, r, sizeof(r));
	}
	return sum;
}

uint64_t imprint_vdso(const struct imprint_maps *m)
{
	uint64_t sum = 0;

	/* The data of the clocks is beside the code, and is not the code's to read by us. */
	for (uint32_t i = 0; i < m->n; i++) {
		const struct imprint_map *v = &m->at[i];

		if (v->kind != IMPRINT_MAP_VDSO)
			continue;
		uint64_t len = v->end - v->start;

		sum = imprint_sum(sum, &len, sizeof(len));
		if (v->prot & PROT_EXEC)
			sum = imprint_sum(sum, (const void *)(uintptr_t)v->start, len);
	}
	return sum;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static int add_file(struct imprint_maps *m, struct imprint_map *map, const char *path,
		    uint64_t inode, struct err *e)
{
	uint32_t i;

	for (i = 0; i < m->n_files && strcmp(m->file[i].path, path) != 0; i++)
		;
	map->kind = IMPRINT_MAP_FILE;
	map->file = i;
	if (i < m->n_files)
		return 0;
	if (i == IMPRINT_FILES_MAX || strlen(path) >= sizeof(m->file[i].path))
		return err_set(e, ERR_ENV, "too many files are mapped, or too long a name: %s",
			       path);
	strcpy(m->file[i].path, path);
	m->file[i].inode = inode;
	m->n_files++;
	return 0;
}

static uint64_t read_number(char **p, int base)
{
	return strtoull(*p, p, base);
}

/* "START-END PERM OFFSET MAJOR:MINOR INODE   PATH", ended by a NUL. */
static int take_line(struct imprint_maps *m, char *line, bool shared, struct err *e)
{
	struct imprint_map map = {0};
	char *p = line;

	map.start = read_number(&p, 16);
	p++;
	map.end = read_number(&p, 16);
	p++;
	map.prot = (p[0] == 'r' ? PROT_READ : 0) | (p[1] == 'w' ? PROT_WRITE : 0) |
		   (p[2] == 'x' ? PROT_EXEC : 0);
	bool is_shared = p[3] == 's';

	p += 5;
	map.offset = read_number(&p, 16);
	read_number(&p, 16);
	p++;
	read_number(&p, 16);
	uint64_t inode = read_number(&p, 10);

	p += strspn(p, " ");
	if (begins(p, "[vsyscall]") || (is_shared && !shared))
		return 0;
	if (m->n == IMPRINT_MAPS_MAX)
		return err_set(e, ERR_ENV, "too many mappings for an imprint");
	if (begins(p, "[vdso]") || begins(p, "[vvar"))
		map.kind = IMPRINT_MAP_VDSO;
	else if (begins(p, "[stack]"))
		map.kind = IMPRINT_MAP_STACK;
	else if (inode && add_file(m, &map, p, inode, e) < 0)
		return -1;
	m->at[m->n++] = map;
	return 0;
}

int imprint_maps_read(struct imprint_maps *m, bool shared, struct err *e)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 0;
	int rc = fd < 0 ? err_sys(e, "open /proc/self/maps") : 0;

	m->n = m->n_files = 0;
	while (rc == 0 && (n = read(fd, m->text + have, sizeof(m->text) - have)) > 0) {
		char *at = m->text, *end;

		have += (size_t)n;
		while (rc == 0 && (end = memchr(at, '\n', have - (size_t)(at - m->text)))) {
			*end = '\0';
			rc = take_line(m, at, shared, e);
			at = end + 1;
		}
		have -= (size_t)(at - m->text);
		memmove(m->text, at, have);
	}
	if (rc == 0 && n < 0)
		rc = err_sys(e, "read /proc/self/maps");
	if (fd >= 0)
		close(fd);
	return rc;
}
