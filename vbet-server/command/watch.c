/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A capture's file is whole once the capture has ended. So to look means to begin the next capture
 * and to end the one before: in virtual time both happen while the clock stands, and no frame is
 * missed or counted twice. By the real clock the next one begins first, and a frame in between is
 * recognized by its time.
 */
#include "vbet-server/command/watch.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/plan/judge_answer.h"
#include "vbet-server/store/paths.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SNAPLEN = 262144 };

struct watch {
	const char *lab;
	char *nic, *filter;
	char *path; /* of the capture that runs; owned, or NULL */
	uint64_t frames;
	struct timeval last; /* nanoseconds in tv_usec: of the last frame that was counted */
};

static unsigned n_files; /* each capture has a name of its own */

static int begin_capture(struct watch *w, struct err *e)
{
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	w->path = xasprintf("%s/%s/watch.%d.%u", base, w->lab, (int)getpid(), n_files++);
	char *begin[] = {"capture", w->nic, w->path};

	free(base);
	if (client_ask(w->lab, begin, 3, NULL, e) >= 0)
		return 0;
	free(w->path);
	w->path = NULL;
	return -1;
}

static bool is_later(const struct timeval *a, const struct timeval *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_usec > b->tv_usec;
}

/* Frames of one file; those no later than what an earlier file ended with are in that one. */
static int count_frames(struct watch *w, const char *path, struct err *e)
{
	char why[PCAP_ERRBUF_SIZE];
	struct timeval before = w->last;
	struct bpf_program program;
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);

	if (!p)
		return err_set(e, ERR_ENV, "read %s: %s", path, why);
	if (pcap_compile(p, &program, w->filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		err_set(e, ERR_USAGE, "filter '%s': %s", w->filter, pcap_geterr(p));
		pcap_close(p);
		return -1;
	}
	while (pcap_next_ex(p, &h, &data) == 1) {
		if (!is_later(&h->ts, &before))
			continue;
		w->last = h->ts;
		w->frames += pcap_offline_filter(&program, h, data) != 0;
	}
	pcap_freecode(&program);
	pcap_close(p);
	return 0;
}

static int end_capture(struct watch *w, char *path, struct err *e)
{
	char *end[] = {"capture-end", path};
	int rc = client_ask(w->lab, end, 2, NULL, e) < 0 ? -1 : count_frames(w, path, e);

	unlink(path);
	free(path);
	return rc;
}

static int check_filter(const char *filter, struct err *e)
{
	struct bpf_program program;
	pcap_t *p = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	int rc = pcap_compile(p, &program, filter, 1, PCAP_NETMASK_UNKNOWN);

	if (rc < 0)
		err_set(e, ERR_USAGE, "filter '%s': %s", filter, pcap_geterr(p));
	else
		pcap_freecode(&program);
	pcap_close(p);
	return rc < 0 ? -1 : 0;
}

struct watch *watch_begin(const char *lab, const char *nic, const char *filter, struct err *e)
{
	if (check_filter(filter, e) < 0)
		return NULL;
	struct watch *w = xcalloc(1, sizeof(*w));

	w->lab = lab;
	w->nic = xstrdup(nic);
	w->filter = xstrdup(filter);
	if (begin_capture(w, e) == 0)
		return w;
	watch_end(w);
	return NULL;
}

int watch_look(struct watch *w, uint64_t *frames, struct err *e)
{
	char *path = w->path;

	w->path = NULL;
	int rc = begin_capture(w, e);

	if (path)
		rc |= end_capture(w, path, e);
	*frames = w->frames;
	return rc;
}

void watch_end(struct watch *w)
{
	struct err none;

	if (!w)
		return;
	if (w->path)
		end_capture(w, w->path, &none);
	free(w->nic);
	free(w->filter);
	free(w);
}

/* ---- as words ---- */

enum { KIND = 1, NIC, FILTER, WATCH_WORDS };

bool watch_is_meant(const char *const *words, size_t n)
{
	return n >= WATCH_WORDS && !strcmp(words[0], "watch");
}

struct watch *watch_begin_words(const char *lab, const char *const *words, struct err *e)
{
	return watch_begin(lab, words[NIC], words[FILTER], e);
}

int64_t watch_first_look_ns(const char *const *words, int64_t now_ns, const struct trial *t)
{
	bool may_end_early = !strcmp(words[KIND], "seen");
	int64_t next_ns = now_ns + t->pause_ns;

	return may_end_early && next_ns < t->deadline_ns ? next_ns : t->deadline_ns;
}

int watch_judge(struct watch *w, const char *const *words, size_t n, int *status, char **text,
		struct err *e)
{
	const struct words all = {(char **)words, n};
	uint64_t frames;

	if (watch_look(w, &frames, e) < 0)
		return -1;
	bool holds = !strcmp(words[KIND], "seen")    ? frames > 0
		     : !strcmp(words[KIND], "never") ? frames == 0
						     : judge_number(&all, (int64_t)frames);

	*status = holds ? 0 : 1;
	*text = xasprintf("%llu frame%s", (unsigned long long)frames, frames == 1 ? "" : "s");
	return 0;
}
