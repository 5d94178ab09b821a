/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A vsubstrate that is saved, killed and restored: what it carries from there on is, frame by
 * frame, byte by byte and nanosecond by nanosecond, what the one carried that was never saved.
 */
#include "lib/loop.h"
#include "lib/sock.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "tests/support/vguest.h"
#include "tests/support/vlab.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GUESTS = 2 };

static char dir[64];

/* A vsubstrate, what it said, and its guests. */
struct lab {
	pid_t pid;
	int control;
	char heard[1 << 16];
	size_t len, seen; /* of heard; what was looked at */
	struct vguest guest[GUESTS];
	unsigned n_guests;
};

static void start_program(struct lab *lab, char *const *words)
{
	char program[PATH_MAX + 16];
	char *argv[8] = {(char *)"vsubstrate"};
	int pair[2];

	for (int i = 0; words && words[i]; i++)
		argv[i + 1] = words[i];
	snprintf(program, sizeof(program), "%s/vsubstrate", vlab_build());
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	lab->pid = fork();
	if (lab->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pair[1], 0);
		execv(program, argv);
		_exit(127);
	}
	close(pair[1]);
	lab->control = pair[0];
	lab->len = lab->seen = 0;
}

/* Lets all that have something to do do it. False: vsubstrate has ended. */
static bool live(struct lab *lab)
{
	struct pollfd p[GUESTS + 1] = {{.fd = lab->control, .events = POLLIN}};

	for (unsigned i = 0; i < lab->n_guests; i++)
		p[i + 1] = (struct pollfd){.fd = vguest_fd(&lab->guest[i]), .events = POLLIN};
	ck_assert_int_gt(poll(p, lab->n_guests + 1, 10000), 0);
	for (unsigned i = 0; i < lab->n_guests; i++)
		if (p[i + 1].revents && !vguest_turn(&lab->guest[i]))
			return false;
	if (!p[0].revents)
		return true;
	ssize_t n = read(lab->control, lab->heard + lab->len, sizeof(lab->heard) - 1 - lab->len);

	if (n <= 0)
		return false;
	lab->len += (size_t)n;
	lab->heard[lab->len] = '\0';
	return true;
}

/* Waits for a line that begins so, behind those that were waited for. */
static const char *hear(struct lab *lab, const char *begin)
{
	for (;;) {
		char *line = lab->heard + lab->seen;
		char *end = lab->seen < lab->len ? strchr(line, '\n') : NULL;

		if (!end) {
			ck_assert_msg(live(lab), "vsubstrate has ended: %s", lab->heard);
			continue;
		}
		lab->seen = (size_t)(end + 1 - lab->heard);
		if (!strncmp(line, begin, strlen(begin))) {
			*end = '\0';
			return line;
		}
		ck_assert_msg(strncmp(line, "error", 5) != 0, "%s", line);
	}
}

static void say(struct lab *lab, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line) - 1, fmt, ap);

	va_end(ap);
	line[n] = '\n';
	ck_assert_int_eq(sock_write_all(lab->control, line, (size_t)n + 1), 0);
	hear(lab, "ok");
}

/* What there is between two guests, how often they send, and when it is saved. */
struct scenario {
	const char *const *lines;
	int64_t every_ns[GUESTS];
	const char *moment, *end;
};

/* At a switch, by lines that delay, lose, double and damage. */
static const char *const lossy[] = {
	"device sw switch",
	"port sw.1 sw 1",
	"port sw.2 sw 2",
	"cable c1 a.nic sw.1 ab.delay=7ms ab.jitter=3ms ab.distribution=normal ab.loss=10%",
	"set c1 ab.rate=5Mbit ab.limit=20 ba.delay=5ms ba.corrupt=10%",
	"cable c2 b.nic sw.2 ab.delay=4ms ab.jitter=2ms ab.duplicate=5% ab.reorder=20%",
	"set c2 ba.delay=11ms ba.rate=3Mbit ba.loss=5%",
	NULL,
};

