/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that a boot comes to depends on the script, the files and a few options, which are in the key
 * that it is found by (command/warm_key.h). What comes behind it (the record, what is to be
 * repeated, where the clock is to stand, who holds the lab) does not, so the lab is kept before
 * that, and what is restored does it as one that has just booted: by the same functions.
 */
#include "vbet-server/lab/warm.h"

#include "lib/container_of.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/sources.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Poll, as finished writes raise no event. */
static const int64_t again_ns = 2000000;

void warm_init(struct lab *lab, const struct lab_options *opt)
{
	lab->warm.dir = opt->warm_dir ? xstrdup(opt->warm_dir) : NULL;
	lab->warm.pays_ns = opt->warm_pays_ns;
}

void warm_forgo(struct lab *lab)
{
	if (lab->warm.asked)
		return;
	free(lab->warm.dir);
	lab->warm.dir = NULL;
}

static void look_again(struct loop_timer *t, int64_t now_ns)
{
	progress_check(container_of(t, struct lab, warm.again));
}

static bool is_wanted(const struct lab *lab)
{
	return lab->warm.dir && !lab->progress.failures.all.n &&
	       loop_now_ns(lab->loop) - lab->progress.began_ns >= lab->warm.pays_ns;
}

bool warm_holds_up(struct lab *lab)
{
	struct warm *w = &lab->warm;

	if (w->asked)
		return true;
	if (!is_wanted(lab)) {
		warm_forgo(lab);
		return false;
	}
	if (lab->clock.is_virtual && !input_is_settled(lab)) {
		w->again.fire = look_again;
		loop_set_timer(lab->loop, &w->again, loop_now_ns(lab->loop) + again_ns);
		return true;
	}
	w->asked = true;
	snapshot_begin(lab, w->dir, false);
	return true;
}

bool warm_lets_go_on(const struct lab *lab)
{
	return !lab->warm.asked && !lab->warm.again.heap_index;
}

bool warm_has_ended(struct lab *lab)
{
	struct warm *w = &lab->warm;

	if (!w->asked || lab->snapshot.step != SNAPSHOT_NONE)
		return false;
	if (lab->snapshot.failed.kind)
		w->refused = lab->snapshot.failed;
	lab->snapshot.failed.kind = ERR_NONE;
	w->asked = false;
	warm_forgo(lab);
	return true;
}

/* Numbers that were drawn from the same state would be the same in all that were restored. */
void warm_wake_guest(struct guest *gu)
{
	uint8_t random[32];
	char hex[2 * sizeof(random) + 1];
	struct timespec now;

	if (!gu->agent.said_hello ||
	    getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return;
	for (size_t k = 0; k < sizeof(random); k++)
		snprintf(hex + 2 * k, 3, "%02x", random[k]);
	clock_gettime(CLOCK_REALTIME, &now);
	char *words = xasprintf("awake %lld.%09ld %s", (long long)now.tv_sec, now.tv_nsec, hex);

	agent_control(&gu->agent, words);
	free(words);
}

void warm_wake_guests(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++) {
		struct guest *gu = lab->guests[i];

		if (gu && sleep_is_in_file(gu))
			gu->sleep.wants_news = true;
		else if (gu)
			warm_wake_guest(gu);
	}
}

void warm_tell(const struct lab *lab, FILE *out)
{
	const struct warm *w = &lab->warm;

	if (w->refused.kind && !w->pays_ns)
		fprintf(out, "the lab is not kept for a warm start: %s\n", w->refused.text);
}

void warm_finish(struct lab *lab)
{
	loop_cancel_timer(lab->loop, &lab->warm.again);
	free(lab->warm.dir);
	free(lab->warm.from);
	free(lab->warm.to);
}

/* ---- what is said of a lab that is kept already ---- */

static void put(FILE *f, struct arena *a, const char *key, const char *value)
{
	if (value)
		fprintf(f, "%s ", words_quote(a, arena_printf(a, "%s=%s", key, value)));
}

