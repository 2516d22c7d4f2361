/* format: values as text: the lines of `status`, payloads, JSON inside a tab-separated column.
 * Knows text and JSON tokens; not which file a value stands in.
 * Ownership: appends to the caller's buf, which keeps its own failure.
 * Threads: any. Formats: mount layout 3. */
#ifndef FS_FORMAT_H
#define FS_FORMAT_H

#include "backend/base/clock.h"

/* Text in which control characters (C0, DEL), backslashes and bytes that are not UTF-8 are escaped
 * as in JSON, without quotes: safe in a line, a column and on a terminal. */
void format_escaped(struct buf *out, struct str s);

/* The same for text of several lines: line feeds and tabs stay, CR LF becomes LF, backslashes stay.
 */
void format_readable(struct buf *out, struct str s);

/* "Key:<TAB>value\n"; nothing for an absent value ("" or TICKS_NONE). */
void format_line(struct buf *out, const char *key, struct str value);
void format_time_line(struct buf *out, const char *key, ticks value);

/* A payload byte for byte, and a newline if it is not empty and has none (mount layout 3.2). */
void format_payload(struct buf *out, struct str payload);

/* One JSON value on one line without tabs: stored JSON keeps its bytes, but tabs and line breaks
 * between its tokens become blanks; text that is not JSON becomes a JSON string; "" stays "". */
void format_json_column(struct buf *out, struct str stored);
/* Only the blanks: json is one JSON value. */
void format_json_line(struct buf *out, struct str json);

/* Stored text as a JSON value of a document (http management api 6.1): blank is "", JSON is itself,
 * anything else a JSON string. */
void format_json_value(struct buf *out, struct str stored);

#endif
