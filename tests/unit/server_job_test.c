/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs of the server, in a lab with one guest: its agent is a socket, and the test answers. */
#include "vbet-server/lab/lab.h"

#include "lib/sock.h"
#include "lib/words.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char path[64];
static struct lab lab;
static struct graph_node node = {.kind = NODE_HOST, .name = "a"};
static struct graph graph = {.nodes = &node, .n_nodes = 1};
static struct guest *guests[1];
static int peer = -1;
static struct err e;

/* What the guest got, read whole. */
static char got[1 << 20];
static size_t n_got;

static void turn(void)
{
	ssize_t n;

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(loop_turn(lab.loop, 0, &e), 0);
		while ((n = read(peer, got + n_got, sizeof(got) - n_got)) > 0)
			n_got += (size_t)n;
	}
}

static void answer(uint32_t channel, enum wire_type type, const char *data, size_t len)
{
	struct wire_head h = {.len = (uint32_t)len, .channel = channel, .type = (uint8_t)type};

	ck_assert_int_eq(write(peer, &h, sizeof(h)), sizeof(h));
	for (size_t sent = 0; sent < len;) {
		ssize_t n = write(peer, data + sent, len - sent);

		if (n > 0)
			sent += (size_t)n;
		turn();
	}
	turn();
}

static void answer_words(uint32_t channel, enum wire_type type, const char *words)
{
	answer(channel, type, words, strlen(words));
}

