/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any octets as a program and as a loader's cache: what they need is looked up, nothing runs. */
#include "vnet/mux/needs.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void nobody(void *ctx, const char *path)
{
	*(size_t *)ctx += *path != '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct needs n;
	struct err e;
	size_t found = 0;
	char path[64];
	int fd = memfd_create("program", MFD_CLOEXEC);

	if (write(fd, data, len) == (ssize_t)len) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		needs_find(&n, path, &e);
		needs_finish(&n);
	}
	close(fd);
	needs_look_up((const char *)data, len, "libc.so.6", nobody, &found);
	return 0;
}
