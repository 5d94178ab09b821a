/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * System calls that the kernel of a guest never makes: refused with EPERM, so that whoever took
 * over a guest's kernel has less of the host's to try. Programs of the guest never get here: their
 * system calls are emulated before the host looks at the filter.
 */
#include "lib/seccomp.h"
#include "lib/xalloc.h"
#include "vkernel/launch/launch.h"

#include <linux/sched.h>
#include <sys/socket.h>
#include <unistd.h>

static const unsigned refused[] = {
	/* file systems, and roots of trees */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_mount_setattr,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	SYS_acct,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_fanotify_init,
	/* other processes and namespaces */
	SYS_unshare,
	SYS_setns,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_process_madvise,
	SYS_move_pages,
	SYS_migrate_pages,
	/* the host's kernel */
	SYS_reboot,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_iopl,
	SYS_ioperm,
	SYS_syslog,
	SYS_lookup_dcookie,
	SYS_vhangup,
	SYS_sethostname,
	SYS_setdomainname,
	/* keys, queues and segments that outlive a process */
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_mq_open,
	SYS_shmget,
	SYS_msgget,
	SYS_semget,
	/* room of the disk that nothing is written to */
	SYS_fallocate,
	/* the clock */
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
};

enum {
	NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
	ROOM = 24, /* instructions behind the table */
};

static size_t write_filter(struct sock_filter *f)
{
	size_t n = seccomp_begin(f, refused, ARRAY_LEN(refused));

	f[n++] = SKIP_UNLESS_EQUAL(SYS_socket, 3);
	f[n++] = SECCOMP_LOAD(args[0]);
	f[n++] = SKIP_IF_EQUAL(AF_UNIX, 1);
	f[n++] = SECCOMP_REFUSE(EPERM);
	f[n++] = SECCOMP_LOAD(nr);
	f[n++] = SKIP_UNLESS_EQUAL(SYS_clone, 3);
	f[n++] = SECCOMP_LOAD(args[0]);
	f[n++] = SKIP_UNLESS_SET(NEW_NAMESPACES, 1);
	f[n++] = SECCOMP_REFUSE(EPERM);
	f[n++] = SECCOMP_RETURN(SECCOMP_RET_ALLOW);
	return n;
}

int filter_calls(void)
{
	struct sock_filter f[SECCOMP_ROOM(refused) + ROOM];

	return seccomp_install(f, write_filter(f));
}
