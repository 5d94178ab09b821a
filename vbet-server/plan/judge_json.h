/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON of programs in guests, which may say anything. For those that judge. */
#ifndef VBET_SERVER_PLAN_JUDGE_JSON_H
#define VBET_SERVER_PLAN_JUDGE_JSON_H

#include "lib/arena.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * *ok: it is JSON, no deeper than 32 levels. The value "null" is NULL, too. To be given to
 * json_object_put().
 */
struct json_object *judge_json_parse(const char *text, bool *ok);

/* The member of an object, if it is of that type; else NULL. Borrowed. */
struct json_object *judge_json_member(struct json_object *o, const char *key, json_type type);

/* A member that is a string, fit for somebody's terminal; "": there is none. Of the arena. */
const char *judge_json_text(struct arena *arena, struct json_object *o, const char *key);

/* Of what is no array, also of NULL: 0. */
size_t judge_json_length(struct json_object *array);

#endif
