/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The switch as a program of its own, with clients of both protocols. */
#include "lib/sock.h"
#include "substrate/device/plug.h"
#include "tests/support/suite.h"
#include "vswitch/switch.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static char listen_path[96], uml_path[96], status_path[96];
static pid_t program;

static void write_paths(void)
{
	snprintf(listen_path, sizeof(listen_path), "%s/listen", dir);
	snprintf(uml_path, sizeof(uml_path), "%s/uml", dir);
	snprintf(status_path, sizeof(status_path), "%s/status", dir);
}

static void run_program(int ready_fd)
{
	char ready[16];
	char *argv[] = {"vswitch",  "--listen",     listen_path, "--uml", uml_path,
			"--status", status_path,    "--ports",   "4",     "--ready-fd",
			ready,      "--ageing=10s", NULL};

	snprintf(ready, sizeof(ready), "%d", ready_fd);
	exit(plug_main(&switch_kind, 12, argv));
}

static void setup(void)
{
	int fds[2];
	char line[8];

	strcpy(dir, "/tmp/vswitch-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	write_paths();
	ck_assert_int_eq(pipe(fds), 0);
	program = fork();
	if (program == 0) {
		close(fds[0]);
		run_program(fds[1]);
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], line, sizeof(line)), 6);
	close(fds[0]);
}

static void teardown(void)
{
	int status;

	kill(program, SIGTERM);
	ck_assert_int_eq(waitpid(program, &status, 0), program);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(access(listen_path, F_OK), -1);
	ck_assert_int_eq(access(uml_path, F_OK), -1);
	ck_assert_int_eq(access(status_path, F_OK), -1);
	ck_assert_int_eq(rmdir(dir), 0);
}

