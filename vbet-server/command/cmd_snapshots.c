/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshots: which were saved by name, and what they take. */
#include "lib/columns.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/shelf/shelf.h"

#include <stdlib.h>
#include <time.h>

static void print_json(const struct shelf_entry *list, size_t n)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&j, NULL, '{');
		json_string(&j, "name", list[i].name);
		json_string(&j, "lab", list[i].lab);
		json_int(&j, "saved_ns", list[i].saved_ns);
		json_uint(&j, "size", list[i].size);
		json_uint(&j, "own", list[i].own);
		json_bool(&j, "compressed", !list[i].is_raw);
		json_bool(&j, "damaged", list[i].is_damaged);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	putchar('\n');
}

static void print_size(FILE *out, uint64_t bytes)
{
	static const double mega = 1e6;

	fprintf(out, "\t%.1f MB", (double)bytes / mega);
}

static void print_table(const struct shelf_entry *list, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	fputs("NAME\tLAB\tSAVED\tSIZE\tITS OWN\t\n", f);
	for (size_t i = 0; i < n; i++) {
		time_t saved = (time_t)(list[i].saved_ns / 1000000000);
		struct tm tm;
		char when[32];

		localtime_r(&saved, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		fprintf(f, "%s\t%s\t%s", list[i].name, list[i].lab, when);
		print_size(f, list[i].size);
		print_size(f, list[i].own);
		fprintf(f, "\t%s\n",
			list[i].is_damaged ? "damaged: it cannot be restored"
			: list[i].is_raw   ? "being compressed"
					   : "");
	}
	fclose(f);
	if (n)
		columns_put(stdout, text, 1 << 3 | 1 << 4);
	free(text);
}

int cmd_snapshots(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct shelf shelf;

	if (shelf_open(&shelf, NULL, e) < 0)
		return -1;
	int rc = o->remove ? shelf_remove(&shelf, o->remove, e) : 0;

	if (rc == 0 && o->remove) {
		rc = shelf_tidy(&shelf, e);
	} else if (rc == 0) {
		struct shelf_entry *list;
		size_t n = shelf_list(&shelf, &list);

		if (o->json)
			print_json(list, n);
		else
			print_table(list, n);
		shelf_list_free(list, n);
	}
	shelf_close(&shelf);
	return rc;
}
