/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What substrate processes say of themselves (docs/protocols.md, "status"), as a value of json-c:
 * {"now_ns": N, "objects": {NAME: {...}}}. Wherever a value is taken, NULL is one, too: it has no
 * members. Only status.c knows json-c, whose header has a json_bool that is not lib/json.h's.
 */
#ifndef VBET_SERVER_LAB_STATUS_H
#define VBET_SERVER_LAB_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* An object in JSON text, to be freed; NULL if it is anything else, or nested too deep. */
struct json_object *status_parse(const char *text);
void status_free(struct json_object *status);
/*
 * Takes the members of an object into another: objects of one name are merged, numbers added up,
 * and of all else what is there stays.
 */
void status_merge(struct json_object *into, struct json_object *from);
/* The object NAME of a status. Borrowed, as all that follows. */
struct json_object *status_object(struct json_object *status, const char *name);
/* A member of an object, not of those in it; NULL if it is not there, or null. */
struct json_object *status_member(struct json_object *object, const char *key);
/* How many items an array has, and one of them. */
size_t status_length(struct json_object *array);
struct json_object *status_item(struct json_object *array, size_t i);
/* Calls each with every member of an object that is a number, in their order. */
void status_each_number(struct json_object *object,
			void (*each)(void *ctx, const char *key, int64_t number), void *ctx);
/* A member that is text, or a number, as text; NULL if there is none. */
const char *status_text(struct json_object *object, const char *key);
/* 0 if there is no such number; INT64_MAX if it is larger. */
int64_t status_number(struct json_object *object, const char *key);
/* True if the member is there, and true; is there, and false. */
bool status_is_true(struct json_object *object, const char *key);
bool status_is_false(struct json_object *object, const char *key);
/* JSON text of the value; `otherwise` if it is NULL. */
const char *status_json(struct json_object *value, const char *otherwise);

#endif
