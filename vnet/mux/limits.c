/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bucket of CPU time, which holds `burst` and fills at the instance's share. The instance stands
 * still while it is empty. Whoever takes all that it can get, for as long as `patience`, is in a
 * loop, or meant for more than it was granted: it is unloaded. It counts as satisfied only when the
 * bucket is half full again, so that a short pause does not start the count anew.
 */
#include "vnet/mux/limits.h"

#include "lib/units.h"
#include "lib/xalloc.h"

#include <stddef.h>
#include <string.h>

const struct limits limits_default = {
	.memory_bytes = 64 << 20,
	.stack_bytes = 1 << 20,
	.cpu_ppm = 500000,
	.burst_ns = INT64_C(1000000000),
	.patience_ns = INT64_C(5000000000),
};

static const struct key {
	const char *name;
	enum unit_kind kind;
	size_t at;
	int64_t min, max;
} keys[] = {
	{"memory", UNIT_SIZE, offsetof(struct limits, memory_bytes), 8 << 20, INT64_C(1) << 40},
	{"stack", UNIT_SIZE, offsetof(struct limits, stack_bytes), 64 << 10, INT64_C(1) << 30},
	{"cpu", UNIT_PPM, offsetof(struct limits, cpu_ppm), 1000, 1000000},
	{"burst", UNIT_TIME, offsetof(struct limits, burst_ns), 10000000, INT64_C(3600000000000)},
	{"patience", UNIT_TIME, offsetof(struct limits, patience_ns), 100000000,
	 INT64_C(3600000000000)},
};

int limits_set(struct limits *l, const char *key, const char *value, struct err *e)
{
	char min[32];
	char max[32];
	int64_t number;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct key *k = &keys[i];
		char *at = (char *)l + k->at;

		if (strcmp(k->name, key) != 0)
			continue;
		if (unit_parse(k->kind, value, &number, e) < 0)
			return err_wrap(e, "%s", key);
		if (number < k->min || number > k->max)
			return err_set(e, ERR_USAGE, "%s is from %s to %s", key,
				       unit_format(k->kind, k->min, min, sizeof(min)),
				       unit_format(k->kind, k->max, max, sizeof(max)));
		if (k->kind == UNIT_PPM)
			*(uint32_t *)(void *)at = (uint32_t)number;
		else
			*(int64_t *)(void *)at = number;
		return 0;
	}
	return err_set(e, ERR_USAGE, "no limit '%s'; there are memory, stack, cpu, burst, patience",
		       key);
}

void limits_begin(struct limits_state *s, const struct limits *l, int64_t now_ns)
{
	*s = (struct limits_state){.checked_ns = now_ns, .credit_ns = l->burst_ns};
}

/*
 * The credit may go below zero: what was used between two looks is owed, and the instance stands
 * still for longer.
 */
static void refill(struct limits_state *s, const struct limits *l, int64_t now_ns, int64_t cpu_ns)
{
	/* In microseconds: the product of an hour in ns and a million does not fit. */
	s->credit_ns += (now_ns - s->checked_ns) / 1000 * l->cpu_ppm / 1000;
	s->credit_ns -= cpu_ns - s->cpu_ns;
	if (s->credit_ns > l->burst_ns)
		s->credit_ns = l->burst_ns;
	s->checked_ns = now_ns;
	s->cpu_ns = cpu_ns;
}

enum limits_verdict limits_check(struct limits_state *s, const struct limits *l, int64_t now_ns,
				 int64_t cpu_ns, int64_t memory_bytes)
{
	refill(s, l, now_ns, cpu_ns);
	if (memory_bytes > l->memory_bytes)
		return LIMITS_MEMORY;
	if (s->credit_ns >= l->burst_ns / 2)
		s->hungry_since_ns = 0;
	else if (!s->hungry_since_ns && s->credit_ns <= 0)
		s->hungry_since_ns = now_ns;
	if (s->hungry_since_ns && now_ns - s->hungry_since_ns >= l->patience_ns)
		return LIMITS_CPU;
	if (!s->stopped && s->credit_ns <= 0) {
		s->stopped = true;
		return LIMITS_STOP;
	}
	/* A tenth of the burst, so that it is not switched on and off all the time. */
	if (s->stopped && s->credit_ns >= l->burst_ns / 10) {
		s->stopped = false;
		return LIMITS_CONTINUE;
	}
	return LIMITS_LEAVE;
}
