/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What filters of system calls (seccomp(2)) are written with. Skips are counted in instructions.
 * All of it is inline: programs for guests are built by a compiler of their own.
 */
#ifndef LIB_SECCOMP_H
#define LIB_SECCOMP_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECCOMP_LOAD(field)  \
	(struct sock_filter) \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SECCOMP_RETURN(what)   (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
#define SECCOMP_REFUSE(number) SECCOMP_RETURN(SECCOMP_RET_ERRNO | (number))
#define SECCOMP_JUMP(how, k, yes, no) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | (how) | BPF_K, k, yes, no)
#define SKIP_IF_EQUAL(k, n)     SECCOMP_JUMP(BPF_JEQ, k, n, 0)
#define SKIP_UNLESS_EQUAL(k, n) SECCOMP_JUMP(BPF_JEQ, k, 0, n)
#define SKIP_IF_SET(k, n)       SECCOMP_JUMP(BPF_JSET, k, n, 0)
#define SKIP_UNLESS_SET(k, n)   SECCOMP_JUMP(BPF_JSET, k, 0, n)

enum {
	SECCOMP_X32 = 0x40000000,
	SECCOMP_BEGIN = 8, /* instructions of seccomp_begin() */
};

/* One table of system calls takes two instructions for each. */
#define SECCOMP_ROOM(table) (SECCOMP_BEGIN + 2 * sizeof(table) / sizeof((table)[0]))

/*
 * How every filter begins: no calls of other architectures (their numbers mean other things), and
 * EPERM for those of a table. The number of the call is loaded behind it. Returns how many
 * instructions it took.
 */
static inline size_t seccomp_begin(struct sock_filter *f, const unsigned *refused, size_t n_refused)
{
	size_t n = 0;

	f[n++] = SECCOMP_LOAD(arch);
	f[n++] = SKIP_IF_EQUAL(AUDIT_ARCH_X86_64, 1);
	f[n++] = SECCOMP_REFUSE(ENOSYS);
	f[n++] = SECCOMP_LOAD(nr);
	f[n++] = SKIP_UNLESS_SET(SECCOMP_X32, 1);
	f[n++] = SECCOMP_REFUSE(ENOSYS);
	/* Its flags are out of the filter's sight; libraries fall back to clone. */
	f[n++] = SKIP_UNLESS_EQUAL(SYS_clone3, 1);
	f[n++] = SECCOMP_REFUSE(ENOSYS);
	for (size_t i = 0; i < n_refused; i++) {
		f[n++] = SKIP_UNLESS_EQUAL(refused[i], 1);
		f[n++] = SECCOMP_REFUSE(EPERM);
	}
	return n;
}

/* From here on it holds for this thread and its children. 0 or -1 with errno. */
static inline int seccomp_install(struct sock_filter *f, size_t n)
{
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = f};

	/* The flag: no mitigation of speculation, which slows down every filtered process. */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			    &prog);
}

#endif
