/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the substrate says of itself, read: a thin layer over json-c that takes NULL for an object
 * without members, so that callers can ask for a path of names and look at the end whether anything
 * is there.
 *
 * The text comes from another process, which is trusted no more than it must be: it has to be one
 * object and nothing behind it, and no deeper than DEPTH_MAX. What does not fit is no status at
 * all.
 */
#include "vbet-server/lab/status.h"

#include <json-c/json.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

struct json_object *status_parse(const char *text)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);

	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	struct json_object *o = json_tokener_parse_ex(t, text, -1);
	bool ok = json_tokener_get_error(t) == json_tokener_success &&
		  json_tokener_get_parse_end(t) == strlen(text) &&
		  json_object_is_type(o, json_type_object);

	json_tokener_free(t);
	if (ok)
		return o;
	json_object_put(o);
	return NULL;
}

void status_free(struct json_object *status)
{
	json_object_put(status);
}

/*
 * A cable or a link between two processes is known in both: each counts what went through its half.
 * Numbers are added, objects are merged, and of everything else the first one stands.
 */
void status_merge(struct json_object *into, struct json_object *from)
{
	if (!json_object_is_type(from, json_type_object))
		return;
	json_object_object_foreach(from, key, value)
	{
		struct json_object *mine;

		if (!json_object_object_get_ex(into, key, &mine))
			json_object_object_add(into, key, json_object_get(value));
		else if (json_object_is_type(mine, json_type_object) &&
			 json_object_is_type(value, json_type_object))
			status_merge(mine, value);
		else if (json_object_is_type(mine, json_type_int) &&
			 json_object_is_type(value, json_type_int))
			json_object_int_inc(mine, json_object_get_int64(value));
	}
}

struct json_object *status_object(struct json_object *status, const char *name)
{
	return status_member(status_member(status, "objects"), name);
}

struct json_object *status_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

const char *status_text(struct json_object *object, const char *key)
{
	return json_object_get_string(status_member(object, key));
}

int64_t status_number(struct json_object *object, const char *key)
{
	return json_object_get_int64(status_member(object, key));
}

static bool is_boolean(struct json_object *value)
{
	return json_object_is_type(value, json_type_boolean);
}

bool status_is_true(struct json_object *object, const char *key)
{
	struct json_object *value = status_member(object, key);

	return is_boolean(value) && json_object_get_boolean(value);
}

bool status_is_false(struct json_object *object, const char *key)
{
	struct json_object *value = status_member(object, key);

	return is_boolean(value) && !json_object_get_boolean(value);
}

size_t status_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *status_item(struct json_object *array, size_t i)
{
	return json_object_array_get_idx(array, i);
}

void status_each_number(struct json_object *object,
			void (*each)(void *ctx, const char *key, int64_t number), void *ctx)
{
	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach(object, key, value)
	{
		if (json_object_is_type(value, json_type_int))
			each(ctx, key, json_object_get_int64(value));
	}
}

const char *status_json(struct json_object *value, const char *otherwise)
{
	const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;

	return value ? json_object_to_json_string_ext(value, flags) : otherwise;
}
