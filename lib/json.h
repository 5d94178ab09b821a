/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes JSON (RFC 8259), commas and escapes are its business, nesting the caller's. */
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
/*
 * The value of the first member named key, at any depth, of a JSON text that one of our programs
 * wrote: a malloc'ed copy, or NULL.
 */
char *json_find_member(const char *json, const char *key);
/*
 * Goes through the items of an array, or the members of an object, of such a text. *at: the bracket
 * at first, then for this function only. The next one (of a member, from its name on) as a
 * malloc'ed copy; NULL: there are no more.
 */
char *json_next(const char **at);
/* A member of an object, not of those in it: a malloc'ed copy; strings without quotes. Or NULL. */
char *json_member(const char *object, const char *key);
/*
 * Writes n JSON objects that our programs wrote as one: of members with the same name objects are
 * merged, numbers are added up, and of all else the first stays.
 */
void json_merge(FILE *out, const char *const *objects, size_t n);

#endif
