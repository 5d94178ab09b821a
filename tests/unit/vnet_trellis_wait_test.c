/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream of libtrellis whose packets come at the worst moment: just after its endpoint was looked
 * at and found empty. Whoever then waits for the endpoint, having taken them already, waits for
 * ever. The endpoint, the daemon and the clock are the test itself.
 */
#include "tests/support/suite.h"
#include "vnet/trellis/library.h"
#include "vnet/trellis/stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORT = 20, MSS = 1000, QUEUE = 1024, LONG_MS = 120000 };

static struct far {
	struct stream s;
	bool calls; /* it begins, and is not called */
	int64_t now_ns;
	struct packet {
		size_t len;
		uint8_t data[STREAM_HEAD + MSS];
	} queue[QUEUE];             /* to us */
	size_t first, end, visible; /* [first, visible) can be received, up to `end` were sent */
	size_t got;
} f;
static struct trellis trellis;
static struct trellis_table table = {.mtu = {1500}};
static struct trellis_route route = {.mtu = 1500};

static void far_talks(void)
{
	static uint8_t sink[4096];
	struct packet *p = &f.queue[f.end % QUEUE];
	size_t n;

	while ((n = stream_read(&f.s, sink, sizeof(sink))))
		f.got += n;
	while (f.end - f.first < QUEUE &&
	       (p->len = stream_emit(&f.s, p->data, sizeof(p->data), f.now_ns)))
		p = &f.queue[++f.end % QUEUE];
}

int64_t __wrap_library_now_ns(void);
int64_t __wrap_library_now_ns(void)
{
	return f.now_ns;
}

int __wrap_library_left(int64_t begin_ns, int timeout_ms);
int __wrap_library_left(int64_t begin_ns, int timeout_ms)
{
	int64_t left = timeout_ms - (f.now_ns - begin_ns) / 1000000;

	return timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;
}

const struct trellis_table *__wrap_library_table(struct trellis *t);
const struct trellis_table *__wrap_library_table(struct trellis *t)
{
	return &table;
}

const struct trellis_route *__wrap_library_route(struct trellis *t,
						 const struct trellis_address *to);
const struct trellis_route *__wrap_library_route(struct trellis *t,
						 const struct trellis_address *to)
{
	return &route;
}

int __wrap_library_resolve(struct trellis *t, const char *name, struct trellis_address *a);
int __wrap_library_resolve(struct trellis *t, const char *name, struct trellis_address *a)
{
	return trellis_address_parse(a, name) ? 0 : -1;
}

int __wrap_library_bind(struct trellis *t, const char *request, uint16_t *port);
int __wrap_library_bind(struct trellis *t, const char *request, uint16_t *port)
{
	*port = PORT;
	return dup(0);
}

uint32_t __wrap_vnet_table_version(const struct vnet_table *t);
uint32_t __wrap_vnet_table_version(const struct vnet_table *t)
{
	return 0;
}

int __wrap_library_send(struct trellis *t, int fd, struct trellis_packet *p, uint8_t *frame);
int __wrap_library_send(struct trellis *t, int fd, struct trellis_packet *p, uint8_t *frame)
{
	if (!f.s.out && !f.calls)
		ck_assert(stream_answer(&f.s, p->payload, p->len, 7, MSS, f.now_ns));
	else
		stream_receive(&f.s, p->payload, p->len, f.now_ns);
	far_talks();
	return 0;
}

bool __wrap_library_receive(int fd, uint8_t *frame, struct trellis_packet *p, bool *gone);
bool __wrap_library_receive(int fd, uint8_t *frame, struct trellis_packet *p, bool *gone)
{
	*gone = false;
	if (f.first == f.visible) {
		f.visible = f.end; /* now they come */
		return false;
	}
	const struct packet *q = &f.queue[f.first++ % QUEUE];

	*p = (struct trellis_packet){.kind = TRELLIS_STREAM,
				     .source_port = PORT,
				     .payload = q->data,
				     .len = (uint16_t)q->len};
	return true;
}

bool __wrap_library_wait(int fd, int timeout_ms);
bool __wrap_library_wait(int fd, int timeout_ms)
{
	if (f.first != f.end)
		return true;
	f.now_ns += (int64_t)timeout_ms * 1000000;
	ck_assert_msg(timeout_ms >= 0 && timeout_ms < LONG_MS / 2,
		      "waits %d ms for an endpoint that was emptied", timeout_ms);
	return false;
}

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	f.now_ns = INT64_C(5000000000);
	ck_assert(trellis_address_parse(&table.self, "/west/h1"));
}

static void teardown(void)
{
	stream_finish(&f.s);
}

static struct trellis_stream *connected(void)
{
	struct trellis_stream *s = trellis_connect(&trellis, "/east/h2", PORT, LONG_MS);

	ck_assert_ptr_nonnull(s);
	return s;
}

START_TEST(octets_and_the_end_that_come_while_it_looks_are_read)
{
	struct trellis_stream *s = connected();
	char text[8];

	ck_assert_int_eq(trellis_write(s, "x", 1, LONG_MS), 1);
	ck_assert_uint_eq(stream_write(&f.s, "hello", 5), 5);
	stream_end(&f.s, f.now_ns);
	far_talks();
	ck_assert_int_eq(trellis_read(s, text, sizeof(text), LONG_MS), 5);
	ck_assert_int_eq(trellis_read(s, text, sizeof(text), LONG_MS), 0);
	trellis_stream_close(s);
}
END_TEST

START_TEST(room_that_comes_while_it_looks_is_written_to)
{
	struct trellis_stream *s = connected();
	static char much[2 * STREAM_BUFFER];

	ck_assert_int_eq(trellis_write(s, much, sizeof(much), LONG_MS), sizeof(much));
	ck_assert_int_eq(trellis_end(s, LONG_MS), 0);
	ck_assert_uint_eq(f.got, sizeof(much));
	trellis_stream_close(s);
}
END_TEST

START_TEST(a_caller_with_a_loop_of_its_own_looks_again)
{
	struct trellis_stream *s = connected();
	char text[8];

	ck_assert_int_eq(trellis_write(s, "x", 1, LONG_MS), 1);
	while (trellis_work(s) == 0)
		;
	ck_assert_uint_eq(stream_write(&f.s, "hello", 5), 5);
	far_talks();
	f.visible = f.end;
	/* Taken by a call that is about something else. */
	ck_assert_int_eq(trellis_write(s, "y", 1, LONG_MS), 1);
	ck_assert_int_eq(trellis_work(s), 0);
	ck_assert_int_eq(trellis_read(s, text, sizeof(text), 0), 5);
	trellis_stream_close(s);
}
END_TEST

START_TEST(a_call_is_answered_though_its_last_word_comes_while_it_looks)
{
	static struct trellis_socket listener = {.t = &trellis, .port = PORT};

	f.calls = true;
	stream_connect(&f.s, 7, MSS, f.now_ns);
	far_talks();
	f.visible = f.end;
	struct trellis_stream *s = trellis_accept(&listener, -1);

	ck_assert_ptr_nonnull(s);
	trellis_stream_close(s);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, octets_and_the_end_that_come_while_it_looks_are_read);
	tcase_add_test(tc, room_that_comes_while_it_looks_is_written_to);
	tcase_add_test(tc, a_caller_with_a_loop_of_its_own_looks_again);
	tcase_add_test(tc, a_call_is_answered_though_its_last_word_comes_while_it_looks);
}

int main(void)
{
	return suite_run_case("vnet_trellis_wait", add);
}
