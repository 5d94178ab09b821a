/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/linkspec.h"

#include "lib/nearest.h"
#include "lib/units.h"
#include "lib/xalloc.h"

#include <stddef.h>
#include <string.h>

struct linkspec_key {
	const char *name;
	enum unit_kind kind;
	size_t offset;
	int64_t max;
	const char *help;
};

#define FIELD(f) offsetof(struct linkspec, f)

static const int64_t hour_ns = INT64_C(3600000000000);
static const struct linkspec_key keys[] = {
	{"rate", UNIT_RATE, FIELD(rate_bps), INT64_C(10000000000000), "bits per second"},
	{"burst", UNIT_SIZE, FIELD(burst_bytes), INT64_C(1) << 40, "bytes that may pass at once"},
	{"delay", UNIT_TIME, FIELD(delay_ns), hour_ns, "time a frame is under way"},
	{"jitter", UNIT_TIME, FIELD(jitter_ns), hour_ns, "spread of the delay"},
	{"loss", UNIT_PPM, FIELD(loss_ppm), 1000000, "share of frames lost"},
	{"duplicate", UNIT_PPM, FIELD(duplicate_ppm), 1000000, "share of frames sent twice"},
	{"corrupt", UNIT_PPM, FIELD(corrupt_ppm), 1000000, "share of frames with a flipped bit"},
	{"reorder", UNIT_PPM, FIELD(reorder_ppm), 1000000, "share of frames that jump the delay"},
	{"limit", UNIT_COUNT, FIELD(limit_frames), 10000000, "frames the queue holds"},
	{"limit_bytes", UNIT_SIZE, FIELD(limit_bytes), INT64_C(1) << 40, "bytes the queue holds"},
	{"mtu", UNIT_SIZE, FIELD(mtu), 65535, "largest packet that passes"},
};

static const struct linkspec_key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int64_t *field_of(struct linkspec *s, const struct linkspec_key *k)
{
	return (int64_t *)((char *)s + k->offset);
}

static int64_t value_of(const struct linkspec *s, const struct linkspec_key *k)
{
	return *(const int64_t *)((const char *)s + k->offset);
}

static int unknown_key(const char *key, struct err *e)
{
	struct nearest near;

	nearest_init(&near, key);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		nearest_offer(&near, keys[i].name);
	return err_set(e, ERR_USAGE, "a link has no parameter '%s'%s", key, nearest_hint(&near));
}

int linkspec_set_number(struct linkspec *s, const char *key, int kind, int64_t value,
			struct err *e)
{
	const struct linkspec_key *k = find_key(key);

	if (!k)
		return unknown_key(key, e);
	if (kind != (int)k->kind && !(kind == UNIT_COUNT && (value == 0 || k->kind == UNIT_SIZE)))
		return err_set(e, ERR_USAGE, "%s wants %s", key, unit_example(k->kind));
	if (value < 0 || value > k->max)
		return err_set(e, ERR_USAGE, "%s is out of range", key);
	*field_of(s, k) = value;
	return 0;
}

int linkspec_set(struct linkspec *s, const char *key, const char *value, struct err *e)
{
	const struct linkspec_key *k = find_key(key);
	int64_t v;

	if (!k)
		return unknown_key(key, e);
	if (unit_parse(k->kind, value, &v, e) < 0)
		return err_wrap(e, "%s", key);
	return linkspec_set_number(s, key, k->kind, v, e);
}

bool linkspec_has_key(const char *key)
{
	return find_key(key) != NULL;
}

const char *linkspec_key(size_t i, const char **help)
{
	if (i >= ARRAY_LEN(keys))
		return NULL;
	*help = keys[i].help;
	return keys[i].name;
}

void linkspec_print(FILE *out, const struct linkspec *s, const char *prefix)
{
	char buf[32];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		int64_t v = value_of(s, &keys[i]);

		if (v)
			fprintf(out, " %s%s=%s", prefix, keys[i].name,
				unit_format(keys[i].kind, v, buf, sizeof(buf)));
	}
}

bool linkspec_equal(const struct linkspec *a, const struct linkspec *b)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (value_of(a, &keys[i]) != value_of(b, &keys[i]))
			return false;
	return true;
}
