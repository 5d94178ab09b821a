/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a cable does by chance, against its mathematics. Seeds are fixed; bounds: cable_help.h. */
#include "tests/unit/cable_help.h"

enum { N = 1000000 };

static const int shares_ppm[] = {1, 100, 10000, 300000, 999999};

START_TEST(shares_are_as_asked)
{
	char line[128];
	uint64_t lost = 0;
	double p = shares_ppm[_i] / 1e6;

	snprintf(line, sizeof(line), "loss=%dppm", shares_ppm[_i]);
	struct cable_dir *d = cable_of(line);

	for (int i = 0; i < N; i++)
		lost += drop_of(d, 60, i) == CABLE_DROP_LOSS;
	assert_binomial(lost, N, p);
	ck_assert_uint_eq(cable_dir_counters(d)->dropped[CABLE_DROP_LOSS], lost);
	cable_dir_destroy(d);

	snprintf(line, sizeof(line), "delay=1ms duplicate=%dppm corrupt=%dppm reorder=%dppm",
		 shares_ppm[_i], shares_ppm[_i], shares_ppm[_i]);
	d = cable_of(line);
	uint64_t jumped = 0;

	for (int i = 0; i < N; i++) {
		struct cable_verdict v = cable_dir_offer(d, 60, NULL, i);

		for (unsigned k = 0; k < v.n_copies; k++)
			jumped += v.copy[k].due_ns == i;
	}
	const struct cable_counters *c = cable_dir_counters(d);

	assert_binomial(c->duplicated, N, p);
	assert_binomial(c->corrupted, N + c->duplicated, p);
	assert_binomial(jumped, N + c->duplicated, p);
	cable_dir_destroy(d);
}
END_TEST

/* The share stays, and a loss makes the next one likelier: P(loss | loss) = p + rho (1 - p). */
START_TEST(correlated_loss_keeps_its_share)
{
	struct cable_dir *d = cable_of("loss=10% loss_correlation=60%");
	uint64_t lost = 0;
	uint64_t both = 0;
	bool last = false;

	for (int i = 0; i < N; i++) {
		bool now = drop_of(d, 60, i) == CABLE_DROP_LOSS;

		lost += now;
		both += now && last;
		last = now;
	}
	/* Correlation 0.6 makes the variance of the sum (1 + 0.6) / (1 - 0.6) = 4 times larger. */
	double off = (double)lost - N * 0.1;

	ck_assert(off * off < 16 * 4 * N * 0.09);
	assert_binomial(both, lost, 0.1 + 0.6 * 0.9);
	cable_dir_destroy(d);
}
END_TEST

/* Gilbert: lost runs are geometric with mean 1/r, and the share is p / (p + r). */
START_TEST(gilbert_bursts_are_geometric)
{
	struct cable_dir *d = cable_of("gemodel=1%,25%");
	uint64_t length[6] = {0}; /* runs of 1 .. 5, longer */
	uint64_t runs = 0;
	uint64_t lost = 0;
	int run = 0;

	for (int i = 0; i < 4 * N; i++) {
		if (drop_of(d, 60, i) == CABLE_DROP_LOSS) {
			run++;
			lost++;
		} else if (run) {
			length[run > 5 ? 5 : run - 1]++;
			runs++;
			run = 0;
		}
	}
	double q = 1;

	for (int i = 0; i < 5; i++) {
		assert_binomial(length[i], runs, q * 0.25);
		q *= 0.75;
	}
	assert_binomial(length[5], runs, q);
	/* 4 deviations of the share, whose correlation is 1 - p - r = 0.74. */
	double share = 0.01 / 0.26;
	double off = (double)lost - 4.0 * N * share;

	ck_assert(off * off < 16 * 4.0 * N * share * (1 - share) * (1.74 / 0.26));
	cable_dir_destroy(d);
}
END_TEST

/* Elliott: losses in both states. share = (r (1-k) + p (1-h)) / (p + r) */
START_TEST(elliott_loses_in_both_states)
{
	struct cable_dir *d = cable_of("gemodel=20%,30%,70%,5%");
	uint64_t lost = 0;

	for (int i = 0; i < N; i++)
		lost += drop_of(d, 60, i) == CABLE_DROP_LOSS;
	double share = (0.3 * 0.05 + 0.2 * 0.7) / 0.5;
	double off = (double)lost - N * share;

	ck_assert(off * off < 16 * N * share * (1 - share) * 3); /* correlation 0.5 */
	cable_dir_destroy(d);
}
END_TEST

