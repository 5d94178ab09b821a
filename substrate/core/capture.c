/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames are written as they pass an end: those that it sends before the cable does anything to
 * them, those that it gets after all is done. An end may have several captures. Who looks must see
 * what a wire would carry: while an end is captured no frame passes it raw or lent (end_takes(),
 * end_passes_raw()). So a capture costs speed, and changes nothing else.
 *
 * A file is written in pieces of 64 KiB and 0.1 s after the last piece, so that who follows it sees
 * frames while little happens. A FIFO may have a slow reader. Nothing waits for it: up to 16 MiB
 * are kept, then frames are dropped and counted, for a capture must not change what it captures.
 * When the capture ends, what its reader has not taken lingers (linger.h) until it has or is gone.
 *
 * Times in the file are the lab's plus its epoch. All that is written comes from the run: two equal
 * runs give equal files, also with the last block, whose time is that of the last frame.
 */
#include "substrate/core/capture.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "substrate/core/end.h"
#include "substrate/core/framing.h"
#include "substrate/core/linger.h"
#include "substrate/core/pcapng.h"
#include "substrate/core/thaw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SNAPLEN_MAX = 262144,
	WRITE_AT = 1 << 16,  /* bytes */
	KEEP_MAX = 16 << 20, /* bytes kept for a slow FIFO */
};

static const int64_t write_after_ns = 100000000;

struct capture {
	struct object object;
	struct end *end;
	struct capture *next; /* of the same end */
	int fd;
	bool is_file;     /* else a FIFO */
	char *path;       /* owned */
	uint64_t written; /* bytes in the file */
	uint32_t snaplen;
	enum link_framing framing; /* of the frames that are written now */
	struct pcapng out;
	struct loop_timer timer; /* writes what is left when no more comes */
	bool failed;
	uint64_t frames, dropped;
	uint64_t last_ns; /* of the last frame */
};

/* As much as the file takes now. An error is told once, and nothing more is written. */
static void write_out(struct capture *c)
{
	size_t done = 0;

	loop_cancel_timer(c->object.sub->loop, &c->timer);
	while (done < c->out.len && !c->failed) {
		ssize_t n = write(c->fd, c->out.buf + done, c->out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			c->failed = true;
			substrate_event(c->object.sub, "event failed %s \"%s\"", c->object.name,
					strerror(errno));
			break;
		}
		done += (size_t)n;
		c->written += (uint64_t)n;
	}
	pcapng_consume(&c->out, c->failed ? c->out.len : done);
}

static void write_late(struct loop_timer *t, int64_t now_ns)
{
	struct capture *c = container_of(t, struct capture, timer);

	write_out(c);
	/* A FIFO that was full: nothing says when it has room but another try. */
	if (c->out.len)
		loop_set_timer(c->object.sub->loop, t, now_ns + write_after_ns);
}

/* A cable with other framing is plugged in now: a second interface, for its frames. */
static void change_framing(struct capture *c)
{
	const struct pcapng_interface other = {.name = c->end->object->name,
					       .snaplen = c->snaplen,
					       .linktype = framing_linktype(c->end->framing)};

	c->framing = c->end->framing;
	pcapng_put_interface(&c->out, &other);
}

static void record(struct capture *c, const struct frame *f, bool sent, int64_t now_ns)
{
	struct loop *l = c->object.sub->loop;
	uint32_t kept = f->len < c->snaplen ? f->len : c->snaplen;

	c->last_ns = (uint64_t)(now_ns + c->object.sub->epoch_ns);
	c->frames++;
	if (c->failed || c->out.len > KEEP_MAX) {
		c->dropped++;
		return;
	}
	if (c->framing != c->end->framing)
		change_framing(c);
	pcapng_put_frame(&c->out, c->last_ns, f->data, kept, f->len, sent ? PCAPNG_OUT : PCAPNG_IN);
	if (c->out.len >= WRITE_AT)
		write_out(c);
	if (c->out.len && !c->timer.heap_index)
		loop_set_timer(l, &c->timer, loop_now_ns(l) + write_after_ns);
}

void capture_frame(struct capture *first, const struct frame *f, bool sent, int64_t now_ns)
{
	for (struct capture *c = first; c; c = c->next)
		record(c, f, sent, now_ns);
}

static void leave_end(struct capture *c)
{
	struct capture **p = &c->end->capture;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
}

