/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many frames a second the switch and the cable decide on, one core, nothing else: no socket,
 * no ring, no copy. Prints one line per case. Usage: vswitch_forward [FRAMES]
 */
#include "lib/rng.h"
#include "substrate/cable/cable_dir.h"
#include "vswitch/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct device_out out;

/* Time on the processor: what else the machine does counts little. */
static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void print_rate(const char *what, long n, double seconds)
{
	printf("%-44s %7.2f M/s %7.1f ns each\n", what, (double)n / seconds / 1e6,
	       seconds * 1e9 / (double)n);
}

/* Frames of 64 bytes between `stations` stations at `ports` ports that all know each other. */
static void bench_switch(const char *what, long n, uint16_t ports, uint32_t stations, bool vlans)
{
	struct device *d = switch_kind.create("sw", 1);
	struct frame_pool *pool = frame_pool_create(256 << 20);
	struct frame **f = malloc(stations * sizeof(struct frame *));
	struct err e;

	for (uint16_t i = 0; i < ports; i++) {
		switch_kind.port_change(d, i, true, 0);
		if (vlans)
			switch_kind.set_port(d, i, "vlan", "10", &e);
	}
	for (uint32_t i = 0; i < stations; i++) {
		uint32_t to = (i * 7 + 1) % stations;

		f[i] = frame_get(pool, 60);
		memset(f[i]->data, 0, 60);
		f[i]->data[0] = f[i]->data[6] = 2;
		memcpy(f[i]->data + 2, &to, 4);
		memcpy(f[i]->data + 8, &i, 4);
	}
	for (uint32_t i = 0; i < stations; i++) {
		out.n = 0;
		switch_kind.forward(d, (uint16_t)(i % ports), f[i], 0, &out);
	}
	double begin = now_s();

	for (long k = 0; k < n; k++) {
		uint32_t i = (uint32_t)(k % stations);

		out.n = 0;
		switch_kind.forward(d, (uint16_t)(i % ports), f[i], k, &out);
	}
	print_rate(what, n, now_s() - begin);
	for (uint32_t i = 0; i < stations; i++)
		frame_unref(f[i]);
	free(f);
	switch_kind.destroy(d);
	frame_pool_destroy(pool);
}

static void bench_cable(const char *what, long n, const char *const *words)
{
	struct linkspec spec = {0};
	struct err e;

	for (; words[0]; words += 2)
		linkspec_set(&spec, words[0], words[1], &e);
	struct cable_dir *d = cable_dir_create(&spec, 1, "a-b");
	double begin = now_s();

	for (long k = 0; k < n; k++)
		cable_dir_offer(d, 60, NULL, k * 100);
	print_rate(what, n, now_s() - begin);
	cable_dir_destroy(d);
}

int main(int argc, char **argv)
{
	static const char *const plain[] = {NULL};
	static const char *const wan[] = {"rate", "10Gbit", "delay", "10ms", "loss", "1%", NULL};
	static const char *const all[] = {"rate",         "10Gbit", "burst",     "10k",  "delay",
					  "10ms",         "jitter", "1ms",       "loss", "1%",
					  "distribution", "normal", "duplicate", "1%",   "corrupt",
					  "1%",           "aqm",    "codel",     NULL};
	long n = argc > 1 ? atol(argv[1]) : 20000000;

	bench_switch("switch, 2 ports, 2 stations", n, 2, 2, false);
	bench_switch("switch, 24 ports, 24 stations", n, 24, 24, false);
	bench_switch("switch, 24 ports, 8192 stations", n, 24, 8192, false);
	bench_switch("switch, 24 ports, 24 stations, VLANs", n, 24, 24, true);
	bench_cable("cable, plain", n, plain);
	bench_cable("cable, rate, delay, loss", n, wan);
	bench_cable("cable, everything", n, all);
	return 0;
}
