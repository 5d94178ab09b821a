/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/agent.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The guest's end of the stream is in the hands of the test. */
static struct loop *loop;
static struct agent agent;
static int guest;
static char heard[512]; /* events, then what the channels heard */

static void say(const char *what)
{
	ck_assert_uint_lt(strlen(heard) + strlen(what) + 1, sizeof(heard));
	strcat(heard, what);
	strcat(heard, ";");
}

static void on_event(void *ctx, const struct words *w)
{
	char text[128] = "event";

	for (size_t i = 0; i < w->n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", w->at[i]);
	say(text);
}

static void on_message(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len)
{
	char text[128];

	snprintf(text, sizeof(text), "%u %.*s", type, (int)len, (const char *)data);
	say(text);
}

static void on_gone(struct agent_channel *ch)
{
	say("gone");
}

static void setup(void)
{
	char path[] = "/tmp/vbet-unit-XXXXXX";
	struct err e;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	unlink(path);
	heard[0] = '\0';
	loop = loop_create(&e);
	int listener = sock_listen(path, SOCK_STREAM, &e);

	ck_assert_int_ge(listener, 0);
	agent = (struct agent){.on_event = on_event};
	ck_assert_int_eq(agent_connect(&agent, loop, path, &e), 0);
	guest = accept(listener, NULL, NULL);
	ck_assert_int_ge(guest, 0);
	close(listener);
	unlink(path);
}

static void teardown(void)
{
	agent_close(&agent);
	loop_destroy(loop);
	close(guest);
}

/* One message as the guest sends it. */
static void send_message(uint32_t channel, uint8_t type, const char *text)
{
	struct wire_head h = {.len = (uint32_t)strlen(text), .channel = channel, .type = type};

	ck_assert_int_eq(sock_write_all(guest, &h, sizeof(h)), 0);
	ck_assert_int_eq(sock_write_all(guest, text, h.len), 0);
}

/* Until all that was sent so far is heard: a turn may only have been about writing. */
static void turn(void)
{
	struct err e;

	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
}

static struct wire_head read_head(char *payload, size_t size)
{
	struct wire_head h;

	ck_assert_int_eq(recv(guest, &h, sizeof(h), MSG_WAITALL), sizeof(h));
	ck_assert_uint_lt(h.len, size);
	if (h.len)
		ck_assert_int_eq(recv(guest, payload, h.len, MSG_WAITALL), (int)h.len);
	payload[h.len] = '\0';
	return h;
}

/* --- framing --- */

START_TEST(a_message_is_read_when_it_is_whole)
{
	char buf[64];
	struct wire_head in = {.len = 5, .channel = 7, .type = WIRE_DATA};
	struct wire_head out;

	memcpy(buf, &in, WIRE_HEAD);
	memcpy(buf + WIRE_HEAD, "hello, and more", 16);
	for (size_t len = 0; len < WIRE_HEAD + 5; len++)
		ck_assert_int_eq(wire_read(buf, len, &out), 0);
	ck_assert_int_eq(wire_read(buf, WIRE_HEAD + 5, &out), WIRE_HEAD + 5);
	ck_assert_int_eq(wire_read(buf, WIRE_HEAD + 15, &out), WIRE_HEAD + 5);
	ck_assert_uint_eq(out.len, 5);
	ck_assert_uint_eq(out.channel, 7);
	ck_assert_uint_eq(out.type, WIRE_DATA);
}
END_TEST

START_TEST(an_empty_message_is_one)
{
	char buf[WIRE_HEAD];
	struct wire_head h = {.channel = 1, .type = WIRE_EOF};

	memcpy(buf, &h, WIRE_HEAD);
	ck_assert_int_eq(wire_read(buf, sizeof(buf), &h), WIRE_HEAD);
}
END_TEST

/* What is no message is known by its head, before its payload is there. */
static const struct wire_head nonsense[] = {
	{.len = WIRE_PAYLOAD_MAX + 1, .type = WIRE_DATA},
	{.len = UINT32_MAX, .type = WIRE_DATA},
	{.len = 1, .type = 0},
	{.len = 1, .type = WIRE_TYPES},
	{.len = 1, .type = 255},
};

START_TEST(nonsense_is_no_message)
{
	char buf[WIRE_HEAD];
	struct wire_head h;

	memcpy(buf, &nonsense[_i], WIRE_HEAD);
	ck_assert_int_eq(wire_read(buf, sizeof(buf), &h), -1);
}
END_TEST

START_TEST(the_largest_message_is_one)
{
	char buf[WIRE_HEAD];
	struct wire_head h = {.len = WIRE_PAYLOAD_MAX, .channel = 1, .type = WIRE_DATA};

	memcpy(buf, &h, WIRE_HEAD);
	ck_assert_int_eq(wire_read(buf, sizeof(buf), &h), 0);
}
END_TEST

/* --- the agent --- */

START_TEST(hello_and_events_are_told_in_words)
{
	send_message(0, WIRE_HELLO, "version=1");
	send_message(0, WIRE_EVENT, "ready zebra");
	send_message(0, WIRE_EVENT, "failed ospfd \"no such line\"");
	turn();
	ck_assert_str_eq(heard, "event hello version=1;event ready zebra;"
				"event failed ospfd no such line;");
	ck_assert(agent.said_hello);
}
END_TEST

START_TEST(messages_go_to_their_channel)
{
	struct agent_channel a = {.on_message = on_message, .on_gone = on_gone};
	struct agent_channel b = {.on_message = on_message, .on_gone = on_gone};
	char text[64];

	agent_open_channel(&agent, &a, WIRE_EXEC, "exec -- a", 9);
	agent_open_channel(&agent, &b, WIRE_EXEC, "exec -- b", 9);
	struct wire_head h = read_head(text, sizeof(text));

	ck_assert_uint_eq(h.type, WIRE_EXEC);
	ck_assert_str_eq(text, "exec -- a");
	ck_assert_uint_eq(h.channel, a.id);
	h = read_head(text, sizeof(text));
	ck_assert_uint_eq(h.channel, b.id);
	ck_assert_uint_ne(a.id, b.id);
	ck_assert_uint_ne(a.id, 0);

	send_message(b.id, WIRE_DATA, "for b");
	send_message(99, WIRE_DATA, "for nobody");
	send_message(a.id, WIRE_EXIT, "status=0");
	turn();
	ck_assert_str_eq(heard, "5 for b;11 status=0;");
	/* That was the end of a: it hears no more. */
	ck_assert_uint_eq(a.id, 0);
	agent_close(&agent);
	ck_assert_str_eq(heard, "5 for b;11 status=0;gone;");
	ck_assert_uint_eq(b.id, 0);
}
END_TEST

START_TEST(a_dropped_channel_is_closed_and_hears_nothing)
{
	struct agent_channel a = {.on_message = on_message, .on_gone = on_gone};
	char text[64];

	agent_open_channel(&agent, &a, WIRE_EXEC, "exec", 4);
	uint32_t id = read_head(text, sizeof(text)).channel;

	agent_drop_channel(&agent, &a);
	struct wire_head h = read_head(text, sizeof(text));

	ck_assert_uint_eq(h.type, WIRE_CLOSE);
	ck_assert_uint_eq(h.channel, id);
	send_message(id, WIRE_EXIT, "signal=9");
	send_message(0, WIRE_EVENT, "after");
	turn();
	ck_assert_str_eq(heard, "event after;");
}
END_TEST

START_TEST(when_the_guest_goes_so_do_its_channels)
{
	struct agent_channel a = {.on_message = on_message, .on_gone = on_gone};

	send_message(0, WIRE_HELLO, "version=1");
	turn();
	agent_open_channel(&agent, &a, WIRE_GET, "get /x", 6);
	heard[0] = '\0';
	shutdown(guest, SHUT_RDWR);
	turn();
	ck_assert_str_eq(heard, "gone;");
	ck_assert(!agent.said_hello);
	/* Nothing is sent to nobody. */
	agent_control(&agent, "poweroff");
}
END_TEST

START_TEST(a_second_hello_ends_what_was_open)
{
	struct agent_channel a = {.on_message = on_message, .on_gone = on_gone};

	agent_open_channel(&agent, &a, WIRE_GET, "get /x", 6);
	send_message(0, WIRE_HELLO, "version=1");
	turn();
	ck_assert_str_eq(heard, "gone;event hello version=1;");
}
END_TEST

START_TEST(a_guest_that_sends_nonsense_is_cut_off)
{
	struct agent_channel a = {.on_message = on_message, .on_gone = on_gone};
	char text[64];

	agent_open_channel(&agent, &a, WIRE_GET, "get /x", 6);
	read_head(text, sizeof(text));
	ck_assert_int_eq(sock_write_all(guest, "all work and no play", 20), 0);
	turn();
	ck_assert_str_eq(heard, "gone;");
	ck_assert_int_eq(recv(guest, text, sizeof(text), 0), 0);
}
END_TEST

static unsigned n_events;

static void count_event(void *ctx, const struct words *w)
{
	n_events++;
}

/* One guest does not make the server work, or its log grow, without end. */
START_TEST(a_guest_is_not_heard_for_ever)
{
	char text[64];

	agent.on_event = count_event;
	n_events = 0;
	for (int i = 0; i < AGENT_EVENTS_MAX + 100; i++) {
		send_message(0, WIRE_EVENT, "failed x y");
		if (i % 100 == 99)
			turn(); /* more than this does not fit into the socket */
	}
	ck_assert_uint_eq(n_events, AGENT_EVENTS_MAX);
	ck_assert_uint_eq(agent.n_unheard, 100);
	/* What is asked for is heard all the same. */
	agent_control(&agent, "nic eth0");
	read_head(text, sizeof(text));
	send_message(0, WIRE_EVENT, "done nic eth0");
	send_message(0, WIRE_EVENT, "done nic eth0");
	turn();
	ck_assert_uint_eq(n_events, AGENT_EVENTS_MAX + 1);
}
END_TEST

START_TEST(an_event_is_short)
{
	char text[AGENT_EVENT_MAX + 2];

	agent.on_event = count_event;
	n_events = 0;
	memset(text, 'x', sizeof(text));
	text[AGENT_EVENT_MAX + 1] = '\0';
	send_message(0, WIRE_EVENT, text);
	send_message(0, WIRE_EVENT, text + 1);
	for (size_t i = 0; i < AGENT_EVENT_MAX; i++)
		text[i] = i % 2 ? ' ' : 'x';
	text[AGENT_EVENT_MAX] = '\0';
	send_message(0, WIRE_EVENT, text);
	turn();
	ck_assert_uint_eq(n_events, 1);
	ck_assert_uint_eq(agent.n_unheard, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("agent");
	TCase *framing = tcase_create("framing");
	TCase *tc = tcase_create("agent");

	tcase_add_test(framing, a_message_is_read_when_it_is_whole);
	tcase_add_test(framing, an_empty_message_is_one);
	tcase_add_loop_test(framing, nonsense_is_no_message, 0, ARRAY_LEN(nonsense));
	tcase_add_test(framing, the_largest_message_is_one);
	suite_add_tcase(s, framing);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hello_and_events_are_told_in_words);
	tcase_add_test(tc, messages_go_to_their_channel);
	tcase_add_test(tc, a_dropped_channel_is_closed_and_hears_nothing);
	tcase_add_test(tc, when_the_guest_goes_so_do_its_channels);
	tcase_add_test(tc, a_second_hello_ends_what_was_open);
	tcase_add_test(tc, a_guest_that_sends_nonsense_is_cut_off);
	tcase_add_test(tc, a_guest_is_not_heard_for_ever);
	tcase_add_test(tc, an_event_is_short);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
