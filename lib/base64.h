/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Octets as text (RFC 4648, 4), in one line, with padding. */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include <stddef.h>

/* malloc'ed. */
char *base64_encode(const void *data, size_t len);
/* The octets, malloc'ed, with a 0 behind them that does not count; NULL: that is no base64. */
char *base64_decode(const char *text, size_t *len);

#endif
