/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which files a program needs to start, found out as the dynamic loader does (ld.so(8)): the
 * program's interpreter, its DT_NEEDED libraries, theirs, and so on. A library is looked for in
 * DT_RUNPATH or DT_RPATH, in the loader's cache, and in the usual directories. There is no asking
 * the loader itself (ldd): that would run the program's code before its sandbox stands.
 *
 * ELF files and the cache come from anywhere. Everything is read with a bound, at an offset that is
 * checked, and what makes no sense is left out. Whatever is missing then shows in the sandbox,
 * where the loader says what it lacks.
 */
#include "vnet/mux/needs.h"

#include "lib/xalloc.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PHDRS_MAX = 64, DYNAMIC_MAX = 1024, CACHE_MAX = 16 << 20 };

static const char cache_path[] = "/etc/ld.so.cache";
static const char cache_magic[] = "glibc-ld.so.cache1.1";

/* Where a loader without a cache looks; the names that Debian and others have for 64 bits. */
static const char default_dirs[] =
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib:"
	"/usr/local/lib";

struct search {
	struct needs *needs;
	char *cache; /* NULL: there is none */
	size_t cache_len;
	size_t found; /* of the library that is looked for */
};

/* One ELF file that is read. */
struct elf {
	int fd;
	const char *path;
	Elf64_Phdr phdrs[PHDRS_MAX];
	size_t n_phdrs;
	Elf64_Dyn dynamic[DYNAMIC_MAX];
	size_t n_dynamic;
};

/*
 * By the path at which the loader asks, and by the file behind it: the former is what the sandbox
 * must offer, the latter what it binds.
 */
static void add(struct needs *n, const char *path, bool run)
{
	char *real = realpath(path, NULL);

	for (size_t i = 0; real && i < n->files.n; i++) {
		if (!strcmp(n->files.at[i].path, path)) {
			free(real);
			return;
		}
	}
	if (!real || n->files.n == NEEDS_MAX) {
		free(real);
		return;
	}
	vec_push(&n->files, ((struct needs_file){xstrdup(path), real, run}));
}

static bool read_at(const struct elf *f, uint64_t at, void *to, size_t len)
{
	return at <= INT64_MAX && pread(f->fd, to, len, (off_t)at) == (ssize_t)len;
}

static const Elf64_Phdr *find_phdr(const struct elf *f, uint32_t type)
{
	for (size_t i = 0; i < f->n_phdrs; i++)
		if (f->phdrs[i].p_type == type)
			return &f->phdrs[i];
	return NULL;
}

/* False: not an ELF file of this machine. O_NONBLOCK, for a path that turns out to be a FIFO. */
static bool open_elf(struct elf *f, const char *path)
{
	Elf64_Ehdr h;

	*f = (struct elf){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), .path = path};
	if (f->fd < 0)
		return false;
	if (!read_at(f, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_machine != EM_X86_64 ||
	    h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phnum > PHDRS_MAX ||
	    !read_at(f, h.e_phoff, f->phdrs, h.e_phnum * sizeof(Elf64_Phdr))) {
		close(f->fd);
		return false;
	}
	f->n_phdrs = h.e_phnum;
	const Elf64_Phdr *d = find_phdr(f, PT_DYNAMIC);
	size_t n = d ? d->p_filesz / sizeof(Elf64_Dyn) : 0;

	if (n > DYNAMIC_MAX)
		n = DYNAMIC_MAX;
	if (n && read_at(f, d->p_offset, f->dynamic, n * sizeof(Elf64_Dyn)))
		f->n_dynamic = n;
	return true;
}

/* Text at a place of the file, cut to size. */
static bool read_text(const struct elf *f, uint64_t at, char *text, size_t size)
{
	ssize_t n = at <= INT64_MAX ? pread(f->fd, text, size - 1, (off_t)at) : -1;

	text[n > 0 ? n : 0] = '\0';
	return n > 0 && *text;
}

/* A string of the dynamic section. */
static bool read_string(const struct elf *f, uint64_t offset, char *text, size_t size)
{
	uint64_t table = 0;

	for (size_t i = 0; i < f->n_dynamic; i++)
		if (f->dynamic[i].d_tag == DT_STRTAB)
			table = f->dynamic[i].d_un.d_ptr;
	for (size_t i = 0; i < f->n_phdrs; i++) {
		const Elf64_Phdr *p = &f->phdrs[i];

		if (p->p_type == PT_LOAD && table >= p->p_vaddr && table - p->p_vaddr < p->p_filesz)
			return read_text(f, table - p->p_vaddr + p->p_offset + offset, text, size);
	}
	return false;
}

/* $ORIGIN is the directory of the file that says so. */
static char *expand(const char *dir, const char *path)
{
	static const char *const names[] = {"$ORIGIN", "${ORIGIN}"};
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strncmp(dir, names[i], strlen(names[i])))
			return xasprintf("%.*s%s", (int)(slash - path), path,
					 dir + strlen(names[i]));
	return xstrdup(dir);
}

