/* keyfile: a key, or a connection string, that lies in a file only its owner can read.
 * Refused: a link, a directory, a file of somebody else's or that others may read, an empty one,
 * one beyond 64 KiB, one that is not a single line of printable characters (faults and limits B55).
 * The sentence names the file, never what is in it.
 * Ownership: secret_fini. Threads: any. */
#ifndef FS_KEYFILE_H
#define FS_KEYFILE_H

#include "backend/base/call.h"
#include "backend/base/secret.h"

/* ERR_INVALID with a sentence. White space around the key is not part of it. ret keeps what it had
 * unless it is OK. */
MUST_CHECK enum err keyfile_read(const char *path, struct call *call, struct secret *ret);
/* The same with a connection string, whose parts whoever parses it judges. */
MUST_CHECK enum err keyfile_read_connection(const char *path, struct call *call,
                                            struct secret *ret);

#endif