static void setup(void)
{
	snprintf(path, sizeof(path), "/tmp/vbet-job-%d", (int)getpid());
	int listener = sock_listen(path, SOCK_STREAM, &e);

	ck_assert_int_ge(listener, 0);
	memset(&lab, 0, sizeof(lab));
	lab.loop = loop_create(&e);
	lab.graph = &graph;
	lab.guests = guests;
	lab.n_guests = 1;
	guests[0] = guest_create(&lab, "a");
	ck_assert_int_eq(agent_connect(&guests[0]->agent, lab.loop, path, &e), 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ge(peer, 0);
	close(listener);
	unlink(path);
	n_got = 0;
	answer_words(0, WIRE_HELLO, "version=1");
	ck_assert(guests[0]->agent.said_hello);
}

static void teardown(void)
{
	job_finish(&lab);
	guest_destroy(guests[0]);
	loop_destroy(lab.loop);
	close(peer);
}

/* What the server says to words; "" and the error in e if it refuses. */
static const char *say(const char *line)
{
	static char text[16384];
	struct arena a = {0};
	struct words w;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	e.kind = ERR_NONE;
	ck_assert_int_eq(words_split(line, strlen(line), &a, &w, &e), 0);
	int rc = job_command(&lab, &w, f, &e);

	fclose(f);
	snprintf(text, sizeof(text), "%s", rc == 0 ? out : "");
	free(out);
	arena_finish(&a);
	turn();
	return text;
}

/* The next message that the guest got; its payload, ended by a NUL. */
static struct wire_head next(char *payload, size_t size)
{
	struct wire_head h;

	ck_assert_uint_ge(n_got, WIRE_HEAD);
	memcpy(&h, got, sizeof(h));
	ck_assert_uint_ge(n_got, WIRE_HEAD + h.len);
	ck_assert_uint_lt(h.len, size);
	memcpy(payload, got + WIRE_HEAD, h.len);
	payload[h.len] = '\0';
	n_got -= WIRE_HEAD + h.len;
	memmove(got, got + WIRE_HEAD + h.len, n_got);
	return h;
}

/* Starts a job and returns its channel. */
static uint32_t start(const char *number)
{
	char payload[256];

	ck_assert_str_eq(say("job a timeout_ms=500 -- /bin/sh -c \"echo hi\""), number);
	struct wire_head h = next(payload, sizeof(payload));

	ck_assert_int_eq(h.type, WIRE_EXEC);
	ck_assert_str_eq(payload, "exec timeout_ms=500 -- /bin/sh -c \"echo hi\"");
	ck_assert_int_eq(next(payload, sizeof(payload)).type, WIRE_EOF);
	ck_assert_uint_eq(n_got, 0);
	return h.channel;
}

START_TEST(a_job_runs_and_tells_once)
{
	uint32_t ch = start("1\n");

	ck_assert_str_eq(say("result 1"), "running\n");
	answer_words(ch, WIRE_DATA, "hi\n");
	answer_words(ch, WIRE_ERRDATA, "and an error\n");
	ck_assert_str_eq(say("result 1"), "running\n");
	answer_words(ch, WIRE_EXIT, "status=3");
	ck_assert_str_eq(say("result 1"), "done 3 \"hi\\nand an error\\n\"\n");
	ck_assert_str_eq(say("result 1"), "");
	ck_assert_str_eq(e.text, "no job 1");
}
END_TEST

START_TEST(jobs_do_not_mix)
{
	uint32_t one = start("1\n");
	uint32_t two = start("2\n");

	ck_assert_uint_ne(one, two);
	answer_words(two, WIRE_DATA, "two");
	answer_words(one, WIRE_DATA, "one");
	answer_words(two, WIRE_EXIT, "status=0");
	ck_assert_str_eq(say("result 1"), "running\n");
	ck_assert_str_eq(say("result 2"), "done 0 two\n");
	answer_words(one, WIRE_EXIT, "status=1");
	ck_assert_str_eq(say("result 1"), "done 1 one\n");
}
END_TEST

static const struct {
	const char *exit, *result;
} ends[] = {
	{"status=0", "done 0 \"\"\n"},
	{"signal=9", "done 137 \"\"\n"},
	{"timeout=1", "done 255 \"ended after its timeout of 0.5 s\"\n"},
	{"\"error=run x: no such file\"", "done 255 \"run x: no such file\"\n"},
	{"", "done 255 \"\"\n"},
	{"\"", "done 255 \"\"\n"},
};

START_TEST(every_end_is_told_as_a_shell_does)
{
	uint32_t ch = start("1\n");

	answer_words(ch, WIRE_EXIT, ends[_i].exit);
	ck_assert_str_eq(say("result 1"), ends[_i].result);
}
END_TEST

/* The beginning is kept, and the guest may always go on. */
START_TEST(much_output_is_cut_and_taken)
{
	static char much[WIRE_PAYLOAD_MAX];
	char payload[64];
	uint32_t ch = start("1\n");
	uint32_t given = 0;
	uint32_t sent = 0;

	memset(much, 'x', sizeof(much));
	for (; sent < 3 * WIRE_WINDOW; sent += sizeof(much))
		answer(ch, WIRE_DATA, much, sizeof(much));
	while (n_got) {
		struct wire_head h = next(payload, sizeof(payload));
		uint32_t more;

		ck_assert_int_eq(h.type, WIRE_WINDOW_ADD);
		memcpy(&more, payload, sizeof(more));
		given += more;
	}
	ck_assert_uint_gt(given + WIRE_WINDOW / 2 + 1, sent);
	answer_words(ch, WIRE_EXIT, "status=0");
	ck_assert_uint_eq(strspn(say("result 1") + strlen("done 0 "), "x"), 2000);
}
END_TEST

/* A table is longer than the output of a check; no result is longer than a client can read. */
START_TEST(more_output_is_kept_for_who_asks_for_it)
{
	static char much[20000];
	char payload[256];

	ck_assert_str_eq(say("job a text_max=1000000 -- /bin/true"), "1\n");
	struct wire_head h = next(payload, sizeof(payload));

	ck_assert_str_eq(payload, "exec -- /bin/true"); /* the guest has no use for it */
	next(payload, sizeof(payload));
	memset(much, 'x', sizeof(much));
	answer(h.channel, WIRE_DATA, much, sizeof(much));
	answer_words(h.channel, WIRE_EXIT, "status=0");
	ck_assert_uint_eq(strspn(say("result 1") + strlen("done 0 "), "x"), 15000);
}
END_TEST

START_TEST(a_node_that_goes_down_ends_its_jobs)
{
	start("1\n");
	close(peer);
	peer = -1;
	loop_turn(lab.loop, 0, &e);
	const char *text = say("result 1");

	ck_assert_str_eq(text, "done 255 \"the node has gone down\"\n");
	ck_assert_str_eq(say("job a -- true"), "");
	ck_assert_str_eq(e.text, "a is down");
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	ck_assert_str_eq(say("job b -- true"), "");
	ck_assert_ptr_nonnull(strstr(e.text, "b"));
	ck_assert_str_eq(say("result x"), "");
	ck_assert_int_ne(e.kind, ERR_NONE);
	ck_assert_str_eq(say("result 1"), "");
	ck_assert_uint_eq(n_got, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_job");
	TCase *t = tcase_create("job");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_job_runs_and_tells_once);
	tcase_add_test(t, jobs_do_not_mix);
	tcase_add_loop_test(t, every_end_is_told_as_a_shell_does, 0, (int)ARRAY_LEN(ends));
	tcase_add_test(t, much_output_is_cut_and_taken);
	tcase_add_test(t, more_output_is_kept_for_who_asks_for_it);
	tcase_add_test(t, a_node_that_goes_down_ends_its_jobs);
	tcase_add_test(t, what_cannot_be_is_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
