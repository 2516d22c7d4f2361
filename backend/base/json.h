/* json: small whole documents (configuration files) as a cJSON tree behind typed getters.
 * Comments and a byte order mark are accepted, trailing commas too (storage messages 7.1, 7.4).
 * Not for pages or payloads: jsonread.h.
 * Ownership: json_parse gives a tree that json_free wipes (settings hold keys) and frees;
 * everything returned is borrowed from it. Threads: private. */
#ifndef BACKEND_BASE_JSON_H
#define BACKEND_BASE_JSON_H

#include "backend/base/err.h"
#include "backend/base/str.h"

struct json; /* = cJSON, known to json.c only */

/* NULL: not JSON, too deep, \u0000 in it, no memory. */
struct json *json_parse(struct str document);
struct json *json_free(struct json *j);
const struct json *json_member(const struct json *object, const char *name); /* exact case */
/* Ignoring case; the first match. */
const struct json *json_member_nocase(const struct json *object, const char *name);
/* Follows names, ignoring case, as configuration keys do:
 * json_path(j, "extensions", "durableTask", NULL). */
const struct json *json_path(const struct json *j, ...) __attribute__((sentinel));
bool json_is_object(const struct json *j);
bool json_get_str(const struct json *j, struct str *ret);
bool json_get_i64(const struct json *j, int64_t *ret); /* a whole number, or a string that is one */
bool json_get_bool(const struct json *j, bool *ret);
/* Walks the members of an object: for (m = json_first(j); m; m = json_next(m)). */
const struct json *json_first(const struct json *object);
const struct json *json_next(const struct json *member);
struct str json_name(const struct json *member);
DEFINE_CLEANUP(struct json, json_free)

#endif
