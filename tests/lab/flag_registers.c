/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processor's flags are what a debugger has set, what the ABI says where a signal's handler
 * begins, and after a page fault what they were before.
 *
 *     flag_registers     prints "debugger agrees", "handler goes forward" and "N of N jumps were
 * right"
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 2000, PAGE = 4096, CARRY = 1, ZERO = 0x40, DIRECTION = 0x400 };

/* Stops with both flags set, and says by its status which of them it has then. */
static void child(void)
{
	unsigned long flags;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	__asm__ volatile("xorl %%eax, %%eax\n\t" /* sets the zero flag */
			 "stc\n\t"
			 "int3\n\t"
			 "pushfq\n\t"
			 "popq %0"
			 : "=r"(flags)
			 :
			 : "rax", "cc", "memory");
	_exit((int)(flags & (CARRY | ZERO)));
}

/* Leaves `flags` of the two, and tells whether the child saw just these. */
static int has_only(unsigned long flags)
{
	struct user_regs_struct regs;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child();
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 0;
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0 ||
	    (regs.eflags & (CARRY | ZERO)) != (CARRY | ZERO))
		return 0;
	regs.eflags = (regs.eflags & ~(unsigned long)(CARRY | ZERO)) | flags;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0 || ptrace(PTRACE_CONT, pid, 0, 0) < 0)
		return 0;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == (int)flags;
}

/* Not static: the handler names it. */
extern volatile unsigned long at_entry;
volatile unsigned long at_entry;

/* Its first instruction: a compiler would use the stack before. */
__attribute__((naked)) static void handle(int signal)
{
	__asm__("pushfq\n\t"
		"popq at_entry(%rip)\n\t"
		"cld\n\t"
		"ret");
}

/* A signal while strings go backward: to a handler they go forward. Afterwards it is as it was. */
static int handler_is_right(void)
{
	unsigned long flags;

	signal(SIGTRAP, handle);
	__asm__ volatile("std\n\t"
			 "int3\n\t"
			 "pushfq\n\t"
			 "popq %0\n\t"
			 "cld"
			 : "=r"(flags)
			 :
			 : "cc", "memory");
	signal(SIGTRAP, SIG_DFL);
	return !(at_entry & DIRECTION) && (flags & DIRECTION);
}

/* Compares, touches a page for the first time, and jumps as the comparison says. */
static int jumps_right(const char *page, int equal)
{
	int jumped = 0;

	__asm__ volatile("cmpl $1, %2\n\t"
			 "movb (%1), %%al\n\t"
			 "jne 1f\n\t"
			 "movl $1, %0\n"
			 "1:"
			 : "+r"(jumped)
			 : "r"(page), "r"(equal)
			 : "rax", "cc", "memory");
	return jumped == equal;
}

int main(void)
{
	int right = 0;
	char *area = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return 1;
	if (has_only(0) && has_only(CARRY) && has_only(ZERO) && has_only(CARRY | ZERO))
		puts("debugger agrees");
	if (handler_is_right())
		puts("handler goes forward");
	for (int i = 0; i < PAGES; i++)
		right += jumps_right(area + (size_t)i * PAGE, i & 1);
	printf("%d of %d jumps were right\n", right, PAGES);
	return 0;
}
