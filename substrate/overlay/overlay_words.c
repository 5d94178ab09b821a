/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What several commands of this room read alike. A rate that is not said is 0, and what that means
 * is the business of whoever asks: no limit for a wire, no guarantee for a link.
 */
#include "substrate/overlay/overlay_words.h"

#include "lib/units.h"

int overlay_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e)
{
	const char *text = words_get(w, key);

	*rate_bps = 0;
	if (text && unit_parse(UNIT_RATE, text, rate_bps, e) < 0)
		return err_wrap(e, "%s", key);
	return 0;
}
