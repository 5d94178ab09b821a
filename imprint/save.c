/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An imprint is written by a fork of the process: the fork has all memory as it was at that moment,
 * for nothing but the pages that the process changes meanwhile, and the process goes on at once.
 *
 * What the fork writes is itself. So it works in a shared mapping, which is left out as all shared
 * ones are, and calls nothing that has a state of its own (malloc, streams). Of each private
 * mapping those pages are written that are not the file's (pagemap says so): changed data,
 * relocations, heap, stack. Pages of zeroes are left out where a new mapping has them anyway.
 *
 * The file has no name until it is whole and on the disk; it then takes the place of the old one in
 * one step. A writer that is killed in that leaves a second name, PATH.new, which the next one
 * takes away; otherwise it leaves nothing.
 */
#include "imprint/imprint_file.h"
#include "imprint/jump.h"
#include "lib/file.h"
#include "lib/minmax.h"
#include "lib/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61) /* or shared memory */

enum { PAGEMAP_BATCH = 4096 }; /* entries read at once */

/* What the fork works in. */
struct scratch {
	struct imprint_header head;
	char zeroes[IMPRINT_PAGE];
	struct imprint_maps maps;
	uint64_t pagemap[PAGEMAP_BATCH];
	struct imprint_extent extent[IMPRINT_EXTENTS_MAX];
	int fd, pagemap_fd;
	uint64_t at;     /* how much there is of the file */
	uint64_t sum;    /* of what is written */
	size_t buffered; /* and is not written yet */
	uint8_t buffer[1 << 20];
};

/* The moment that is kept. In the data of the program, as it is the imprint that carries it. */
static sigjmp_buf moment;
static const struct jump *region; /* what this process was just restored by, or NULL */
static void *argument;            /* owned */
static size_t argument_len;

static int flush(struct scratch *s, struct err *e)
{
	s->sum = imprint_sum(s->sum, s->buffer, s->buffered);
	if (file_write_at(s->fd, s->at - s->buffered, s->buffer, s->buffered) < 0)
		return err_sys(e, "write");
	s->buffered = 0;
	return 0;
}

/* Copied before it is summed: it may be the stack that we are on. */
static int put(struct scratch *s, const void *data, size_t len, struct err *e)
{
	const uint8_t *p = data;

	while (len) {
		size_t n = min_size(len, sizeof(s->buffer) - s->buffered);

		memcpy(s->buffer + s->buffered, p, n);
		s->buffered += n;
		s->at += n;
		p += n;
		len -= n;
		if (s->buffered == sizeof(s->buffer) && flush(s, e) < 0)
			return -1;
	}
	return 0;
}

static int put_page(struct scratch *s, struct imprint_map *m, uint64_t addr, struct err *e)
{
	struct imprint_header *h = &s->head;
	struct imprint_extent *last = h->n_extents ? &s->extent[h->n_extents - 1] : NULL;
	const void *page = (const void *)(uintptr_t)addr;

	if (m->kind != IMPRINT_MAP_FILE && !memcmp(page, s->zeroes, IMPRINT_PAGE))
		return 0;
	if (last && last->addr + last->len == addr) {
		last->len += IMPRINT_PAGE;
	} else {
		if (h->n_extents == IMPRINT_EXTENTS_MAX)
			return err_set(e, ERR_ENV, "memory in too many pieces");
		s->extent[h->n_extents++] =
			(struct imprint_extent){.addr = addr, .len = IMPRINT_PAGE, .at = s->at};
	}
	m->filled = 1;
	return put(s, page, IMPRINT_PAGE, e);
}

