/* names: instance ids and other foreign names as legal file names, and back (mount layout 2).
 * Percent escapes (upper-case hex, one per byte) for '/', '%', controls, DEL, a leading '.', and
 * bytes that are not valid UTF-8; a name over 255 bytes is cut to at most 218 at a whole character
 * or escape, then "%~" and 32 hex digits of the SHA-256 of the id. Empty is "%". Threads: any. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include "backend/base/buf.h"

#define NAME_MAX_BYTES 255

/* Writes the file name of an id (terminated) and returns its length. */
size_t name_from_id(char ret[NAME_MAX_BYTES + 1], struct str id);

enum name_kind {
    NAME_PLAIN,     /* decoded into the buffer */
    NAME_SHORTENED, /* holds a hash: find it through the listing by comparing name_from_id */
    NAME_BAD        /* not the canonical spelling of anything: ENOENT */
};
/* Decodes; only the canonical spelling is accepted (%2f and %41 are NAME_BAD). */
enum name_kind name_to_id(struct buf *ret, struct str name);

#endif
