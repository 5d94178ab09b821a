/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any lines at vbet-outside, in a network namespace of the fuzzer's own, whose interfaces and
 * routes are real. Whatever comes, each line is done or refused with a reason.
 */
int outside_main(int argc, char **argv);
#define main outside_main
#include "outside/main.c"
#undef main

#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/outside-fuzz-XXXXXX";
static int listener = -1;
static int netlink_fd;

static void leave(void)
{
	unlink("p");
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		abort();
	listener = sock_listen("p", SOCK_SEQPACKET, &e);
	atexit(leave);
	if (listener < 0 || place_enter_own(&e) < 0 || (netlink_fd = netlink_open(0, &e)) < 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return 0;
}

static void run_text(struct outside *o, char *text, FILE *null)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct arena a = {0};
		struct words w;
		struct err e = {0};
		int fd;

		/* Its socket is here. */
		if (!strchr(line, '/') || strstr(line, "route") || !strstr(line, "path="))
			if (words_split(line, strlen(line), &a, &w, &e) == 0 &&
			    run_line(o, &w, null, &e) < 0 && (e.kind == ERR_NONE || !e.text[0]))
				abort();
		arena_finish(&a);
		while ((fd = accept(listener, NULL, NULL)) >= 0)
			close(fd);
		loop_turn(o->loop, 0, &e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct err e;
	struct outside o = {.loop = loop_create(&e), .place = PLACE_OWN, .netlink = netlink_fd};
	char *text = xstrndup((const char *)data, size);

	if (!null)
		null = fopen("/dev/null", "we");
	run_text(&o, text, null);
	while (o.taps.n)
		remove_tap(&o, o.taps.n - 1);
	vec_free(&o.taps);
	free(text);
	loop_destroy(o.loop);
	return 0;
}
