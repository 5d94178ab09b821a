/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/base64.h"

#include "lib/xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = xmalloc((len + 2) / 3 * 4 + 1);
	char *out = text;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			bits |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			bits |= in[i + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[bits & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* Four digits, of which the last `n_padding` are none. False: one of the others is none, too. */
static int read_group(const char *text, int n_padding, uint32_t *bits)
{
	*bits = 0;
	for (int i = 0; i < 4; i++) {
		const char *digit = i < 4 - n_padding ? strchr(digits, text[i]) : digits;

		if (!digit || !*digit)
			return -1;
		*bits = *bits << 6 | (uint32_t)(digit - digits);
	}
	return 0;
}

char *base64_decode(const char *text, size_t *len)
{
	size_t n = strlen(text);
	char *data = xmalloc(n / 4 * 3 + 1);
	size_t done = 0;

	for (size_t i = 0; i + 4 <= n; i += 4) {
		int n_padding = i + 4 < n ? 0 : (text[n - 1] == '=') + (text[n - 2] == '=');
		uint32_t bits;

		if (read_group(text + i, n_padding, &bits) < 0) {
			free(data);
			return NULL;
		}
		for (int k = 0; k < 3 - n_padding; k++)
			data[done++] = (char)(bits >> (16 - 8 * k));
	}
	if (n % 4) {
		free(data);
		return NULL;
	}
	data[done] = '\0';
	*len = done;
	return data;
}
