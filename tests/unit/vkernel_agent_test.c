/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent on one end of a socket pair, a server of a few lines on the other, in one process. */
#include "vkernel/init/agent.h"
#include "vkernel/init/proc.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_S = 10, BIG = 700000 };

static struct loop *loop;
static struct loop_watch child_watch;
static int server = -1;
static bool closed;
static char control_word[64];
static struct err err;

/* What the server has received and not looked at. */
static char got[4 << 20];
static size_t n_got;

/* What came back on one channel. */
struct answer {
	char *out, *errout;
	size_t n_out, n_errout;
	char exit[256];
	bool eof;
};

static void on_control(const struct words *w)
{
	snprintf(control_word, sizeof(control_word), "%s", w->at[0]);
}

static void on_closed(void)
{
	closed = true;
}

static const struct agent_calls calls = {.control = on_control, .closed = on_closed};

static void child_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct signalfd_siginfo si;

	while (read(w->fd, &si, sizeof(si)) == sizeof(si))
		proc_reap();
}

static void setup(void)
{
	int sv[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* As under nohup: commands must not inherit it. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	loop = loop_create(&err);
	child_watch.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	child_watch.ready = child_ready;
	ck_assert_int_eq(loop_add(loop, &child_watch, EPOLLIN, &err), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	server = sv[0];
	sock_set_nonblock(server);
	ck_assert_int_eq(agent_open(loop, sv[1], &calls, &err), 0);
}

static void tell(uint32_t id, enum wire_type type, const void *data, size_t len)
{
	struct wire_head h = {.len = (uint32_t)len, .channel = id, .type = (uint8_t)type};
	char message[WIRE_HEAD + WIRE_PAYLOAD_MAX];

	memcpy(message, &h, sizeof(h));
	if (len)
		memcpy(message + WIRE_HEAD, data, len);
	for (size_t sent = 0; sent < WIRE_HEAD + len;) {
		ssize_t n = write(server, message + sent, WIRE_HEAD + len - sent);

		if (n < 0)
			ck_assert_int_eq(loop_turn(loop, loop_now_ns(loop) + 1000000, &err), 0);
		else
			sent += (size_t)n;
	}
}

static void tell_words(uint32_t id, enum wire_type type, const char *words)
{
	tell(id, type, words, strlen(words));
}

/* Turns the loop until a message is there. False: none came in time. */
static bool next_message(struct wire_head *h, char *payload, int64_t wait_ns)
{
	int64_t end = clock_monotonic_ns() + wait_ns;

	for (bool turned = false;; turned = true) {
		if (n_got >= WIRE_HEAD) {
			memcpy(h, got, sizeof(*h));
			size_t len = WIRE_HEAD + h->len;

			if (n_got >= len) {
				memcpy(payload, got + WIRE_HEAD, h->len);
				payload[h->len] = '\0';
				n_got -= len;
				memmove(got, got + len, n_got);
				return true;
			}
		}
		ssize_t n = read(server, got + n_got, sizeof(got) - n_got);

		if (n > 0) {
			n_got += (size_t)n;
			continue;
		}
		if (turned && clock_monotonic_ns() > end)
			return false;
		loop_turn(loop, clock_monotonic_ns() + 10000000, &err);
	}
}

static char payload[WIRE_PAYLOAD_MAX + 1];

static void append(char **at, size_t *n, size_t len)
{
	*at = xrealloc(*at, *n + len + 1);
	memcpy(*at + *n, payload, len);
	*n += len;
	(*at)[*n] = '\0';
}

/* Sends `in` as the window allows, grants what comes, until EXIT. */
static struct answer talk(uint32_t id, const char *in, size_t n_in)
{
	struct answer a = {0};
	struct wire_head h;
	size_t window = WIRE_WINDOW;
	bool said_eof = false;

	a.out = xcalloc(1, 1);
	a.errout = xcalloc(1, 1);
	for (;;) {
		while (n_in && window) {
			size_t n = n_in < 30000 ? n_in : 30000;

			n = n < window ? n : window;
			tell(id, WIRE_DATA, in, n);
			in += n;
			n_in -= n;
			window -= n;
		}
		if (!n_in && !said_eof) {
			tell(id, WIRE_EOF, NULL, 0);
			said_eof = true;
		}
		ck_assert_msg(next_message(&h, payload, WAIT_S * 1000000000LL), "no answer");
		ck_assert_uint_eq(h.channel, id);
		uint32_t len = h.len;

		if (h.type == WIRE_WINDOW_ADD) {
			memcpy(&len, payload, sizeof(len));
			window += len;
		} else if (h.type == WIRE_DATA || h.type == WIRE_ERRDATA) {
			if (h.type == WIRE_DATA)
				append(&a.out, &a.n_out, len);
			else
				append(&a.errout, &a.n_errout, len);
			tell(id, WIRE_WINDOW_ADD, &len, sizeof(len));
		} else if (h.type == WIRE_EOF) {
			a.eof = true;
		} else if (h.type == WIRE_EXIT) {
			snprintf(a.exit, sizeof(a.exit), "%.255s", payload);
			return a;
		}
	}
}

static void done(struct answer *a)
{
	free(a->out);
	free(a->errout);
}

static void expect(const char *words, const char *out, const char *errout, const char *end)
{
	static uint32_t id = 100;

	tell_words(++id, WIRE_EXEC, words);
	struct answer a = talk(id, NULL, 0);

	ck_assert_str_eq(a.out, out);
	ck_assert_str_eq(a.errout, errout);
	ck_assert_str_eq(a.exit, end);
	done(&a);
}

static void skip_hello(void)
{
	struct wire_head h;

	ck_assert(next_message(&h, payload, WAIT_S * 1000000000LL));
	ck_assert_int_eq(h.type, WIRE_HELLO);
	ck_assert_ptr_nonnull(strstr(payload, "version=1"));
}

START_TEST(commands_answer_with_outputs_and_status)
{
	skip_hello();
	expect("exec -- echo hi", "hi\n", "", "status=0");
	expect("exec -- sh -c \"echo o; echo e >&2; exit 3\"", "o\n", "e\n", "status=3");
	expect("exec -- sh -c \"kill -9 $$\"", "", "", "signal=9");
	expect("exec -- sh -c \"kill -TERM $$\"", "", "", "signal=15");
	expect("exec env.A=\"b c\" cwd=/etc -- sh -c \"echo $A $PWD\"", "b c /etc\n", "",
	       "status=0");
	expect("exec -- /no/such", "", "", "\"error=run /no/such: No such file or directory\"");
	expect("exec user=nobody-here -- id", "", "",
	       "\"error=no user 'nobody-here' in /etc/passwd\"");
	expect("exec timeout_ms=100 -- sleep 100", "", "", "timeout=1");
	expect("exec timeout_ms=100 -- sh -c \"exec 2>/dev/null; trap : TERM HUP; while :; do "
	       "sleep 1; done\"",
	       "", "", "timeout=1");
	expect("exec -- sh -c \"sleep 3 & echo x\"", "x\n", "", "status=0");
}
END_TEST

START_TEST(a_terminal_has_one_output_and_a_size)
{
	skip_hello();
	expect("exec tty=1 cols=100 rows=30 term=vt100 -- sh -c \"stty size; echo $TERM; echo e "
	       ">&2\"",
	       "30 100\r\nvt100\r\ne\r\n", "", "status=0");
}
END_TEST

START_TEST(much_input_comes_back_whole)
{
	char *big = xmalloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 256);
	skip_hello();
	tell_words(1, WIRE_EXEC, "exec -- cat");
	struct answer a = talk(1, big, BIG);

	ck_assert_uint_eq(a.n_out, BIG);
	ck_assert_mem_eq(a.out, big, BIG);
	ck_assert_str_eq(a.exit, "status=0");
	done(&a);
	free(big);
}
END_TEST

START_TEST(a_sender_without_credit_stops_and_harms_nobody)
{
	struct wire_head h;
	size_t n = 0;

	skip_hello();
	tell_words(1, WIRE_EXEC, "exec -- cat /dev/zero");
	while (n < WIRE_WINDOW) {
		ck_assert(next_message(&h, payload, WAIT_S * 1000000000LL));
		n += h.len;
	}
	ck_assert_uint_eq(n, WIRE_WINDOW);
	ck_assert(!next_message(&h, payload, 300000000));
	expect("exec -- echo hi", "hi\n", "", "status=0");
	tell(1, WIRE_CLOSE, NULL, 0);
	ck_assert(next_message(&h, payload, WAIT_S * 1000000000LL));
	ck_assert_int_eq(h.type, WIRE_EXIT);
	ck_assert_str_eq(payload, "signal=1");
}
END_TEST

START_TEST(files_are_put_and_got)
{
	char path[] = "/tmp/vbet-agent-XXXXXX";
	char words[128];
	struct stat st;

	skip_hello();
	close(mkstemp(path));
	snprintf(words, sizeof(words), "put mode=0751 %s", path);
	tell_words(1, WIRE_PUT, words);
	struct answer a = talk(1, "hello", 5);

	ck_assert_str_eq(a.exit, "status=0");
	done(&a);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0751);
	snprintf(words, sizeof(words), "put %s", path); /* keeps the mode */
	tell_words(2, WIRE_PUT, words);
	a = talk(2, "again", 5);
	done(&a);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0751);
	snprintf(words, sizeof(words), "get %s", path);
	tell_words(3, WIRE_GET, words);
	a = talk(3, NULL, 0);
	ck_assert_str_eq(a.out, "again");
	ck_assert(a.eof);
	done(&a);
	unlink(path);
	tell_words(4, WIRE_GET, "get /etc");
	a = talk(4, NULL, 0);
	ck_assert_str_eq(a.exit, "\"error=/etc: Is a directory\"");
	done(&a);
}
END_TEST

