/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/capture.h"

#include "lib/units.h"
#include "substrate/end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	OPTION_END = 0,
	OPTION_IF_NAME = 2,
	OPTION_IF_TSRESOL = 9,
	OPTION_EPB_FLAGS = 2,
	LINKTYPE_ETHERNET = 1,
	FLAG_TO_END = 1, /* inbound: towards the guest or device */
	FLAG_FROM_END = 2,
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
	char *path; /* owned */
	uint32_t snaplen;
	uint8_t *buf; /* owned */
	size_t len, cap;
	struct loop_timer timer; /* writes what is left when no more comes */
	bool failed;
	uint64_t frames, dropped;
};

static void write_out(struct capture *c)
{
	size_t done = 0;

	loop_cancel_timer(c->object.sub->loop, &c->timer);
	while (done < c->len && !c->failed) {
		ssize_t n = write(c->fd, c->buf + done, c->len - done);

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
	}
	if (c->failed)
		done = c->len;
	memmove(c->buf, c->buf + done, c->len - done);
	c->len -= done;
}

static void write_late(struct loop_timer *t, int64_t now_ns)
{
	struct capture *c = (struct capture *)((char *)t - offsetof(struct capture, timer));

	write_out(c);
	if (c->len)
		loop_set_timer(c->object.sub->loop, t, now_ns + write_after_ns);
}

static void put(struct capture *c, const void *data, size_t len)
{
	if (c->len + len > c->cap) {
		c->cap = (c->len + len) * 2;
		c->buf = xrealloc(c->buf, c->cap);
	}
	memcpy(c->buf + c->len, data, len);
	c->len += len;
}

static void put_u32(struct capture *c, uint32_t value)
{
	put(c, &value, sizeof(value));
}

static void put_padded(struct capture *c, const void *data, uint32_t len)
{
	static const uint8_t zeroes[4];

	if (len)
		put(c, data, len);
	put(c, zeroes, -len & 3);
}

static void put_option(struct capture *c, uint16_t code, const void *data, uint16_t len)
{
	const uint16_t head[2] = {code, len};

	put(c, head, sizeof(head));
	put_padded(c, data, len);
}

/* Starts a block; its length is filled in by end_block(). */
static size_t begin_block(struct capture *c, uint32_t type)
{
	size_t at = c->len;

	put_u32(c, type);
	put_u32(c, 0);
	return at;
}

static void end_block(struct capture *c, size_t at)
{
	uint32_t len = (uint32_t)(c->len - at) + 4;

	put_u32(c, len);
	memcpy(c->buf + at + 4, &len, sizeof(len));
}

static void put_heads(struct capture *c)
{
	const char *name = c->end->object->name;
	const uint8_t nanoseconds = 9;
	const uint16_t version[2] = {1, 0};
	const uint16_t type[2] = {LINKTYPE_ETHERNET, 0};
	const uint64_t unknown = UINT64_MAX;
	size_t at = begin_block(c, BLOCK_SECTION);

	put_u32(c, 0x1a2b3c4d);
	put(c, version, sizeof(version));
	put(c, &unknown, sizeof(unknown));
	end_block(c, at);
	at = begin_block(c, BLOCK_INTERFACE);
	put(c, type, sizeof(type));
	put_u32(c, c->snaplen);
	put_option(c, OPTION_IF_NAME, name, (uint16_t)strlen(name));
	put_option(c, OPTION_IF_TSRESOL, &nanoseconds, 1);
	put_option(c, OPTION_END, NULL, 0);
	end_block(c, at);
}

static void record(struct capture *c, const struct frame *f, bool sent, int64_t now_ns)
{
	uint64_t t = (uint64_t)(now_ns + c->object.sub->epoch_ns);
	uint32_t kept = f->len < c->snaplen ? f->len : c->snaplen;
	uint32_t flags = sent ? FLAG_FROM_END : FLAG_TO_END;

	if (c->failed || c->len > KEEP_MAX) {
		c->dropped++;
		return;
	}
	size_t at = begin_block(c, BLOCK_PACKET);

	put_u32(c, 0);
	put_u32(c, (uint32_t)(t >> 32));
	put_u32(c, (uint32_t)t);
	put_u32(c, kept);
	put_u32(c, f->len);
	put_padded(c, f->data, kept);
	put_option(c, OPTION_EPB_FLAGS, &flags, sizeof(flags));
	put_option(c, OPTION_END, NULL, 0);
	end_block(c, at);
	c->frames++;
	if (c->len >= WRITE_AT)
		write_out(c);
	if (c->len && !c->timer.heap_index)
		loop_set_timer(c->object.sub->loop, &c->timer,
			       loop_now_ns(c->object.sub->loop) + write_after_ns);
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

static void destroy(struct object *o)
{
	struct capture *c = (struct capture *)o;

	if (c->end)
		leave_end(c);
	if (c->fd >= 0) {
		write_out(c);
		close(c->fd);
	}
	loop_cancel_timer(o->sub->loop, &c->timer);
	free(c->buf);
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

		c->end = NULL;
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

static const struct object_kind capture_kind = {
	.name = "capture", .destroy = destroy, .status = status};

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
	c->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
	if (c->fd < 0) {
		err_sys(e, "open %s", path);
		destroy(&c->object);
		return NULL;
	}
	c->end = n;
	c->next = n->capture;
	n->capture = c;
	put_heads(c);
	write_out(c);
	return &c->object;
}
