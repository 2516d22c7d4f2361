/* digest: SHA-256, HMAC, base64, gzip, random bytes: the standard codings, by OpenSSL and zlib.
 * Knows bytes only.
 * Threads: any. */
#ifndef BACKEND_BASE_DIGEST_H
#define BACKEND_BASE_DIGEST_H

#include "backend/base/buf.h"

void digest_sha256(struct str data, unsigned char ret[32]); /* allocates nothing, cannot fail */
/* ERR_NO_MEMORY: ret is not a signature then. */
MUST_CHECK enum err digest_hmac_sha256(struct str key, struct str data, unsigned char ret[32]);
void digest_hex(struct buf *b, const unsigned char *bytes, size_t n); /* lower case */

void base64_encode(struct buf *b, struct str data); /* standard alphabet, padded, one line */
/* ERR_DAMAGED for anything but padded standard base64 (white space at the ends allowed). */
MUST_CHECK enum err base64_decode(struct buf *b, struct str text);

MUST_CHECK enum err gzip_pack(struct buf *b, struct str data);
/* Several members are concatenated; bytes that are not gzip at all are taken as they are; a bomb
 * ends in ERR_TOO_BIG at the buffer's maximum, damage in ERR_DAMAGED (B40). */
MUST_CHECK enum err gzip_unpack(struct buf *b, struct str data);

void random_bytes(unsigned char *ret, size_t n);
#define GUID_LEN 36                    /* with dashes; 32 without */
void guid_new(char ret[GUID_LEN + 1]); /* random, lower case, dashes */
void guid_new_plain(char ret[32 + 1]); /* 32 hex digits */

#endif
