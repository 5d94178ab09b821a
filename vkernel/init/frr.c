/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FRR drops lines that it does not take, and goes on. It logs each of them (lib/vty.c,
 * vty_read_file): "ERROR-TEXT on config line N: TEXT". Only CMD_WARNING is no refusal: the command
 * was carried out, and had something to say.
 *
 * Routes in zebra.conf are staticd's, which reads that file if it has none of its own. So a daemon
 * other than staticd that refuses one says nothing about it.
 */
#include "vkernel/init/frr.h"

#include "vkernel/init/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MGMTD "/usr/lib/frr/mgmtd"

static void conf_path(const char *daemon, char *buf, size_t size)
{
	snprintf(buf, size, "/etc/frr/%s.conf", daemon);
}

static void log_path(const char *daemon, char *buf, size_t size)
{
	snprintf(buf, size, "/run/frr/%s.log", daemon);
}

enum frr_way frr_find_way(const char *daemon)
{
	static int by_command = -1; /* not looked yet */

	if (by_command < 0)
		by_command = access(MGMTD, X_OK) == 0;
	if (by_command)
		return FRR_BY_COMMAND;
	return strcmp(daemon, "mgmtd") == 0 ? FRR_NOT_THERE : FRR_DIRECT;
}

/* What an earlier start has logged is no news. */
char **frr_make_argv(struct arena *a, const char *daemon)
{
	char program[64];
	char log[64];
	char *file = arena_alloc(a, sizeof(log) + 5);

	snprintf(program, sizeof(program), "/usr/lib/frr/%s", daemon);
	log_path(daemon, log, sizeof(log));
	unlink(log);
	sprintf(file, "file:%s", log);

	char *const argv[] = {arena_strdup(a, program), (char *)"--log",    file,
			      (char *)"--log-level",    (char *)"warnings", NULL};

	return memcpy(arena_alloc(a, sizeof(argv)), argv, sizeof(argv));
}

static bool is_route(const char *command)
{
	static const char *const routes[] = {"ip route", "ipv6 route", "ip mroute", "ipv6 mroute"};

	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (!strncmp(command, routes[i], strlen(routes[i])))
			return true;
	return false;
}

/* One line of the log. */
static bool is_refusal(const char *line, const char **number, const char **command)
{
	static const char mark[] = " on config line ";
	static const char harmless[] = "Command returned Warning";
	const char *at = strstr(line, mark);

	if (!at)
		return false;
	if ((size_t)(at - line) >= strlen(harmless) &&
	    !strncmp(at - strlen(harmless), harmless, strlen(harmless)))
		return false;
	*number = at + strlen(mark);
	*command = strchr(*number, ':');
	if (!*command)
		return false;
	++*command;
	*command += strspn(*command, " ");
	return true;
}

bool frr_scan_log(const char *daemon, bool is_borrowed, const char *log, size_t len, char *buf,
		  size_t size)
{
	bool wants_routes = !strcmp(daemon, "staticd");
	bool found = false;
	char path[64];

	conf_path(is_borrowed ? "zebra" : daemon, path, sizeof(path));
	for (const char *p = log, *end = log + len; p < end && !found;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);
		char *line = strndup(p, n);
		const char *number;
		const char *command;

		p += n + 1;
		if (line && is_refusal(line, &number, &command) &&
		    (is_route(command) ? wants_routes : !is_borrowed)) {
			snprintf(buf, size, "%s:%d: %s does not take: %s", path, atoi(number),
				 daemon, command);
			found = true;
		}
		free(line);
	}
	return found;
}

bool frr_find_refused(const char *daemon, char *buf, size_t size)
{
	char path[64];
	size_t len = 0;

	conf_path(daemon, path, sizeof(path));
	bool is_borrowed = !strcmp(daemon, "staticd") && access(path, F_OK) < 0;

	log_path(daemon, path, sizeof(path));
	char *log = files_read(path, &len);
	bool found = log && frr_scan_log(daemon, is_borrowed, log, len, buf, size);

	free(log);
	return found;
}
