/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PUT and GET: a file on a channel. A file is written beside the old one and takes its place at the
 * end, so that who reads it sees the old one or the new one, and a transfer that breaks off leaves
 * the old one. What is no regular file (a device, a pipe) is written in place.
 */
#include "vkernel/init/agent.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct xfer {
	struct chan chan; /* first: a chan is its xfer */
	int fd;
	char *path,
		*temp; /* PUT: temp takes the place of path at the end; NULL: written in place */
	mode_t mode;
	bool has_mode;
};

static struct xfer *xfer_of(struct chan *c)
{
	return (struct xfer *)c;
}

static void finish(struct xfer *x, const char *word)
{
	chan_exit(&x->chan, word);
	if (x->temp)
		unlink(x->temp); /* if it is still there */
	if (x->fd >= 0)
		close(x->fd);
	free(x->path);
	free(x->temp);
	free(x);
}

/* errno is that of what failed; the temporary file goes with the rest. */
static void fail(struct xfer *x, const char *what)
{
	struct err e;

	err_sys(&e, "error=%s", what);
	finish(x, e.text);
}

static void xfer_close(struct chan *c)
{
	finish(xfer_of(c), "error=given up");
}

/* --- PUT --- */

/*
 * A file takes what it is given, so it is granted back at once; a pipe in place of a file may say
 * EAGAIN, and that is an error here.
 */
static void put_data(struct chan *c, const char *data, size_t len)
{
	struct xfer *x = xfer_of(c);

	for (size_t done = 0; done < len;) {
		ssize_t n = write(x->fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(x, x->path);
			return;
		}
		done += (size_t)n;
	}
	chan_grant(c, len);
}

static void put_eof(struct chan *c)
{
	struct xfer *x = xfer_of(c);

	if ((x->temp || x->has_mode) && fchmod(x->fd, x->mode) < 0) {
		fail(x, x->path);
		return;
	}
	if (x->temp && rename(x->temp, x->path) < 0) {
		fail(x, x->path);
		return;
	}
	finish(x, "status=0");
}

static const struct chan_ops put_ops = {.data = put_data, .eof = put_eof, .close = xfer_close};

/* The last word that is no key: the path. */
static const char *path_of(const struct words *w)
{
	return w->n > 1 ? w->at[w->n - 1] : "";
}

/* Opens what PUT writes to: a new file beside the old one, or what is no regular file itself. */
static int open_target(struct xfer *x)
{
	char *real =
		realpath(x->path, NULL); /* a symbolic link stays one: its target is replaced */
	struct stat st;

	if (real) {
		free(x->path);
		x->path = real;
	}
	if (stat(x->path, &st) == 0) {
		if (!x->has_mode)
			x->mode = st.st_mode & 07777;
		if (!S_ISREG(st.st_mode))
			return open(x->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	}
	x->temp = xasprintf("%s.XXXXXX", x->path);
	int fd = mkostemp(x->temp, O_CLOEXEC);

	if (fd < 0) {
		free(x->temp);
		x->temp = NULL;
	}
	return fd;
}

void xfer_put(uint32_t id, const struct words *w)
{
	struct xfer *x = xcalloc(1, sizeof(*x));
	const char *mode = words_get(w, "mode");

	chan_open(&x->chan, id, &put_ops);
	x->fd = -1;
	x->path = xstrdup(path_of(w));
	x->has_mode = mode;
	x->mode = mode ? (mode_t)strtoul(mode, NULL, 8) & 07777 : 0644;
	x->fd = open_target(x);
	if (x->fd < 0)
		fail(x, x->path);
}

/* --- GET --- */

/*
 * Reads into the agent's own buffer, as much as the channel has room for: a large file costs no
 * memory, and waits while the server is slow.
 */
static void get_pump(struct chan *c)
{
	struct xfer *x = xfer_of(c);
	size_t room;

	while ((room = chan_room(c))) {
		ssize_t n = read(x->fd, chan_reserve(c, room), room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(x, x->path);
			return;
		}
		if (n == 0) {
			chan_send(c, WIRE_EOF, NULL, 0);
			finish(x, "status=0");
			return;
		}
		chan_commit(c, WIRE_DATA, (size_t)n);
	}
}

static const struct chan_ops get_ops = {.close = xfer_close, .pump = get_pump};

void xfer_get(uint32_t id, const struct words *w)
{
	struct xfer *x = xcalloc(1, sizeof(*x));
	struct stat st;
	char stat_words[64];

	chan_open(&x->chan, id, &get_ops);
	x->path = xstrdup(path_of(w));
	x->fd = open(x->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (x->fd < 0 || fstat(x->fd, &st) < 0) {
		fail(x, x->path);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		fail(x, x->path);
		return;
	}
	int len = snprintf(stat_words, sizeof(stat_words), "mode=%04o size=%lld",
			   (unsigned)(st.st_mode & 07777), (long long)st.st_size);

	chan_send(&x->chan, WIRE_STAT, stat_words, (size_t)len);
	get_pump(&x->chan);
}
