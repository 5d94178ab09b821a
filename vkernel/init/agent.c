/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent answers the server on one byte stream, which carries many channels (lib/agent_wire.h).
 * It must never wait: it is process 1, and a stuck channel would stop all others, and the guest's
 * services with them.
 *
 * What is to be sent waits in one buffer, `out`. Channels add to it only while less than OUT_MAX is
 * pending and while their own credit lasts (chan_room()). So a command that prints without end is
 * stopped by its own pipe, not by our memory: nobody reads the pipe until there is room. When the
 * stream has taken some of the buffer, every channel in turn may add a piece (pump_all()); each
 * time another one is first, or the first would always take all the room.
 *
 * In the other direction the server sends no more than the window of a channel, and what a program
 * has not read yet is granted back only when it has (chan_grant()), in quarters of a window, to
 * save messages.
 *
 * Channels end themselves: a handler may free its channel, so the loop over them looks at its place
 * again. chan_exit() takes the channel off the list first, and its owner frees it afterwards.
 *
 * The stream is watched edge-triggered on a virtio port: while its other side is away, such a port
 * is always readable, returns 0 and says HUP, and would wake us all the time. So it is read until
 * nothing is left, and 0 means "nobody there" and not the end. Events that come before the stream
 * is open are kept in `out` and sent behind HELLO.
 */
#include "vkernel/init/agent.h"

#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	OUT_MAX = 131072, /* DATA waits in its program once this much is pending */
	CHUNK = 32768,    /* of DATA per message */
	READ_SIZE = 16384,
	CHANNELS_MAX = 512,
	GRANT = WIRE_WINDOW / 4,
	KEEP = 8192, /* an idle agent keeps no more buffer than this */
};

struct buffer {
	char *at;
	size_t start, end, cap; /* at[start..end) is pending */
};

static struct loop *loop;
static const struct agent_calls *calls;
static struct loop_watch stream = {.fd = -1};
static struct buffer in;
static struct buffer out;
static VEC(struct chan *) chans;
static const char *shell;
static bool pumping;
static bool is_port;  /* a virtio port, else a serial line or a socket */
static bool want_out; /* EPOLLOUT is watched (on ports it always is) */

/* --- buffers --- */

