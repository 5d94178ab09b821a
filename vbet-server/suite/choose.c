/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/suite/choose.h"

#include "lib/xalloc.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *pattern, const char *text)
{
	return strpbrk(pattern, "*?[") ? fnmatch(pattern, text, 0) == 0
				       : strstr(text, pattern) != NULL;
}

bool choose_is_meant(const char *filter, const char *file, const char *lab)
{
	char *copy = xstrdup(filter ? filter : "");
	char *rest = copy;
	bool any = false;
	bool taken = false;
	bool out = false;

	for (char *p; (p = strsep(&rest, ","));) {
		bool is_not = *p == '!';

		p += is_not;
		if (!*p)
			continue;
		bool is = matches(p, file) || matches(p, lab);

		any |= !is_not;
		taken |= is && !is_not;
		out |= is && is_not;
	}
	free(copy);
	return (taken || !any) && !out;
}
