/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/file.h"

#include "lib/sock.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write_at(int fd, uint64_t at, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* From here to end, which is not a hole. */
static int copy_piece(int from, int to, off_t at, off_t end)
{
	char buf[65536];

	if (lseek(from, at, SEEK_SET) < 0 || lseek(to, at, SEEK_SET) < 0)
		return -1;
	while (at < end) {
		size_t want = end - at < (off_t)sizeof(buf) ? (size_t)(end - at) : sizeof(buf);
		ssize_t n = read(from, buf, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if (sock_write_all(to, buf, (size_t)n) < 0)
			return -1;
		at += n;
	}
	return 0;
}

int file_copy(int from, int to)
{
	struct stat st;
	off_t at = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
		return -1;
	while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, at, SEEK_HOLE);

		if (end < 0 || copy_piece(from, to, at, end) < 0)
			return -1;
		at = end;
	}
	return errno == ENXIO ? 0 : -1;
}
