/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that can be refused is refused here, while there is still a process to say so: the file is
 * whole (one sum over all of it), it was written by this version for a processor and a kernel like
 * these, and the programs and libraries are the same byte by byte, since the imprint points into
 * their code.
 *
 * Then a region is made where neither this process nor the new one has anything, with all that the
 * last step needs (jump.c), and that is jumped into.
 */
#include "imprint/imprint_file.h"
#include "imprint/jump.h"
#include "imprint/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { JUMP_STACK = 65536 };

/* An imprint that is being looked at. */
struct loaded {
	int fd;
	uint64_t size;
	const uint8_t *data;
	struct imprint_tables tables;
	int file_fd[IMPRINT_FILES_MAX];
	struct imprint_maps now; /* of this process */
};

static int map_imprint(struct loaded *l, const char *path, struct err *e)
{
	struct stat st;

	l->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0 || fstat(l->fd, &st) < 0)
		return err_sys(e, "open %s", path);
	l->size = (uint64_t)st.st_size;
	if (l->size < IMPRINT_PAGE || l->size % 8)
		return err_set(e, ERR_ENV, "%s is not an imprint, or was cut short", path);
	l->data = mmap(NULL, l->size, PROT_READ, MAP_PRIVATE, l->fd, 0);
	if (l->data == MAP_FAILED) {
		l->data = NULL;
		return err_sys(e, "map %s", path);
	}
	return 0;
}

static int check_fits(struct loaded *l, const char *path, const char *note, struct err *e)
{
	const struct imprint_header *h = &l->tables.head;

	if (strcmp(h->note, note) != 0)
		return err_set(e, ERR_ENV, "%s was saved by '%.*s', and this is '%s'", path,
			       IMPRINT_NOTE_MAX, h->note, note);
	if (h->cpu != imprint_cpu())
		return err_set(e, ERR_ENV, "%s was saved on another kind of processor", path);
	if (imprint_maps_read(&l->now, true, e) < 0)
		return -1;
	if (h->vdso != imprint_vdso(&l->now) || !imprint_vdso_fits(&l->tables, &l->now))
		return err_set(e, ERR_ENV, "%s was saved on another kernel", path);
	for (uint32_t i = 0; i < h->n_files; i++) {
		struct imprint_file f = l->tables.file[i];

		l->file_fd[i] = imprint_file_open(&f, e);
		if (l->file_fd[i] < 0)
			return err_wrap(e, "%s", path);
		if (f.size != l->tables.file[i].size || f.sum != l->tables.file[i].sum)
			return err_set(e, ERR_ENV, "%s: %s is not what it was when it was saved",
				       path, f.path);
	}
	return 0;
}

static bool overlaps(const struct imprint_map *map, uint64_t n, uint64_t start, uint64_t end)
{
	for (uint64_t i = 0; i < n; i++)
		if (map[i].start < end && map[i].end > start)
			return true;
	return false;
}

/* Where there is nothing now and will be nothing then. Far from where the kernel puts things. */
static uint64_t find_room(const struct loaded *l, uint64_t len)
{
	const uint64_t step = UINT64_C(1) << 32;

	for (uint64_t at = UINT64_C(0x100000000000); at < UINT64_C(0x500000000000); at += step)
		if (!overlaps(l->now.at, l->now.n, at, at + len) &&
		    !overlaps(l->tables.map, l->tables.head.n_maps, at, at + len))
			return at;
	return 0;
}

/* The region is laid out by going through it twice: first to learn its size. */
struct layout {
	uint8_t *base; /* NULL: only counting */
	uint64_t at;
};

static void *place(struct layout *y, const void *from, uint64_t len)
{
	void *to = y->base ? y->base + y->at : NULL;

	if (to && from)
		memcpy(to, from, len);
	y->at = (y->at + len + 15) & ~UINT64_C(15);
	return to;
}

static uint64_t page_up(uint64_t n)
{
	return (n + IMPRINT_PAGE - 1) & ~(uint64_t)(IMPRINT_PAGE - 1);
}

static uint64_t kernels_code(const struct imprint_map *map, uint64_t n)
{
	uint64_t len = 0;

	for (uint64_t i = 0; i < n; i++)
		if (map[i].kind == IMPRINT_MAP_VDSO)
			len += map[i].end - map[i].start;
	return len;
}

/* The kernel's code goes from where it is to where it was; its mappings come in the same order. */
static void fill_old(const struct loaded *l, struct jump_range *old)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < l->now.n; i++) {
		const struct imprint_map *m = &l->now.at[i];

		old[i] = (struct jump_range){.start = m->start, .end = m->end};
		if (m->kind != IMPRINT_MAP_VDSO)
			continue;
		while (l->tables.map[k].kind != IMPRINT_MAP_VDSO)
			k++;
		old[i].to = l->tables.map[k++].start;
	}
}