/* Its last block says what it saw, with the time of the last frame: the same in the same run. */
static void end_file(struct capture *c)
{
	struct substrate *s = c->object.sub;
	const struct pcapng_statistics all = {c->last_ns, c->frames, c->dropped};

	pcapng_put_statistics(&c->out, &all);
	write_out(c);
	if (c->out.len) {
		linger_add(&s->lingers, s->loop, c->fd, c->out.buf, c->out.len);
		c->out = (struct pcapng){0};
	} else {
		close(c->fd);
	}
}

static void destroy(struct object *o)
{
	struct capture *c = (struct capture *)o;

	if (c->end)
		leave_end(c);
	if (c->fd >= 0)
		end_file(c);
	loop_cancel_timer(o->sub->loop, &c->timer);
	pcapng_finish(&c->out);
	free(c->path);
	object_finish(o);
	free(c);
}

void capture_end_gone(struct end *n)
{
	struct capture *c = n->capture;

	n->capture = NULL;
	while (c) {
		struct capture *next = c->next;

		c->end = NULL; /* whose list it need not be taken from */
		destroy(&c->object);
		c = next;
	}
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct capture *c = (struct capture *)o;

	json_string(j, "end", c->end->object->name);
	json_string(j, "file", c->path);
	json_uint(j, "frames", c->frames);
	json_uint(j, "dropped", c->dropped);
}

static int freeze(struct object *o, struct err *e)
{
	struct capture *c = (struct capture *)o;

	/* So that a copy of the file is all that there is to keep. */
	if (c->is_file)
		write_out(c);
	return 0;
}

/*
 * The file may have grown since; what this one writes is put in the place of that. Whoever reads a
 * FIFO stays with the one that was saved, and so does the capture, as one in a file that is not
 * ours any more.
 */
static int thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct capture *c = (struct capture *)o;
	struct stat st;

	thaw_path(t, &c->path);
	if (!c->is_file || !*c->path) {
		c->fd = -1;
		destroy(o);
		return 0;
	}
	c->fd = open(c->path, O_WRONLY | O_CLOEXEC);
	if (c->fd < 0 || fstat(c->fd, &st) < 0)
		return err_sys(e, "open %s", c->path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < c->written)
		return err_set(e, ERR_ENV, "%s is not what it was", c->path);
	if (ftruncate(c->fd, (off_t)c->written) < 0 ||
	    lseek(c->fd, (off_t)c->written, SEEK_SET) < 0)
		return err_sys(e, "%s", c->path);
	return 0;
}

static const struct object_kind capture_kind = {
	.name = "capture", .destroy = destroy, .status = status, .freeze = freeze, .thaw = thaw};

static int read_snaplen(const struct words *w, int64_t *snaplen, struct err *e)
{
	const char *text = words_get(w, "snaplen");

	*snaplen = SNAPLEN_MAX;
	if (text && unit_parse(UNIT_SIZE, text, snaplen, e) < 0)
		return err_wrap(e, "snaplen");
	if (*snaplen < 1 || *snaplen > SNAPLEN_MAX)
		return err_set(e, ERR_USAGE, "snaplen is from 1 to %d", SNAPLEN_MAX);
	return 0;
}

struct object *capture_create(struct substrate *s, const char *name, struct end *n,
			      const struct words *w, struct err *e)
{
	const char *path = words_get(w, "file");
	int64_t snaplen;

	if (!path) {
		err_set(e, ERR_USAGE, "a capture needs file=");
		return NULL;
	}
	if (read_snaplen(w, &snaplen, e) < 0)
		return NULL;
	struct capture *c = xcalloc(1, sizeof(*c));

	c->snaplen = (uint32_t)snaplen;
	c->timer.fire = write_late;
	c->path = xstrdup(path);
	c->fd = -1;
	if (object_add(&c->object, s, &capture_kind, name, e) < 0) {
		free(c->path);
		free(c);
		return NULL;
	}
	/* Without a reader a FIFO would hold us up: O_NONBLOCK makes that an error. */
	c->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
	if (c->fd < 0) {
		err_sys(e, "open %s", path);
		destroy(&c->object);
		return NULL;
	}
	struct stat st;

	c->is_file = fstat(c->fd, &st) == 0 && S_ISREG(st.st_mode);
	c->end = n;
	c->framing = n->framing;
	c->next = n->capture;
	n->capture = c;
	/* Readers wait for the head of a file before they show anything: it is written now. */
	const struct pcapng_interface interface = {n->object->name, words_get(w, "description"),
						   c->snaplen, framing_linktype(n->framing)};

	pcapng_begin(&c->out, words_get(w, "comment"), &interface);
	write_out(c);
	return &c->object;
}
