/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantities are exact: digits and fraction are read as integers and multiplied by the scale of the
 * unit in 128 bits, so that 0.1Mbit is 100000 bit/s and not almost that, and what does not come out
 * whole is refused. Formatting takes the largest unit that leaves a whole number, so that what is
 * printed reads back as the same value: scripts, plans and reports pass quantities as text.
 */
#include "lib/units.h"

#include "lib/xalloc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
	enum unit_kind kind;
	const char *name;
	int64_t scale;
};

/* The first name of each scale is the one that is printed. "bps" is bytes per second, as in tc. */
static const struct unit units[] = {
	{UNIT_RATE, "bit", 1},
	{UNIT_RATE, "kbit", 1000},
	{UNIT_RATE, "Mbit", 1000000},
	{UNIT_RATE, "Gbit", 1000000000},
	{UNIT_RATE, "Tbit", INT64_C(1000000000000)},
	{UNIT_RATE, "bps", 8},
	{UNIT_RATE, "kbps", 8000},
	{UNIT_RATE, "Mbps", 8000000},
	{UNIT_RATE, "Gbps", INT64_C(8000000000)},
	{UNIT_TIME, "ns", 1},
	{UNIT_TIME, "us", 1000},
	{UNIT_TIME, "ms", 1000000},
	{UNIT_TIME, "s", 1000000000},
	{UNIT_TIME, "min", INT64_C(60000000000)},
	{UNIT_TIME, "h", INT64_C(3600000000000)},
	{UNIT_TIME, "nsec", 1},
	{UNIT_TIME, "usec", 1000},
	{UNIT_TIME, "msec", 1000000},
	{UNIT_TIME, "sec", 1000000000},
	{UNIT_SIZE, "", 1},
	{UNIT_SIZE, "k", 1024},
	{UNIT_SIZE, "M", 1048576},
	{UNIT_SIZE, "G", 1073741824},
	{UNIT_SIZE, "b", 1},
	{UNIT_SIZE, "kb", 1024},
	{UNIT_SIZE, "Mb", 1048576},
	{UNIT_SIZE, "Gb", 1073741824},
	{UNIT_SIZE, "KiB", 1024},
	{UNIT_SIZE, "MiB", 1048576},
	{UNIT_SIZE, "GiB", 1073741824},
	{UNIT_PPM, "", 1000000},
	{UNIT_PPM, "%", 10000},
	{UNIT_PPM, "ppm", 1},
	{UNIT_COUNT, "", 1},
};

static const char *const examples[] = {
	[UNIT_COUNT] = "a whole number",
	[UNIT_RATE] = "a rate such as 10Mbit or 64kbit",
	[UNIT_TIME] = "a time such as 5ms or 1.5s",
	[UNIT_SIZE] = "a size such as 64M or 1500",
	[UNIT_PPM] = "a share such as 1% or 0.01",
};

const char *unit_example(enum unit_kind kind)
{
	return examples[kind];
}

/*
 * For the language, where a number with a unit is a token: the suffix alone tells the kind, which
 * is why no suffix stands for two (bit and b differ, as in tc).
 */
int unit_of_suffix(const char *suffix, size_t len, int64_t *scale)
{
	for (size_t i = 0; len && i < ARRAY_LEN(units); i++) {
		if (strlen(units[i].name) == len && !strncasecmp(units[i].name, suffix, len)) {
			*scale = units[i].scale;
			return units[i].kind;
		}
	}
	return -1;
}

static const struct unit *find_unit(enum unit_kind kind, const char *suffix)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].kind == kind && !strcasecmp(units[i].name, suffix))
			return &units[i];
	return NULL;
}

/*
 * Reads digits[.digits] exactly: whole part, and the fraction as numerator over a power of ten.
 * Returns what follows, or NULL if there is no number or it is too long.
 */
static const char *read_decimal(const char *s, int64_t *whole, int64_t *num, int64_t *den)
{
	const char *start = s;

	*whole = *num = 0;
	*den = 1;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(*whole, 10, whole) ||
		    __builtin_add_overflow(*whole, *s - '0', whole))
			return NULL;
	if (*s == '.') {
		for (s++; isdigit((unsigned char)*s); s++) {
			if (*den >= INT64_C(1000000000000))
				return NULL;
			*num = *num * 10 + (*s - '0');
			*den *= 10;
		}
	}
	return s == start || (s == start + 1 && *start == '.') ? NULL : s;
}

int unit_parse(enum unit_kind kind, const char *text, int64_t *value, struct err *e)
{
	int64_t whole;
	int64_t num;
	int64_t den;
	const char *suffix = read_decimal(text, &whole, &num, &den);
	const struct unit *u = suffix ? find_unit(kind, suffix) : NULL;
	int64_t v;

	if (!u && suffix && !strcmp(text, "0"))
		u = &units[ARRAY_LEN(units) - 1];
	if (!u)
		return err_set(e, ERR_USAGE, "'%s' is not %s", text, examples[kind]);
	__int128 part = (__int128)num * u->scale;

	if (part % den)
		return err_set(e, ERR_USAGE, "'%s' is finer than can be kept: want %s", text,
			       examples[kind]);
	if (__builtin_mul_overflow(whole, u->scale, &v) ||
	    __builtin_add_overflow(v, (int64_t)(part / den), &v))
		return err_set(e, ERR_USAGE, "'%s' is too large", text);
	if (kind == UNIT_PPM && v > 1000000)
		return err_set(e, ERR_USAGE, "'%s' is more than 100%%", text);
	*value = v;
	return 0;
}

/*
 * In the unit that is printed first for each scale; rates never as bytes per second, which read too
 * much like bits.
 */
const char *unit_format(enum unit_kind kind, int64_t value, char *buf, size_t size)
{
	const struct unit *best = NULL;

	if (kind == UNIT_PPM) {
		int n = snprintf(buf, size, "%" PRId64 ".%04" PRId64, value / 10000, value % 10000);

		while (n > 0 && buf[n - 1] == '0')
			n--;
		if (n > 0 && buf[n - 1] == '.')
			n--;
		snprintf(buf + n, size - (size_t)n, "%%");
		return buf;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		const struct unit *u = &units[i];

		if (u->kind == kind && value % u->scale == 0 && (!best || u->scale > best->scale) &&
		    (value || !best) && !(kind == UNIT_RATE && strchr(u->name, 'p')))
			best = u;
	}
	snprintf(buf, size, "%" PRId64 "%s", value / best->scale, best->name);
	return buf;
}

const char *unit_format_mbit(int64_t rate_bps, char *buf, size_t size)
{
	int64_t kbit = rate_bps / 1000 + (rate_bps % 1000 >= 500);

	snprintf(buf, size, "%" PRId64 ".%03" PRId64 "Mbit", kbit / 1000, kbit % 1000);
	return buf;
}
