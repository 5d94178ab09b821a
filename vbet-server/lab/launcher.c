/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/launcher.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its argv is looked up when it boots: the plan may have changed since it was queued. */
static const struct plan_step *launch_step(const struct guest *gu)
{
	for (size_t i = 0; i < gu->lab->plan->n_steps; i++) {
		const struct plan_step *s = &gu->lab->plan->steps[i];

		if (s->op == PLAN_GUEST && !strcmp(s->name, gu->name))
			return s;
	}
	return NULL;
}

int launcher_spawn(struct guest *gu, int report, int state_fd, enum snapshot_use use, struct err *e)
{
	static const char *const states[] = {
		[SNAPSHOT_READ] = "state=4",
		[SNAPSHOT_ADOPT] = "state=4,adopt",
		[SNAPSHOT_SHARE] = "state=4,share",
	};
	char *name = xasprintf("n/%s/console.log", gu->name);
	char *group = bounds_place(gu->lab, gu->name);
	int log = lab_open_log(gu->lab, name, e);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct plan_step *step = launch_step(gu);
	const char **argv = xcalloc(step->argc + 2, sizeof(*argv));
	struct spawn sp = {.argv = (char *const *)argv,
			   .fds = {null, log, log, report, state_fd},
			   .n_fds = state_fd < 0 ? 4 : 5,
			   .cgroup = group};
	int rc = -1;

	/* Its own words end with "--"; descriptor 4 is below all that it opens. */
	argv[0] = step->argv[0];
	if (state_fd >= 0)
		argv[1] = states[use];
	memcpy(argv + (state_fd < 0 ? 1 : 2), step->argv + 1, (step->argc - 1) * sizeof(*argv));
	free(name);
	if (null < 0)
		err_sys(e, "open /dev/null");
	else if (log >= 0)
		rc = spawn_child(&sp, &gu->child, e);
	free(argv);
	free(group);
	if (log >= 0)
		close(log);
	if (null >= 0)
		close(null);
	return rc;
}

void launcher_end(const struct child *launcher)
{
	kill(launcher->pid, SIGTERM);
	kill(launcher->pid, SIGCONT); /* one that was stopped hears nothing */
}

void launcher_finish(struct child *launcher)
{
	launcher_end(launcher);
	waitpid(launcher->pid, NULL, 0);
	close(launcher->pidfd);
	*launcher = (struct child){.pidfd = -1};
}
