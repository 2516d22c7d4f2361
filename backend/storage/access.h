/* access: the key or shared access signature of an account while the mount lives: what signs each
 * request, and how it is read again when the service refuses it or SIGHUP comes (faults and limits
 * F33, F57). Only the way in may change; a connection string that names another account is refused,
 * and the old one stays.
 * Knows struct storage's account and its reread; not where a connection string is kept.
 * Ownership: embedded in struct storage. Threads: any; signing is done under the lock, reading is
 * not. */
#ifndef BACKEND_STORAGE_ACCESS_H
#define BACKEND_STORAGE_ACCESS_H

#include "backend/storage/sign.h"
#include "backend/storage/storage.h"

void access_init(struct storage *s, const struct hub_reread *reread);
void access_fini(struct storage *s);

/* Adds "Authorization: ...\n" to out, or the signature to the query of url_suffix. *ret_edition:
 * which credentials it was, for access_renew. */
MUST_CHECK enum err access_sign(struct storage *s, enum service service,
                                const struct http_request *r, const struct sign_moment *moment,
                                struct buf *out, struct buf *url_suffix, unsigned *ret_edition);
bool access_is_sas(struct storage *s);

/* True: there are other credentials by now than those of that edition, because somebody else has
 * read them or because this call did. What cannot be read or used is told to reread.refused, once a
 * call, and changes nothing. */
bool access_renew(struct storage *s, unsigned edition);
/* Reads them again, whatever the edition. */
void access_reread(struct storage *s);

#endif
