/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * computes [LINES]: Leibniz's series for pi, and a product, all of it in floating point registers.
 * A line for each two million steps, in hexadecimal, so that one wrong bit shows.
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	long lines = argc > 1 ? atol(argv[1]) : 1000000;
	double sum = 0, product = 1, sign = 4;
	long double odd = 1;

	for (long i = 0; i < lines; i++) {
		for (long k = 0; k < 2000000; k++) {
			sum += sign / (double)odd;
			product *= 1.0 + 1e-9 / (double)odd;
			sign = -sign;
			odd += 2;
		}
		printf("%ld %a %a %La\n", i, sum, product, odd);
		fflush(stdout);
	}
	return 0;
}
