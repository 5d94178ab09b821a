/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock of the fork stands at the moment of the snapshot. All statements of the case are said
 * there; then the lab goes on until no routing table has changed for a while, and only then what
 * must hold is tried, one check after the other. Whatever becomes of it, the lab goes down.
 *
 * A fork has the record of the whole run, from the boot on (docs/snapshots.md), and goes on with
 * it: kept, it can be replayed like any other.
 */
#include "vbet-server/command/explore_fork.h"

#include "lib/loop.h"
#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Guests answer a look within microseconds. */
static const int64_t look_step_ns = 1000000;

static void note(struct explore_result *r, enum explore_outcome outcome, char *text)
{
	if (r->outcome < outcome)
		r->outcome = outcome;
	text[strcspn(text, "\n")] = '\0';
	vec_push(&r->broke, text);
}

/* ---- a fork ---- */

/* It goes down with us, however we end. */
static int restore(const struct explore_setting *s, struct session *session, struct err *e)
{
	char *hold[] = {"hold"};
	char *base = paths_base_dir(e);
	char *dir = base ? xasprintf("%s/%s", base, s->lab) : NULL;
	int rc = dir ? boot_restore(dir, s->snapshot, NULL, session, e) : -1;

	if (rc == 0)
		rc = client_send(session, hold, 1, e);
	if (rc == 0)
		rc = client_answer(session, NULL, client_show_note, NULL, e);
	free(dir);
	free(base);
	return rc;
}

/*
 * An action ("cut(a, b)") only stands after 'at TIME'; any other statement by itself. What is wrong
 * with it was found before there were forks, so the second error is as good as the first.
 */
static int say(const struct explore_setting *s, const char *statement, struct err *e)
{
	char *before = xasprintf("before=at %lldns ", (long long)s->at_ns);
	char *words[] = {"statement", (char *)statement, "name=--each", before};
	int rc = client_ask(s->lab, words, 4, NULL, e);

	if (rc < 0) {
		*e = (struct err){0};
		rc = client_ask(s->lab, words, 3, NULL, e);
	}
	free(before);
	return rc;
}

/* ---- what must hold ---- */

static int settle(const struct explore_setting *s, struct explore_result *r, struct err *e)
{
	static const char *const place[] = {"name=--rest", NULL};
	struct expect_wish wish = {.check = s->quiet,
				   .place = place,
				   .limit_ns = s->within_ns,
				   .first_step_ns = look_step_ns};
	struct expect_found found;
	int rc = expect_try(s->lab, true, &wish, &found, e);

	if (rc == 0)
		r->settled_ns = found.settled_ns;
	if (rc == 0 && !found.held)
		note(r, EXPLORE_RESTLESS,
		     xasprintf("not quiet: %s", found.settled ? found.settled : found.seen));
	expect_found_finish(&found);
	return rc;
}

static int try_check(const struct explore_setting *s, const char *check, struct explore_result *r,
		     struct err *e)
{
	static const char *const place[] = {"name=--expect", NULL};
	struct expect_wish wish = {.check = check,
				   .place = place,
				   .limit_ns = EXPECT_AS_SAID,
				   .first_step_ns = look_step_ns};
	struct expect_found found;
	int rc = expect_try(s->lab, true, &wish, &found, e);

	if (rc == 0 && !found.held) {
		const char *why = drive_last_line(found.seen);

		note(r, EXPLORE_BROKE, xasprintf("%s%s%s", check, *why ? ": " : "", why));
	}
	expect_found_finish(&found);
	return rc;
}

int explore_fork_unreached(const char *lab, char **text, struct err *e)
{
	struct drive d = drive_begin(lab, true);
	struct strvec v = {0};
	char *job = NULL;
	int status = 0;

	*text = NULL;
	vec_push(&v, "look");
	vec_push(&v, "unreached");
	int rc = drive_ask(&d, &v, &job, e);

	if (rc == 0)
		rc = drive_read_clock(&d, e);
	while (rc == 0 && (rc = drive_job_result(&d, job, &status, text, e)) == 0)
		rc = drive_go_to(&d, d.now_ns + look_step_ns, e);
	free(job);
	return rc < 0 ? -1 : 0;
}

