/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of an end system: what is read, and what is refused. */
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "vnet/vnet.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/vnet_conf_XXXXXX";
static struct vnet_conf conf;

static int read_text(const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "node a\nvnet red\n%s\n", text);
	fclose(f);
	return vnet_conf_read(path, &conf);
}

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

START_TEST(a_file_is_read)
{
	ck_assert_int_eq(read_text("nic eth0 path=/run/a mac=02:00:00:00:00:0A mtu=1400\nlater x"),
			 0);
	ck_assert_str_eq(conf.node, "a");
	ck_assert_str_eq(conf.vnet, "red");
	ck_assert_uint_eq(conf.n_nics, 1);
	ck_assert_str_eq(conf.nics[0].name, "eth0");
	ck_assert_int_eq(memcmp(conf.nics[0].mac, "\2\0\0\0\0\12", 6), 0);
	ck_assert_uint_eq(conf.nics[0].mtu, 1400);
}
END_TEST

static const char *const bad[] = {
	"nic eth0 path=/run/a",
	"nic eth0 mac=02:00:00:00:00:01",
	"nic eth0 path=/run/a mac=02:00:00:00:00:01 mtu=67",
	"nic eth0 path=/run/a mac=+2:00:00:00:00:01",
	"nic eth0 path=/run/a mac=2:0:0:0:0:1",
	"nic eth0 path=/run/a \"mac= 2:00:00:00:00:01\"",
	"nic eth0 path=/run/a mac=02:00:00:00:00:01:",
};

START_TEST(a_bad_line_is_refused)
{
	ck_assert_int_eq(read_text(bad[_i]), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(vnet_error(), ":3: "));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vnet_conf");
	TCase *t = tcase_create("conf");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_file_is_read);
	tcase_add_loop_test(t, a_bad_line_is_refused, 0, (int)ARRAY_LEN(bad));
	suite_add_tcase(s, t);
	return suite_run(s);
}
