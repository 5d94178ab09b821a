/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet-extcap: NICs of running labs as capture interfaces in Wireshark. The same program under
 * another name, by a link.
 *
 * Wireshark calls it several times, each with one question (extcap(4)): which interfaces there are,
 * their link type, their options, whether a filter is right; and at last to capture into a FIFO
 * until one of the two closes it. Interfaces are called vbet.LAB.NODE.NIC: neither the name of a
 * lab nor that of a NIC has a dot in it, so the first and the last dot behind "vbet." are the ones
 * that count, whatever the node is called.
 */
#include "vbet-server/command/extcap.h"

#include "lib/vec.h"
#include "lib/words.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/frames.h"
#include "vbet-server/store/paths.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "vbet-extcap";

struct extcap_options {
	bool interfaces, dlts, config, capture;
	const char *interface, *filter, *fifo, *comment;
};

bool extcap_is_meant(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return !strcmp(slash ? slash + 1 : argv0, program);
}

int extcap_parse_nic(const char *interface, struct extcap_nic *out, struct err *e)
{
	static const char head[] = "vbet.";
	const char *lab = interface + strlen(head);
	const char *dot = strncmp(interface, head, strlen(head)) == 0 ? strchr(lab, '.') : NULL;
	const char *last = strrchr(interface, '.');

	if (!dot || last <= dot + 1 || !last[1] || dot == lab ||
	    (size_t)(dot - lab) >= sizeof(out->lab) || strlen(dot) >= sizeof(out->nic))
		return err_set(e, ERR_USAGE, "no interface '%s': they are called vbet.LAB.NODE.NIC",
			       interface);
	snprintf(out->lab, sizeof(out->lab), "%.*s", (int)(dot - lab), lab);
	snprintf(out->nic, sizeof(out->nic), "%.*s:%s", (int)(last - dot - 1), dot + 1, last + 1);
	return 0;
}

/* A line of report_nodes(). */
static void list_node(const char *lab, const struct words *w)
{
	for (size_t i = 4; i < w->n && !strchr(w->at[i], '='); i++)
		printf("interface {value=vbet.%s.%s.%s}{display=vbet %s: %s:%s}\n", lab, w->at[0],
		       w->at[i], lab, w->at[0], w->at[i]);
}

static void list_lab(const char *lab)
{
	char *words[] = {"nodes"};
	char *text;
	int rc = client_ask_text(lab, words, 1, &text, NULL);
	struct arena a = {0};

	for (char *line = text, *end; rc == 0 && (end = strchr(line, '\n')); line = end + 1) {
		struct words w;

		if (words_split(line, (size_t)(end - line), &a, &w, NULL) == 0)
			list_node(lab, &w);
	}
	arena_finish(&a);
	free(text);
}

static int list_interfaces(struct err *e)
{
	char *base = paths_base_dir(e);
	struct lab_entry *labs;

	if (!base)
		return -1;
	size_t n = paths_list_labs(base, &labs);

	printf("extcap {version=1.0}{help=https://www.wireshark.org/docs/man-pages/extcap.html}\n");
	for (size_t i = 0; i < n; i++)
		if (labs[i].running)
			list_lab(labs[i].name);
	free(labs);
	free(base);
	return 0;
}

static int capture(const struct extcap_options *o, const struct extcap_nic *nic, struct err *e)
{
	struct frames_wish wish = {
		.lab = nic->lab, .nic = nic->nic, .filter = o->filter, .comment = o->comment};
	struct frames_count n;

	if (!o->fifo)
		return err_set(e, ERR_USAGE, "--capture wants --fifo");
	wish.out = fopen(o->fifo, "we");
	if (!wish.out)
		return err_sys(e, "%s", o->fifo);
	signal(SIGPIPE, SIG_IGN);
	int rc = frames_capture(&wish, &n, e);

	fclose(wish.out);
	return rc;
}

static int run(const struct extcap_options *o, struct err *e)
{
	struct extcap_nic nic;

	if (o->interfaces)
		return list_interfaces(e);
	if (!o->interface)
		return err_set(
			e, ERR_USAGE,
			"this is for Wireshark: link it into a directory that Help > About > "
			"Folders calls 'extcap'");
	if (extcap_parse_nic(o->interface, &nic, e) < 0)
		return -1;
	if (o->dlts)
		puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
	else if (o->config)
		puts("arg {number=0}{call=--comment}{display=Comment}{type=string}"
		     "{tooltip=Kept with the capture}");
	else if (o->capture)
		return capture(o, &nic, e);
	else if (o->filter)
		return frames_check_filter(o->filter, e);
	return 0;
}

/* Newer versions of Wireshark pass more options: those that we do not know are ignored. */
static void read_options(int argc, char **argv, struct extcap_options *o)
{
	enum { INTERFACES = 1, DLTS, CONFIG, CAPTURE, VERSION, INTERFACE, FILTER, FIFO, COMMENT };
	static const struct option longs[] = {
		{"extcap-interfaces", no_argument, NULL, INTERFACES},
		{"extcap-dlts", no_argument, NULL, DLTS},
		{"extcap-config", no_argument, NULL, CONFIG},
		{"capture", no_argument, NULL, CAPTURE},
		{"extcap-version", optional_argument, NULL, VERSION},
		{"extcap-interface", required_argument, NULL, INTERFACE},
		{"extcap-capture-filter", required_argument, NULL, FILTER},
		{"fifo", required_argument, NULL, FIFO},
		{"comment", required_argument, NULL, COMMENT},
		{NULL, 0, NULL, 0},
	};
	bool *flags[] = {NULL, &o->interfaces, &o->dlts, &o->config, &o->capture};
	const char **texts[] = {&o->interface, &o->filter, &o->fifo, &o->comment};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt >= INTERFACES && opt <= CAPTURE)
			*flags[opt] = true;
		else if (opt >= INTERFACE && opt <= COMMENT)
			*texts[opt - INTERFACE] = optarg;
	}
	if (o->filter && !*o->filter)
		o->filter = NULL;
}

int extcap_run(int argc, char **argv)
{
	struct extcap_options o = {0};
	struct err e = {0};

	read_options(argc, argv, &o);
	if (run(&o, &e) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", program, e.text);
	return (int)e.kind;
}
