/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer as a process, with a control daemon for each of two vNets
 * (tests/support/vnet_daemon.c). The test is the lab: it listens where the NICs are.
 */
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

static void make_end_system(int i, FILE *file, const char *build)
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

static void start_mux(const char *build, const char *file)
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

static int accept_in_time(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* The directory of what was built: two above that of this test. */
static void find_build(char build[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", build, PATH_MAX - 1);

	ck_assert_int_gt(n, 0);
	build[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(build, '/') = '\0';
}

static void setup(void)
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

static int wait_for_end(void)
{
	int status = 0;

	ck_assert_int_eq(waitpid(mux, &status, 0), mux);
	mux = 0;
	return status;
}

static void teardown(void)
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
static int app_of(int i)
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
static int ask(int app, const char *request)
{
	int fd = -1;

	ck_assert_msg(vnet_request(app, request, said, sizeof(said), &fd, 1, 10000) >= 0, "%s: %s",
		      request, vnet_error());
	return fd;
}

static int bind_app(int app, const char *request)
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

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

/* From whom the endpoint's next frame is. */
static int next_from(int endpoint)
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

static void wait_status(int i, const char *text)
{
	for (int k = 0; k < 3000; k++) {
		if (strstr(status_of(i), text))
			return;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("'%s' never came in %s", text, said);
}

START_TEST(frames_reach_their_endpoint_and_nobody_else)
{
	int a = app_of(0);
	int b = app_of(0);
	int other = app_of(1);
	int seven = bind_app(a, "bind 7");
	int eight = bind_app(b, "bind 8");
	int blue = bind_app(other, "bind 7");

	send(wire[0], frame(9, 7, 42), 60, 0);
	send(wire[0], frame(9, 8, 43), 60, 0);
	send(wire[0], frame(9, 99, 1), 60, 0);
	ck_assert_int_eq(next_from(seven), 42);
	ck_assert_int_eq(next_from(eight), 43);
	wait_status(0, "\"nobody\":1");
	/* The same number in another vNet is another's. */
	ck_assert(!readable(seven, 0) && !readable(eight, 0) && !readable(blue, 0));
	send(wire[1], frame(9, 7, 44), 60, 0);
	ck_assert_int_eq(next_from(blue), 44);
	ck_assert(!readable(seven, 50));
}
END_TEST

START_TEST(who_masquerades_is_not_heard)
{
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");
	uint8_t got[100];

	ck_assert_int_eq(vnet_endpoint_send(seven, 0, frame(1, 8, 66), 60),
			 0); /* as another's endpoint */
	ck_assert_int_eq(vnet_endpoint_send(seven, 0, frame(5, 8, 7), 60),
			 0); /* as another's NIC */
	ck_assert_int_eq(vnet_endpoint_send(seven, 3, frame(1, 8, 7), 60),
			 0); /* by a NIC that is not there */
	ck_assert_int_eq(send(seven, "x", 1, 0), 1);
	ck_assert_int_eq(vnet_endpoint_send(seven, 0, frame(1, 8, 7), 60), 0);
	ck_assert_int_eq(recv(wire[0], got, sizeof(got), 0), 60);
	ck_assert_int_eq(got[15], 7);
	ck_assert_int_eq(got[11], 1);
	wait_status(0, "\"no-nic\":1");
	ck_assert_ptr_nonnull(strstr(said, "\"source\":1,\"filter\":1"));
	ck_assert(!readable(wire[0], 0) && !readable(wire[1], 0));
}
END_TEST

START_TEST(a_taken_name_is_refused_until_it_is_given_back)
{
	int a = app_of(1);
	int b = app_of(1);
	int seven = bind_app(a, "bind 7");

	ck_assert_int_eq(ask(b, "bind 7"), -1);
	ck_assert_str_eq(said, "taken");
	send(wire[1], frame(9, 7, 42), 60, 0);
	ck_assert_int_eq(next_from(seven), 42);
	close(seven);
	wait_status(1, "\"bindings\":[]");
	seven = bind_app(b, "bind 7");
	send(wire[1], frame(9, 7, 43), 60, 0);
	ck_assert_int_eq(next_from(seven), 43);
	ask(a, "unbind 7");
	char byte;

	ck_assert(readable(seven, 10000));
	ck_assert_int_eq(recv(seven, &byte, 1, 0), 0);
}
END_TEST

START_TEST(a_second_program_at_the_nic_gets_nothing)
{
	struct vnet_nic *spy;
	uint8_t f[100];
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");

	/* The lab's NIC takes one client; this test's wire stopped listening altogether. */
	spy = vnet_nic_open(&conf[0], "eth0");
	ck_assert_ptr_null(spy);
	send(wire[0], frame(9, 7, 42), 60, 0);
	ck_assert_int_eq(next_from(seven), 42);
	ck_assert_int_eq(vnet_endpoint_receive(seven, &(unsigned){0}, f, sizeof(f)), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(a_bad_filter_harms_nobody)
{
	int app = app_of(0);

	ask(app, "filter ether[");
	ck_assert_ptr_nonnull(strstr(said, "in: filter 'ether['"));
	ask(app, "filter ether[0] = 2");
	ck_assert_str_eq(said, "ok");
	bind_app(app, "bind 7");
}
END_TEST

START_TEST(one_that_does_not_read_harms_nobody)
{
	int app = app_of(0);
	int slow = bind_app(app, "bind 7");
	int eight = bind_app(app, "bind 8");

	for (int i = 0; i < 20000; i++)
		send(wire[0], frame(9, 7, 42), 60, 0);
	send(wire[0], frame(9, 8, 43), 60, 0);
	ck_assert_int_eq(next_from(eight), 43);
	ck_assert_ptr_null(strstr(status_of(0), "\"id\":7,\"priority\":5,\"in_frames\":20000"));
	ck_assert_ptr_nonnull(strstr(said, "\"full\":"));
	ck_assert_int_eq(next_from(slow), 42);
}
END_TEST

START_TEST(carrier_and_mtu_are_told)
{
	static const uint8_t down[] = {0, 1, 0, 0, 0x05, 0x78};
	static const uint8_t up[] = {0, 1, 1, 0, 0x23, 0x28};
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");

	ask(app, "nics");
	ck_assert_str_eq(said, "eth0 1500 up;");
	send(wire[0], down, sizeof(down), 0);
	wait_status(0, "\"carrier\":false,\"mtu\":1400");
	ask(app, "nics");
	ck_assert_str_eq(said, "eth0 1400 down;");
	vnet_endpoint_send(seven, 0, frame(1, 8, 7), 60);
	wait_status(0, "\"link\":1");
	ck_assert(!readable(wire[0], 0));
	send(wire[0], up, sizeof(up), 0);
	wait_status(0, "\"carrier\":true,\"mtu\":9000");
}
END_TEST

START_TEST(tables_are_read_only)
{
	int app = app_of(0);
	int fd = ask(app, "table");
	struct vnet_table *t = vnet_table_open(dup(fd));
	char got[64];

	ck_assert_msg(t != NULL, "%s", vnet_error());
	ask(app, "publish");
	ask(app, "publish");
	ck_assert_int_eq(vnet_table_read(t, got, sizeof(got), NULL), 7);
	ck_assert_str_eq(got, "text 2");
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
}
END_TEST

START_TEST(an_instance_reaches_nothing_else)
{
	int app = app_of(0);
	char pid[64];

	char *secret = xasprintf("%s/secret", dir);
	char *escape = xasprintf("escape %s", dir);

	close(open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ask(app, escape);
	memset(said, 0, sizeof(said));
	ck_assert_int_gt(recv(app, said, sizeof(said), 0), 0);
	char *free_to = xstrdup(said);

	/* Landlock alone does not hide that a file is there. */
	ck_assert_str_eq(free_to, strstr(status_of(0), ", namespaces") ? "free:" : "free: see");
	ck_assert_int_eq(unlink(secret), 0);
	free(free_to);
	free(secret);
	free(escape);
	snprintf(pid, sizeof(pid), "red pid %d", (int)getpid());
	ask(app, "who");
	ck_assert_str_eq(said, pid);
}
END_TEST

/* Its own program neither; what it may start from, nothing else may be. */
START_TEST(an_instance_executes_nothing)
{
	int app = app_of(0);

	ask(app, "execute");
	memset(said, 0, sizeof(said));
	ck_assert_int_gt(recv(app, said, sizeof(said), 0), 0);
	ck_assert_str_eq(said, "refused");
}
END_TEST

/* System calls always; here at least one of the two that keep files from it. */
START_TEST(the_sandbox_says_what_it_is)
{
	app_of(0);
	status_of(0);
	ck_assert_ptr_nonnull(strstr(said, "\"sandbox\":\"seccomp, "));
}
END_TEST

/* What its table of names says; once it says that. */
static void wait_names(const struct vnet_table *t, const char *want)
{
	char got[2000] = "";

	for (int k = 0; k < 1000; k++) {
		if (vnet_table_read(t, got, sizeof(got), NULL) > 0 && !strcmp(got, want))
			return;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("names are '%s' instead of '%s'", got, want);
}

static struct vnet_table *names_of(int app)
{
	struct vnet_table *t = vnet_table_open(ask(app, "names"));

	ck_assert_msg(t != NULL, "%s", vnet_error());
	return t;
}

static const struct {
	const char *request, *reason;
} sins[] = {
	{"spin", "cpu: took all of its 2 % of a CPU for 1 s"},
	{"memory", "\"reason\":\"memory: "},
	{"shared", "\"reason\":\"memory: "},
	{"stack", "its stack of 256 KiB is full"},
	{"abort", "signal 6 (Aborted)"},
	{"exit", "exit status 0"},
};

START_TEST(who_exceeds_limits_is_unloaded_and_nobody_else)
{
	int app = app_of(0);
	int other = app_of(1);
	int seven = bind_app(app, "bind 7");
	int blue = bind_app(other, "bind 7");
	struct vnet_table *t = names_of(app);
	char byte;

	wait_names(t, "7 50 "); /* the worker, which ends with its daemon, is at work */
	vnet_table_close(t);
	ask(app, sins[_i].request);
	wait_status(0, "\"name\":\"control\",\"state\":\"ended\"");
	ck_assert_msg(strstr(said, sins[_i].reason) != NULL, "%s", said);
	ck_assert_ptr_nonnull(strstr(said, "\"bindings\":[]"));
	ck_assert_int_eq(recv(seven, &byte, 1, 0), 0);
	ck_assert_int_eq(vnet_connect(&conf[0]), -1);
	ck_assert_ptr_nonnull(strstr(vnet_error(), "no control daemon of vNet red"));
	send(wire[1], frame(9, 7, 44), 60, 0);
	ck_assert_int_eq(next_from(blue), 44);
	ask(other, "nics");
	ck_assert_str_eq(said, "eth0 1500 up;");
	/* With the last one it ends, and says whether all was well. */
	ask(other, "exit");
	int status = wait_for_end();

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), strcmp(sins[_i].request, "exit") != 0);
}
END_TEST

static void say_to_worker(uint8_t from)
{
	send(wire[0], frame(9, 50, from), 60, 0);
}

/* Whoever has the table knows the names that are in use, of all, without asking. */
START_TEST(names_are_read_from_a_table)
{
	int app = app_of(0);
	struct vnet_table *t = names_of(app);
	struct vnet_table *blue = names_of(app_of(1));
	char got[64];

	wait_names(t, "50 ");
	int seven = bind_app(app, "bind 7");

	bind_app(app, "bind 9");
	wait_names(t, "7 9 50 ");
	close(seven);
	wait_names(t, "9 50 ");
	ask(app, "unbind 9");
	wait_names(t, "50 ");
	ck_assert_int_eq(vnet_table_read(blue, got, sizeof(got), NULL), 0); /* nothing, ever */
	vnet_table_close(t);
	vnet_table_close(blue);
}
END_TEST

/* It gets its frames by way of the control daemon, and is bound like anybody else. */
START_TEST(a_further_instance_works)
{
	struct vnet_table *t = names_of(app_of(0));
	uint8_t got[100];

	wait_names(t, "50 ");
	say_to_worker(8);
	while (recv(wire[0], got, sizeof(got), 0) != 60)
		;
	ck_assert_int_eq(got[14], 8);
	ck_assert_int_eq(got[15], 50);
	ck_assert_ptr_nonnull(strstr(status_of(0), "\"name\":\"worker\",\"state\":\"running\""));
	ck_assert_ptr_null(strstr(status_of(1), "worker"));
	vnet_table_close(t);
}
END_TEST

static const struct {
	uint8_t word;
	const char *reason;
} worker_sins[] = {
	{200, "cpu: took all of its 2 % of a CPU for 1 s"},
	{201, "exit status 7"}, /* it gets no sockets */
};

/* One that is unloaded takes its names with it; the daemon and the applications go on. */
START_TEST(a_further_instance_is_unloaded_alone)
{
	int app = app_of(0);
	struct vnet_table *t = names_of(app);
	int seven = bind_app(app, "bind 7");

	wait_names(t, "7 50 ");
	say_to_worker(worker_sins[_i].word);
	wait_status(0, worker_sins[_i].reason);
	wait_names(t, "7 ");
	send(wire[0], frame(9, 7, 44), 60, 0);
	ck_assert_int_eq(next_from(seven), 44);
	ck_assert_ptr_nonnull(strstr(status_of(0), "\"name\":\"control\",\"state\":\"running\""));
	bind_app(app, "bind 50");
	wait_names(t, "7 50 ");
	vnet_table_close(t);
}
END_TEST

START_TEST(it_ends_with_the_lab)
{
	int app = app_of(0);
	char byte;

	ask(app, "nics"); /* so that it is more than a call in the daemon's queue */
	shutdown(wire[0], SHUT_RDWR);
	wait_status(0, "\"carrier\":false");
	shutdown(wire[1], SHUT_RDWR);
	ck_assert_int_eq(wait_for_end(), 0);
	ck_assert_int_eq(recv(app, &byte, 1, 0), 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, frames_reach_their_endpoint_and_nobody_else);
	tcase_add_test(tc, who_masquerades_is_not_heard);
	tcase_add_test(tc, a_taken_name_is_refused_until_it_is_given_back);
	tcase_add_test(tc, a_second_program_at_the_nic_gets_nothing);
	tcase_add_test(tc, a_bad_filter_harms_nobody);
	tcase_add_test(tc, one_that_does_not_read_harms_nobody);
	tcase_add_test(tc, carrier_and_mtu_are_told);
	tcase_add_test(tc, tables_are_read_only);
	tcase_add_test(tc, an_instance_reaches_nothing_else);
	tcase_add_test(tc, an_instance_executes_nothing);
	tcase_add_test(tc, the_sandbox_says_what_it_is);
	tcase_add_loop_test(tc, who_exceeds_limits_is_unloaded_and_nobody_else, 0,
			    (int)ARRAY_LEN(sins));
	tcase_add_test(tc, names_are_read_from_a_table);
	tcase_add_test(tc, a_further_instance_works);
	tcase_add_loop_test(tc, a_further_instance_is_unloaded_alone, 0,
			    (int)ARRAY_LEN(worker_sins));
	tcase_add_test(tc, it_ends_with_the_lab);
}

int main(void)
{
	Suite *s = suite_create("vnet mux");
	TCase *tc = tcase_create("mux");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	if (!suite_is_sanitized()) /* the sandbox has no room for what that needs */
		add_tests(tc);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
