/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables are worked out here and not taken from files, with sums and products alone (IEEE 754
 * says the last bit of those; of exp() and log() it does not): the same delays on every machine.
 * Quantiles of the normal distribution by Newton's method on its distribution function, from the
 * middle outwards, each step starting where the last one ended; those of Pareto's in closed form.
 *
 * A draw is one look into a table: the quantile at a number that is uniform in [0, 1).
 */
#include "substrate/cable/cable_dist.h"

#include "lib/xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N = CABLE_DIST_BUILTIN };

/* The same for all cables, worked out when first asked for. */
static int32_t normal_table[N];
static int32_t pareto_table[N];
static int32_t paretonormal_table[N];
static bool have_tables;

/* exp(-x) for 0 <= x < 50: Taylor on x/1024, squared ten times. */
static double exp_minus(double x)
{
	double y = x / 1024;
	double term = 1;
	double sum = 1;

	for (int i = 1; i < 12; i++) {
		term = -term * y / i;
		sum += term;
	}
	for (int i = 0; i < 10; i++)
		sum *= sum;
	return sum;
}

/* The normal distribution function for 0 <= z < 6 (Marsaglia, J. Stat. Software 11(4), 2004). */
static double normal_cdf(double z, double *density)
{
	double term = z;
	double sum = z;

	*density = exp_minus(z * z / 2) * 0.3989422804014326779;
	for (int i = 3; i < 300 && term > 1e-17 * sum; i += 2) {
		term *= z * z / i;
		sum += term;
	}
	return 0.5 + sum * *density;
}

/*
 * Newton's method with a fixed number of rounds: libm's functions may differ in the last bit
 * between versions, and a delay that differs by a nanosecond is another run.
 */
static double cube_root(double x)
{
	double y = x > 1 ? x / 3 + 1 : 1;

	for (int i = 0; i < 60; i++)
		y -= (y - x / (y * y)) / 3;
	return y;
}

static double square_root(double x)
{
	double y = x > 1 ? x : 1;

	for (int i = 0; i < 60; i++)
		y = (y + x / y) / 2;
	return y;
}

static int32_t scaled(double v)
{
	return (int32_t)(v * CABLE_DIST_SCALE + (v < 0 ? -0.5 : 0.5));
}

/* Takes the mean away and makes the deviation 1. */
static void store_standardised(int32_t *table, double *v)
{
	double mean = 0;
	double square = 0;

	for (int i = 0; i < N; i++)
		mean += v[i] / N;
	for (int i = 0; i < N; i++)
		square += (v[i] - mean) * (v[i] - mean) / N;
	double deviation = square_root(square);

	for (int i = 0; i < N; i++)
		table[i] = scaled((v[i] - mean) / deviation);
}

static void fill_tables(void)
{
	/* Static, as they are too large for a stack. */
	static double normal[N];
	static double pareto[N];
	static double mixed[N];
	double z = 0;

	/* The distribution is symmetric: exactly so, if one half is the other's mirror image. */
	for (int i = N / 2; i < N; i++) {
		double u = (i + 0.5) / N;

		for (int round = 0; round < 8; round++) {
			double density;
			double cdf = normal_cdf(z, &density);

			z -= (cdf - u) / density;
		}
		normal[i] = z;
		normal[N - 1 - i] = -z;
	}
	for (int i = 0; i < N; i++) {
		pareto[i] = (cube_root(N / (N - i - 0.5)) - 1.5) / square_root(0.75);
		mixed[i] = normal[i] / 4 + pareto[i] * 3 / 4;
	}
	store_standardised(normal_table, normal);
	store_standardised(pareto_table, pareto);
	store_standardised(paretonormal_table, mixed);
	have_tables = true;
}

/* Uniform has no table: it is worked out from the draw itself (cable_delay.c). */
struct cable_dist cable_dist_builtin(enum link_distribution which)
{
	static const int32_t *const tables[] = {
		[LINK_NORMAL] = normal_table,
		[LINK_PARETO] = pareto_table,
		[LINK_PARETONORMAL] = paretonormal_table,
	};

	if (which == LINK_UNIFORM)
		return (struct cable_dist){0};
	if (!have_tables)
		fill_tables();
	return (struct cable_dist){N, tables[which]};
}

int64_t cable_dist_quantile(const struct cable_dist *d, uint64_t u)
{
	unsigned __int128 place = (unsigned __int128)u * d->n;
	uint32_t i = (uint32_t)(place >> 64);
	/* Entry i stands in the middle of its share: half a share to the left begins its line. */
	uint32_t part = (uint32_t)((uint64_t)place >> 48) + 32768;

	/* On the line to the next entry, or on that which comes from the one before. */
	if (part >= 65536)
		part -= 65536;
	else if (i-- == 0)
		return (int64_t)d->value[0] * 65536;
	if (i + 1 >= d->n)
		return (int64_t)d->value[d->n - 1] * 65536;
	return (int64_t)d->value[i] * (65536 - part) + (int64_t)d->value[i + 1] * part;
}

uint64_t cable_dist_rank(const struct cable_dist *d, double value)
{
	double v = value / 65536;
	uint32_t low = 0;
	uint32_t high = d->n - 1;

	if (v <= d->value[0])
		return 0;
	if (v >= d->value[high])
		return UINT64_MAX;
	while (high - low > 1) {
		uint32_t mid = (low + high) / 2;

		if (d->value[mid] <= v)
			low = mid;
		else
			high = mid;
	}
	double part = (v - d->value[low]) / (d->value[high] - d->value[low]);

	/* The largest double below 2^64. */
	return (uint64_t)((low + 0.5 + part) / d->n * 18446744073709549568.0);
}

static int by_value(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a;
	int32_t y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static int read_value(const char **at, const char *end, int32_t *value)
{
	bool negative = **at == '-';
	int32_t v = 0;
	const char *s = *at + negative;
	const char *first = s;

	for (; s < end && isdigit((unsigned char)*s); s++) {
		v = v * 10 + (*s - '0');
		if (v > INT16_MAX * 64)
			return -1;
	}
	*at = s;
	*value = negative ? -v : v;
	return s > first && (s == end || isspace((unsigned char)*s) || *s == '#') ? 0 : -1;
}

/*
 * The format of the tables that come with iproute2 (tc-netem(8)): whitespace between numbers,
 * comments behind #. Order does not matter to a table of quantiles, which is therefore sorted.
 */
int32_t *cable_dist_parse(const char *text, size_t len, uint32_t *n, struct err *e)
{
	const char *end = text + len;
	int32_t *value = xmalloc(CABLE_DIST_MAX * sizeof(*value));

	*n = 0;
	for (const char *s = text; s < end;) {
		if (*s == '#') {
			const char *eol = memchr(s, '\n', (size_t)(end - s));

			s = eol ? eol : end;
		} else if (isspace((unsigned char)*s)) {
			s++;
		} else if (*n == CABLE_DIST_MAX || read_value(&s, end, &value[(*n)++]) < 0) {
			free(value);
			err_set(e, ERR_USAGE, "entry %u of the table is no number it can hold", *n);
			return NULL;
		}
	}
	if (*n < 2) {
		free(value);
		err_set(e, ERR_USAGE, "the table has fewer than two entries");
		return NULL;
	}
	qsort(value, *n, sizeof(*value), by_value);
	return value;
}
