/* keys: instance ids as PartitionKeys, and texts as OData literals and URL parts.
 * The framework escapes UTF-16 code units; here the same is done on UTF-8 (storage tables 2.1).
 * Escaping is not idempotent: rows are addressed by their stored key, an id is escaped once.
 * Ownership: results are appended to the caller's buffers. Threads: any. */
#ifndef BACKEND_STORAGE_KEYS_H
#define BACKEND_STORAGE_KEYS_H

#include "backend/base/buf.h"
#include "backend/base/clock.h"

#define KEY_MAX_BYTES 4096 /* the service takes 512 code units, which are at most 1536 bytes */

void key_escape(struct buf *b, struct str id);
/* False: the key is not well-formed (a '^' at its end); it is appended all the same, '^' kept. */
bool key_unescape(struct buf *b, struct str key);

/* 'it''s', with its quotes (vector 29). */
void key_literal(struct buf *b, struct str text);
/* datetime'2024-05-01T10:00:00.0000000Z' (vector 84). */
void key_literal_time(struct buf *b, ticks t);

/* One more term of a filter: [ and ]column operator 'key'. */
void key_term(struct buf *filter, const char *column, const char *operator, struct str key);
/* The term that leaves entities out, the keys from '@' to 'A'; none where the keys from one bound
 * to another ("" = none) hold none. */
void key_term_no_entities(struct buf *filter, struct str from, struct str to);

/* Both bounds of all keys whose ids begin with prefix: key >= lower and key < upper. False, and
 * nothing appended: an empty prefix, which bounds nothing (vectors 30-35). upper stays empty when
 * nothing is greater. */
bool key_prefix_bounds(struct str id_prefix, struct buf *lower, struct buf *upper);

/* The relative address of a row, percent-encoded: Table(PartitionKey='..',RowKey='..'). */
void key_address(struct buf *b, struct str table, struct str partition_key, struct str row_key);

#endif
