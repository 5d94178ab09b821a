/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What alloc() is told of a guest: its packages and shell, its disk, its bounds. */
#include "lib/units.h"
#include "topo/graph_print.h"

static void print_packages(FILE *out, const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_packages; i++) {
		fputs(i ? ", " : ", packages = [", out);
		graph_put_string(out, n->packages[i]);
	}
	fputs(n->n_packages ? "]" : "", out);
	fputs(n->vbet ? ", vbet = on" : "", out);
}

static void print_disk(FILE *out, const struct graph_node *n)
{
	char text[32];

	graph_put_param(out, "disk", n->disk);
	if (n->disk_bytes)
		fprintf(out, ", disk_size = %s",
			unit_format(UNIT_SIZE, n->disk_bytes, text, sizeof(text)));
	if (n->disk_read_only)
		fputs(", disk_read_only = on", out);
}

static void print_bounds(FILE *out, const struct graph_node *n)
{
	char text[32];

	if (n->cpu_ppm)
		fprintf(out, ", cpu = %s", unit_format(UNIT_PPM, n->cpu_ppm, text, sizeof(text)));
	if (n->cpu_weight)
		fprintf(out, ", cpu_weight = %lld", (long long)n->cpu_weight);
	if (n->processes)
		fprintf(out, ", processes = %lld", (long long)n->processes);
}

void graph_put_guest(FILE *out, const struct graph_node *n)
{
	print_packages(out, n);
	graph_put_param(out, "shell", n->shell);
	print_disk(out, n);
	print_bounds(out, n);
}
