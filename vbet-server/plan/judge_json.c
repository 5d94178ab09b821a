/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan/judge_json.h"

#include "lib/visible.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_DEPTH = 32 };

struct json_object *judge_json_parse(const char *text, bool *ok)
{
	struct json_tokener *t = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *o = json_tokener_parse_ex(t, text, (int)strlen(text));

	/* A number at the top ends with the text. */
	if (json_tokener_get_error(t) == json_tokener_continue)
		o = json_tokener_parse_ex(t, "", 1);
	*ok = json_tokener_get_error(t) == json_tokener_success;
	json_tokener_free(t);
	return o;
}

struct json_object *judge_json_member(struct json_object *o, const char *key, json_type type)
{
	struct json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, type) ? v : NULL;
}

const char *judge_json_text(struct arena *arena, struct json_object *o, const char *key)
{
	struct json_object *v = judge_json_member(o, key, json_type_string);

	if (!v)
		return "";
	char *shown = visible_text(json_object_get_string(v));
	const char *kept = arena_strdup(arena, shown);

	free(shown);
	return kept;
}

size_t judge_json_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}
