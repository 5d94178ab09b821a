/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An end system with two vNets and a multiplexer. */
#ifndef TESTS_UNIT_MUX_HELP_H
#define TESTS_UNIT_MUX_HELP_H

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "vnet/vnet.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/vnet-mux-test.XXXXXX";
static pid_t mux;
static const char *const names[] = {"red", "blue"};
static struct vnet_conf conf[2];
static int wire[2];      /* the lab's side of each vNet's NIC */
static char said[16384]; /* what the last request was answered */

static inline void make_end_system(int i, FILE *file, const char *build)
{
	char path[PATH_MAX];
	char *vdir = xasprintf("%s/%s", dir, names[i]);
	char *conf_path = xasprintf("%s/vnet.conf", vdir);
	struct err e;

	ck_assert_int_eq(mkdir(vdir, 0700), 0);
	snprintf(path, sizeof(path), "%s/eth0", vdir);
	wire[i] = sock_listen(path, SOCK_SEQPACKET, &e);
	ck_assert_int_ge(wire[i], 0);
	FILE *f = fopen(conf_path, "w");

	fprintf(f,
		"node es%d\nvnet %s\nnic eth0 path=%s mac=02:00:00:00:00:0%d mtu=1500\nlater x\n",
		i, names[i], path, i + 1);
	fclose(f);
	ck_assert_msg(vnet_conf_read(conf_path, &conf[i]) == 0, "%s", vnet_error());
	fprintf(file,
		"vnet %s\ninstance control memory=32M stack=256k cpu=2%% burst=200ms patience=1s"
		" -- %s/tests/support/vnet_daemon\n",
		conf_path, build);
	if (i == 0)
		fprintf(file,
			"instance worker memory=16M stack=256k cpu=2%% burst=200ms patience=1s"
			" -- %s/tests/support/vnet_worker\n",
			build);
	free(vdir);
	free(conf_path);
}

static inline void start_mux(const char *build, const char *file)
{
	char *program = xasprintf("%s/vnet-mux", build);

	mux = fork();
	if (mux == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, "vnet-mux", file, (char *)NULL);
		_exit(127);
	}
	free(program);
}

static inline int accept_in_time(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* The directory of what was built: two above that of this test. */
static inline void find_build(char build[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", build, PATH_MAX - 1);

	ck_assert_int_gt(n, 0);
	build[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(build, '/') = '\0';
}

static inline void setup(void)
{
	char build[PATH_MAX];
	char file[64];
	uint8_t asked[8];

	strcpy(strrchr(dir, '.'), ".XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	find_build(build);
	snprintf(file, sizeof(file), "%s/mux.conf", dir);
	FILE *f = fopen(file, "w");

	make_end_system(0, f, build);
	make_end_system(1, f, build);
	fclose(f);
	start_mux(build, file);
	for (int i = 0; i < 2; i++) {
		int fd = accept_in_time(wire[i]);

		close(wire[i]);
		wire[i] = fd;
		ck_assert_int_eq(recv(fd, asked, sizeof(asked), 0), 4);
		ck_assert_int_eq(memcmp(asked, "\0\1\0\0", 4), 0);
	}
}

static inline void teardown(void)
{
	char *rm = xasprintf("rm -rf %s", dir);

	if (mux) {
		kill(mux, SIGTERM);
		waitpid(mux, NULL, 0);
	}
	for (int i = 0; i < 2; i++)
		close(wire[i]);
	ck_assert_int_eq(system(rm), 0);
	free(rm);
}

/* Connects to a control daemon; it is there as soon as its multiplexer is. */
static inline int app_of(int i)
{
	for (int k = 0; k < 500; k++) {
		int fd = vnet_connect(&conf[i]);

		if (fd >= 0)
			return fd;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("%s", vnet_error());
	return -1;
}

/* Asks; the answer is in `said`, the descriptor is returned, or -1. */
static inline int ask(int app, const char *request)
{
	int fd = -1;

	ck_assert_msg(vnet_request(app, request, said, sizeof(said), &fd, 1, 10000) >= 0, "%s: %s",
		      request, vnet_error());
	return fd;
}

static inline int bind_app(int app, const char *request)
{
	int fd = ask(app, request);

	ck_assert_str_eq(said, "ok");
	ck_assert_int_ge(fd, 0);
	return fd;
}

static const uint8_t *frame(uint8_t mac_end, uint8_t to, uint8_t from)
{
	static uint8_t f[60] = {[0] = 2, [6] = 2, [12] = 0x88, [13] = 0xb6};

	f[11] = mac_end;
	f[14] = to;
	f[15] = from;
	return f;
}

static inline bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

/* From whom the endpoint's next frame is. */
static inline int next_from(int endpoint)
{
	uint8_t f[2000];
	unsigned nic = 9;

	ck_assert_msg(readable(endpoint, 10000), "no frame came");
	ck_assert_int_eq(vnet_endpoint_receive(endpoint, &nic, f, sizeof(f)), 60);
	ck_assert_uint_eq(nic, 0);
	return f[15];
}

/* The vNet's tables, as JSON in `said`. */
static const char *status_of(int i)
{
	char *path = xasprintf("%s/mux", conf[i].dir);
	struct err e;
	int fd = sock_connect(path, SOCK_STREAM, &e);
	size_t n = 0;
	ssize_t got;

	ck_assert_int_ge(fd, 0);
	while ((got = read(fd, said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(fd);
	free(path);
	return said;
}

static inline void wait_status(int i, const char *text)
{
	for (int k = 0; k < 3000; k++) {
		if (strstr(status_of(i), text))
			return;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("'%s' never came in %s", text, said);
}

/* Runs what add_tests() adds. */
static inline int run_mux_suite(const char *name, void (*add_tests)(TCase *tc))
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create("mux");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	if (!suite_is_sanitized()) /* the sandbox has no room for what that needs */
		add_tests(tc);
	suite_add_tcase(s, tc);
	return suite_run(s);
}

#endif