START_TEST(flipped_bits_are_spread_evenly)
{
	struct cable_dir *d = cable_of("corrupt=100%");
	uint64_t bin[480] = {0};

	for (int i = 0; i < N; i++)
		bin[cable_dir_offer(d, 60, NULL, i).copy[0].corrupt_bit]++;
	assert_uniform(bin, 480, N);
	cable_dir_destroy(d);
}
END_TEST

static int64_t jitter_of(struct cable_dir *d, int64_t now_ns)
{
	return due_ns(d, 60, now_ns) - now_ns - SECOND;
}

START_TEST(uniform_jitter_is_uniform)
{
	struct cable_dir *d = cable_of(_i ? "delay=1s jitter=50ns delay_correlation=50%"
					  : "delay=1s jitter=50ns");
	uint64_t bin[101] = {0};

	for (int64_t i = 0; i < N; i++) {
		int64_t j = jitter_of(d, i * 10 * SECOND);

		if (j < -50 || j > 50)
			ck_abort_msg("%lld", (long long)j);
		bin[j + 50]++;
	}
	if (_i) /* frames are not independent: only far off would be wrong */
		for (int i = 0; i < 101; i++)
			ck_assert(bin[i] > N / 101 * 9 / 10 && bin[i] < N / 101 * 11 / 10);
	else
		assert_uniform(bin, 101, N);
	cable_dir_destroy(d);
}
END_TEST

/* Twenty bins between the known quantiles of the normal distribution. */
START_TEST(normal_jitter_is_normal)
{
	static const double z[] = {0,           0.125661347, 0.253347103, 0.385320466, 0.524400513,
				   0.674489750, 0.841621234, 1.036433389, 1.281551566, 1.644853627};
	struct cable_dir *d = cable_of("delay=1s jitter=1ms distribution=normal");
	uint64_t bin[20] = {0};

	for (int64_t i = 0; i < N; i++) {
		double j = (double)jitter_of(d, i * 10 * SECOND) / MS;
		double size = j < 0 ? -j : j;
		int k = 9;

		while (k > 0 && size < z[k])
			k--;
		bin[j < 0 ? 9 - k : 10 + k]++;
	}
	assert_uniform(bin, 20, N);
	cable_dir_destroy(d);
}
END_TEST

static const char *const spreads[] = {"normal", "pareto", "paretonormal"};

/* Whatever the form, delay is the mean and jitter the standard deviation. */
START_TEST(jitter_has_the_spread_that_was_asked_for)
{
	char line[128];
	double sum = 0;
	double square = 0;

	snprintf(line, sizeof(line), "delay=1s jitter=10ms distribution=%s", spreads[_i]);
	struct cable_dir *d = cable_of(line);

	for (int64_t i = 0; i < N; i++) {
		double j = (double)jitter_of(d, i * 10 * SECOND) / MS;

		sum += j;
		square += j * j;
	}
	ck_assert_msg(sum / N > -0.04 && sum / N < 0.04, "mean %f", sum / N); /* 4 * 10/sqrt(N) */
	double deviation = square_root(square / N);

	/* Pareto's fourth moment is large: 1.5 % is 4 deviations of the estimate. */
	ck_assert_msg(deviation > 9.85 && deviation < 10.15, "deviation %f", deviation);
	cable_dir_destroy(d);
}
END_TEST

