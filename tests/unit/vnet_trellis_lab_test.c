/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trellis as it is used: a vsubstrate, per node a vnet-mux with its trellisd, and the programs that
 * people run.
 *
 *   h1 --- r1 ---- r2 --- h2 (red)  --- also h3 of blue, on one end host
 *            \    /
 *              r3
 */
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "tests/support/vlab.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct place {
	const char *name, *vnet, *address, *router;
	int nics;
} places[] = {
	{"h1", "red", "/west/h1", NULL, 1},      {"r1", "red", "/west/r1", "router", 3},
	{"r2", "red", "/east/r2", "router", 3},  {"h2", "red", "/east/h2", NULL, 1},
	{"r3", "red", "/south/r3", "router", 2}, {"b1", "blue", "/west/h1", NULL, 1},
	{"b2", "blue", "/east/h2", NULL, 1},
};
static pid_t muxes[ARRAY_LEN(places)];
static char out[65536]; /* of the last program */

static const char *conf_of(const char *name)
{
	static char path[4][128];
	static unsigned at;
	char *p = path[at++ % 4];

	snprintf(p, 128, "%s/%s/vnet.conf", vlab_dir(), name);
	return p;
}

static void make_place(const struct place *p, unsigned number)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", vlab_dir(), p->name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	FILE *f = fopen(conf_of(p->name), "w");

	fprintf(f, "node %s\nvnet %s\n", p->name, p->vnet);
	for (int i = 0; i < p->nics; i++) {
		char mac[32];

		snprintf(mac, sizeof(mac), "02:00:00:00:%02x:%02x", number, i);
		fprintf(f, "nic eth%d path=%s/eth%d mac=%s mtu=1500\n", i, path, i, mac);
		vlab_say("nic %s:eth%d seqpacket path=%s/eth%d mac=%s mtu=1500", p->name, i, path,
			 i, mac);
	}
	fclose(f);
}

static void start_mux(const struct place *p, pid_t *pid)
{
	char *argv[] = {"vnet-mux", "memory=32M",      "--", "trellisd", (char *)p->address,
			"hello=1s", (char *)p->router, NULL};

	*pid = vlab_spawn(conf_of(p->name), argv, NULL);
}

static void setup(void)
{
	vlab_start();
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		make_place(&places[i], i);
	vlab_say("cable h1r1 h1:eth0 r1:eth0 ab.delay=1ms ba.delay=1ms");
	vlab_say("cable r1r2 r1:eth1 r2:eth1 ab.delay=2ms ba.delay=2ms");
	vlab_say("cable r2h2 r2:eth0 h2:eth0 ab.delay=1ms ba.delay=1ms");
	vlab_say("cable r1r3 r1:eth2 r3:eth0");
	vlab_say("cable r3r2 r3:eth1 r2:eth2");
	vlab_say("cable b1b2 b1:eth0 b2:eth0");
	vlab_say("start");
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		start_mux(&places[i], &muxes[i]);
}

static void teardown(void)
{
	vlab_stop();
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		waitpid(muxes[i], NULL, 0); /* it ends with its lab */
}

static char *file_of(const char *name)
{
	return xasprintf("%s/%s", vlab_dir(), name);
}