/* Moves what is pending to the front before it grows: most of the time that is enough. */
static void buffer_reserve(struct buffer *b, size_t len)
{
	if (b->start && b->end + len > b->cap) {
		memmove(b->at, b->at + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	if (b->end + len <= b->cap)
		return;
	size_t cap = b->cap * 2 > b->end + len ? b->cap * 2 : b->end + len;

	b->at = xrealloc(b->at, cap);
	b->cap = cap;
}

static void buffer_consume(struct buffer *b, size_t len)
{
	b->start += len;
	if (b->start < b->end)
		return;
	b->start = b->end = 0;
	if (b->cap > KEEP) {
		free(b->at);
		b->at = NULL;
		b->cap = 0;
	}
}

static size_t buffer_len(const struct buffer *b)
{
	return b->end - b->start;
}

/* --- sending --- */

static void put_head(char *at, uint32_t id, enum wire_type type, size_t len)
{
	struct wire_head h = {.len = (uint32_t)len, .channel = id, .type = (uint8_t)type};

	memcpy(at, &h, sizeof(h));
}

static void watch_out(bool want)
{
	if (is_port || stream.fd < 0 || want == want_out)
		return;
	want_out = want;
	loop_change(loop, &stream, EPOLLIN | (want ? EPOLLOUT : 0));
}

/* Writes until the stream takes no more. */
static void write_out(void)
{
	while (stream.fd >= 0 && buffer_len(&out)) {
		ssize_t n = write(stream.fd, out.at + out.start, buffer_len(&out));

		if (n <= 0)
			break;
		buffer_consume(&out, (size_t)n);
	}
	watch_out(buffer_len(&out));
}

static void send_message(uint32_t id, enum wire_type type, const void *data, size_t len)
{
	buffer_reserve(&out, WIRE_HEAD + len);
	put_head(out.at + out.end, id, type, len);
	if (len)
		memcpy(out.at + out.end + WIRE_HEAD, data, len);
	out.end += WIRE_HEAD + len;
	write_out();
}

static void send_words(uint32_t id, enum wire_type type, char *const *words, size_t n)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	words_put_line(f, words, n);
	fclose(f);
	len--; /* no newline */
	send_message(id, type, text, len < WIRE_PAYLOAD_MAX ? len : WIRE_PAYLOAD_MAX);
	free(text);
}

void agent_send_event(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	send_words(0, WIRE_EVENT, (char *const *)words, n);
}

static void send_hello(void)
{
	struct utsname u;
	char kernel[80];
	char *words[] = {(char *)"version=1", kernel};

	uname(&u);
	snprintf(kernel, sizeof(kernel), "kernel=%.64s", u.release);
	send_words(0, WIRE_HELLO, words, ARRAY_LEN(words));
}

/* --- channels --- */

static struct chan *find_chan(uint32_t id)
{
	for (size_t i = 0; i < chans.n && id; i++)
		if (chans.at[i]->id == id)
			return chans.at[i];
	return NULL;
}

void chan_open(struct chan *c, uint32_t id, const struct chan_ops *ops)
{
	c->id = id;
	c->ops = ops;
	c->credit = WIRE_WINDOW;
	c->unread = 0;
	vec_push(&chans, c);
}

void chan_exit(struct chan *c, const char *word)
{
	char *words[] = {(char *)word};

	vec_remove_item(&chans, c);
	if (c->id)
		send_words(c->id, WIRE_EXIT, words, 1);
}

/*
 * For a channel that never opened: it ends in the same way as one that did, so the server has one
 * case to handle.
 */
void chan_refuse(uint32_t id, const char *why)
{
	char *word = xasprintf("error=%s", why);

	send_words(id, WIRE_EXIT, &word, 1);
	free(word);
}

size_t chan_room(const struct chan *c)
{
	size_t room = c->id && buffer_len(&out) < OUT_MAX ? CHUNK : 0;

	return room < c->credit ? room : c->credit;
}

char *chan_reserve(struct chan *c, size_t len)
{
	buffer_reserve(&out, WIRE_HEAD + len);
	return out.at + out.end + WIRE_HEAD;
}

void chan_commit(struct chan *c, enum wire_type type, size_t len)
{
	put_head(out.at + out.end, c->id, type, len);
	out.end += WIRE_HEAD + len;
	if (type == WIRE_DATA || type == WIRE_ERRDATA)
		c->credit -= len;
	write_out();
}

void chan_send(struct chan *c, enum wire_type type, const void *data, size_t len)
{
	send_message(c->id, type, data, len);
}

void chan_grant(struct chan *c, size_t len)
{
	c->unread += len;
	if (c->unread < GRANT || !c->id)
		return;
	uint32_t n = (uint32_t)c->unread;

	c->unread = 0;
	send_message(c->id, WIRE_WINDOW_ADD, &n, sizeof(n));
}

/* Every channel in turn may send a piece, until nothing more can be sent. */
static void pump_all(void)
{
	if (pumping)
		return;
	pumping = true;
	for (size_t i = 0; i < chans.n && buffer_len(&out) < OUT_MAX; i++) {
		struct chan *c = chans.at[i];

		if (c->ops->pump)
			c->ops->pump(c);
		if (i < chans.n && chans.at[i] != c)
			i--; /* it ended; the next took its place */
	}
	/* For fairness another one is first the next time. */
	if (chans.n > 1) {
		struct chan *first = chans.at[0];

		vec_remove(&chans, 0);
		vec_push(&chans, first);
	}
	pumping = false;
}

/* --- receiving --- */

typedef void start_chan(uint32_t id, const struct words *w);

static void start(uint32_t id, const char *data, size_t len, start_chan *kind)
{
	struct arena a = {0};
	struct words w;
	struct err e;

	if (!id || find_chan(id))
		chan_refuse(id, "channel in use");
	else if (chans.n >= CHANNELS_MAX)
		chan_refuse(id, "too many channels");
	else if (words_split(data, len, &a, &w, &e) < 0)
		chan_refuse(id, e.text);
	else
		kind(id, &w);
	arena_finish(&a);
}

static void on_exec(uint32_t id, const char *data, size_t len)
{
	start(id, data, len, exec_start);
}

static void on_put(uint32_t id, const char *data, size_t len)
{
	start(id, data, len, xfer_put);
}

static void on_get(uint32_t id, const char *data, size_t len)
{
	start(id, data, len, xfer_get);
}

static void on_look(uint32_t id, const char *data, size_t len)
{
	start(id, data, len, look_start);
}

static void on_data(uint32_t id, const char *data, size_t len)
{
	struct chan *c = find_chan(id);

	if (c && c->ops->data)
		c->ops->data(c, data, len);
}

static void on_eof(uint32_t id, const char *data, size_t len)
{
	struct chan *c = find_chan(id);

	if (c && c->ops->eof)
		c->ops->eof(c);
}

/* Credit never exceeds a window, whatever the other side says. */
static void on_window_add(uint32_t id, const char *data, size_t len)
{
	struct chan *c = find_chan(id);
	uint32_t n = 0;

	if (!c || len != sizeof(n))
		return;
	memcpy(&n, data, sizeof(n));
	c->credit += n < WIRE_WINDOW - c->credit ? n : WIRE_WINDOW - c->credit;
	if (c->ops->pump)
		c->ops->pump(c);
}

static void on_signal(uint32_t id, const char *data, size_t len)
{
	struct chan *c = find_chan(id);
	uint32_t sig = 0;

	if (!c || !c->ops->signal || len != sizeof(sig))
		return;
	memcpy(&sig, data, sizeof(sig));
	c->ops->signal(c, (int)sig);
}

static void on_resize(uint32_t id, const char *data, size_t len)
{
	struct chan *c = find_chan(id);
	uint16_t size[2];

	if (!c || !c->ops->resize || len != sizeof(size))
		return;
	memcpy(size, data, sizeof(size));
	c->ops->resize(c, size[0], size[1]);
}

static void on_close(uint32_t id, const char *data, size_t len)
{
	struct chan *c = find_chan(id);

	if (c && c->ops->close)
		c->ops->close(c);
}

static void on_control(uint32_t id, const char *data, size_t len)
{
	struct arena a = {0};
	struct words w;
	struct err e;

	if (words_split(data, len, &a, &w, &e) < 0)
		agent_event("failed", "control", e.text);
	else if (w.n)
		calls->control(&w);
	arena_finish(&a);
}

static void (*const handlers[WIRE_TYPES])(uint32_t id, const char *data, size_t len) = {
	[WIRE_EXEC] = on_exec,       [WIRE_PUT] = on_put,       [WIRE_GET] = on_get,
	[WIRE_DATA] = on_data,       [WIRE_EOF] = on_eof,       [WIRE_WINDOW_ADD] = on_window_add,
	[WIRE_SIGNAL] = on_signal,   [WIRE_RESIZE] = on_resize, [WIRE_CLOSE] = on_close,
	[WIRE_CONTROL] = on_control, [WIRE_LOOK] = on_look,
};

/* Handles one message of the input. 1: done; 0: it is not whole yet; -1: that is no message. */
static int handle_one(void)
{
	struct wire_head h;

	if (buffer_len(&in) < WIRE_HEAD)
		return 0;
	memcpy(&h, in.at + in.start, sizeof(h));
	if (h.len > WIRE_PAYLOAD_MAX || h.type >= WIRE_TYPES || !handlers[h.type] || h.zero[0] ||
	    h.zero[1] || h.zero[2])
		return -1;
	if (buffer_len(&in) < WIRE_HEAD + h.len)
		return 0;
	handlers[h.type](h.channel, in.at + in.start + WIRE_HEAD, h.len);
	if (stream.fd >= 0)
		buffer_consume(&in, WIRE_HEAD + h.len);
	return 1;
}

static void end_stream(void)
{
	agent_close();
	calls->closed();
}

/* True while there may be more to read. */
static bool read_in(void)
{
	buffer_reserve(&in, READ_SIZE);
	ssize_t n = read(stream.fd, in.at + in.end, in.cap - in.end);
	int rc;

	if (n <= 0) {
		bool gone = n < 0 ? errno != EAGAIN && errno != EINTR : true;

		buffer_consume(&in, 0);
		if (gone && (n < 0 || !is_port))
			end_stream();
		return false;
	}
	in.end += (size_t)n;
	while ((rc = handle_one()) > 0 && stream.fd >= 0)
		;
	if (rc < 0)
		end_stream();
	return stream.fd >= 0;
}

static void stream_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	/* Until nothing is left: an edge-triggered port will not tell us again. */
	while (stream.fd >= 0 && read_in())
		;
	write_out();
	if (stream.fd >= 0)
		pump_all();
	write_out();
}

