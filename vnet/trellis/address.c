/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses of Trellis: paths of labels, as "/east/hall/h1" for people, and on the wire a length in
 * front of the whole and of each label. They have no fixed length and no hierarchy that the network
 * would have to know; a prefix of labels is the only relation between them, and routes use it.
 *
 * Reading is strict: an address has one form only, so that two are equal if their octets are.
 */
#include "vnet/trellis/address.h"

#include <string.h>

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Adds one label. False: it is none, or there is no room. */
static bool add_label(struct trellis_address *a, const char *text, size_t len)
{
	if (len == 0 || len > TRELLIS_LABEL_MAX || a->len + 1 + len > TRELLIS_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_label_char(text[i]))
			return false;
	a->octets[a->len] = (uint8_t)len;
	memcpy(a->octets + a->len + 1, text, len);
	a->len = (uint8_t)(a->len + 1 + len);
	return true;
}

bool trellis_address_parse(struct trellis_address *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (*text != '/')
		return false;
	while (text[0] == '/' && text[1]) {
		size_t len = strcspn(text + 1, "/");

		if (!add_label(a, text + 1, len))
			return false;
		text += 1 + len;
	}
	/* A '/' at the end stands only for the root. */
	return *text == '\0' || a->len == 0;
}

const char *trellis_address_format(const struct trellis_address *a, char text[TRELLIS_TEXT_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < a->len; i += 1u + a->octets[i]) {
		text[n++] = '/';
		memcpy(text + n, a->octets + i + 1, a->octets[i]);
		n += a->octets[i];
	}
	if (!n)
		text[n++] = '/';
	text[n] = '\0';
	return text;
}

size_t trellis_address_read(struct trellis_address *a, const uint8_t *data, size_t len)
{
	memset(a, 0, sizeof(*a));
	if (len < 1 || data[0] > TRELLIS_ADDRESS_MAX || len < 1u + data[0])
		return 0;
	const uint8_t *p = data + 1;
	const uint8_t *end = p + data[0];

	while (p < end) {
		if (*p > end - p - 1 || !add_label(a, (const char *)p + 1, *p))
			return 0;
		p += 1 + *p;
	}
	return 1u + data[0];
}

size_t trellis_address_write(const struct trellis_address *a, uint8_t *data, size_t room)
{
	if (room < 1u + a->len)
		return 0;
	data[0] = a->len;
	memcpy(data + 1, a->octets, a->len);
	return 1u + a->len;
}

bool trellis_address_equal(const struct trellis_address *a, const struct trellis_address *b)
{
	return a->len == b->len && !memcmp(a->octets, b->octets, a->len);
}

/* An order that all nodes agree on, no more: ties between paths are broken by it (state.c). */
int trellis_address_compare(const struct trellis_address *a, const struct trellis_address *b)
{
	int order = memcmp(a->octets, b->octets, a->len < b->len ? a->len : b->len);

	return order ? order : a->len - b->len;
}

bool trellis_address_has_prefix(const struct trellis_address *a,
				const struct trellis_address *prefix)
{
	/* Labels carry their length: equal octets are equal labels. */
	return a->len >= prefix->len && !memcmp(a->octets, prefix->octets, prefix->len);
}

/* Whole labels at the end: "h1" is an abbreviation of /east/h1, and not of /east/oh1. */
bool trellis_address_has_suffix(const struct trellis_address *a, const char *text)
{
	char whole[TRELLIS_TEXT_MAX];
	size_t n = strlen(trellis_address_format(a, whole));
	size_t len = strlen(text);

	return len && len < n && whole[n - len - 1] == '/' && !strcmp(whole + n - len, text);
}
