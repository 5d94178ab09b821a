/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/command/lines.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 4096 };

static char *take_line(struct lines *in)
{
	char *end = in->len ? memchr(in->text, '\n', in->len) : NULL;

	if (!end && !(in->ended && in->len))
		return NULL;
	size_t n = end ? (size_t)(end - in->text) : in->len;
	char *line = xstrndup(in->text, n);

	n += end != NULL;
	in->len -= n;
	memmove(in->text, in->text + n, in->len);
	return line;
}

char *lines_next(struct lines *in)
{
	for (;;) {
		char *line = take_line(in);

		if (line)
			return line;
		struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
					{.fd = in->other_fd, .events = POLLIN}};

		if (in->ended || *in->interrupted || (poll(fds, 2, -1) < 0 && errno != EINTR) ||
		    fds[1].revents)
			return NULL;
		if (!fds[0].revents)
			continue;
		in->text = xrealloc(in->text, in->len + READ_SIZE);
		ssize_t got = read(STDIN_FILENO, in->text + in->len, READ_SIZE);

		in->ended = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
		in->len += got > 0 ? (size_t)got : 0;
	}
}

void lines_finish(struct lines *in)
{
	free(in->text);
}
