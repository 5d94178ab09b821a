/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/lanes.h"

#include "lib/cpus.h"

#include <pthread.h>
#include <stdbool.h>

enum { LANES_MAX = 8 };

struct lane {
	void (*run)(void *ctx);
	void *ctx;
};

unsigned lanes_usual(void)
{
	unsigned n = cpus_online();

	return n > LANES_MAX ? LANES_MAX : n;
}

static void *start(void *arg)
{
	const struct lane *l = arg;

	l->run(l->ctx);
	return NULL;
}

/* Where there is no further thread to be had the others do its part. */
void lanes_run(unsigned n, void (*run)(void *ctx), void *ctx)
{
	struct lane lane = {run, ctx};
	pthread_t thread[LANES_MAX];
	unsigned started = 0;

	while (started + 1 < n && started < LANES_MAX &&
	       pthread_create(&thread[started], NULL, start, &lane) == 0)
		started++;
	run(ctx);
	while (started)
		pthread_join(thread[--started], NULL);
}
