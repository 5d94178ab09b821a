/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as the inputs of a recorded run, in a lab with one guest that answers nothing: it is
 * refused, or all of it is planned, and what comes of it is done or said to be impossible.
 * Statements are left out: they are the language (topo_fuzz), and would start processes.
 */
#include "vbet-server/lab/lab.h"

#include "lib/xalloc.h"
#include "vbet-server/command/run.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct graph_node node = {.kind = NODE_HOST, .name = "a"};
static struct graph graph = {.nodes = &node, .n_nodes = 1};
static char dir[] = "/dev/null"; /* nothing is recorded there */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* What is refused is said: the fuzzer keeps the old one for itself. */
	stderr = fopen("/dev/null", "we");
	return 0;
}

static bool starts_processes(const char *text)
{
	return strstr(text, "statement") || strstr(text, "plug") || strchr(text, '\\');
}

static void lead(const char *text)
{
	struct guest *guests[1];
	struct err e = {0};
	struct lab lab = {
		.loop = loop_create(&e),
		.dir = dir,
		.record.dir = dir,
		.graph = &graph,
		.guests = guests,
		.n_guests = 1,
		.clock = {.is_virtual = true, .stopped = true, .goal_ns = INT64_MAX},
	};

	if (!lab.loop)
		abort();
	guests[0] = guest_create(&lab, "a");
	guests[0]->state = GUEST_READY;
	guests[0]->joined = true;
	if (input_load(&lab, text, &e) < 0) {
		if (e.kind == ERR_NONE || !e.text[0])
			abort();
	} else {
		lab.clock.now_ns = INT64_MAX;
		input_pump(&lab);
	}
	input_finish(&lab);
	guests[0]->state = GUEST_DOWN;
	guest_destroy(guests[0]);
	loop_destroy(lab.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct err e = {0};
	int64_t first;
	int64_t last;

	if (run_times(text, &first, &last, &e) < 0 && (e.kind == ERR_NONE || !e.text[0]))
		abort();
	if (!starts_processes(text))
		lead(text);
	free(text);
	return 0;
}
