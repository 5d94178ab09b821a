/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/store/back_dir.h"

#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t second_ns = 1000000000;

char *back_dir_path(const char *run, int64_t time_ns)
{
	return xasprintf("%s/%s/%lld.%09lld", run, BACK_DIR, (long long)(time_ns / second_ns),
			 (long long)(time_ns % second_ns));
}

/* What is being made has another name. */
static bool parse_name(const char *name, int64_t *time_ns)
{
	char *end;
	long long s = strtoll(name, &end, 10);

	if (end == name || *end != '.' || strlen(end) != 10)
		return false;
	const char *part = end + 1;
	long long ns = strtoll(part, &end, 10);

	*time_ns = s * second_ns + ns;
	return !*end && s >= 0 && ns >= 0;
}

static int by_time(const void *a, const void *b)
{
	const struct back_point *x = a;
	const struct back_point *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

void back_dir_list(const char *run, struct back_points *p)
{
	char *dir = xasprintf("%s/%s", run, BACK_DIR);
	DIR *d = opendir(dir);
	const struct dirent *entry;
	struct back_point point = {0};

	*p = (struct back_points){0};
	while (d && (entry = readdir(d))) {
		if (!parse_name(entry->d_name, &point.time_ns))
			continue;
		char *path = back_dir_path(run, point.time_ns);

		if (snapshot_dir_is(path))
			vec_push(&p->at, point);
		free(path);
	}
	if (d)
		closedir(d);
	if (p->at.n)
		qsort(p->at.at, p->at.n, sizeof(*p->at.at), by_time);
	free(dir);
}

/* Guests' files are there, and no directories: these are its own. */
static int64_t shared_bytes(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	struct stat st;
	int64_t sum = 0;

	while (d && (entry = readdir(d)))
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			sum += st.st_blocks * 512 / (int64_t)st.st_nlink;
	if (d)
		closedir(d);
	return sum;
}

void back_dir_weigh(const char *run, struct back_points *p)
{
	for (size_t i = 0; i < p->at.n; i++) {
		struct back_point *point = &p->at.at[i];
		char *dir = back_dir_path(run, point->time_ns);
		char *copies = xasprintf("%s/run", dir);

		if (!point->own_bytes)
			point->own_bytes = (int64_t)paths_tree_bytes(copies);
		point->bytes = point->own_bytes + shared_bytes(dir);
		free(copies);
		free(dir);
	}
}

void back_points_finish(struct back_points *p)
{
	vec_free(&p->at);
}

long back_points_find(const struct back_points *p, int64_t time_ns)
{
	long i = (long)p->at.n - 1;

	while (i >= 0 && p->at.at[i].time_ns > time_ns)
		i--;
	return i;
}

long back_points_spare(const struct back_points *p, int64_t now_ns)
{
	for (size_t i = 1; i + 1 < p->at.n; i++) {
		int64_t end_ns = p->at.at[i + 1].time_ns;

		if (end_ns - p->at.at[i - 1].time_ns <= now_ns - end_ns)
			return (long)i;
	}
	return -1;
}

int64_t back_points_bytes(const struct back_points *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->at.n; i++)
		sum += p->at.at[i].bytes;
	return sum;
}
