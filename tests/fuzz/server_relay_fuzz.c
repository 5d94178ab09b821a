/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command against a server that says anything: what comes before an answer, the answer, and the
 * messages behind it (command/client.c, relay.c). The first octet is what the command wants: to run
 * something, to send a file, to get one; the rest is what it hears, in pieces as long as octets of
 * it say. Each ends when the server has, with a status or a reason, and keeps nothing.
 */
#include "tests/support/scratch.h"
#include "vbet-server/command/client.h"

#include "lib/sock.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EXEC, PUT, GET, WANTS };

static char base[] = "/tmp/relay-fuzz-XXXXXX";
static int listener;
static int null_fd;
static FILE *null;

static void demand(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[64];

	signal(SIGPIPE, SIG_IGN);
	scratch_make(base);
	demand(setenv("XDG_RUNTIME_DIR", base, 1) == 0);
	snprintf(path, sizeof(path), "%s/vbet", base);
	demand(mkdir(path, 0700) == 0);
	snprintf(path, sizeof(path), "%s/vbet/t", base);
	demand(mkdir(path, 0700) == 0);
	snprintf(path, sizeof(path), "%s/vbet/t/control", base);
	listener = sock_listen(path, SOCK_STREAM, &(struct err){0});
	fcntl(listener, F_SETFL, 0); /* our thread waits there */
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	null = fdopen(dup(null_fd), "we");
	demand(listener >= 0 && null_fd >= 0 && null);
	stderr = stdout = null;
	return 0;
}

struct said {
	const uint8_t *data;
	size_t size;
};

/* The server: says its pieces, hangs up, and reads what it is told until the command has ended. */
static void *serve(void *ctx)
{
	const struct said *s = ctx;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	size_t at = 0;
	char heard[4096];

	demand(fd >= 0);
	while (at < s->size) {
		size_t len = (size_t)1 + s->data[at];

		len = len > s->size - at ? s->size - at : len;
		if (send(fd, s->data + at, len, MSG_NOSIGNAL) < 0)
			break;
		at += len;
	}
	shutdown(fd, SHUT_WR);
	while (recv(fd, heard, sizeof(heard), 0) > 0)
		;
	close(fd);
	return NULL;
}

static int ask(unsigned what, struct err *e)
{
	static char *const argv[] = {"x"};
	const struct exec_options opt = {
		.in_fd = null_fd, .no_stdin = what % 2, .out = null, .err = null};
	unsigned mode;
	int status;

	switch (what % WANTS) {
	case EXEC:
		return client_exec("t", "a", argv, 1, &opt, &status, e);
	case PUT:
		return client_put("t", "a", "/x", null_fd, 0644, e);
	default:
		return client_get("t", "a", "/x", null_fd, &mode, e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct said said = {data + 1, size - 1};
	struct err e = {0};
	pthread_t server;

	if (!size)
		return 0;
	demand(pthread_create(&server, NULL, serve, &said) == 0);
	if (ask(data[0], &e) < 0)
		demand(e.kind != ERR_NONE && e.text[0]);
	pthread_join(server, NULL);
	return 0;
}