static struct jump *lay_out(const struct loaded *l, struct layout *y, const void *argument,
			    size_t len)
{
	static const char complaint[] = "vbet: no memory for the imprint\n";
	const struct imprint_header *h = &l->tables.head;
	struct jump *j = place(y, NULL, sizeof(*j));
	struct jump fill = {
		.old = place(y, NULL, l->now.n * sizeof(struct jump_range)),
		.map = place(y, l->tables.map, h->n_maps * sizeof(*l->tables.map)),
		.extent = place(y, l->tables.extent, h->n_extents * sizeof(*l->tables.extent)),
		.file_fd = place(y, l->file_fd, h->n_files * sizeof(int)),
		.header = place(y, h, sizeof(*h)),
		.complaint = place(y, complaint, sizeof(complaint)),
		.complaint_len = sizeof(complaint) - 1,
		.argument = place(y, argument, len),
		.argument_len = len,
		.n_old = l->now.n,
		.n_maps = h->n_maps,
		.n_extents = h->n_extents,
		.imprint_fd = l->fd,
		.fs_base = h->fs_base,
		.entry = h->entry,
	};

	place(y, NULL, JUMP_STACK);
	fill.stack_end = (uintptr_t)y->base + (y->at & ~UINT64_C(15));
	y->at = page_up(y->at);
	fill.code = (uintptr_t)y->base + y->at;
	fill.code_len = (uintptr_t)__stop_imprint_jump - (uintptr_t)__start_imprint_jump;
	place(y, __start_imprint_jump, fill.code_len);
	y->at = fill.region_len = page_up(y->at);
	if (!j)
		return NULL;
	fill_old(l, fill.old);
	*j = fill;
	return j;
}

/* The kernel writes there whenever the thread was interrupted: not where there will be nothing. */
static uint32_t unregister_rseq(void)
{
	uint8_t *rseq = imprint_thread() + __rseq_offset;

	/* What is registered may be longer than what the C library says that it uses. */
	for (uint32_t len = 32; __rseq_size && len <= 1024; len += 32)
		if (syscall(SYS_rseq, rseq, len, 1 /* unregister */, RSEQ_SIG) == 0)
			return len;
	return 0;
}

__attribute__((noreturn)) static void jump(struct jump *j)
{
	uint64_t code = j->code + ((uintptr_t)imprint_jump_code - (uintptr_t)__start_imprint_jump);

	j->rseq_len = unregister_rseq();
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "call *%1\n\t"
			 "ud2"
			 :
			 : "r"(j->stack_end), "r"(code), "D"(j)
			 : "memory");
	__builtin_unreachable();
}

/* Some kernels forbid it; later on it would be too late to say so. It moves there and back. */
static int try_to_move(const struct loaded *l, uint64_t parking, struct err *e)
{
	for (uint32_t i = 0; i < l->now.n; i++) {
		const struct imprint_map *m = &l->now.at[i];
		void *here = (void *)(uintptr_t)m->start;
		size_t len = m->end - m->start;

		if (m->kind != IMPRINT_MAP_VDSO)
			continue;
		void *there = mremap(here, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
				     (void *)(uintptr_t)parking);

		if (there == MAP_FAILED ||
		    mremap(there, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, here) == MAP_FAILED)
			return err_sys(e, "this kernel does not let its vDSO be moved");
	}
	return 0;
}

static int go(struct loaded *l, const void *argument, size_t len, struct err *e)
{
	struct layout y = {0};
	uint64_t parked = kernels_code(l->now.at, l->now.n);

	/* Now that nothing is mapped any more; but for the region itself. */
	if (imprint_maps_read(&l->now, true, e) < 0)
		return -1;
	lay_out(l, &y, argument, len);
	uint64_t size = y.at;
	uint64_t room = find_room(l, size + parked);

	if (!room)
		return err_set(e, ERR_ENV, "no room in the address space");
	void *p = mmap((void *)(uintptr_t)room, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		return err_sys(e, "no memory to restore an imprint");
	y = (struct layout){.base = p};
	struct jump *j = lay_out(l, &y, argument, len);

	j->parking = room + size;
	if (try_to_move(l, j->parking, e) < 0) {
		munmap(p, size);
		return -1;
	}
	if (mprotect((void *)(uintptr_t)j->code, j->code_len, PROT_READ | PROT_EXEC) < 0) {
		munmap(p, size);
		return err_sys(e, "no code can be put into memory");
	}
	jump(j);
}

int imprint_restore(const char *path, const char *note, const void *argument, size_t len,
		    struct err *e)
{
	struct loaded *l =
		mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (l == MAP_FAILED)
		return err_sys(e, "no memory to restore an imprint");
	l->fd = -1;
	memset(l->file_fd, -1, sizeof(l->file_fd));
	if (map_imprint(l, path, e) == 0 &&
	    imprint_look(l->data, l->size, path, &l->tables, e) == 0 &&
	    check_fits(l, path, note, e) == 0)
		go(l, argument, len, e);
	for (size_t i = 0; i < IMPRINT_FILES_MAX; i++)
		if (l->file_fd[i] >= 0)
			close(l->file_fd[i]);
	if (l->data)
		munmap((void *)(uintptr_t)l->data, l->size);
	if (l->fd >= 0)
		close(l->fd);
	munmap(l, sizeof(*l));
	return -1;
}
