/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All of the state of a substrate is memory, so the process is kept as it is (imprint/), at the end
 * of a turn, when nothing of it is on the stack. What the memory has no part in is made anew by
 * thaw: the loop's epoll, the connection to the server, what objects have opened.
 */
#include "vsubstrate/snapshot.h"

#include "lib/container_of.h"
#include "lib/xalloc.h"
#include "substrate/core/thaw.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A memory is as good as the program that it is of: imprint/ compares that byte by byte. */
static const char note[] = "vsubstrate " VBET_VERSION;

static void written(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct snapshot *saving = container_of(w, struct snapshot, done);
	struct substrate *s = saving->sub;
	struct err e = {0};

	loop_remove(s->loop, w);
	saving->sub = NULL;
	if (imprint_writer_finish(&saving->writer, &e) < 0)
		substrate_event(s, "event save-failed \"%s\"", e.text);
	else
		substrate_event(s, "event saved \"%s\"", saving->path);
	free(saving->path);
	saving->path = NULL;
}

void snapshot_written(struct snapshot *saving)
{
	written(&saving->done, 0, 0);
}

enum snapshot_result snapshot_save(struct loop *l, struct substrate *s, struct snapshot *saving)
{
	struct err e = {0};

	/* One after the other. */
	if (!s->save_to || saving->sub)
		return SNAPSHOT_NONE;
	saving->path = s->save_to;
	s->save_to = NULL;
	saving->then_ns = clock_monotonic_ns();
	switch (imprint_save(saving->path, note, &saving->writer, &e)) {
	case IMPRINT_RESTORED:
		free(saving->path);
		saving->path = NULL;
		return SNAPSHOT_RESTORED;
	case IMPRINT_FAILED:
		substrate_event(s, "event save-failed \"%s\"", e.text);
		free(saving->path);
		saving->path = NULL;
		return SNAPSHOT_NONE;
	case IMPRINT_SAVING:
		break;
	}
	saving->sub = s;
	saving->done = (struct loop_watch){.fd = saving->writer.report_fd, .ready = written};
	if (loop_add(l, &saving->done, EPOLLIN, &e) < 0)
		written(&saving->done, 0, 0);
	return SNAPSHOT_NONE;
}

void snapshot_finish(struct loop *l, struct snapshot *saving)
{
	if (!saving->sub)
		return;
	loop_remove(l, &saving->done);
	imprint_writer_finish(&saving->writer, NULL);
	free(saving->path);
}

int snapshot_thaw(struct substrate *s, struct err *e)
{
	size_t len;
	const char *dir = imprint_argument(&len);
	size_t dir_len = strlen(dir) + 1;
	struct thaw t = {.dir = dir, .paths = dir + dir_len, .len = len - dir_len};

	return substrate_thaw(s, &t, e);
}

void snapshot_restore(const char *file, char *const *paths, size_t n, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	const char *slash = strrchr(file, '/');

	/* The directory that it is in, then the paths. */
	if (slash)
		fwrite(file, (size_t)(slash - file), 1, f);
	else
		fputc('.', f);
	fputc('\0', f);
	for (size_t i = 0; i < n; i++)
		fwrite(paths[i], strlen(paths[i]) + 1, 1, f);
	fclose(f);
	imprint_restore(file, note, text, len, e);
	free(text);
}
