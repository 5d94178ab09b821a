/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vkernel/init/awake.h"

#include <fcntl.h>
#include <linux/random.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { OCTETS_MAX = 64 };

static int set_time(const char *text, struct err *e)
{
	long long s;
	long ns;
	char end;

	if (sscanf(text, "%lld.%9ld%c", &s, &ns, &end) != 2)
		return err_set(e, ERR_USAGE, "no time: %s", text);
	const struct timespec t = {.tv_sec = (time_t)s, .tv_nsec = ns};

	return clock_settime(CLOCK_REALTIME, &t) < 0 ? err_sys(e, "set the time of day") : 0;
}

/* struct rand_pool_info, whose octets have no place of their own. */
struct pool {
	int entropy_bits;
	int size;
	uint8_t octets[OCTETS_MAX];
};

static int stir(const char *hex, struct err *e)
{
	struct pool pool = {.size = (int)strlen(hex) / 2};

	if (pool.size > OCTETS_MAX)
		pool.size = OCTETS_MAX;
	for (int i = 0; i < pool.size; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &pool.octets[i]) != 1)
			return err_set(e, ERR_USAGE, "no octets: %s", hex);
	pool.entropy_bits = pool.size * 8;

	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	int rc = fd >= 0 && ioctl(fd, RNDADDENTROPY, &pool) == 0 && ioctl(fd, RNDRESEEDCRNG) == 0
			 ? 0
			 : err_sys(e, "stir /dev/urandom");

	if (fd >= 0)
		close(fd);
	return rc;
}

int awake(const char *time, const char *random, struct err *e)
{
	int rc = set_time(time, e);

	return stir(random, rc < 0 ? NULL : e) < 0 ? -1 : rc;
}
