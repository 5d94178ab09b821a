/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Landlock by its three system calls; there is no library for it. A ruleset says which kinds of
 * access it handles: all of these are refused but for what a rule allows. So what a newer kernel
 * could refuse must be named, and what an older one does not know must not, or it refuses the whole
 * ruleset.
 */
#include "vnet/mux/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As of include/uapi/linux/landlock.h of Linux 6.12: headers that are older lack the later ones. */
struct attributes {
	uint64_t files; /* since version 1 */
	uint64_t net;   /* since 4: bind and connect TCP */
	uint64_t scope; /* since 6: abstract sockets, signals */
};

enum { NET_ALL = 3, SCOPE_ALL = 3 };

/* Rights to files, by version: which bits there are. */
static uint64_t rights_of(int version)
{
	static const uint64_t bits[] = {13, 14, 15, 15, 16};
	size_t last = sizeof(bits) / sizeof(bits[0]);
	size_t i = (size_t)version < last ? (size_t)version : last;

	return (UINT64_C(1) << bits[i - 1]) - 1;
}

int landlock_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return v < 0 ? 0 : (int)v;
}

/*
 * Rules are for files, not for directories: nothing that comes to lie beside a library is readable.
 */
static int add_file(int ruleset, const struct needs_file *f)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access =
			LANDLOCK_ACCESS_FS_READ_FILE | (f->run ? LANDLOCK_ACCESS_FS_EXECUTE : 0),
		.parent_fd = open(f->real, O_PATH | O_CLOEXEC),
	};

	if (rule.parent_fd < 0)
		return -1;
	int rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);

	close(rule.parent_fd);
	return rc;
}

int landlock_make(const struct needs *n, int version, struct err *e)
{
	struct attributes a = {rights_of(version), NET_ALL, SCOPE_ALL};
	size_t size = version >= 6   ? sizeof(a)
		      : version >= 4 ? offsetof(struct attributes, scope)
				     : offsetof(struct attributes, net);
	int fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);

	if (fd < 0)
		return err_sys(e, "Landlock");
	for (size_t i = 0; i < n->files.n; i++) {
		if (add_file(fd, &n->files.at[i]) < 0) {
			err_sys(e, "Landlock: %s", n->files.at[i].real);
			close(fd);
			return -1;
		}
	}
	return fd;
}

int landlock_enter(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
