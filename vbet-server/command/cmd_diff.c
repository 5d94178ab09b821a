/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet diff: two runs that were kept, frame by frame and line by line.
 *
 * Directories are walked side by side, and of every pair of files only the first difference is
 * kept: after that, two runs have nothing in common any more. Frames are compared with their
 * times, text line by line; then everything is put in the order of time, for the first
 * difference of all is the one that explains the others.
 */
#include "lib/vec.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/plan/plan.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <sys/stat.h>

enum { NEST_MAX = 4 };

/* Where two files first differ. */
struct difference {
	char *text;      /* owned; NULL: nowhere */
	int64_t time_ns; /* of a frame; -1: the file has no times */
};

struct found {
	char *name; /* owned: within the two directories */
	struct difference at;
};

struct run_diff {
	VEC(struct found) found;
	size_t files;
	int64_t zero_ns; /* the time of captures at which the lab's clock began; 0: not known */
};

/* ---- captures ---- */

struct frame {
	const struct pcap_pkthdr *head; /* NULL: the capture is at its end */
	const uint8_t *data;
	int64_t time_ns;
};

/* "12.000000001" into buf; returns buf. */
static const char *seconds(int64_t ns, char *buf, size_t size)
{
	snprintf(buf, size, "%lld.%09lld", (long long)(ns / 1000000000),
		 (long long)(ns % 1000000000));
	return buf;
}

static int next_frame(pcap_t *p, int64_t zero_ns, struct frame *f, struct err *e)
{
	struct pcap_pkthdr *head;
	int rc = pcap_next_ex(p, &head, &f->data);

	f->head = rc == 1 ? head : NULL;
	/* Opened for nanoseconds: tv_usec has them. */
	if (f->head)
		f->time_ns = head->ts.tv_sec * INT64_C(1000000000) + head->ts.tv_usec - zero_ns;
	return rc == PCAP_ERROR ? err_set(e, ERR_ENV, "%s", pcap_geterr(p)) : 0;
}