static int compare_reach(const struct explore_setting *s, struct explore_result *r, struct err *e)
{
	char *now;

	if (!s->unreached)
		return 0;
	if (explore_fork_unreached(s->lab, &now, e) < 0)
		return -1;
	char *before = xstrdup(s->unreached);
	char *lost = explore_lost_text(before, now);

	if (lost)
		note(r, EXPLORE_BROKE, lost);
	free(before);
	free(now);
	return 0;
}

/* ---- what is left of it ---- */

static int keep_part(const char *run, const char *dir, const char *name, struct err *e)
{
	char *from = xasprintf("%s/%s", run, name);
	char *to = xasprintf("%s/%s", dir, name);
	size_t len;
	char *text = paths_read_file(from, &len, e);
	FILE *f = text ? fopen(to, "we") : NULL;
	bool ok = f && fwrite(text, 1, len, f) == len;

	if (f)
		ok = fclose(f) == 0 && ok;
	int rc = ok ? 0 : text ? err_sys(e, "write %s", to) : -1;

	free(text);
	free(from);
	free(to);
	return rc;
}

static int keep_report(const struct explore_result *r, const char *dir, struct err *e)
{
	char *path = xasprintf("%s/report", dir);
	FILE *f = fopen(path, "we");
	int rc = f ? 0 : err_sys(e, "write %s", path);

	if (f) {
		explore_result_report(f, r);
		if (fclose(f) != 0)
			rc = err_sys(e, "write %s", path);
	}
	free(path);
	return rc;
}

/* The record of the run, as `vbet replay` reads it. */
static int keep(const struct explore_setting *s, struct explore_result *r, struct err *e)
{
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	char *run = xasprintf("%s/%s", base, s->lab);
	char *files = xasprintf("%s/files", run);
	char *dir = xasprintf("%s/%zu", s->keep, r->number + 1);
	char *kept_files = xasprintf("%s/files", dir);
	int rc = mkdir(dir, 0777) < 0 ? err_sys(e, "make %s", dir) : 0;

	if (rc == 0)
		rc = keep_part(run, dir, "manifest", e);
	if (rc == 0)
		rc = keep_part(run, dir, "inputs", e);
	if (rc == 0)
		rc = copy_tree(files, kept_files, e);
	if (rc == 0)
		rc = keep_report(r, dir, e);
	if (rc == 0)
		r->kept = xstrdup(dir);
	free(kept_files);
	free(dir);
	free(files);
	free(run);
	free(base);
	return rc;
}

/* ---- all of it ---- */

static int run(const struct explore_setting *s, const struct explore_cases *cases,
	       const struct explore_case *c, struct explore_result *r, struct err *e)
{
	int rc;

	for (size_t i = 0; i < c->n_steps; i++)
		if (say(s, cases->steps.at[c->steps[i]].statement, e) < 0) {
			note(r, EXPLORE_REFUSED, xasprintf("not done: %s", e->text));
			*e = (struct err){0};
			return 0;
		}
	rc = settle(s, r, e);
	if (rc == 0)
		rc = compare_reach(s, r, e);
	for (size_t i = 0; i < s->checks.n && rc == 0; i++)
		rc = try_check(s, s->checks.at[i], r, e);
	if (rc == 0 && s->keep && r->outcome > EXPLORE_HELD)
		rc = keep(s, r, e);
	return rc;
}

void explore_fork_run(const struct explore_setting *s, const struct explore_cases *cases,
		      size_t number, struct explore_result *r)
{
	struct session session = {.fd = -1};
	int64_t began_ns = clock_monotonic_ns();
	const struct explore_case *c = &cases->list.at[number];
	struct err e = {0};

	*r = (struct explore_result){.number = number,
				     .text = explore_case_text(cases, c),
				     .outcome = EXPLORE_HELD,
				     .settled_ns = -1};
	int rc = restore(s, &session, &e);

	if (rc == 0) {
		rc = run(s, cases, c, r, &e);
		boot_release(&session, s->lab, &e);
	} else {
		client_close(&session);
	}
	if (rc < 0 || e.kind)
		note(r, EXPLORE_TROUBLE, xstrdup(e.text));
	r->wall_ns = clock_monotonic_ns() - began_ns;
}