static int put_mapping(struct scratch *s, struct imprint_map *m, struct err *e)
{
	uint64_t pages = (m->end - m->start) / IMPRINT_PAGE;
	uint64_t first = m->start / IMPRINT_PAGE;

	/* What nobody may read has not been written either; the kernel's code is not ours. */
	if (m->kind == IMPRINT_MAP_VDSO || !(m->prot & PROT_READ))
		return 0;
	for (uint64_t i = 0; i < pages; i += PAGEMAP_BATCH) {
		uint64_t n = pages - i < PAGEMAP_BATCH ? pages - i : PAGEMAP_BATCH;
		size_t len = n * sizeof(s->pagemap[0]);

		if (pread(s->pagemap_fd, s->pagemap, len, (off_t)((first + i) * 8)) != (ssize_t)len)
			return err_sys(e, "read /proc/self/pagemap");
		for (uint64_t k = 0; k < n; k++) {
			uint64_t p = s->pagemap[k];

			if (!(p & (PAGE_PRESENT | PAGE_SWAPPED)) || p & PAGE_OF_FILE)
				continue;
			if (put_page(s, m, (first + i + k) * IMPRINT_PAGE, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int look_at_files(struct imprint_maps *m, struct err *e)
{
	for (uint32_t i = 0; i < m->n_files; i++) {
		uint64_t inode = m->file[i].inode;
		int fd = imprint_file_open(&m->file[i], e);

		if (fd < 0)
			return -1;
		close(fd);
		if (m->file[i].inode != inode)
			return err_set(e, ERR_ENV, "%s was replaced while it was in use",
				       m->file[i].path);
	}
	return 0;
}

/* The kernel's own notes of the process, but for the break: /proc/self/stat (proc(5)). */
static int read_stat(struct scratch *s, struct err *e)
{
	struct imprint_header *h = &s->head;
	uint64_t *const field[] = {
		[26] = &h->start_code, [27] = &h->end_code, [28] = &h->start_stack,
		[45] = &h->start_data, [46] = &h->end_data, [47] = &h->start_brk,
		[48] = &h->arg_start,  [49] = &h->arg_end,  [50] = &h->env_start,
		[51] = &h->env_end};
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, s->maps.text, sizeof(s->maps.text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return err_sys(e, "read /proc/self/stat");
	s->maps.text[n] = '\0';
	/* The name in parentheses may hold anything. */
	char *p = strrchr(s->maps.text, ')');

	for (size_t i = 2; p && i < sizeof(field) / sizeof(field[0]); i++) {
		if (i > 2 && field[i])
			*field[i] = strtoull(p, NULL, 10);
		p = strchr(p + 1, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p && !h->env_end)
		return err_set(e, ERR_ENV, "/proc/self/stat is not understood");
	return 0;
}

__attribute__((noreturn)) static void go_on(const void *at, size_t len)
{
	region = at;
	siglongjmp(moment, 1);
}

static int put_tables(struct scratch *s, struct err *e)
{
	struct imprint_header *h = &s->head;

	h->n_maps = s->maps.n;
	h->n_files = s->maps.n_files;
	h->maps_at = s->at;
	if (put(s, s->maps.at, h->n_maps * sizeof(s->maps.at[0]), e) < 0)
		return -1;
	h->extents_at = s->at;
	if (put(s, s->extent, h->n_extents * sizeof(s->extent[0]), e) < 0)
		return -1;
	h->files_at = s->at;
	return put(s, s->maps.file, h->n_files * sizeof(s->maps.file[0]), e);
}

static int put_header(struct scratch *s, struct err *e)
{
	struct imprint_header *h = &s->head;

	h->magic = IMPRINT_MAGIC;
	h->version = IMPRINT_VERSION;
	h->header_size = sizeof(*h);
	h->size = s->at;
	h->cpu = imprint_cpu();
	h->vdso = imprint_vdso(&s->maps);
	h->entry = (uintptr_t)go_on;
	h->fs_base = (uintptr_t)imprint_thread();
	h->brk = (uint64_t)syscall(SYS_brk, 0);
	prctl(PR_GET_TID_ADDRESS, &h->tid_address);
	syscall(SYS_get_robust_list, 0, &h->robust_list, &h->robust_len);
	/* Last of all: what came before has no meaning without it. */
	if (flush(s, e) < 0)
		return -1;
	h->sum = imprint_sum(s->sum, h, sizeof(*h));
	s->at = 0;
	return put(s, h, sizeof(*h), e) < 0 ? -1 : flush(s, e);
}

static int put_imprint(struct scratch *s, struct err *e)
{
	s->at = IMPRINT_PAGE;
	s->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (s->pagemap_fd < 0)
		return err_sys(e, "open /proc/self/pagemap");
	if (read_stat(s, e) < 0 || imprint_maps_read(&s->maps, false, e) < 0)
		return -1;
	if (look_at_files(&s->maps, e) < 0)
		return -1;
	for (uint32_t i = 0; i < s->maps.n; i++)
		if (put_mapping(s, &s->maps.at[i], e) < 0)
			return -1;
	if (put_tables(s, e) < 0 || put_header(s, e) < 0)
		return -1;
	return fsync(s->fd) < 0 ? err_sys(e, "fsync") : 0;
}

/* Opens a file without a name in the directory of path, which is written to dir. */
static int open_nameless(const char *path, char *dir, size_t size, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 1;

	if (strlen(path) + sizeof(".new") > size)
		return err_set(e, ERR_USAGE, "too long a path: %s", path);
	memcpy(dir, slash ? path : ".", len);
	dir[len] = '\0';
	if (!len)
		strcpy(dir, "/");
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(e, "make a file in %s", dir) : fd;
}

/* link(2) does not replace: so it gets a name beside the old one first, and that is moved. */
static int give_name(int fd, const char *path, const char *dir, struct err *e)
{
	char beside[PATH_MAX], proc[64];
	int dir_fd;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	snprintf(beside, sizeof(beside), "%s.new", path);
	unlink(beside);
	if (linkat(AT_FDCWD, proc, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) < 0 ||
	    rename(beside, path) < 0)
		return err_sys(e, "%s", path);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir_fd < 0 ? -1 : fsync(dir_fd);

	if (dir_fd >= 0)
		close(dir_fd);
	return rc < 0 ? err_sys(e, "fsync %s", dir) : 0;
}

/* The fork. Nobody must take the sockets that it has in common with its parent for open. */
__attribute__((noreturn)) static void write_and_end(struct scratch *s, const char *path,
						    const char *dir, int report_fd)
{
	static struct err e;

	if (dup2(report_fd, 1) < 0 || dup2(s->fd, 0) < 0)
		_exit(3);
	s->fd = 0;
	close_range(3, ~0U, 0);
	e = (struct err){0};
	if (put_imprint(s, &e) < 0 || give_name(s->fd, path, dir, &e) < 0)
		if (write(1, &e, sizeof(e)) < 0)
			_exit(3);
	_exit(e.kind ? 3 : 0);
}

static int can_save(struct err *e)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return err_set(e, ERR_ENV, "a program that was built with sanitizers has no imprints");
#endif
	unsigned size = 0;

	if (prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) < 0)
		return err_set(e, ERR_ENV,
			       "the kernel was built without CONFIG_CHECKPOINT_RESTORE");
	return 0;
}

static int start_writer(struct scratch *s, const char *path, struct imprint_writer *w,
			struct err *e)
{
	char dir[PATH_MAX];
	int report[2];

	int fd = open_nameless(path, dir, sizeof(dir), e);

	if (fd < 0)
		return -1;
	if (pipe2(report, O_CLOEXEC) < 0) {
		close(fd);
		return err_sys(e, "pipe");
	}
	/* The fork has it in common with us, and gives the file another number. */
	s->fd = fd;
	w->pid = fork();
	if (w->pid == 0)
		write_and_end(s, path, dir, report[1]);
	close(fd);
	close(report[1]);
	if (w->pid < 0) {
		close(report[0]);
		return err_sys(e, "fork");
	}
	w->report_fd = report[0];
	return 0;
}

static void settle_mm(const struct imprint_header *h)
{
	static const char text[] = "vbet: the kernel refuses the addresses of the imprint\n";
	struct prctl_mm_map mm = {
		.start_code = h->start_code,
		.end_code = h->end_code,
		.start_data = h->start_data,
		.end_data = h->end_data,
		.start_brk = h->start_brk,
		.brk = h->brk,
		.start_stack = h->start_stack,
		.arg_start = h->arg_start,
		.arg_end = h->arg_end,
		.env_start = h->env_start,
		.env_end = h->env_end,
		.exe_fd = (uint32_t)-1,
	};

	/* The C library would take what the kernel says of another heap for its own. */
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &mm, sizeof(mm), 0) == 0)
		return;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(3);
}

/* Memory is as the C library believes it to be; here is what the kernel keeps of a process. */
static void settle(void)
{
	const struct imprint_header *h = region->header;
	uint8_t *rseq = imprint_thread() + __rseq_offset;

	settle_mm(h);
	*(int *)(uintptr_t)h->tid_address = (int)syscall(SYS_set_tid_address, h->tid_address);
	syscall(SYS_set_robust_list, h->robust_list, h->robust_len);
	if (region->rseq_len)
		syscall(SYS_rseq, rseq, region->rseq_len, 0, RSEQ_SIG);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	close_range(3, ~0U, 0);
	free(argument);
	argument_len = region->argument_len;
	argument = xmalloc(argument_len);
	memcpy(argument, region->argument, argument_len);
	munmap((void *)(uintptr_t)region, region->region_len);
	region = NULL;
}

const void *imprint_argument(size_t *len)
{
	*len = argument_len;
	return argument;
}

enum imprint_result imprint_save(const char *path, const char *note, struct imprint_writer *w,
				 struct err *e)
{
	if (can_save(e) < 0)
		return IMPRINT_FAILED;
	struct scratch *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (s == MAP_FAILED)
		return err_sys(e, "no memory for an imprint");
	snprintf(s->head.note, sizeof(s->head.note), "%s", note);
	if (sigsetjmp(moment, 1)) {
		settle();
		return IMPRINT_RESTORED;
	}
	int rc = start_writer(s, path, w, e);

	munmap(s, sizeof(*s));
	return rc < 0 ? IMPRINT_FAILED : IMPRINT_SAVING;
}

int imprint_writer_finish(struct imprint_writer *w, struct err *e)
{
	struct err why = {0};
	int status = 0;
	ssize_t n = read(w->report_fd, &why, sizeof(why));

	close(w->report_fd);
	waitpid(w->pid, &status, 0);
	*w = (struct imprint_writer){.report_fd = -1};
	if (n == (ssize_t)sizeof(why)) {
		if (e)
			*e = why;
		return -1;
	}
	return status ? err_set(e, ERR_ENV, "the process that wrote the imprint was ended") : 0;
}
