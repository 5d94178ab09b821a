/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes JSON (RFC 8259) to a stream: commas and escapes are its business, nesting the caller's.
 * Reading is json-c's (vbet-server/lab/status.h).
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out; /* borrowed */
	bool need_comma;
};

void json_init(struct json *j, FILE *out);
/* key: NULL inside an array and at the top. */
void json_open(struct json *j, const char *key, char bracket);        /* '{' or '[' */
void json_close(struct json *j, char bracket);                        /* '}' or ']' */
void json_string(struct json *j, const char *key, const char *value); /* NULL: null */
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* Text that is JSON already. */
void json_raw(struct json *j, const char *key, const char *json);

#endif
