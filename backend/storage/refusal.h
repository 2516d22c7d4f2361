/* refusal: why the service said no, read from an answer whose body is JSON, XML, HTML or empty, and
 * the outcome that follows.
 * Source: Azurite facts 5.5; faults and limits R6, F29-F34, B38, B39.
 * Ownership: embedded, no memory. Threads: any. */
#ifndef BACKEND_STORAGE_REFUSAL_H
#define BACKEND_STORAGE_REFUSAL_H

#include "backend/net/http.h"
#include "backend/storage/account.h"

#define REFUSAL_TEXT_MAX 200 /* bytes of the server's own words that are passed on (B38) */

struct refusal {
    int status;
    char code[64];                      /* "ResourceNotFound"; "" = none was given */
    char message[REFUSAL_TEXT_MAX + 1]; /* its first line, controls replaced */
};

void refusal_read(struct refusal *ret, const struct http_response *r);
/* The same for the inner answer of a transaction, whose body stands alone. */
void refusal_read_body(struct refusal *ret, int status, struct str body);

/* Never OK. with_sas: the identity is a signature with rights of its own, so that "not authorized"
 * means a missing right. */
enum err refusal_outcome(const struct refusal *r, enum http_class class, bool with_sas);

/* By how many seconds our clock is ahead of the server's Date header (negative: behind); false
 * without such a header (F34). */
bool refusal_clock_error(const struct http_response *r, int64_t *ret_s);

#endif
