/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vnet/vnet.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CAPACITY = 65536, ROUNDS = 20000 };

START_TEST(readers_see_what_was_published)
{
	struct vnet_table *w = vnet_table_create("t", CAPACITY);
	struct vnet_table *r = vnet_table_open(dup(vnet_table_fd(w)));
	uint32_t version = 9;
	char got[64];

	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(vnet_table_read(r, got, sizeof(got), &version), 0);
	ck_assert_uint_eq(version, 0);
	ck_assert_int_eq(vnet_table_publish(w, "east", 5), 0);
	ck_assert_uint_eq(vnet_table_version(r), 1);
	ck_assert_int_eq(vnet_table_read(r, got, sizeof(got), NULL), 5);
	ck_assert_str_eq(got, "east");
	ck_assert_int_eq(vnet_table_read(r, got, 4, NULL), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	vnet_table_close(w);
	/* The reader keeps what it has. */
	ck_assert_int_eq(vnet_table_read(r, got, sizeof(got), NULL), 5);
	vnet_table_close(r);
}
END_TEST

START_TEST(what_is_too_long_changes_nothing)
{
	static char big[CAPACITY + 1];
	struct vnet_table *w = vnet_table_create("t", CAPACITY);
	char got[8];

	ck_assert_int_eq(vnet_table_publish(w, "x", 1), 0);
	ck_assert_int_eq(vnet_table_publish(w, big, sizeof(big)), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(vnet_table_read(w, got, sizeof(got), NULL), 1);
	vnet_table_close(w);
}
END_TEST

START_TEST(nobody_else_can_write)
{
	struct vnet_table *w = vnet_table_create("t", 4096);
	int fd = dup(vnet_table_fd(w));
	char path[64];

	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	ck_assert_int_eq(mprotect(at, 4096, PROT_READ | PROT_WRITE), -1);
	/* Nor by opening it anew. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, O_RDWR);

	ck_assert(again < 0 ||
		  mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
	munmap(at, 4096);
	close(fd);
	vnet_table_close(w);
}
END_TEST

START_TEST(other_descriptors_are_refused)
{
	int plain = memfd_create("plain", MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(plain, 4096), 0);
	ck_assert_ptr_null(vnet_table_open(plain)); /* could be shrunk while we read */
	ck_assert_ptr_null(vnet_table_open(open("/dev/null", O_RDONLY)));
	ck_assert_ptr_null(vnet_table_open(-1));
	int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(sealed, 4096), 0);
	ck_assert_int_eq(fcntl(sealed, F_ADD_SEALS, 0x1f), 0);
	ck_assert_ptr_null(vnet_table_open(sealed)); /* not one of ours */
}
END_TEST

static atomic_bool done;

static void *write_for_long(void *arg)
{
	struct vnet_table *w = arg;
	static uint8_t data[CAPACITY];

	for (unsigned i = 1; i <= ROUNDS; i++) {
		size_t len = 1 + i * 7919 % CAPACITY;

		memset(data, (int)(i & 0xff), len);
		vnet_table_publish(w, data, len);
	}
	atomic_store(&done, true);
	return NULL;
}

START_TEST(a_reader_never_sees_half_of_it)
{
	struct vnet_table *w = vnet_table_create("t", CAPACITY);
	struct vnet_table *r = vnet_table_open(dup(vnet_table_fd(w)));
	static uint8_t got[CAPACITY];
	pthread_t writer;
	uint32_t last = 0;

	pthread_create(&writer, NULL, write_for_long, w);
	while (!atomic_load(&done)) {
		uint32_t version;
		ssize_t n = vnet_table_read(r, got, sizeof(got), &version);

		/* A writer that lost the processor in the middle. */
		if (n < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			continue;
		}
		ck_assert_uint_ge(version, last);
		last = version;
		if (!version)
			continue;
		ck_assert_int_eq(n, 1 + version * 7919 % CAPACITY);
		for (ssize_t i = 0; i < n; i++)
			if (got[i] != (version & 0xff))
				ck_abort_msg("torn at %zd of %zd", i, n);
	}
	pthread_join(writer, NULL);
	vnet_table_close(r);
	vnet_table_close(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vnet table");
	TCase *tc = tcase_create("table");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, readers_see_what_was_published);
	tcase_add_test(tc, what_is_too_long_changes_nothing);
	tcase_add_test(tc, nobody_else_can_write);
	tcase_add_test(tc, other_descriptors_are_refused);
	tcase_add_test(tc, a_reader_never_sees_half_of_it);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
