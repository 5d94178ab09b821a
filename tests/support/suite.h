/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What main() of every unit test ends with. */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

/* Built with an address sanitizer, which wants more memory than some tests have. */
static inline bool suite_is_sanitized(void)
{
#ifdef __SANITIZE_ADDRESS__
	return true;
#else
	return false;
#endif
}

/*
 * A test that hangs ends after a minute. The 4 s of libcheck are not enough for one of 300,000
 * assertions, or with a disk that is slow, where the machine has other work. tcase_create() reads
 * it, so it is there before main().
 */
__attribute__((constructor)) static inline void suite_set_timeout(void)
{
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

/* Runs all of it (CK_VERBOSITY says what is printed) and frees it: the exit status. */
static inline int suite_run(Suite *s)
{
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A suite of one case, which takes a minute at most: what main() returns. */
static inline int suite_run_case(const char *name, void (*add)(TCase *tc))
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	add(tc);
	suite_add_tcase(s, tc);
	return suite_run(s);
}

#endif
