/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet capture: frames at a NIC or port, as pcapng, to a file or a pipe.
 *
 * The filter is compiled here before anything is asked of the lab, so that a mistake in it is a
 * mistake of usage with libpcap's own words. The substrate writes the frames into a FIFO of ours
 * (frames.c): the server does not touch them, and who reads slowly loses frames of his own capture
 * but never slows the lab. A FIFO is opened once somebody reads it; if he goes, the capture has
 * ended, and all is well.
 */
#include "lib/units.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/frames.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_limits(struct frames_wish *w, const struct cmd_options *o, struct err *e)
{
	if (o->count && unit_parse(UNIT_COUNT, o->count, &w->count, e) < 0)
		return err_wrap(e, "--count");
	if (o->count && w->count < 1)
		return err_set(e, ERR_USAGE, "--count wants at least 1");
	if (o->duration && unit_parse(UNIT_TIME, o->duration, &w->duration_ns, e) < 0)
		return err_wrap(e, "--for");
	if (o->duration && w->duration_ns < 1)
		return err_set(e, ERR_USAGE, "--for wants a time such as 10s");
	return 0;
}

static int open_out(struct frames_wish *w, const char *path, struct err *e)
{
	if (path && strcmp(path, "-") != 0)
		w->out = fopen(path, "we");
	else if (isatty(STDOUT_FILENO))
		return err_set(
			e, ERR_USAGE,
			"frames are not for a terminal: -w FILE, or a pipe to 'wireshark -k -i -' "
			"or 'tcpdump -r -'");
	else
		w->out = stdout;
	return w->out ? 0 : err_sys(e, "%s", path);
}

/*
 * How many are missing is part of the result: a capture with holes must not look like a whole one.
 */
static void report(const struct frames_count *n)
{
	fprintf(stderr, "%llu frames\n", (unsigned long long)n->passed);
	if (n->dropped)
		fprintf(stderr, "%llu more are missing: what reads them is slower than the lab\n",
			(unsigned long long)n->dropped);
}

/* A filter is no path of a FIFO, so one may stand without -w. */
static bool is_fifo(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

int cmd_capture(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	const char *fifo = argc > 1 && is_fifo(argv[1]) ? argv[1] : NULL;
	int filter = fifo ? 2 : 1;
	struct frames_wish wish = {
		.lab = lab,
		.nic = argv[0],
		.filter = argc > filter ? argv[filter] : NULL,
		.comment = o->comment,
	};
	struct frames_count n;
	int rc = lab ? read_limits(&wish, o, e) : -1;

	if (rc == 0 && ((fifo && o->write) || argc > filter + 1))
		rc = err_set(e, ERR_USAGE, "one file, and one filter: quote it if it has blanks");
	if (rc == 0 && wish.filter)
		rc = frames_check_filter(wish.filter, e);
	if (rc == 0)
		rc = open_out(&wish, fifo ? fifo : o->write, e);
	signal(SIGPIPE, SIG_IGN);
	if (rc == 0)
		rc = frames_capture(&wish, &n, e);
	if (wish.out && wish.out != stdout)
		fclose(wish.out);
	if (rc == 0)
		report(&n);
	free(lab);
	return rc;
}