/* Splits a command at blanks and starts it; its output goes to the file "out-NUMBER". */
static pid_t start(const char *conf, const char *command, int number)
{
	char *copy = xstrdup(command);
	char *argv[16] = {"trellis"};
	char name[16];
	char *save = NULL;
	int n = 1;

	for (char *w = strtok_r(copy, " ", &save); w && n < 15; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	snprintf(name, sizeof(name), "out-%d", number);
	char *path = file_of(name);
	pid_t pid = vlab_spawn(conf, argv, path);

	free(path);
	free(copy);
	return pid;
}

/* Its exit status; its output is in `out`. */
static int finish(pid_t pid, int number)
{
	char name[16];
	int status = 0;

	snprintf(name, sizeof(name), "out-%d", number);
	char *path = file_of(name);

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, out, sizeof(out) - 1);

	out[n > 0 ? n : 0] = '\0';
	close(fd);
	free(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Whether it ends within that time; it can still be waited for. */
static bool has_ended(pid_t pid, int ms)
{
	for (int i = 0; i < ms; i += 10) {
		siginfo_t info = {0};

		ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
		if (info.si_pid == pid)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static int run(const char *where, const char *command)
{
	return finish(start(conf_of(where), command, 0), 0);
}

/* Until a command succeeds: nodes need a moment to find each other. */
static void wait_for(const char *where, const char *command)
{
	for (int i = 0; i < 200; i++) {
		if (run(where, command) == 0)
			return;
		poll(NULL, 0, 50);
	}
	ck_abort_msg("%s: %s: %s", where, command, out);
}

/* Until that is the way from h1 to h2: first it may be another, and on a busy machine none now and
 * then. */
static void wait_for_way(const char *want)
{
	for (int i = 0; i < 1000; i++) {
		if (run("h1", "trace h2") == 0 && !strcmp(out, want))
			return;
		poll(NULL, 0, 50);
	}
	ck_abort_msg("from h1 to h2: %s", out);
}

static void make_file(const char *name, size_t len)
{
	char *path = file_of(name);
	FILE *f = fopen(path, "w");
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245 + 12345;
		fputc((int)(x >> 16 & 0xff), f);
	}
	fclose(f);
	free(path);
}

static void expect_same(const char *a, const char *b)
{
	char *command = xasprintf("cmp %s/%s %s/%s", vlab_dir(), a, vlab_dir(), b);

	ck_assert_msg(system(command) == 0, "%s", command);
	free(command);
}

/* Sends "data" from h1 to h2's "got"; what() happens when it has begun. */
static void transfer(size_t len, void (*what)(void))
{
	char *receive = xasprintf("receive %s/got", vlab_dir());
	char *send = xasprintf("send %s/data h2", vlab_dir());

	make_file("data", len);
	pid_t receiver = start(conf_of("h2"), receive, 1);

	/* It listens when its own node says so. */
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(run("h2", "status"), 0);
		if (strstr(out, "\"flows\":1"))
			break;
		poll(NULL, 0, 20);
	}
	pid_t sender = start(conf_of("h1"), send, 2);

	if (what)
		what();
	ck_assert_msg(finish(sender, 2) == 0, "%s", out);
	printf("%s", out);
	ck_assert_msg(finish(receiver, 1) == 0, "%s", out);
	expect_same("data", "got");
	free(receive);
	free(send);
}

START_TEST(they_ping_and_trace)
{
	wait_for("h1", "ping -c 1 h2");
	ck_assert_int_eq(run("h1", "ping -c 3 -i 0 /east/h2"), 0);
	ck_assert_ptr_nonnull(strstr(out, "56 octets from /east/h2: seq=3"));
	ck_assert_ptr_nonnull(strstr(out, "3 sent, 3 answered"));
	wait_for_way(" 1  /west/r1\n 2  /east/r2\n 3  /east/h2\n");
	ck_assert_int_eq(run("h1", "ping -c 1 /north/h7"), 1);
	ck_assert_ptr_nonnull(strstr(out, "no way to /north/h7"));
	ck_assert_int_eq(run("h1", "routes"), 0);
	ck_assert_ptr_nonnull(strstr(out, "/east/h2"));
}
END_TEST

START_TEST(a_port_has_one_owner)
{
	wait_for("h1", "ping -c 1 h2");
	pid_t first = start(conf_of("h2"), "hear 500 1", 1);

	wait_for("h2", "status");
	while (!strstr(out, "\"flows\":1")) {
		ck_assert(!has_ended(first, 1));
		run("h2", "status");
	}
	ck_assert_int_eq(run("h2", "hear 500 1"), 1);
	ck_assert_ptr_nonnull(strstr(out, "the port is taken"));
	/* A datagram may be lost, or find no way: on a busy machine nodes take each other for gone.
	 */
	do {
		run("h1", "say hello h2 500");
	} while (!has_ended(first, 100));
	ck_assert_int_eq(finish(first, 1), 0);
	ck_assert_ptr_nonnull(strstr(out, "/west/h1"));
	ck_assert_ptr_nonnull(strstr(out, ": hello"));
	/* And it is free again. */
	do {
		ck_assert_int_eq(run("h1", "send /etc/passwd h2 600"), 1);
	} while (!strstr(out, "Connection refused"));
}
END_TEST

START_TEST(a_file_arrives_over_bad_links)
{
	wait_for("h1", "ping -c 1 h2");
	vlab_say("set r1r2 loss=2%% duplicate=1%% corrupt=1%% reorder=1%% gap=3");
	vlab_say("set h1r1 loss=1%%");
	transfer(2000000, NULL);
}
END_TEST

static void cut_silently(void)
{
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(run("r2", "status"), 0);
		const char *p = strstr(out, "\"forwarded\":");

		if (p && atoi(p + 12) > 50)
			break;
	}
	vlab_say("set r1r2 loss=100%%");
}

START_TEST(a_file_arrives_though_a_link_is_cut)
{
	wait_for("h1", "ping -c 1 h2");
	vlab_say("set h1r1 rate=8Mbit");
	transfer(2000000, cut_silently);
	wait_for_way(" 1  /west/r1\n 2  /south/r3\n 3  /east/r2\n 4  /east/h2\n");
}
END_TEST

START_TEST(one_host_talks_to_two_networks)
{
	char *both = xasprintf("%s:%s", conf_of("h2"), conf_of("b1"));
	char *receive = xasprintf("receive %s/got", vlab_dir());
	char *send = xasprintf("send %s/data h2 90", vlab_dir());

	wait_for("h1", "ping -c 1 h2");
	wait_for("b1", "ping -c 1 h2");
	make_file("data", 500000);
	pid_t relay = start(both, "relay 90 blue h2 20", 3);
	pid_t receiver = start(conf_of("b2"), receive, 1);

	for (int i = 0; i < 200; i++) {
		run("b2", "status");
		bool there = strstr(out, "\"flows\":1") != NULL;

		run("h2", "status");
		if (there && strstr(out, "\"flows\":1"))
			break;
		poll(NULL, 0, 20);
	}
	/* The same addresses in both; only the relay is in both. */
	ck_assert_msg(run("h1", send) == 0, "%s", out);
	ck_assert_msg(finish(receiver, 1) == 0, "%s", out);
	ck_assert_ptr_nonnull(strstr(out, "received 500000 octets, from /west/h1"));
	expect_same("data", "got");
	vlab_kill(relay);
	free(both);
	free(receive);
	free(send);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, they_ping_and_trace);
	tcase_add_test(tc, a_port_has_one_owner);
	tcase_add_test(tc, a_file_arrives_over_bad_links);
	tcase_add_test(tc, a_file_arrives_though_a_link_is_cut);
	tcase_add_test(tc, one_host_talks_to_two_networks);
}

int main(void)
{
	Suite *s = suite_create("trellis lab");
	TCase *tc = tcase_create("lab");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	if (!suite_is_sanitized()) /* the sandbox has no room for what that needs */
		add_tests(tc);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
