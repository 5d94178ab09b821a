/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet version: what somebody who looks into a fault, or repeats a run elsewhere, wants to know. */
#include "lib/xalloc.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/store/paths.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

static void print_missing(const char *part)
{
	printf("%-12s not found\n", part);
}

/* What a program of ours says of itself: lines of "NAME VERSION", or one of VERSION. */
static void print_program(const char *label, const char *part)
{
	char *path = paths_find_part(part, NULL);
	char *command = xasprintf("exec '%s' --version", path ? path : "");
	FILE *p = path ? popen(command, "re") : NULL;
	char line[200];
	size_t n = 0;

	while (p && fgets(line, sizeof(line), p)) {
		size_t name = label ? 0 : strcspn(line, " \n");

		printf("%-12.*s %s", label ? 12 : (int)name, label ? label : line,
		       line + name + (line[name] == ' '));
		n++;
	}
	if (!n)
		print_missing(label ? label : part);
	if (p)
		pclose(p);
	free(command);
	free(path);
}

static void print_tree(void)
{
	char *tree = paths_find_part("rootfs/debian", NULL);
	char *path = xasprintf("%s/usr/share/vbet/id", tree ? tree : "");
	size_t len;
	char *id = tree ? paths_read_file(path, &len, NULL) : NULL;

	if (id)
		printf("%-12s %.*s\n", "tree", (int)strcspn(id, "\n"), id);
	else
		print_missing("tree");
	free(id);
	free(path);
	free(tree);
}

int cmd_version(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	const char *pcap = pcap_lib_version();

	printf("%-12s %s\n", "vbet", VBET_VERSION);
	fflush(stdout);
	print_program(NULL, "vsubstrate");
	print_program("kernel", "linux");
	print_tree();
	printf("%-12s %s\n", "libpcap", !strncmp(pcap, "libpcap version ", 16) ? pcap + 16 : pcap);
	printf("%-12s %s\n", "readline", console_readline_version());
	return 0;
}
