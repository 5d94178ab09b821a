/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel that fails while a child of it is stopped, in a session of its own: as early failures
 * do. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status;

	setsid();
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		raise(SIGSTOP);
		return 0;
	}
	waitpid(pid, &status, WUNTRACED);
	puts("this kernel fails");
	return 1;
}
