/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as frames from which neighbours are learnt and which ask for them. The input is a run
 * of records: a kind, a length, that many bytes. Whatever comes, an answer goes to who asked, from
 * a MAC that was heard, fits its buffer, and asks nothing itself; and nothing is answered that was
 * not learnt.
 */
#include "substrate/nic/stations.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool true_)
{
	if (!true_)
		abort();
}

static void ask(const struct stations *n, const uint8_t *frame, size_t len, bool any_learnt)
{
	uint8_t answer[STATIONS_ANSWER_MAX];
	uint8_t again[STATIONS_ANSWER_MAX];
	size_t got = stations_answer(n, frame, len, answer);

	if (!got)
		return;
	demand(any_learnt && got >= 42 && got <= sizeof(answer));
	demand(!memcmp(answer, frame + 6, 6) && !(answer[6] & 1));
	demand(stations_answer(n, answer, got, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stations n;
	bool any = false;

	memset(&n, 0, sizeof(n));
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		uint8_t *frame = malloc(len + !len); /* of exactly that size, for ASan */

		memcpy(frame, data + 2, len);
		stations_is_loopback(frame, len);
		if (data[0] & 1) {
			stations_learn(&n, frame, len);
			any = true;
		} else {
			ask(&n, frame, len, any);
		}
		free(frame);
		data += 2 + len;
		size -= 2 + len;
	}
	return 0;
}
