/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a lab's interfaces are: on the host itself, or in a network namespace that belongs to a
 * user namespace of our own, which any user may make. In the latter nobody else sees them, and
 * programs join by `vbet outside`, with this process as the way in.
 *
 * For the host, rights are needed (CAP_NET_ADMIN over this very network namespace), or a TAP
 * interface that an administrator has made and given to the user: that one may be opened without
 * any.
 */
#include "outside/place.h"

#include "lib/netlink.h"
#include "lib/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOPBACK = 1 };

const char *place_name(enum place p)
{
	return p == PLACE_HOST ? "host" : p == PLACE_OWN ? "own" : "none";
}

/*
 * Is this network namespace one of our user namespace, or of one below it? Rights end there. In a
 * container one may be root with all capabilities and still have none over its network: then the
 * owner of the network namespace is a user namespace further up, and NS_GET_USERNS (ioctl_ns(2))
 * says EPERM.
 */
static bool is_our_network(void)
{
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);

	if (owner >= 0)
		close(owner);
	if (net >= 0)
		close(net);
	return owner >= 0;
}

bool place_has_rights(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	return syscall(SYS_capget, &head, data) == 0 && data[0].effective >> CAP_NET_ADMIN & 1 &&
	       is_our_network();
}

bool place_owns_tap(const char *name)
{
	char path[64];
	char text[32] = "";

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/owner", name);
	FILE *f = fopen(path, "re");
	bool owned = f && fgets(text, sizeof(text), f) && *text != '-' &&
		     strtoul(text, NULL, 10) == getuid();

	if (f)
		fclose(f);
	return owned;
}

/* Root may be denied user namespaces and needs none: then the network namespace alone will do. */
int place_enter_own(struct err *e)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool user = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;

	if (!user && unshare(CLONE_NEWNET) < 0) {
		err_sys(e, "a network namespace of its own");
		return err_wrap(e, "this machine lets users have no user namespaces (sysctl "
				   "user.max_user_namespaces, kernel.unprivileged_userns_clone, "
				   "kernel.apparmor_restrict_unprivileged_userns)");
	}
	if (user && userns_map(uid, gid, e) < 0)
		return -1;
	int fd = netlink_open(0, e);

	if (fd < 0)
		return -1;
	int rc = netlink_set_up(fd, LOOPBACK, true);

	if (rc < 0)
		err_sys(e, "loopback");
	close(fd);
	return rc;
}
