/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as init.conf: each line is taken in or told, and nothing else happens. */
#include "vkernel/init/conf.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_bad(void *ctx, const struct err *e)
{
	size_t *n = ctx;

	if (e->kind == ERR_NONE || !e->text[0])
		abort();
	++*n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c = {0};
	size_t n = 0;

	conf_add_text(&c, (const char *)data, size, on_bad, &n);
	if (n > size)
		abort();
	for (size_t i = 0; i < c.services.n; i++)
		if (!c.services.at[i].argv[0])
			abort();
	for (size_t i = 0; i < c.files.n; i++)
		if (c.files.at[i].path[0] != '/')
			abort();
	conf_finish(&c);
	return 0;
}