static char *read_status(void)
{
	static char text[65536];
	size_t len = 0;
	struct err e;
	int fd = sock_connect(status_path, SOCK_STREAM, &e);

	ck_assert_msg(fd >= 0, "%s", e.text);
	for (ssize_t n; (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0;)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return text;
}

/* Waits until the status has (or no longer has) some text. */
static void wait_for(const char *text, bool there)
{
	for (int i = 0; i < 500; i++) {
		if ((strstr(read_status(), text) != NULL) == there)
			return;
		usleep(10000);
	}
	ck_abort_msg("'%s' %s in %s", text, there ? "never came" : "stayed", read_status());
}

static int plug_in(const char *port)
{
	struct err e;
	int fd = sock_connect(listen_path, SOCK_SEQPACKET, &e);

	ck_assert_msg(fd >= 0, "%s", e.text);
	wait_for(port, true);
	return fd;
}

static void make_frame(uint8_t *f, char to, char from)
{
	memset(f, 0, 60);
	memset(f, 0xff, to == '*' ? 6 : 0);
	f[0] = to == '*' ? 0xff : 2;
	f[5] = to == '*' ? 0xff : (uint8_t)to;
	f[6] = 2;
	f[11] = (uint8_t)from;
}

static void send_frame(int fd, char to, char from)
{
	uint8_t f[60];

	make_frame(f, to, from);
	ck_assert_int_eq(send(fd, f, sizeof(f), 0), 60);
}

/* The sender of the next frame, or 0 if none comes in time. */
static char next_from(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t f[2000];

	if (poll(&p, 1, timeout_ms) != 1)
		return 0;
	ck_assert_int_eq(recv(fd, f, sizeof(f), 0), 60);
	return (char)f[11];
}

START_TEST(clients_get_ports_and_frames)
{
	int a = plug_in("\"switch:1\"");
	int b = plug_in("\"switch:2\"");
	int c = plug_in("\"switch:3\"");

	send_frame(a, '*', 'a');
	ck_assert_int_eq(next_from(b, 5000), 'a');
	ck_assert_int_eq(next_from(c, 5000), 'a');
	send_frame(b, 'a', 'b');
	ck_assert_int_eq(next_from(a, 5000), 'b');
	ck_assert_int_eq(next_from(c, 100), 0);
	ck_assert_ptr_nonnull(strstr(read_status(), "\"mac\":\"02:00:00:00:00:62\",\"port\":2"));
	ck_assert_ptr_nonnull(strstr(read_status(), "\"ageing_ms\":10000"));
	close(b);
	wait_for("\"switch:2\"", false);
	b = plug_in("\"switch:2\""); /* the port is free again */
	send_frame(c, '*', 'c');
	ck_assert_int_eq(next_from(b, 5000), 'c');
	close(a);
	close(b);
	close(c);
	wait_for("\"client\"", false);
}
END_TEST

START_TEST(a_full_switch_refuses)
{
	int fd[5];
	char port[32];
	char byte;
	struct err e;

	for (int i = 0; i < 4; i++) {
		snprintf(port, sizeof(port), "\"switch:%d\"", i + 1);
		fd[i] = plug_in(port);
	}
	fd[4] = sock_connect(listen_path, SOCK_SEQPACKET, &e);
	ck_assert_int_eq(recv(fd[4], &byte, 1, 0), 0);
	send_frame(fd[3], '*', 'd');
	ck_assert_int_eq(next_from(fd[0], 5000), 'd');
	for (int i = 0; i < 5; i++)
		close(fd[i]);
}
END_TEST

struct request {
	uint32_t magic, version, type;
	struct sockaddr_un sock;
};

/* As arch/um/drivers/daemon_user.c does. */
static int uml_plug_in(int *control, struct sockaddr_un *peer)
{
	struct request r = {.magic = 0xfeedface, .version = 3};
	struct err e;
	int data = socket(AF_UNIX, SOCK_DGRAM, 0);

	*control = sock_connect(uml_path, SOCK_STREAM, &e);
	r.sock.sun_family = AF_UNIX;
	snprintf(r.sock.sun_path + 1, 32, "t%d-%d", (int)getpid(), data);
	ck_assert_int_eq(bind(data, (struct sockaddr *)&r.sock, sizeof(r.sock)), 0);
	/* In two pieces: it is a stream. */
	ck_assert_int_eq(write(*control, &r, 5), 5);
	usleep(20000);
	ck_assert_int_eq(write(*control, (char *)&r + 5, sizeof(r) - 5), sizeof(r) - 5);
	ck_assert_int_eq(read(*control, peer, sizeof(*peer)), sizeof(*peer));
	return data;
}

START_TEST(old_guests_can_be_plugged_in)
{
	uint8_t f[60];
	struct sockaddr_un peer;
	int control;
	int a = plug_in("\"switch:1\"");
	int data = uml_plug_in(&control, &peer);

	make_frame(f, '*', 'u');
	ck_assert_int_eq(sendto(data, f, sizeof(f), 0, (struct sockaddr *)&peer, sizeof(peer)), 60);
	ck_assert_int_eq(next_from(a, 5000), 'u');
	send_frame(a, 'u', 'a');
	ck_assert_int_eq(next_from(data, 5000), 'a');
	close(data);
	send_frame(a, 'u', 'a'); /* into the void */
	close(control);
	wait_for("\"uml\"", false);
	send_frame(a, '*', 'a');
	close(a);
}
END_TEST

START_TEST(garbage_is_counted_or_refused)
{
	struct err e;
	char byte;
	int a = plug_in("\"switch:1\"");
	int bad = sock_connect(uml_path, SOCK_STREAM, &e);
	char junk[124] = "GET / HTTP/1.0\r\n";

	ck_assert_int_eq(send(a, "runt", 4, 0), 4);
	wait_for("\"runt\":1", true);
	ck_assert_int_eq(write(bad, junk, sizeof(junk)), sizeof(junk));
	ck_assert_int_eq(read(bad, &byte, 1), 0);
	close(bad);
	bad = sock_connect(uml_path, SOCK_STREAM, &e);
	ck_assert_int_eq(write(bad, junk, 3), 3);
	close(bad);
	close(a);
	wait_for("\"client\"", false);
}
END_TEST

START_TEST(wrong_options_are_refused)
{
	char *none[] = {"vswitch", NULL};
	char *unknown[] = {"vswitch", "--listen", "/nonexistent/x", "--agein", "3s", NULL};
	char *port[] = {"vswitch", "--listen", "/nonexistent/x", "--port", "1:vlan=0", NULL};
	char *where[] = {"vswitch", "--listen", "/nonexistent/x", NULL};

	ck_assert_int_eq(plug_main(&switch_kind, 1, none), 2);
	ck_assert_int_eq(plug_main(&switch_kind, 5, unknown), 2);
	ck_assert_int_eq(plug_main(&switch_kind, 5, port), 2);
	ck_assert_int_eq(plug_main(&switch_kind, 3, where), 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vswitch program");
	TCase *tc = tcase_create("clients");
	TCase *options = tcase_create("options");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, clients_get_ports_and_frames);
	tcase_add_test(tc, a_full_switch_refuses);
	tcase_add_test(tc, old_guests_can_be_plugged_in);
	tcase_add_test(tc, garbage_is_counted_or_refused);
	tcase_add_test(options, wrong_options_are_refused);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, options);
	return suite_run(s);
}
