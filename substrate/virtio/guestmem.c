/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's memory is a file that it shares with us, mapped in up to two regions. Its addresses are
 * looked up here, and nowhere else: a range that is not wholly in one region does not exist.
 *
 * The file stays the guest's, which could make it shorter at any time; touching what is gone raises
 * SIGBUS. To check the size before each access would cost more than the access, and help nothing,
 * as it can shrink in between. So the signal is caught, pages of zeroes are put where the file
 * ended, and whoever was copying goes on with those; the memory is marked, and the guest hung up at
 * the next look (vhost_check()).
 */
#include "substrate/virtio/guestmem.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static struct guestmem *guarded;

/*
 * Safe in a signal handler: mmap(2) is a plain system call, and the list of memories changes only
 * while nobody touches one.
 */
static void replace_lost(int sig, siginfo_t *si, void *context)
{
	uint8_t *at = si->si_addr;

	for (struct guestmem *m = guarded; m; m = m->next) {
		for (unsigned i = 0; i < m->n; i++) {
			uint8_t *start = m->region[i].map;
			uint8_t *end = start + m->region[i].map_size;

			if (at < start || at >= end)
				continue;
			at = (uint8_t *)((uintptr_t)at & ~(uintptr_t)(PAGE - 1));
			(void)mmap(at, (size_t)(end - at), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			m->broken = true;
			return;
		}
	}
	/* None of ours: a fault of our own, which happens again at once and ends us. */
	signal(SIGBUS, SIG_DFL);
}

void guestmem_guard(void)
{
	struct sigaction sa = {.sa_sigaction = replace_lost, .sa_flags = SA_SIGINFO};

	sigaction(SIGBUS, &sa, NULL);
}

int guestmem_add(struct guestmem *m, uint64_t guest_addr, uint64_t size, int fd, uint64_t offset,
		 struct err *e)
{
	uint64_t skew = offset & (PAGE - 1);
	uint64_t end, guest_end;
	struct stat st;

	if (m->n == GUESTMEM_REGIONS)
		return err_set(e, ERR_ENV, "too many memory regions");
	if (!size || __builtin_add_overflow(offset, size, &end) ||
	    __builtin_add_overflow(guest_addr, size, &guest_end))
		return err_set(e, ERR_ENV, "bad memory region");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || end > (uint64_t)st.st_size)
		return err_set(e, ERR_ENV, "memory region is not within its file");
	/* Offsets in a file need not be those of a page. */
	void *map = mmap(NULL, size + skew, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 (off_t)(offset - skew));

	if (map == MAP_FAILED)
		return err_sys(e, "map guest memory");
	if (!m->n) {
		m->next = guarded;
		guarded = m;
	}
	m->region[m->n++] = (struct guestmem_region){.guest_addr = guest_addr,
						     .size = size,
						     .host = (uint8_t *)map + skew,
						     .map = map,
						     .map_size = size + skew};
	return 0;
}

void guestmem_clear(struct guestmem *m)
{
	if (!m->n)
		return;
	for (struct guestmem **p = &guarded; *p; p = &(*p)->next) {
		if (*p == m) {
			*p = m->next;
			break;
		}
	}
	for (unsigned i = 0; i < m->n; i++)
		munmap(m->region[i].map, m->region[i].map_size);
	memset(m, 0, sizeof(*m));
}

void *guestmem_at(const struct guestmem *m, uint64_t addr, uint64_t len)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct guestmem_region *r = &m->region[i];

		if (addr >= r->guest_addr && addr - r->guest_addr <= r->size &&
		    len <= r->size - (addr - r->guest_addr))
			return r->host + (addr - r->guest_addr);
	}
	return NULL;
}