static void found(void *ctx, const char *path)
{
	struct search *s = ctx;

	if (access(path, R_OK) < 0)
		return;
	add(s->needs, path, false);
	s->found++;
}

static void search_dirs(struct search *s, const char *dirs, const char *origin, const char *name)
{
	char *list = xstrdup(dirs);
	char *save = NULL;

	for (char *dir = strtok_r(list, ":", &save); dir && !s->found;
	     dir = strtok_r(NULL, ":", &save)) {
		char *at = expand(dir, origin);
		char *path = xasprintf("%s/%s", at, name);

		found(s, path);
		free(path);
		free(at);
	}
	free(list);
}

static uint32_t number_at(const char *cache, size_t at)
{
	uint32_t v;

	memcpy(&v, cache + at, sizeof(v));
	return v;
}

/*
 * A library may be in the cache several times, for different processors: the loader chooses one, so
 * all of them are needed.
 */
void needs_look_up(const char *cache, size_t len, const char *name,
		   void (*tell)(void *ctx, const char *path), void *ctx)
{
	enum { HEAD = 48, ENTRY = 24, KEY = 4, VALUE = 8 };
	size_t magic = sizeof(cache_magic) - 1;

	if (len < HEAD || memcmp(cache, cache_magic, magic) != 0 || cache[len - 1])
		return;
	for (size_t n = number_at(cache, magic), at = HEAD; n && at <= len - ENTRY;
	     n--, at += ENTRY) {
		uint32_t key = number_at(cache, at + KEY);
		uint32_t value = number_at(cache, at + VALUE);

		/* The last octet is NUL: every string ends in here. */
		if (key < len && value < len && !strcmp(cache + key, name))
			tell(ctx, cache + value);
	}
}

/*
 * In the order of the loader, but for DT_RPATH, which is taken like DT_RUNPATH: what differs are
 * libraries of libraries, and one too many in the sandbox does no harm.
 */
static void find_library(struct search *s, const struct elf *f, const char *name)
{
	char dirs[PATH_MAX];

	s->found = 0;
	if (strchr(name, '/'))
		return found(s, name);
	for (size_t i = 0; i < f->n_dynamic && !s->found; i++)
		if ((f->dynamic[i].d_tag == DT_RUNPATH || f->dynamic[i].d_tag == DT_RPATH) &&
		    read_string(f, f->dynamic[i].d_un.d_val, dirs, sizeof(dirs)))
			search_dirs(s, dirs, f->path, name);
	if (s->cache && !s->found)
		needs_look_up(s->cache, s->cache_len, name, found, s);
	search_dirs(s, default_dirs, f->path, name);
}

/* What one file asks for. */
static void read_needs(struct search *s, const struct elf *f)
{
	char text[PATH_MAX];
	const Elf64_Phdr *interpreter = find_phdr(f, PT_INTERP);

	if (interpreter && read_text(f, interpreter->p_offset, text, sizeof(text)))
		add(s->needs, text, true);
	for (size_t i = 0; i < f->n_dynamic && f->dynamic[i].d_tag != DT_NULL; i++)
		if (f->dynamic[i].d_tag == DT_NEEDED &&
		    read_string(f, f->dynamic[i].d_un.d_val, text, sizeof(text)))
			find_library(s, f, text);
}

static void read_cache(struct search *s)
{
	int fd = open(cache_path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= CACHE_MAX) {
		s->cache_len = (size_t)st.st_size + 1; /* with a NUL at the end */
		s->cache = xcalloc(1, s->cache_len);
		if (read(fd, s->cache, s->cache_len - 1) != st.st_size)
			s->cache_len = 0;
	}
	close(fd);
}

int needs_find(struct needs *n, const char *program, struct err *e)
{
	struct search s = {.needs = n};
	struct elf f;

	*n = (struct needs){0};
	add(n, program, true);
	if (!n->files.n || access(program, X_OK) < 0)
		return err_sys(e, "%s", program);
	read_cache(&s);
	/* The list grows while it is read. */
	for (size_t i = 0; i < n->files.n; i++) {
		if (open_elf(&f, n->files.at[i].path)) {
			read_needs(&s, &f);
			close(f.fd);
		} else if (i == 0) {
			free(s.cache);
			return err_set(e, ERR_USAGE,
				       "%s: an instance is a program of this machine, not a script",
				       program);
		}
	}
	if (s.cache)
		add(n, cache_path, false);
	free(s.cache);
	return 0;
}

void needs_finish(struct needs *n)
{
	for (size_t i = 0; i < n->files.n; i++) {
		free(n->files.at[i].path);
		free(n->files.at[i].real);
	}
	vec_free(&n->files);
}
