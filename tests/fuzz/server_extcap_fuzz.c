/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any arguments, one in a line, of what Wireshark runs; but for a capture, which needs a lab. */
#include "vbet-server/command/extcap.h"

#include "lib/xalloc.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARGS_MAX = 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	stdout = fopen("/dev/null", "we");
	stderr = fopen("/dev/null", "we");
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char *argv[ARGS_MAX + 1] = {(char *)"vbet-extcap"};
	struct extcap_nic nic;
	struct err e = {0};
	char *save = NULL;
	int argc = 1;

	if (extcap_parse_nic(text, &nic, &e) < 0 && (e.kind == ERR_NONE || !e.text[0]))
		abort();
	/* An option may be shortened: --fi, --cap. */
	for (char *arg = strtok_r(text, "\n", &save); arg && argc < ARGS_MAX;
	     arg = strtok_r(NULL, "\n", &save))
		if (strncmp(arg, "--f", 3) != 0 && strncmp(arg, "--c", 3) != 0)
			argv[argc++] = arg;
	optind = 0;
	extcap_run(argc, argv);
	free(text);
	return 0;
}
