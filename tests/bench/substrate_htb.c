/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the scheduler of a substrate interface costs per frame: queued and taken out again. */
#include "substrate/rate/htb.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FRAMES = 2000000, BYTES = 1000 };

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void release(void *owner, void *item)
{
}

/* All links flood a gigabit wire; time is virtual, so that the scheduler is all that is measured.
 */
static double measure(int links)
{
	struct htb_params p = {.rate_bps = 1000000000, .release = release};
	struct htb *h = htb_create(&p, 0);
	int64_t at_ns = 0;
	int item;

	for (int i = 0; i < links; i++) {
		struct htb_rates r = {.min_bps = 900000000 / links, .ceil_bps = i % 2 * 990000000};
		char vnet[16];

		snprintf(vnet, sizeof(vnet), "v%d", i % 10);
		struct htb_class *c = htb_link_create(h, vnet, &r, 0);

		for (int k = 0; k < 4; k++)
			htb_enqueue(c, &item, BYTES, BYTES, 0);
	}
	int64_t begin_ns = now_ns();

	for (int i = 0; i < FRAMES; i++) {
		struct htb_class *from;

		at_ns = htb_due_ns(h);
		if (!htb_dequeue(h, at_ns, &from))
			abort();
		htb_enqueue(from, &item, BYTES, BYTES, at_ns);
	}
	double ns = (double)(now_ns() - begin_ns) / FRAMES;

	htb_destroy(h);
	return ns;
}

int main(void)
{
	static const int links[] = {1, 10, 100, 1000};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		printf("%4d links: %4.0f ns per frame\n", links[i], measure(links[i]));
	return 0;
}
