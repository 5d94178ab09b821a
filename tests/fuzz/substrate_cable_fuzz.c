/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as parameters of a cable, files it names, and frames into it. Whatever comes, a frame
 * that passes arrives no sooner than it came and no sooner than the lookahead says, bits to flip
 * are inside of it, marks are only wished for on frames that can be marked, and every frame is
 * counted once.
 */
#include "lib/words.h"
#include "substrate/cable/cable_dir.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool true_)
{
	if (!true_)
		abort();
}

/* The first line of the input: key=value words. Returns its length. */
static size_t read_spec(const uint8_t *data, size_t size, struct linkspec *spec)
{
	const uint8_t *eol = memchr(data, '\n', size);
	size_t len = eol ? (size_t)(eol - data) : size;
	struct arena a = {0};
	struct words w;
	struct err e;

	if (words_split((const char *)data, len, &a, &w, &e) == 0) {
		for (size_t i = 0; i < w.n; i++) {
			char *eq = strchr(w.at[i], '=');

			if (!eq)
				continue;
			*eq = '\0';
			linkspec_set(spec, w.at[i], eq + 1, &e);
		}
	}
	arena_finish(&a);
	/* Rings of frames take memory at once: small ones find the same faults. */
	if (spec->limit_frames > 1000)
		spec->limit_frames = 1000;
	if (spec->limit_bytes > 100000)
		spec->limit_bytes = 100000;
	return eol ? len + 1 : len;
}

/* What is printed reads back the same. */
static void check_print(const struct linkspec *spec)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct linkspec again = {0};

	linkspec_print(f, spec, "");
	fclose(f);
	read_spec((const uint8_t *)text, len, &again);
	demand(linkspec_equal(spec, &again));
	free(text);
}

static void offer(struct cable_dir *d, const uint8_t *data, uint32_t len, int64_t now_ns)
{
	int64_t least = cable_dir_min_delay_ns(d);
	struct cable_verdict v = cable_dir_offer(d, len, data, now_ns);

	demand((v.drop == CABLE_PASS) == (v.n_copies > 0) && v.n_copies <= 2);
	for (unsigned i = 0; i < v.n_copies; i++) {
		demand(v.copy[i].due_ns >= now_ns);
		demand(v.copy[i].due_ns - now_ns >= least || len < 14);
		demand(v.copy[i].corrupt_bit < (int64_t)len * 8);
		if (v.copy[i].mark_ce) {
			uint8_t *copy = malloc(len);

			memcpy(copy, data, len);
			demand(cable_mark_ce((enum link_framing)cable_dir_spec_now(d)->framing,
					     copy, len));
			free(copy);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct linkspec spec = {0};
	size_t used = read_spec(data, size, &spec);
	struct cable_dir *d = cable_dir_create(&spec, 1, "a-b");
	int64_t now_ns = 0;
	uint64_t offered = 0;
	struct err e;

	check_print(&spec);
	data += used;
	size -= used;
	for (size_t i = 0; cable_dir_file(d, i); i++)
		cable_dir_give_file(d, i, (const char *)data, size, &e);
	for (; size >= 2; offered++) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		now_ns += INT64_C(1) << (data[0] & 31);
		offer(d, data + 2, (uint32_t)len, now_ns);
		data += 2 + len;
		size -= 2 + len;
	}
	uint64_t counted = cable_dir_counters(d)->frames;

	for (int i = 0; i < CABLE_DROPS; i++)
		counted += cable_dir_counters(d)->dropped[i];
	demand(counted == offered);
	cable_dir_destroy(d);
	return 0;
}
