/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agent_flood [events|data]: what root in a guest can say to the server in the name of its agent,
 * whose port it takes from process 1. "events": lines full of short words, and short ones without
 * end. "data": output that nobody has asked for, on channels 1 to 9. Each message is one write that
 * the port takes whole (drivers/char/virtio_console.c takes 32 KiB at a time): what process 1 says
 * in between stays readable.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DATA = 5, EVENT = 14, HEAD = 12, WHOLE = 32 * 1024, LARGE = WHOLE - HEAD };

static int take_port(void)
{
	int process = (int)syscall(SYS_pidfd_open, 1, 0);
	DIR *d = opendir("/proc/1/fd");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[300];
		char to[64] = "";

		snprintf(path, sizeof(path), "/proc/1/fd/%s", e->d_name);
		if (readlink(path, to, sizeof(to) - 1) > 0 && strstr(to, "vport"))
			return (int)syscall(SYS_pidfd_getfd, process, atoi(e->d_name), 0);
	}
	return -1;
}

static void say(int port, uint32_t channel, uint8_t type, const char *text, uint32_t len)
{
	static char m[WHOLE];

	memset(m, 0, HEAD);
	memcpy(m, &len, 4);
	memcpy(m + 4, &channel, 4);
	m[8] = (char)type;
	memcpy(m + HEAD, text, len);
	while (write(port, m, HEAD + len) < 0)
		usleep(1000);
}

int main(int argc, char **argv)
{
	static char words[LARGE];
	int port = take_port();

	if (port < 0) {
		perror("the agent's port");
		return 3;
	}
	for (size_t i = 0; i < LARGE; i++)
		words[i] = i % 2 ? ' ' : 'x';
	if (argc > 1 && !strcmp(argv[1], "data"))
		for (uint32_t i = 0;; i++)
			say(port, 1 + i % 9, DATA, words, LARGE);
	for (int i = 0; i < 20; i++)
		say(port, 0, EVENT, words, LARGE);
	for (;;)
		say(port, 0, EVENT, "failed x y", 10);
}
