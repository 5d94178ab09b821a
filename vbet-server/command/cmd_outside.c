/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet outside: a command of the host, run where the interfaces of a lab are. */
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

struct place {
	bool own;
	pid_t pid;   /* of the process that holds it */
	char *hosts; /* owned: a file of names */
};

/* "own PID HOSTS" or "host PID HOSTS". */
static int ask_place(const char *lab, struct place *p, struct err *e)
{
	char *words[] = {"outside"};
	char *text;
	int rc = client_ask_text(lab, words, 1, &text, e);
	char *end;

	if (rc == 0) {
		p->own = !strncmp(text, "own ", 4);
		p->pid = (pid_t)strtol(text + strcspn(text, " "), &end, 10);
		p->hosts = xstrndup(end + 1, strcspn(end + 1, "\n"));
	}
	free(text);
	return rc;
}

/* The user namespace comes first: only in it may we enter the other. */
static int enter(const struct place *p, struct err *e)
{
	static const struct {
		const char *name;
		int type;
	} spaces[] = {{"user", CLONE_NEWUSER}, {"net", CLONE_NEWNET}};
	int fd[2];
	char path[64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)p->pid, spaces[i].name);
		fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (fd[i] < 0)
			return err_sys(e, "%s", path);
	}
	for (int i = 0; i < 2; i++) {
		/* For root there may be no user namespace but ours, and entering that is EINVAL. */
		if (setns(fd[i], spaces[i].type) < 0 && !(i == 0 && errno == EINVAL))
			return err_sys(e, "enter the namespace of the lab's interfaces");
		close(fd[i]);
	}
	/* Without the names, addresses still work. */
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		mount(p->hosts, "/etc/hosts", NULL, MS_BIND, NULL);
	return 0;
}

int cmd_outside(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *shell = getenv("SHELL");
	char **command = xcalloc((size_t)argc + 2, sizeof(*command)); /* NULL at its end */
	struct place place = {0};
	int rc = lab ? ask_place(lab, &place, e) : -1;

	free(lab);
	command[0] = shell ? shell : (char *)"/bin/sh";
	memcpy(command, argv, (size_t)argc * sizeof(*argv));
	if (rc == 0 && place.own)
		rc = enter(&place, e);
	free(place.hosts);
	if (rc < 0) {
		free(command);
		return -1;
	}
	execvp(command[0], command);
	err_sys(e, "%s", command[0]);
	free(command);
	return -1;
}
