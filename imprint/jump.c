/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs in a region of its own while everything else of the process is taken away and put back: no
 * library, no global data, no stack but its own, and thus system calls by hand and no calls of
 * functions. module.mk has the options that keep the compiler from adding any.
 *
 * Before it begins all has been looked at, so what can fail here is memory for mappings. There is
 * nothing to go back to then: the process ends with a line on standard error.
 */
#include "imprint/jump.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define INLINE static inline __attribute__((always_inline))

INLINE long call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return rc;
}

INLINE __attribute__((noreturn)) void give_up(const struct jump *j)
{
	call6(SYS_write, 2, (long)j->complaint, (long)j->complaint_len, 0, 0, 0);
	for (;;)
		call6(SYS_exit_group, 3, 0, 0, 0, 0, 0);
}

INLINE void move(const struct jump *j, uint64_t from, uint64_t len, uint64_t to)
{
	long rc = call6(SYS_mremap, (long)from, (long)len, (long)len, MREMAP_MAYMOVE | MREMAP_FIXED,
			(long)to, 0);

	if (rc != (long)to)
		give_up(j);
}

/* The kernel's code is parked first: its old place may be where something new belongs. */
INLINE void clear_away(const struct jump *j)
{
	uint64_t parking = j->parking;

	for (uint64_t i = 0; i < j->n_old; i++) {
		const struct jump_range *r = &j->old[i];

		if (r->to) {
			move(j, r->start, r->end - r->start, parking);
			parking += r->end - r->start;
		} else {
			call6(SYS_munmap, (long)r->start, (long)(r->end - r->start), 0, 0, 0, 0);
		}
	}
	parking = j->parking;
	for (uint64_t i = 0; i < j->n_old; i++) {
		const struct jump_range *r = &j->old[i];

		if (!r->to)
			continue;
		move(j, parking, r->end - r->start, r->to);
		parking += r->end - r->start;
	}
}

INLINE void map_anew(const struct jump *j)
{
	for (uint64_t i = 0; i < j->n_maps; i++) {
		const struct imprint_map *m = &j->map[i];
		long flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
		long fd = -1;

		if (m->kind == IMPRINT_MAP_VDSO)
			continue;
		if (m->kind == IMPRINT_MAP_FILE)
			fd = j->file_fd[m->file];
		else
			flags |= MAP_ANONYMOUS;
		if (m->kind == IMPRINT_MAP_STACK)
			flags |= MAP_GROWSDOWN;
		long rc = call6(SYS_mmap, (long)m->start, (long)(m->end - m->start),
				m->filled ? m->prot | PROT_WRITE : m->prot, flags, fd,
				(long)m->offset);

		if (rc != (long)m->start)
			give_up(j);
	}
}

INLINE void read_pages(const struct jump *j)
{
	for (uint64_t i = 0; i < j->n_extents; i++) {
		struct imprint_extent x = j->extent[i];

		while (x.len) {
			long n = call6(SYS_pread64, j->imprint_fd, (long)x.addr, (long)x.len,
				       (long)x.at, 0, 0);

			if (n <= 0)
				give_up(j);
			x.addr += (uint64_t)n;
			x.at += (uint64_t)n;
			x.len -= (uint64_t)n;
		}
	}
}

/* What is filled was writable until now. */
INLINE void protect(const struct jump *j)
{
	for (uint64_t i = 0; i < j->n_maps; i++) {
		const struct imprint_map *m = &j->map[i];

		if (!m->filled || m->prot & PROT_WRITE)
			continue;
		if (call6(SYS_mprotect, (long)m->start, (long)(m->end - m->start), m->prot, 0, 0,
			  0) != 0)
			give_up(j);
	}
}

__attribute__((section("imprint_jump"), noreturn, used)) void imprint_jump_code(struct jump *j)
{
	clear_away(j);
	map_anew(j);
	read_pages(j);
	protect(j);
	call6(SYS_arch_prctl, ARCH_SET_FS, (long)j->fs_base, 0, 0, 0, 0);
	((imprint_entry_fn *)j->entry)(j, j->region_len);
	give_up(j);
}