char *warm_note(const struct lab_options *opt)
{
	struct arena a = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	put(f, &a, "script", opt->script);
	put(f, &a, "record", opt->record);
	put(f, &a, "inputs", opt->inputs);
	put(f, &a, "captures", opt->captures);
	put(f, &a, "moment_dir", opt->moment_dir);
	fprintf(f, "held=%d stopped=%d keep_going=%d replay_rest=%d jobs=%zu ", opt->held,
		opt->stopped, opt->keep_going, opt->replay_rest, opt->jobs);
	fprintf(f, "boot_timeout=%lld replay=%lld began=%lld booted=%lld ",
		(long long)opt->boot_timeout_ns, (long long)opt->replay_ns,
		(long long)opt->began_ns, (long long)opt->warm_booted_s);
	fprintf(f, "back_every=%lld back_bytes=%lld back_unasked=%d moment=%lld",
		(long long)opt->back_every_ns, (long long)opt->back_bytes, opt->back_unasked,
		(long long)opt->moment_ns);
	fclose(f);
	arena_finish(&a);
	return text;
}

static int64_t number(const struct words *w, const char *key)
{
	const char *v = words_get(w, key);

	return v ? strtoll(v, NULL, 10) : 0;
}

int warm_read_note(struct lab_options *opt, const char *note, struct arena *a, struct err *e)
{
	struct words w;

	if (words_split(note, strlen(note), a, &w, e) < 0)
		return -1;
	*opt = (struct lab_options){
		.script = words_get(&w, "script"),
		.record = words_get(&w, "record"),
		.inputs = words_get(&w, "inputs"),
		.captures = words_get(&w, "captures"),
		.moment_dir = words_get(&w, "moment_dir"),
		.held = number(&w, "held") != 0,
		.stopped = number(&w, "stopped") != 0,
		.keep_going = number(&w, "keep_going") != 0,
		.replay_rest = number(&w, "replay_rest") != 0,
		.jobs = (size_t)number(&w, "jobs"),
		.boot_timeout_ns = number(&w, "boot_timeout"),
		.replay_ns = number(&w, "replay"),
		.began_ns = number(&w, "began"),
		.warm_booted_s = number(&w, "booted"),
		.back_every_ns = number(&w, "back_every"),
		.back_bytes = number(&w, "back_bytes"),
		.back_unasked = number(&w, "back_unasked") != 0,
		.moment_ns = number(&w, "moment"),
	};
	return 0;
}

/* In a run directory, between the two. */
static char *captures_in(const char *run)
{
	return xasprintf("%s/captures", run);
}

int warm_keep_captures(const struct lab *lab, const char *run, struct err *e)
{
	if ((!lab->warm.asked && !lab->moment.saving) || !lab->captures.dir)
		return 0;
	char *to = captures_in(run);
	int rc = copy_tree(lab->captures.dir, to, e);

	free(to);
	return rc;
}

int warm_bring_captures(const char *run, const char *captures, struct err *e)
{
	if (!captures)
		return 0;
	char *from = captures_in(run);
	int rc = copy_tree(from, captures, e);

	paths_remove_tree(from);
	free(from);
	return rc;
}

void warm_expect(struct lab *lab, const struct lab_options *opt)
{
	free(lab->warm.from);
	free(lab->warm.to);
	lab->warm.from = lab->warm.to = NULL;
	if (!opt->captures || !lab->captures.dir)
		return;
	lab->warm.from = xasprintf("%s/", lab->captures.dir);
	lab->warm.to = xasprintf("%s/", opt->captures);
	free(lab->captures.dir);
	lab->captures.dir = xstrdup(opt->captures);
}

int warm_adopt(struct lab *lab, const struct lab_options *opt, struct err *e)
{
	struct progress *p = &lab->progress;

	lab->warm.booted_s = opt->warm_booted_s;
	p->keep_going = opt->keep_going;
	p->boot_timeout_ns = opt->boot_timeout_ns;
	p->began_ns = loop_now_ns(lab->loop) - (clock_host_ns() - opt->began_ns);
	if (opt->jobs && !lab->clock.is_virtual)
		p->jobs = opt->jobs;
	lab->clock.stays = opt->stopped;
	back_set(lab, opt);
	moment_init(lab, opt);
	lab->inputs.replay_ns = opt->replay_ns;
	lab->inputs.replay_rest = opt->replay_rest;
	free(lab->record.dir);
	lab->record.dir = xstrdup(opt->record ? opt->record : lab->dir);
	if (lab->record.sources)
		lab->record.sources->written = 0;
	if (record_begin(lab, opt->script, e) < 0)
		return -1;
	return opt->inputs ? input_load(lab, opt->inputs, e) : 0;
}
