/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An instance talks through the descriptors that it was given and by no other way. Refused is what
 * would reach the network, other processes or the file system for writing; reading files is
 * allowed, as a program needs its libraries. Other processes of its own are refused because the
 * limits are metered for one. The list names what is dangerous rather than what is allowed, since
 * the C library of tomorrow may need a new harmless call; io_uring is on it because a filter does
 * not see what it does.
 */
#include "vnet/mux/sandbox.h"

#include "lib/seccomp.h"
#include "lib/xalloc.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Refused with EPERM. */
static const unsigned refused[] = {
	/* ways to the network and to other programs of the host */
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_bpf,
	/* other processes */
	SYS_fork,
	SYS_vfork,
	SYS_ptrace,
	SYS_kill,
	SYS_tkill,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_setsid,
	SYS_setpgid,
	SYS_unshare,
	SYS_setns,
	SYS_perf_event_open,
	SYS_process_madvise,
	SYS_kcmp,
	SYS_sched_setaffinity,
	SYS_setpriority,
	SYS_ioprio_set,
	/* files */
	SYS_creat,
	SYS_openat2,
	SYS_open_by_handle_at,
	SYS_truncate,
	SYS_unlink,
	SYS_unlinkat,
	SYS_rename,
	SYS_renameat,
	SYS_renameat2,
	SYS_link,
	SYS_linkat,
	SYS_symlink,
	SYS_symlinkat,
	SYS_mkdir,
	SYS_mkdirat,
	SYS_rmdir,
	SYS_mknod,
	SYS_mknodat,
	SYS_chmod,
	SYS_fchmodat,
	SYS_chown,
	SYS_lchown,
	SYS_fchownat,
	SYS_utimensat,
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_removexattr,
	SYS_lremovexattr,
	SYS_mount,
	SYS_umount2,
	SYS_chroot,
	SYS_pivot_root,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_mq_open,
	SYS_shmget,
	SYS_msgget,
	SYS_semget,
	SYS_userfaultfd,
};

enum {
	WRITES = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC,
	ROOM = 24, /* instructions behind the table */
	DESCRIPTORS = 256,
	MAPPED_SLACK = 256 << 20, /* of addresses: program, libraries, tables */
};

static size_t write_filter(struct sock_filter *f)
{
	size_t n = seccomp_begin(f, refused, ARRAY_LEN(refused));

	/* Threads are metered with their process; another process would not be. */
	f[n++] = SKIP_UNLESS_EQUAL(SYS_clone, 3);
	f[n++] = SECCOMP_LOAD(args[0]);
	f[n++] = SKIP_IF_SET(CLONE_THREAD, 1);
	f[n++] = SECCOMP_REFUSE(EPERM);
	f[n++] = SECCOMP_LOAD(nr);
	f[n++] = SKIP_UNLESS_EQUAL(SYS_open, 3);
	f[n++] = SECCOMP_LOAD(args[1]);
	f[n++] = SKIP_UNLESS_SET(WRITES, 1);
	f[n++] = SECCOMP_REFUSE(EPERM);
	f[n++] = SECCOMP_LOAD(nr);
	f[n++] = SKIP_UNLESS_EQUAL(SYS_openat, 3);
	f[n++] = SECCOMP_LOAD(args[2]);
	f[n++] = SKIP_UNLESS_SET(WRITES, 1);
	f[n++] = SECCOMP_REFUSE(EPERM);
	/* A signal to oneself (abort, assert) only. */
	f[n++] = SECCOMP_LOAD(nr);
	f[n++] = SKIP_UNLESS_EQUAL(SYS_tgkill, 3);
	f[n++] = SECCOMP_LOAD(args[0]);
	f[n++] = SKIP_IF_EQUAL((unsigned)getpid(), 1);
	f[n++] = SECCOMP_REFUSE(EPERM);
	f[n++] = SECCOMP_RETURN(SECCOMP_RET_ALLOW);
	return n;
}

static int set_limit(__rlimit_resource_t what, int64_t value)
{
	struct rlimit r = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value};

	return setrlimit(what, &r);
}

int sandbox_enter(void *ctx)
{
	const struct limits *l = ctx;
	struct sock_filter f[SECCOMP_ROOM(refused) + ROOM];

	if (set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_MEMLOCK, 0) < 0 ||
	    set_limit(RLIMIT_NOFILE, DESCRIPTORS) < 0 ||
	    set_limit(RLIMIT_STACK, l->stack_bytes) < 0 ||
	    set_limit(RLIMIT_DATA, l->memory_bytes) < 0 ||
	    set_limit(RLIMIT_AS, l->memory_bytes + MAPPED_SLACK) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return seccomp_install(f, write_filter(f));
}