/* Two switches with a loop, a hub on which frames collide, queues that are managed. */
static const char *const tangled[] = {
	"device s1 switch rstp=on",
	"device s2 switch rstp=on priority=4096",
	"port s1.1 s1 1",
	"port s1.2 s1 2",
	"port s1.3 s1 3",
	"port s2.1 s2 1",
	"port s2.2 s2 2",
	"port s2.3 s2 3",
	"device h hub",
	"port h.1 h 1",
	"port h.2 h 2",
	"cable t1 s1.1 s2.1 ab.delay=3ms ba.delay=2ms",
	"cable t2 s1.2 s2.2 ab.delay=1ms ba.delay=1ms",
	"cable t3 s2.3 h.1",
	"cable c1 a.nic s1.3 ab.delay=40ms ab.rate=200kbit ab.aqm=codel",
	"set c1 ba.delay=30ms ba.rate=150kbit ba.aqm=red",
	"cable c2 b.nic h.2",
	NULL,
};

static const struct scenario scenarios[] = {
	{lossy, {1100000, 1700000}, "1us", "200ms"},
	{lossy, {1100000, 1700000}, "31ms", "200ms"},
	{lossy, {1100000, 1700000}, "77777us", "200ms"},
	{tangled, {31000000, 37000000}, "2500ms", "8s"},
	{tangled, {31000000, 37000000}, "6123456us", "8s"},
};

/* It runs to that time, and stands there. */
static void start_lab(struct lab *lab, const struct scenario *sc, const char *at, const char *until)
{
	*lab = (struct lab){0};
	start_program(lab, NULL);
	say(lab, "clock virtual seed=11");
	for (unsigned i = 0; i < GUESTS; i++) {
		const char name = (char)('a' + i);

		say(lab, "guest %c time=%s/%c.time", name, at, name);
		say(lab, "nic %c.nic vhost path=%s/%c.nic mac=02:00:00:00:00:%02x guest=%c", name,
		    at, name, name, name);
	}
	for (const char *const *line = sc->lines; *line; line++)
		say(lab, "%s", *line);
	say(lab, "capture cap b.nic file=%s/cap.pcapng", at);
	say(lab, "until %s", until);
	say(lab, "start");
	vguest_start(&lab->guest[0], "a", at, sc->every_ns[0]);
	vguest_start(&lab->guest[1], "b", at, sc->every_ns[1]);
	lab->n_guests = GUESTS;
	hear(lab, "event time");
}

static void run_until(struct lab *lab, const char *time)
{
	say(lab, "until %s", time);
	hear(lab, "event time");
}

static void end_lab(struct lab *lab, bool kill_it)
{
	if (kill_it)
		kill(lab->pid, SIGKILL);
	close(lab->control);
	waitpid(lab->pid, NULL, 0);
	for (unsigned i = 0; i < lab->n_guests; i++)
		vguest_finish(&lab->guest[i]);
}

/* What came out of a run: what the guests noted, and the capture. */
static char *results(struct lab *lab, const char *at)
{
	char path[128], *text = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&text, &len);
	int c;

	for (unsigned i = 0; i < GUESTS; i++)
		fputs(lab->guest[i].notes, out);
	say(lab, "remove cap");
	snprintf(path, sizeof(path), "%s/cap.pcapng", at);
	FILE *in = fopen(path, "re");

	ck_assert_ptr_nonnull(in);
	while ((c = getc(in)) != EOF)
		fprintf(out, "%02x", c);
	fclose(in);
	fclose(out);
	return text;
}

static char *make_dir(const char *name)
{
	char *at = xasprintf("%s/%s", dir, name);

	ck_assert_int_eq(mkdir(at, 0700), 0);
	return at;
}