START_TEST(an_unfinished_put_leaves_nothing)
{
	struct wire_head h;
	char dir[] = "/tmp/vbet-agent-XXXXXX";
	char words[128];

	skip_hello();
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(words, sizeof(words), "put mode=0644 %s/file", dir);
	tell_words(1, WIRE_PUT, words);
	tell(1, WIRE_DATA, "half", 4);
	tell(1, WIRE_CLOSE, NULL, 0);
	ck_assert(next_message(&h, payload, WAIT_S * 1000000000LL));
	ck_assert_int_eq(h.type, WIRE_EXIT);
	ck_assert_int_eq(rmdir(dir), 0); /* it is empty */
}
END_TEST

START_TEST(a_channel_in_use_is_refused)
{
	struct wire_head h;

	skip_hello();
	tell_words(1, WIRE_EXEC, "exec -- sleep 100");
	tell_words(1, WIRE_EXEC, "exec -- echo hi");
	ck_assert(next_message(&h, payload, WAIT_S * 1000000000LL));
	ck_assert_str_eq(payload, "\"error=channel in use\"");
	tell(1, WIRE_CLOSE, NULL, 0);
	ck_assert(next_message(&h, payload, WAIT_S * 1000000000LL));
	tell_words(0, WIRE_CONTROL, "poweroff");
	ck_assert(!next_message(&h, payload, 50000000));
	ck_assert_str_eq(control_word, "poweroff");
}
END_TEST

START_TEST(garbage_closes_the_stream)
{
	static const char garbage[] = "this is no message of ours at all";
	struct wire_head h;

	skip_hello();
	tell_words(1, WIRE_EXEC, "exec -- sleep 100");
	ck_assert_int_gt((int)write(server, garbage, sizeof(garbage)), 0);
	ck_assert(!next_message(&h, payload, 200000000));
	ck_assert(closed);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vkernel_agent");
	TCase *t = tcase_create("agent");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, commands_answer_with_outputs_and_status);
	tcase_add_test(t, a_terminal_has_one_output_and_a_size);
	tcase_add_test(t, much_input_comes_back_whole);
	tcase_add_test(t, a_sender_without_credit_stops_and_harms_nobody);
	tcase_add_test(t, files_are_put_and_got);
	tcase_add_test(t, an_unfinished_put_leaves_nothing);
	tcase_add_test(t, a_channel_in_use_is_refused);
	tcase_add_test(t, garbage_closes_the_stream);
	suite_add_tcase(s, t);
	return suite_run(s);
}