static size_t first_byte(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* How two frames differ; NULL: they do not. */
static char *describe_frames(const struct frame *a, const struct frame *b)
{
	if (!a->head || !b->head)
		return xasprintf("only the %s run has it", a->head ? "first" : "second");
	size_t n = a->head->caplen < b->head->caplen ? a->head->caplen : b->head->caplen;
	size_t byte = first_byte(a->data, b->data, n);
	char text[40];

	if (byte < n)
		return xasprintf("byte %zu is %02x in the first run, %02x in the second", byte,
				 a->data[byte], b->data[byte]);
	if (a->head->len != b->head->len)
		return xasprintf("%u bytes long in the first run, %u in the second", a->head->len,
				 b->head->len);
	if (a->time_ns != b->time_ns)
		return xasprintf("in the second run it passes at %s s",
				 seconds(b->time_ns, text, sizeof(text)));
	return NULL;
}

static int compare_frames(pcap_t *a, pcap_t *b, int64_t zero_ns, struct difference *at,
			  struct err *e)
{
	struct frame fa;
	struct frame fb;
	char text[40];

	for (size_t number = 1;; number++) {
		if (next_frame(a, zero_ns, &fa, e) < 0 || next_frame(b, zero_ns, &fb, e) < 0)
			return -1;
		if (!fa.head && !fb.head)
			return 0;
		char *how = describe_frames(&fa, &fb);

		if (!how)
			continue;
		at->time_ns = (fa.head ? fa : fb).time_ns;
		if (fa.head && fb.head && fb.time_ns < at->time_ns)
			at->time_ns = fb.time_ns;
		at->text = xasprintf("frame %zu, at %s s: %s", number,
				     seconds((fa.head ? fa : fb).time_ns, text, sizeof(text)), how);
		free(how);
		return 0;
	}
}

/* libpcap reads both forms, pcapng and pcap; asked for nanoseconds, it converts what has less. */
static int compare_captures(const char *path_a, const char *path_b, int64_t zero_ns,
			    struct difference *at, struct err *e)
{
	const u_int nano = PCAP_TSTAMP_PRECISION_NANO;
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *a = pcap_open_offline_with_tstamp_precision(path_a, nano, text);
	pcap_t *b = a ? pcap_open_offline_with_tstamp_precision(path_b, nano, text) : NULL;
	int rc = b ? compare_frames(a, b, zero_ns, at, e) : err_set(e, ERR_ENV, "%s", text);

	if (a)
		pcap_close(a);
	if (b)
		pcap_close(b);
	return rc;
}

/* ---- text ---- */

static void cut_newline(char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
}

static void compare_lines(FILE *a, FILE *b, struct difference *at)
{
	char *la = NULL;
	char *lb = NULL;
	size_t cap_a = 0;
	size_t cap_b = 0;

	for (size_t number = 1; !at->text; number++) {
		ssize_t na = getline(&la, &cap_a, a);
		ssize_t nb = getline(&lb, &cap_b, b);

		if (na < 0 && nb < 0)
			break;
		if (na == nb && !memcmp(la, lb, (size_t)na))
			continue;
		if (na >= 0)
			cut_newline(la);
		if (nb >= 0)
			cut_newline(lb);
		at->text = xasprintf("line %zu\n  first:  %.200s\n  second: %.200s", number,
				     na < 0 ? "(the end)" : la, nb < 0 ? "(the end)" : lb);
	}
	free(la);
	free(lb);
}

static int compare_texts(const char *path_a, const char *path_b, struct difference *at,
			 struct err *e)
{
	FILE *a = fopen(path_a, "re");
	FILE *b = a ? fopen(path_b, "re") : NULL;
	int rc = b ? 0 : err_sys(e, "%s", a ? path_b : path_a);

	if (rc == 0)
		compare_lines(a, b, at);
	if (a)
		fclose(a);
	if (b)
		fclose(b);
	return rc;
}

/* ---- directories ---- */

static bool is_capture(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (!strcmp(dot, ".pcapng") || !strcmp(dot, ".pcap"));
}

static int compare_files(struct run_diff *d, const char *name, const char *path_a,
			 const char *path_b, struct err *e)
{
	struct difference at = {.time_ns = -1};
	int rc = is_capture(name) ? compare_captures(path_a, path_b, d->zero_ns, &at, e)
				  : compare_texts(path_a, path_b, &at, e);

	d->files++;
	if (at.text)
		vec_push(&d->found, ((struct found){xstrdup(name), at}));
	return rc < 0 ? err_wrap(e, "%s", name) : 0;
}

static bool exists(const char *path, bool *is_dir)
{
	struct stat st;
	bool there = stat(path, &st) == 0;

	*is_dir = there && S_ISDIR(st.st_mode);
	return there;
}

static int compare_trees(struct run_diff *d, const char *name, const char *a, const char *b,
			 unsigned depth, struct err *e);

/* One name that is in at least one of two directories. */
static int compare_entry(struct run_diff *d, const char *name, const char *a, const char *b,
			 unsigned depth, struct err *e)
{
	struct difference at = {.time_ns = -1};
	bool dir_a;
	bool dir_b;
	bool has_a = exists(a, &dir_a);
	bool has_b = exists(b, &dir_b);

	if (has_a && has_b && dir_a == dir_b)
		return dir_a ? compare_trees(d, name, a, b, depth + 1, e)
			     : compare_files(d, name, a, b, e);
	at.text = xasprintf("only the %s run has it", has_a ? "first" : "second");
	vec_push(&d->found, ((struct found){xstrdup(name), at}));
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_names(const char *path, struct strvec *names, struct err *e)
{
	DIR *d = opendir(path);

	if (!d)
		return err_sys(e, "%s", path);
	for (struct dirent *entry; (entry = readdir(d));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			vec_push(names, xstrdup(entry->d_name));
	closedir(d);
	return 0;
}

/* Names of both directories in one sorted list: what both have stands twice in a row. */
static int compare_trees(struct run_diff *d, const char *name, const char *a, const char *b,
			 unsigned depth, struct err *e)
{
	struct strvec names = {0};
	int rc = list_names(a, &names, e) < 0 || list_names(b, &names, e) < 0 ? -1 : 0;

	if (depth > NEST_MAX)
		rc = err_set(e, ERR_USAGE, "%s: too many directories in each other", a);
	if (names.n)
		qsort(names.at, names.n, sizeof(*names.at), compare_names);
	for (size_t i = 0; i < names.n; i++) {
		bool is_again = i > 0 && !strcmp(names.at[i], names.at[i - 1]);
		char *in_a = xasprintf("%s/%s", a, names.at[i]);
		char *in_b = xasprintf("%s/%s", b, names.at[i]);
		char *inner = xasprintf("%s%s%s", name, *name ? "/" : "", names.at[i]);

		if (rc == 0 && !is_again)
			rc = compare_entry(d, inner, in_a, in_b, depth, e);
		free(in_a);
		free(in_b);
		free(inner);
	}
	for (size_t i = 0; i < names.n; i++)
		free((char *)names.at[i]);
	vec_free(&names);
	return rc;
}

/* Frames by time, then what has no time. */
static int by_time(const void *pa, const void *pb)
{
	const struct found *a = pa;
	const struct found *b = pb;
	bool has_a = a->at.time_ns >= 0;
	bool has_b = b->at.time_ns >= 0;

	if (has_a != has_b)
		return has_a ? -1 : 1;
	if (a->at.time_ns != b->at.time_ns)
		return a->at.time_ns < b->at.time_ns ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Frames of a run in virtual time are stamped with the guests' time of day; show the lab's. */
static int64_t find_zero(const char *dir)
{
	char *path = xasprintf("%s/manifest", dir);
	size_t len;
	char *text = paths_read_file(path, &len, NULL);
	bool is_virtual = text && strstr(text, "\nclock virtual\n");

	free(text);
	free(path);
	return is_virtual ? PLAN_TIME_OF_DAY_S * 1000000000 : 0;
}

int cmd_diff(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct run_diff d = {.zero_ns = find_zero(argv[0])};
	bool is_dir;
	int rc = exists(argv[0], &is_dir) && !is_dir
			 ? compare_files(&d, argv[0], argv[0], argv[1], e)
			 : compare_trees(&d, "", argv[0], argv[1], 0, e);

	if (d.found.n)
		qsort(d.found.at, d.found.n, sizeof(*d.found.at), by_time);
	for (size_t i = 0; i < d.found.n && rc == 0; i++)
		printf("%s: %s\n", d.found.at[i].name, d.found.at[i].at.text);
	if (rc == 0 && !d.found.n)
		printf("%zu files, no difference\n", d.files);
	if (rc == 0 && d.found.n)
		rc = ERR_EXPECT;
	for (size_t i = 0; i < d.found.n; i++) {
		free(d.found.at[i].name);
		free(d.found.at[i].at.text);
	}
	vec_free(&d.found);
	return rc;
}