static void set_up(void)
{
	strcpy(dir, "/tmp/vbet-snap-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void tear_down(void)
{
	char rm[128];

	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	ck_assert_int_eq(system(rm), 0);
}

static char *never_saved(const struct scenario *sc)
{
	struct lab lab;
	char *at = make_dir("plain");

	start_lab(&lab, sc, at, sc->end);
	ck_assert_uint_gt(lab.guest[0].came, 20);
	ck_assert_uint_gt(lab.guest[1].came, 20);
	char *text = results(&lab, at);

	end_lab(&lab, false);
	free(at);
	return text;
}

/* Equal, or where they begin to differ. Frees text. */
static void check_same(char *text, const char *plain)
{
	size_t i = 0;

	while (text[i] && text[i] == plain[i])
		i++;
	ck_assert_msg(text[i] == plain[i], "at %zu of %zu: %.80s, not %.80s", i, strlen(plain),
		      text + i, plain + i);
	free(text);
}

static void copy(const char *from, const char *to)
{
	char cp[300];

	snprintf(cp, sizeof(cp), "cp %s %s", from, to);
	ck_assert_int_eq(system(cp), 0);
}

/* Guests that sleep come when they are needed. */
static void run_asleep(struct lab *lab, const struct vguest_kept *kept, const char *at,
		       const char *until)
{
	const char *line;

	say(lab, "until %s", until);
	while (strncmp(line = hear(lab, "event "), "event time", strlen("event time")) != 0) {
		for (unsigned i = 0; i < GUESTS; i++)
			if (!strncmp(line, "event wake ", strlen("event wake ")) &&
			    !strcmp(strrchr(line, ' ') + 1, kept[i].was.name))
				vguest_resume(&lab->guest[i], &kept[i], at);
	}
}

static void put_to_sleep(struct lab *lab, const struct vguest_kept *kept)
{
	for (unsigned i = 0; i < GUESTS; i++)
		lab->guest[i].conn = -1;
	for (unsigned i = 0; i < GUESTS; i++)
		say(lab, "sleep %s", kept[i].was.name);
}

enum way { AWAKE, ASLEEP, WAYS };

/* Restores what was saved at `from` in a directory of its own, lets it run, and says what came. */
static char *restored(const struct vguest_kept *kept, const char *from, enum way way,
		      const char *until)
{
	const char *name = way == AWAKE ? "awake" : "asleep";
	char *at = make_dir(name);
	char *imprint = xasprintf("%s/../imprint", from), *was = xasprintf("%s/", from),
	     *now = xasprintf("%s/", at);
	char *cap = xasprintf("%s/../cap.kept", from), *cap_now = xasprintf("%s/cap.pcapng", at);
	char *words[] = {(char *)"--restore", imprint, was, now, NULL};
	struct lab lab = {0};

	copy(cap, cap_now);
	start_program(&lab, words);
	hear(&lab, "event awaiting 4");
	lab.n_guests = GUESTS;
	if (way == ASLEEP)
		put_to_sleep(&lab, kept);
	for (unsigned i = 0; i < GUESTS && way == AWAKE; i++)
		vguest_resume(&lab.guest[i], &kept[i], at);
	if (way == AWAKE) {
		hear(&lab, "event thawed");
		run_until(&lab, until);
	} else {
		run_asleep(&lab, kept, at, until);
	}
	char *text = results(&lab, at);

	end_lab(&lab, false);
	free(at);
	free(imprint);
	free(was);
	free(now);
	free(cap);
	free(cap_now);
	return text;
}

START_TEST(goes_on_as_if_nothing_had_been)
{
	const struct scenario *sc = &scenarios[_i];
	struct vguest_kept kept[GUESTS];
	struct lab lab;
	char *plain = never_saved(sc);
	char *at = make_dir("saved");
	char *cap = xasprintf("%s/cap.pcapng", at), *cap_kept = xasprintf("%s/cap.kept", dir);

	start_lab(&lab, sc, at, sc->moment);
	for (unsigned i = 0; i < GUESTS; i++) {
		char *file = xasprintf("%s/%s", dir, lab.guest[i].name);

		say(&lab, "freeze %s file=%s%s", lab.guest[i].name, file, i ? "" : " share=on");
		const char *moves = strrchr(hear(&lab, "event frozen"), ' ') + 1;
		char *again = xasprintf("freeze %s file=%s.2 unless_moves=%s\n", lab.guest[i].name,
					file, moves);

		/* It need not be written again before it has moved. */
		ck_assert_int_eq(sock_write_all(lab.control, again, strlen(again)), 0);
		hear(&lab, "event same");
		hear(&lab, "ok");
		free(again);
		ck_assert_int_eq(lab.guest[i].shares, i == 0);
		vguest_keep(&lab.guest[i], &kept[i], file);
		free(file);
	}
	say(&lab, "save file=%s/imprint", dir);
	hear(&lab, "event saved");
	copy(cap, cap_kept);
	/* Whoever was saved goes on. */
	run_until(&lab, sc->end);
	check_same(results(&lab, at), plain);
	end_lab(&lab, true);
	for (enum way way = AWAKE; way < WAYS; way++)
		check_same(restored(kept, at, way, sc->end), plain);
	for (unsigned i = 0; i < GUESTS; i++)
		vguest_forget(&kept[i]);
	free(plain);
	free(at);
	free(cap);
	free(cap_kept);
}
END_TEST

static void refused(struct lab *lab, const char *line, const char *why)
{
	char text[300];

	snprintf(text, sizeof(text), "%s\n", line);
	ck_assert_int_eq(sock_write_all(lab->control, text, strlen(text)), 0);
	do {
		ck_assert(live(lab));
	} while (!strstr(lab->heard + lab->seen, "error "));
	ck_assert_msg(strstr(lab->heard + lab->seen, why) != NULL, "%s", lab->heard + lab->seen);
	lab->seen = lab->len;
}

START_TEST(what_cannot_be_kept_is_said)
{
	struct lab lab;
	char *at = make_dir("lab");
	char *line = xasprintf("save file=%s/imprint", dir);

	start_lab(&lab, &scenarios[0], at, "10ms");
	refused(&lab, "save", "usage: save file=PATH");
	refused(&lab, "freeze c file=/", "there is no guest 'c'");
	say(&lab, "run");
	refused(&lab, line, "the clock does not stand");
	say(&lab, "pause");
	hear(&lab, "event time");
	say(&lab, "disk d path=%s/disk size=1M layer=%s/layer guest=a", at, at);
	refused(&lab, line, "d: its content is kept in a file of its own");
	say(&lab, "remove d");
	say(&lab, "save file=%s/nowhere/imprint", dir);
	hear(&lab, "event save-failed");
	say(&lab, "%s", line);
	hear(&lab, "event saved");
	end_lab(&lab, false);
	free(line);
	free(at);
}
END_TEST

/* How a vsubstrate ends that is to restore this file, and what it says of it. */
static int try_restore(const char *file, char *text, size_t size)
{
	char *said = xasprintf("%s/said", dir);
	char *command = xasprintf("%s/vsubstrate --restore %s </dev/null >%s 2>&1", vlab_build(),
				  file, said);
	int rc = system(command);
	FILE *f = fopen(said, "re");

	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
	free(said);
	free(command);
	return WEXITSTATUS(rc);
}

START_TEST(damage_is_refused)
{
	struct lab lab = {0};
	char *file = xasprintf("%s/imprint", dir), text[600], c;

	ck_assert_int_eq(try_restore(file, text, sizeof(text)), 3);
	ck_assert_msg(strstr(text, "No such file") != NULL, "%s", text);
	start_program(&lab, NULL);
	say(&lab, "save file=%s", file);
	hear(&lab, "event saved");
	end_lab(&lab, false);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	ck_assert_int_eq(pread(fd, &c, 1, size / 2), 1);
	c ^= 1;
	ck_assert_int_eq(pwrite(fd, &c, 1, size / 2), 1);
	ck_assert_int_eq(try_restore(file, text, sizeof(text)), 3);
	ck_assert_msg(strstr(text, "is damaged, or was cut short") != NULL, "%s", text);
	ck_assert_int_eq(ftruncate(fd, size - 4096), 0);
	ck_assert_int_eq(try_restore(file, text, sizeof(text)), 3);
	ck_assert_msg(strstr(text, "is damaged, or was cut short") != NULL, "%s", text);
	close(fd);
	free(file);
}
END_TEST

static int64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

static int plug(const char *at, const char *name)
{
	char *path = xasprintf("%s/%s", at, name);
	struct err e;
	int fd = sock_connect(path, SOCK_SEQPACKET, &e);

	ck_assert_msg(fd >= 0, "%s", e.text);
	free(path);
	return fd;
}

enum { DELAY_MS = 2000, FRAMES = 5 };

static uint8_t a_frame[100] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

static void send_frames(int fd)
{
	for (int i = 0; i < FRAMES; i++) {
		a_frame[20] = (uint8_t)i;
		ck_assert_int_eq(send(fd, a_frame, sizeof(a_frame), 0), sizeof(a_frame));
	}
}

/* All of them, in their order, and none before so many ms have passed since then. */
static void receive_frames(int fd, int64_t then_ms, int64_t ms)
{
	uint8_t got[200];

	for (int i = 0; i < FRAMES; i++) {
		ck_assert_int_eq(recv(fd, got, sizeof(got), 0), sizeof(a_frame));
		a_frame[20] = (uint8_t)i;
		ck_assert_mem_eq(got, a_frame, sizeof(a_frame));
		ck_assert_int_ge(now_ms() - then_ms, ms);
	}
}

/* With the real clock a frame's time goes on where it was: what passed meanwhile is not counted. */
START_TEST(frames_in_flight_land_in_real_time)
{
	struct lab lab = {0};
	uint8_t got[1];
	char *at = make_dir("real"), *now = make_dir("now");
	char *file = xasprintf("%s/imprint", dir), *from = xasprintf("%s/", at),
	     *to = xasprintf("%s/", now);
	char *words[] = {(char *)"--restore", file, from, to, NULL};

	start_program(&lab, NULL);
	say(&lab, "clock real");
	say(&lab, "nic x seqpacket path=%s/x", at);
	say(&lab, "nic y seqpacket path=%s/y", at);
	say(&lab, "cable c x y ab.delay=%dms", DELAY_MS);
	int x = plug(at, "x"), y = plug(at, "y");

	hear(&lab, "event up");
	hear(&lab, "event up");
	int64_t sent_ms = now_ms();

	send_frames(x);
	/* They are in the cable when this is answered: the clients are heard first. */
	say(&lab, "status");
	say(&lab, "hold");
	int64_t flown_ms = now_ms() - sent_ms;

	/* Longer than they have to fly: nothing comes. */
	poll(NULL, 0, DELAY_MS);
	say(&lab, "save file=%s", file);
	hear(&lab, "event saved");
	ck_assert_int_eq(recv(y, got, sizeof(got), MSG_DONTWAIT), -1);
	/* And the one that was saved goes on as well. */
	int64_t gone_ms = now_ms();

	say(&lab, "go");
	receive_frames(y, gone_ms, DELAY_MS - flown_ms - 2);
	close(x);
	close(y);
	end_lab(&lab, true);
	/* As long as they had to fly: this time is not theirs. */
	poll(NULL, 0, DELAY_MS);
	int64_t begun_ms = now_ms();

	start_program(&lab, words);
	hear(&lab, "event thawed");
	y = plug(now, "y");
	receive_frames(y, begun_ms, DELAY_MS - flown_ms - 2);
	close(y);
	end_lab(&lab, false);
	free(at);
	free(now);
	free(file);
	free(from);
	free(to);
}
END_TEST

int main(void)
{
	/* It has no imprints then. */
	if (suite_is_sanitized())
		return 0;
	Suite *s = suite_create("snapshot");
	TCase *t = tcase_create("snapshot");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, goes_on_as_if_nothing_had_been, 0, ARRAY_LEN(scenarios));
	tcase_add_test(t, what_cannot_be_kept_is_said);
	tcase_add_test(t, damage_is_refused);
	tcase_add_test(t, frames_in_flight_land_in_real_time);
	suite_add_tcase(s, t);
	return suite_run(s);
}
