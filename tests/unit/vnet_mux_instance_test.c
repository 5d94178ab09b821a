/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer as a process, with a control daemon for each of two vNets
 * (tests/support/vnet_daemon.c). The test is the lab: it listens where the NICs are.
 */
#include "tests/unit/mux_help.h"

static int wait_for_end(void)
{
	int status = 0;

	ck_assert_int_eq(waitpid(mux, &status, 0), mux);
	mux = 0;
	return status;
}

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

/* The process of an instance of red that runs, from the tables in `said`. */
static pid_t pid_of(const char *instance)
{
	char *at = xasprintf("\"name\":\"%s\",\"state\":\"running\",\"pid\":", instance);
	const char *found = strstr(status_of(0), at);
	pid_t pid = found ? atoi(found + strlen(at)) : 0;

	free(at);
	ck_assert_int_gt(pid, 0);
	return pid;
}

static void wait_started(const char *instance, int times)
{
	for (int k = 0; k < 1500; k++) {
		const char *at = strstr(status_of(0), instance);
		const char *state = at ? strstr(at, "\"state\":\"running\"") : NULL;
		const char *count = at ? strstr(at, "\"times_started\":") : NULL;

		if (state && count && state < count && atoi(count + 16) == times)
			return;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("%s was not started %d times: %s", instance, times, said);
}

static const int from_outside[] = {SIGKILL, SIGTERM};

/* Nobody else could carry its vNet: names are bound anew, and the others are none the wiser. */
START_TEST(a_killed_control_daemon_is_started_again)
{
	int blue = bind_app(app_of(1), "bind 7");
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");
	char byte;

	struct vnet_table *t = names_of(app);

	wait_names(t, "7 50 "); /* the worker, which ends with its daemon, is at work */
	vnet_table_close(t);
	kill(pid_of("control"), from_outside[_i]);
	ck_assert_int_eq(recv(seven, &byte, 1, 0), 0);
	ck_assert_int_eq(recv(app, &byte, 1, 0), 0);
	wait_started("control", 2);
	wait_started("worker", 2);
	t = names_of(app = app_of(0));
	wait_names(t, "50 ");
	seven = bind_app(app, "bind 7");
	wait_names(t, "7 50 ");
	vnet_table_close(t);
	send(wire[0], frame(9, 7, 44), 60, 0);
	ck_assert_int_eq(next_from(seven), 44);
	ask(app, "nics");
	ck_assert_str_eq(said, "eth0 1500 up;");
	send(wire[1], frame(9, 7, 45), 60, 0);
	ck_assert_int_eq(next_from(blue), 45);
	/* That somebody killed it is no failure of its own. */
	ask(app, "exit");
	ask(app_of(1), "exit");
	ck_assert_int_eq(wait_for_end(), 0);
}
END_TEST

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One that is killed again and again comes back ever later. */
START_TEST(it_is_not_started_at_any_rate)
{
	int64_t began_ms = now_ms();

	app_of(0);
	for (int times = 1; times < 5; times++) {
		wait_started("control", times);
		kill(pid_of("control"), SIGKILL);
	}
	wait_started("control", 5);
	ck_assert_int_ge(now_ms() - began_ms, 100 + 200 + 400 + 800);
}
END_TEST

/* One that sinned before its daemon was killed stays unloaded. */
START_TEST(who_was_unloaded_does_not_come_back)
{
	app_of(0);
	wait_started("worker", 1);
	struct vnet_table *t = names_of(app_of(0));

	wait_names(t, "50 ");
	vnet_table_close(t);
	say_to_worker(201);
	wait_status(0, "exit status 7");
	/* What ends together with the daemon has ended for that: this is before. */
	for (int64_t seen_ms = now_ms(); now_ms() < seen_ms + 100;)
		poll(NULL, 0, 10);
	kill(pid_of("control"), SIGKILL);
	wait_started("control", 2);
	app_of(0);
	ck_assert_ptr_nonnull(strstr(status_of(0), "exit status 7"));
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
	tcase_add_test(tc, an_instance_reaches_nothing_else);
	tcase_add_test(tc, an_instance_executes_nothing);
	tcase_add_test(tc, the_sandbox_says_what_it_is);
	tcase_add_loop_test(tc, who_exceeds_limits_is_unloaded_and_nobody_else, 0,
			    (int)ARRAY_LEN(sins));
	tcase_add_test(tc, names_are_read_from_a_table);
	tcase_add_test(tc, a_further_instance_works);
	tcase_add_loop_test(tc, a_further_instance_is_unloaded_alone, 0,
			    (int)ARRAY_LEN(worker_sins));
	tcase_add_loop_test(tc, a_killed_control_daemon_is_started_again, 0,
			    (int)ARRAY_LEN(from_outside));
	tcase_add_test(tc, it_is_not_started_at_any_rate);
	tcase_add_test(tc, who_was_unloaded_does_not_come_back);
	tcase_add_test(tc, it_ends_with_the_lab);
}

int main(void)
{
	return run_mux_suite("vnet mux: instances", add_tests);
}
