/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The value of a parameter is a function of the time since the schedule began, looked up when
 * somebody asks (cable_dir.c: for each frame), so that nothing has to happen at certain times.
 * Ramps, squares and traces need nothing but the time. A random walk is one number per step, drawn
 * in order: after a pause all steps of the pause are drawn at once, and the walk is where it would
 * have been.
 */
#include "substrate/cable/cable_schedule.h"

#include "lib/vec.h"
#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

void cable_schedule_init(struct cable_schedule *s, const char *text, int64_t now_ns)
{
	*s = (struct cable_schedule){.epoch_ns = now_ns};
	/* Text that makes no sense was refused when the parameter was set. */
	if (linkspec_parse_schedule(&s->plan, text, NULL) < 0)
		s->plan.n = 0;
	for (size_t i = 0; i < s->plan.n; i++)
		s->course[i].value =
			s->plan.item[i].from + (s->plan.item[i].to - s->plan.item[i].from) / 2;
}

void cable_schedule_finish(struct cable_schedule *s)
{
	for (size_t i = 0; i < s->plan.n; i++)
		free(s->course[i].point);
	s->plan.n = 0;
}

/* A straight line, rounded towards its beginning. */
static bool ramp_value(const struct linksched_item *it, struct cable_course *c, struct rng *random,
		       int64_t t_ns, int64_t *value)
{
	if (it->repeat)
		t_ns %= it->time_ns;
	if (t_ns > it->time_ns)
		t_ns = it->time_ns;
	*value = it->from + (int64_t)((__int128)(it->to - it->from) * t_ns / it->time_ns);
	return true;
}

static bool square_value(const struct linksched_item *it, struct cable_course *c,
			 struct rng *random, int64_t t_ns, int64_t *value)
{
	int64_t low_ns = (int64_t)((__int128)it->time_ns * (1000000 - it->duty_ppm) / 1000000);

	*value = t_ns % it->time_ns < low_ns ? it->from : it->to;
	return true;
}

/*
 * A step is uniform between -step and +step. Every cable has its own stream (cable_dir.c), so walks
 * of two cables are independent of each other, and the same in each run.
 */
static bool walk_value(const struct linksched_item *it, struct cable_course *c, struct rng *random,
		       int64_t t_ns, int64_t *value)
{
	for (int64_t step = t_ns / it->time_ns; c->step < step; c->step++) {
		int64_t v = c->value - it->step +
			    (int64_t)rng_below(random, 2 * (uint64_t)it->step + 1);

		/* Bounds reflect; a step may be longer than they are apart. */
		if (v < it->from)
			v = 2 * it->from - v;
		if (v > it->to)
			v = 2 * it->to - v;
		c->value = v < it->from ? it->from : v;
	}
	*value = c->value;
	return true;
}

/* By halves, as traces have thousands of points and this is asked for each frame. */
static bool trace_value(const struct linksched_item *it, struct cable_course *c, struct rng *random,
			int64_t t_ns, int64_t *value)
{
	size_t low = 0;
	size_t high = c->n_points;

	if (!c->n_points)
		return false;
	if (it->repeat && c->point[high - 1].at_ns > 0)
		t_ns %= c->point[high - 1].at_ns;
	if (t_ns < c->point[0].at_ns)
		return false;
	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (c->point[mid].at_ns <= t_ns)
			low = mid;
		else
			high = mid;
	}
	*value = c->point[low].value;
	return true;
}

/* False: the schedule says nothing for this time, the link keeps what it has. */
typedef bool shape_value(const struct linksched_item *it, struct cable_course *c,
			 struct rng *random, int64_t t_ns, int64_t *value);
static shape_value *const shapes[] = {
	[LINKSCHED_RAMP] = ramp_value,
	[LINKSCHED_SQUARE] = square_value,
	[LINKSCHED_WALK] = walk_value,
	[LINKSCHED_TRACE] = trace_value,
};

bool cable_schedule_apply(struct cable_schedule *s, struct rng *random, int64_t now_ns,
			  struct linkspec *spec)
{
	int64_t t_ns = now_ns > s->epoch_ns ? now_ns - s->epoch_ns : 0;
	bool changed = false;

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct linksched_item *it = &s->plan.item[i];
		int64_t *field = linkspec_field(spec, it->key, NULL, NULL);
		int64_t value;

		if (!shapes[it->shape](it, &s->course[i], random, t_ns, &value))
			continue;
		changed |= *field != value;
		*field = value;
	}
	return changed;
}

/*
 * What the virtual clock may rely on whatever the schedule will say: the smallest delay, the
 * largest rate. So a schedule costs lookahead, but no look at the schedule while guests run.
 */
void cable_schedule_bound(const struct cable_schedule *s, bool largest, struct linkspec *spec)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct linksched_item *it = &s->plan.item[i];
		int64_t *field = linkspec_field(spec, it->key, NULL, NULL);
		int64_t best = *field;

		/* In front of the first point of a trace the link has what it had. */
		if (it->shape == LINKSCHED_TRACE) {
			for (size_t k = 0; k < s->course[i].n_points; k++)
				if ((s->course[i].point[k].value > best) == largest)
					best = s->course[i].point[k].value;
		} else {
			best = (it->from > it->to) == largest ? it->from : it->to;
		}
		*field = best;
	}
}

/* One line: 1 if it holds a point, 0 if it is empty, -1 if it makes no sense. */
static int parse_line(char *line, enum unit_kind unit, struct cable_point *p)
{
	static const char blanks[] = " \t\r,";
	char *comment = strchr(line, '#');
	char *rest;

	if (comment)
		*comment = '\0';
	char *at = strtok_r(line, blanks, &rest);
	char *value = at ? strtok_r(NULL, blanks, &rest) : NULL;

	if (!at)
		return 0;
	if (!value || strtok_r(NULL, blanks, &rest))
		return -1;
	if (unit_parse(UNIT_TIME, at, &p->at_ns, NULL) < 0) {
		/* Traces of others have plain seconds. */
		char *seconds = xasprintf("%ss", at);
		int status = unit_parse(UNIT_TIME, seconds, &p->at_ns, NULL);

		free(seconds);
		if (status < 0)
			return -1;
	}
	return unit_parse(unit, value, &p->value, NULL) < 0 ? -1 : 1;
}

struct cable_point *cable_trace_parse(const char *text, size_t len, const char *key, size_t *n,
				      struct err *e)
{
	VEC(struct cable_point) points = {0};
	struct linkspec any = {0};
	enum unit_kind unit = UNIT_COUNT;
	int64_t max = 0;
	char *copy = xstrndup(text, len);
	char *rest = copy;
	size_t number = 0;
	int status = 0;

	linkspec_field(&any, key, &unit, &max);
	for (char *line; status >= 0 && (line = strsep(&rest, "\n"));) {
		struct cable_point p;

		number++;
		status = parse_line(line, unit, &p);
		if (status <= 0)
			continue;
		if (p.value > max || (points.n && p.at_ns < points.at[points.n - 1].at_ns))
			status = -1;
		else
			vec_push(&points, p);
	}
	free(copy);
	if (status < 0)
		err_set(e, ERR_USAGE, "line %zu is not 'TIME VALUE' in order of time (%s)", number,
			unit_example(unit));
	else if (!points.n)
		err_set(e, ERR_USAGE, "the trace is empty");
	if (status < 0)
		vec_free(&points);
	*n = points.n;
	return points.at;
}
