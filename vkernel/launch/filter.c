/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * System calls that the kernel of a guest never makes: refused with EPERM, so that whoever took
 * over a guest's kernel has less of the host's to try. Programs of the guest never get here: their
 * system calls are emulated before the host looks at the filter.
 */
#include "lib/xalloc.h"
#include "vkernel/launch/launch.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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
	/* the clock */
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
};

enum {
	NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
	X32 = 0x40000000,
	ROOM = 32, /* instructions besides the table */
};

#define LOAD(field)          \
	(struct sock_filter) \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what)            (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
#define SKIP_UNLESS_EQUAL(k, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n)
#define SKIP_IF_EQUAL(k, n)     (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, n, 0)
#define SKIP_UNLESS_SET(k, n)   (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, 0, n)
#define REFUSE(number)          RETURN(SECCOMP_RET_ERRNO | (number))

static size_t write_filter(struct sock_filter *f)
{
	size_t n = 0;

	f[n++] = LOAD(arch);
	f[n++] = SKIP_IF_EQUAL(AUDIT_ARCH_X86_64, 1);
	f[n++] = REFUSE(ENOSYS);
	f[n++] = LOAD(nr);
	f[n++] = SKIP_UNLESS_SET(X32, 1);
	f[n++] = REFUSE(ENOSYS);
	/* Its flags are out of the filter's sight; libraries fall back to clone. */
	f[n++] = SKIP_UNLESS_EQUAL(SYS_clone3, 1);
	f[n++] = REFUSE(ENOSYS);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		f[n++] = SKIP_UNLESS_EQUAL(refused[i], 1);
		f[n++] = REFUSE(EPERM);
	}
	f[n++] = SKIP_UNLESS_EQUAL(SYS_socket, 3);
	f[n++] = LOAD(args[0]);
	f[n++] = SKIP_IF_EQUAL(AF_UNIX, 1);
	f[n++] = REFUSE(EPERM);
	f[n++] = LOAD(nr);
	f[n++] = SKIP_UNLESS_EQUAL(SYS_clone, 3);
	f[n++] = LOAD(args[0]);
	f[n++] = SKIP_UNLESS_SET(NEW_NAMESPACES, 1);
	f[n++] = REFUSE(EPERM);
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	return n;
}

int filter_calls(void)
{
	struct sock_filter f[2 * ARRAY_LEN(refused) + ROOM];
	struct sock_fprog prog = {.len = (unsigned short)write_filter(f), .filter = f};

	/* Without the flag some hosts slow down every filtered process, for what does not matter
	 * here. */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			    &prog);
}
