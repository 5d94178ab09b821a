/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filtered CALL... -- COMMAND...: runs it where system calls are refused as containers refuse them:
 * "personality", "pivot_root" and "clone" (of namespaces) with EPERM, "clone3" with ENOSYS;
 * "ptrace" of whoever does not ask for it (Yama's mode 1 and more) with EPERM. "tsc": PR_SET_TSC
 * succeeds and does nothing, as on some hosts.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(n)   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (n))

static void refuse(const char *name)
{
	struct sock_filter f[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 1),
		ANSWER(EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter g[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWNS | CLONE_NEWUSER, 0, 1),
		ANSWER(EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter h[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_ATTACH, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_SEIZE, 0, 1),
		ANSWER(EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter t[] = {
		LOAD(nr),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_TSC, 0, 1),
		ANSWER(0),     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {.len = sizeof(f) / sizeof(*f), .filter = f};

	if (!strcmp(name, "clone3")) {
		f[1].k = SYS_clone3;
		f[2].k = SECCOMP_RET_ERRNO | ENOSYS;
	} else if (!strcmp(name, "pivot_root")) {
		f[1].k = SYS_pivot_root;
	} else if (!strcmp(name, "clone")) {
		p = (struct sock_fprog){.len = sizeof(g) / sizeof(*g), .filter = g};
	} else if (!strcmp(name, "ptrace")) {
		p = (struct sock_fprog){.len = sizeof(h) / sizeof(*h), .filter = h};
	} else if (!strcmp(name, "tsc")) {
		p = (struct sock_fprog){.len = sizeof(t) / sizeof(*t), .filter = t};
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) < 0)
		perror(name);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		refuse(argv[i]);
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