/* A Pareto distribution of shape 3, moved and stretched: the ratio of its quantiles stays. */
START_TEST(pareto_jitter_has_its_tail)
{
	struct cable_dir *d = cable_of("delay=1s jitter=1ms distribution=pareto");
	int64_t *j = malloc(N * sizeof(*j));
	double share;

	for (int64_t i = 0; i < N; i++)
		j[i] = jitter_of(d, i * 10 * SECOND);
	int64_t min = j[0];

	for (int i = 0; i < N; i++)
		min = j[i] < min ? j[i] : min;
	/* min stands for x = 1; half of all are below the median, x = 2^(1/3): find the stretch. */
	double stretch = 1;

	for (int halvings = 1; halvings <= 10; halvings++) {
		double step = 1.0 / (1 << halvings);
		uint64_t below = 0;

		for (int i = 0; i < N; i += 10)
			below += (double)(j[i] - min) / MS < 0.259921 * stretch;
		stretch += below < N / 20 ? step : -step;
	}
	uint64_t at[3] = {0};

	for (int i = 0; i < N; i++) {
		double x = 1 + (double)(j[i] - min) / MS / stretch;

		at[0] += x < 1.1;
		at[1] += x < 1.5;
		at[2] += x < 3;
	}
	/* 1 - x^-3; the stretch is only known to a few parts in a thousand. */
	share = (double)at[0] / N;
	ck_assert_msg(share > 0.2487 - 0.01 && share < 0.2487 + 0.01, "%f", share);
	share = (double)at[1] / N;
	ck_assert_msg(share > 0.7037 - 0.01 && share < 0.7037 + 0.01, "%f", share);
	share = (double)at[2] / N;
	ck_assert_msg(share > 0.9630 - 0.003 && share < 0.9630 + 0.003, "%f", share);
	free(j);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(correlated_jitter_keeps_its_form)
{
	struct cable_dir *d =
		cable_of("delay=1s jitter=10ms distribution=normal delay_correlation=75%");
	double sum = 0;
	double square = 0;
	double product = 0;
	double last = 0;

	for (int64_t i = 0; i < N; i++) {
		double j = (double)jitter_of(d, i * 10 * SECOND) / (10 * MS);

		sum += j;
		square += j * j;
		product += j * last;
		last = j;
	}
	/* Correlation 0.75 makes the mean 7 times, the square 3.57 times more uncertain. */
	ck_assert(sum / N > -0.011 && sum / N < 0.011);
	ck_assert_msg(square / N > 0.985 && square / N < 1.015, "%f", square / N);
	ck_assert_msg(product / square > 0.747 && product / square < 0.753, "%f", product / square);
	cable_dir_destroy(d);
}
END_TEST

/* A table of two values: a straight line between its quarter and three quarter points. */
START_TEST(a_table_from_a_file_is_followed)
{
	static const char text[] = "# two values\n 8192 \n-8192 # and a comment";
	struct cable_dir *d = cable_of("delay=1s jitter=1ms table=/some/file");
	struct err e = {0};
	uint64_t low = 0;
	uint64_t high = 0;
	uint64_t bin[200] = {0};

	ck_assert_str_eq(cable_dir_file(d, 0), "/some/file");
	ck_assert_ptr_null(cable_dir_file(d, 1));
	ck_assert_int_eq(cable_dir_give_file(d, 0, text, sizeof(text) - 1, &e), 0);
	for (int64_t i = 0; i < N; i++) {
		int64_t j = jitter_of(d, i * 10 * SECOND);

		if (j <= -MS)
			low++;
		else if (j >= MS)
			high++;
		else
			bin[(j + MS) / 10000]++;
	}
	assert_binomial(low, N, 0.25);
	assert_binomial(high, N, 0.25);
	assert_uniform(bin, 200, N - low - high);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_bad_table_is_refused)
{
	static const char *const bad[] = {"", "1", "1 2 x", "1 2 3.5", "1 99999999", "- 1 2"};
	struct cable_dir *d = cable_of("delay=1s jitter=100ns table=/some/file");
	struct err e = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(cable_dir_give_file(d, 0, bad[i], strlen(bad[i]), &e), -1);
	cable_dir_destroy(d);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, shares_are_as_asked, 0, sizeof(shares_ppm) / sizeof(*shares_ppm));
	tcase_add_test(tc, correlated_loss_keeps_its_share);
	tcase_add_test(tc, gilbert_bursts_are_geometric);
	tcase_add_test(tc, elliott_loses_in_both_states);
	tcase_add_test(tc, flipped_bits_are_spread_evenly);
	tcase_add_loop_test(tc, uniform_jitter_is_uniform, 0, 2);
	tcase_add_test(tc, normal_jitter_is_normal);
	tcase_add_loop_test(tc, jitter_has_the_spread_that_was_asked_for, 0, 3);
	tcase_add_test(tc, pareto_jitter_has_its_tail);
	tcase_add_test(tc, correlated_jitter_keeps_its_form);
	tcase_add_test(tc, a_table_from_a_file_is_followed);
	tcase_add_test(tc, a_bad_table_is_refused);
}

int main(void)
{
	return suite_run_case("cable_random", add_tests);
}