int agent_open(struct loop *l, int fd, const struct agent_calls *c, struct err *e)
{
	struct stat st;

	loop = l;
	calls = c;
	is_port = fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && !isatty(fd);
	want_out = is_port;
	sock_set_nonblock(fd);
	stream.fd = fd;
	stream.ready = stream_ready;
	if (loop_add(l, &stream, is_port ? EPOLLIN | EPOLLOUT | EPOLLET : EPOLLIN, e) < 0) {
		stream.fd = -1;
		return -1;
	}
	struct buffer early = out;

	memset(&out, 0, sizeof(out));
	send_hello();
	if (buffer_len(&early)) {
		buffer_reserve(&out, buffer_len(&early));
		memcpy(out.at + out.end, early.at + early.start, buffer_len(&early));
		out.end += buffer_len(&early);
	}
	free(early.at);
	write_out();
	return 0;
}

void agent_set_shell(const char *path)
{
	shell = path;
}

const char *agent_shell(void)
{
	return shell;
}

struct loop *agent_loop(void)
{
	return loop;
}

/* The one place that waits: at the end of the guest, when nothing else is left to do. */
void agent_flush(int timeout_ms)
{
	struct pollfd p = {.fd = stream.fd, .events = POLLOUT};

	write_out();
	while (stream.fd >= 0 && buffer_len(&out) && poll(&p, 1, timeout_ms) > 0 &&
	       (p.revents & POLLOUT))
		write_out();
}

/*
 * From the back, and with a look at the length each time: a handler that closes its channel removes
 * it from the list.
 */
void agent_close(void)
{
	int fd = stream.fd;

	if (fd < 0)
		return;
	loop_remove(loop, &stream);
	stream.fd = -1;
	close(fd);
	for (size_t i = chans.n; i-- > 0 && i < chans.n;) {
		struct chan *c = chans.at[i];

		c->id = 0; /* nobody there to talk to */
		if (c->ops->close)
			c->ops->close(c);
	}
	buffer_consume(&in, buffer_len(&in));
	buffer_consume(&out, buffer_len(&out));
}
