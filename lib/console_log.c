/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console log of a guest: a file that only grows, of which the beginning is given back to the
 * disk by punching a hole (fallocate(2)). Offsets never change, so a reader keeps its place across
 * a trim, and knows how much it has missed. A second file to rotate to would have to be agreed on
 * between the launcher, which trims, and the readers, which are other processes.
 *
 * Where the file system cannot punch holes, the whole file is emptied instead. A reader sees its
 * place lie behind the end then, and begins anew.
 */
#include "lib/console_log.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 }; /* given back at once, at least: few holes, whole pages */

static int64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_size;
}

/* The beginning of the first whole line at or behind `at`; there may be none. */
static int64_t next_line(int fd, int64_t at)
{
	char buf[4096];
	ssize_t n;

	for (at--; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n) {
		const char *end = memchr(buf, '\n', (size_t)n);

		if (end)
			return at + (end - buf) + 1;
	}
	return at;
}

/*
 * Readers do not trust that the launcher has trimmed: they skip what is further back than
 * CONSOLE_LOG_KEPT themselves, so the same is read whether the hole is there yet or not.
 */
long console_log_read(int fd, int64_t *at, char *buf, size_t size, int64_t *lost)
{
	int64_t end = size_of(fd);

	if (*at > end)
		*at = 0; /* all of it was given back */
	if (end - *at > CONSOLE_LOG_KEPT) {
		int64_t begin = next_line(fd, end - CONSOLE_LOG_KEPT);

		*lost += begin - *at;
		*at = begin;
	}
	ssize_t n = pread(fd, buf, size, *at);

	if (n > 0)
		*at += n;
	return n;
}

/*
 * SEEK_DATA finds where the last hole ends: less than a block behind it is not worth a call. The
 * end of the hole is rounded down to whole blocks, since only whole pages are given back.
 */
void console_log_trim(int fd)
{
	int64_t end = size_of(fd) - CONSOLE_LOG_KEPT;
	off_t first = end > BLOCK ? lseek(fd, 0, SEEK_DATA) : -1;

	if (end <= BLOCK || (first >= 0 && end - first < BLOCK))
		return;
	/* Where there are no holes all of it goes, or it would grow without end. */
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, end / BLOCK * BLOCK) < 0 &&
	    ftruncate(fd, 0) < 0)
		return;
}

static char *keep_last(char *text, size_t lines)
{
	char *p = text + strlen(text);

	while (p > text && (p[-1] == '\n' || p[-1] == '\r'))
		*--p = '\0';
	while (p > text && (p[-1] != '\n' || --lines))
		p--;
	memmove(text, p, strlen(p) + 1);
	return text;
}

/* Begins with a whole line: half a line would look like a message of its own. */
char *console_log_tail(const char *path, size_t size, size_t lines)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = xcalloc(1, size);
	int64_t at = fd < 0 ? 0 : size_of(fd) - (int64_t)(size - 1);
	int64_t lost = 0;

	if (at > 0)
		at = next_line(fd, at);
	else
		at = 0;
	if (fd >= 0 && console_log_read(fd, &at, text, size - 1, &lost) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	return keep_last(text, lines);
}

/*
 * The file of a long log has a hole where its beginning was (lib/console_log.h): what is copied are
 * the lines that are left, not the zeros.
 */
int console_log_copy(const char *from, const char *to, struct err *e)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fopen(to, "we");
	int rc = fd < 0 ? err_sys(e, "%s", from) : f ? 0 : err_sys(e, "make %s", to);
	char buf[16384];
	int64_t at = 0;
	int64_t lost = 0;
	long n;

	while (rc == 0 && (n = console_log_read(fd, &at, buf, sizeof(buf), &lost)) > 0)
		if (fwrite(buf, 1, (size_t)n, f) != (size_t)n)
			rc = -1;
	if (f && (fflush(f) || rc < 0))
		rc = err_sys(e, "write %s", to);
	if (f)
		fclose(f);
	if (fd >= 0)
		close(fd);
	return rc;
}
