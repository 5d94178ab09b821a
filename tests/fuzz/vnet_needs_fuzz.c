/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any octets as a program and as a loader's cache: what they need is looked up, nothing runs. */
#include "vnet/mux/needs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char path[] = "/tmp/vnet-needs-fuzz.XXXXXX";

static void remove_file(void)
{
	unlink(path);
}

static void nobody(void *ctx, const char *found)
{
	*(size_t *)ctx += *found != '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct needs n;
	struct err e;
	size_t found = 0;

	if (fd < 0) {
		fd = mkstemp(path);
		fchmod(fd, 0700);
		atexit(remove_file);
	}
	if (ftruncate(fd, 0) == 0 && pwrite(fd, data, len, 0) == (ssize_t)len) {
		needs_find(&n, path, &e);
		needs_finish(&n);
	}
	needs_look_up((const char *)data, len, "libc.so.6", nobody, &found);
	return 0;
}
