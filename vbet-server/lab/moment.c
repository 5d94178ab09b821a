/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The run that goes on must not know of it: nothing is planned and nothing is recorded for it; the
 * clock stands there as it does for any input. So the one is the run as it was, and the other is a
 * replay that ends at that moment.
 */
#include "vbet-server/lab/moment.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/sources.h"

#include <stdlib.h>

void moment_init(struct lab *lab, const struct lab_options *opt)
{
	struct moment *m = &lab->moment;

	free(m->dir);
	m->at_ns = opt->moment_ns;
	m->dir = opt->moment_dir ? xstrdup(opt->moment_dir) : NULL;
}

int64_t moment_next_ns(const struct lab *lab)
{
	return lab->moment.dir ? lab->moment.at_ns : INT64_MAX;
}

bool moment_save(struct lab *lab)
{
	struct moment *m = &lab->moment;
	char *dir = m->dir;

	if (!dir || lab->clock.now_ns < m->at_ns)
		return false;
	m->dir = NULL;
	m->saving = true;
	snapshot_begin(lab, dir, false);
	free(dir);
	return true;
}

void moment_ended(struct lab *lab)
{
	struct moment *m = &lab->moment;

	if (!m->saving)
		return;
	m->saving = false;
	m->refused = lab->snapshot.failed;
	lab->snapshot.failed.kind = ERR_NONE;
}

int moment_is_kept(const struct lab *lab, struct err *e)
{
	if (lab->moment.dir)
		return err_set(e, ERR_ENV, "the lab has not come to that moment");
	if (lab->moment.refused.kind)
		*e = lab->moment.refused;
	return lab->moment.refused.kind ? -1 : 0;
}

void moment_go_on(struct lab *lab)
{
	lab->moment.saving = false;
	lab->inputs.replay_ns = lab->clock.goal_ns = lab->clock.now_ns;
	lab->inputs.replay_rest = true;
}

void moment_finish(struct lab *lab)
{
	free(lab->moment.dir);
}
