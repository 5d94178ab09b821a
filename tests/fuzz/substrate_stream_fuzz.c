/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of substrate nodes over streams: any octets, in any pieces, in front of, between and
 * instead of good ones; authentic messages of a node gone mad; time that passes. Nothing is taken
 * for a message that nobody wrote, nothing for one of this connection that belongs to another, and
 * a connection that is made afterwards is good. The input is a run of records: a kind, a length,
 * that many octets.
 */
#include "substrate/overlay/message_stream.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct message_key key;
static struct message_stream here, there;
static uint8_t to_here[1 << 18];
static size_t to_here_len;
static bool joined; /* what `here` says reaches `there`, and back */
static uint64_t number, delivered;
static int64_t now_ns;

static void demand(bool true_)
{
	if (!true_)
		abort();
}

static void put(const void *data, size_t len)
{
	if (len > sizeof(to_here) - to_here_len)
		len = sizeof(to_here) - to_here_len;
	memcpy(to_here + to_here_len, data, len);
	to_here_len += len;
}

static void send_from_here(struct message_stream *s, const uint8_t *data, size_t len)
{
	demand(len >= MESSAGE_HEAD && len <= MESSAGE_MAX);
	if (joined)
		demand(message_stream_take(&there, data, len, now_ns) == (long)len);
}

static void send_from_there(struct message_stream *s, const uint8_t *data, size_t len)
{
	put(data, len);
}

static void opened(struct message_stream *s, int64_t when_ns)
{
	demand(s->heard && *s->peer);
}

static void message(struct message_stream *s, const struct message *m, const uint8_t *data,
		    size_t len, int64_t when_ns)
{
	struct message again;

	demand(s->open && m->sender == s->other && m->receiver == s->self);
	demand(message_read(data, len, &key, &again) == MESSAGE_GOOD && again.number <= number);
	delivered++;
}

static const struct message_stream_ops ops_here = {
	.send = send_from_here, .opened = opened, .message = message};
static const struct message_stream_ops ops_there = {
	.send = send_from_there, .opened = opened, .message = message};

static void join(void)
{
	to_here_len = 0;
	now_ns += 1000000;
	joined = false;
	message_stream_init(&here, &ops_here, NULL, &key, "s1", NULL, ++number * 1000, now_ns);
	message_stream_init(&there, &ops_there, NULL, &key, "far", "s1", ++number * 1000, now_ns);
}

/* In pieces of that many octets. False: the connection has ended. */
static bool read_here(size_t piece)
{
	size_t shown = piece;
	long n = 1;

	while (to_here_len && n >= 0) {
		n = message_stream_take(&here, to_here, shown < to_here_len ? shown : to_here_len,
					now_ns);
		if (n == 0 && shown >= to_here_len)
			break;
		if (n == 0)
			shown += piece;
		if (n <= 0)
			continue;
		demand((size_t)n <= to_here_len);
		to_here_len -= (size_t)n;
		memmove(to_here, to_here + n, to_here_len);
	}
	demand(n >= 0 || here.why);
	return n >= 0;
}

/* An authentic one, whatever it says. */
static void put_message(uint8_t what, const uint8_t *body, size_t len)
{
	static const char *const names[] = {"far", "s1", "other", "a"};
	uint8_t buf[MESSAGE_MAX] = {0};
	struct message m = {.type = (enum message_type)(1 + what % (MESSAGE_TYPES - 1)),
			    .sequence = what & 1,
			    .sender = message_id(names[what >> 2 & 3]),
			    .receiver = what & 0x40 ? 0 : message_id(names[1]),
			    .link = what & 0x80 ? 0 : message_id("a"),
			    .number = number + 1,
			    .body = (const char *)body,
			    .body_len = len};

	number++;
	put(buf, message_write(buf, &m, &key));
}

static void one_record(uint8_t what, const uint8_t *data, size_t len)
{
	switch (what % 4) {
	case 0:
		put(data, len);
		break;
	case 1:
		if (len)
			put_message(data[0], data + 1, len - 1);
		break;
	case 2:
		now_ns += INT64_C(1000000) << (what >> 4);
		if (!message_stream_tick(&here, now_ns))
			join();
		break;
	default:
		if (len && to_here_len)
			to_here[data[0] % to_here_len] ^= what;
	}
	if (!read_here(1 + (what >> 2)))
		join();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	message_key_init(&key, (const uint8_t *)"0123456789abcdef");
	number = 1;
	now_ns = 0;
	join();
	if (size && data[0] & 1)
		read_here(SIZE_MAX); /* it knows who is there, and does not know that it is heard */
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		one_record(data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	join();
	joined = true;
	message_stream_init(&here, &ops_here, NULL, &key, "s1", NULL, ++number * 1000, now_ns);
	demand(read_here(7) && here.open && there.open);
	delivered = 0;
	number = UINT64_MAX - 1;
	put_message(MESSAGE_SETUP - 1, (const uint8_t *)"vlink=x", 7);
	demand(read_here(SIZE_MAX) && delivered == 1);
	return 0;
}
