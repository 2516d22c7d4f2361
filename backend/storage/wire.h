/* wire: the thin layer every request to the account goes through: address, version, date,
 * signature, and the translation of refusals into enum err with a sentence. An HTTP status does not
 * leave this provider; within it, call->http_status and call->code tell refusals apart. Ownership:
 * a response is the caller's (response_fini). Threads: any. */
#ifndef BACKEND_STORAGE_WIRE_H
#define BACKEND_STORAGE_WIRE_H

#include "backend/base/limits.h"
#include "backend/storage/storage.h"

#define WIRE_VERSION "2021-12-02" /* x-ms-version: taken by the emulator and every cloud */
#define WIRE_URL_MAX                                                                               \
    (16 * KIB) /* the emulator's limit for line and headers; ours are far below                    \
                */

/* Begins a URL: the endpoint of the service, account in the path where it is path style. Continue
 * with "/" and a percent-encoded path; a query with '?'. The SAS is added when sending. */
void wire_url(struct buf *url, const struct storage *s, enum service service);

/* Appends a header to the request; value and name live as long as the request. */
void wire_header(struct http_request *r, const char *name, struct str value);

/* Sends. r->url is complete (buf_str of the url); r->max_body 0 means WIRE_BODY_MAX. Sets date,
 * version, authorization, and for tables "Accept: application/json;odata=nometadata" unless the
 * request has one. OK only for a status 2xx. Otherwise the error, with call->http_status, ->code
 * and
 * ->request_id set; ret then still holds the answer if there was one (http_status not 0).
 *   404 ERR_NOT_FOUND; 409 EntityAlreadyExists ERR_EXISTS, other 409 ERR_BUSY; 412 ERR_BUSY;
 *   401, 403 by code ERR_KEY_REJECTED, ERR_KEY_EXPIRED or ERR_DENIED; 413 ERR_TOO_BIG;
 *   429, 503 ERR_THROTTLED; timeouts of the service ERR_TIMEOUT for reads, ERR_UNKNOWN_OUTCOME for
 *   writes; everything else ERR_BROKEN. And what http_send gives. */
#define WIRE_BODY_MAX PAGE_MAX_BYTES
MUST_CHECK enum err wire_send(struct storage *s, struct call *call, enum service service,
                              struct http_request *r, struct http_response *ret);

/* Forgets a refusal that the caller handled (a 404 that is an answer): the call is as before. */
void wire_forgive(struct call *call);

/* What a delete comes to: what is not there, or is being deleted already, is success.
 * *ret_was_there, which may be NULL: this request deleted it. */
MUST_CHECK enum err wire_deleted(struct call *call, enum err err, bool *ret_was_there);

/* The callbacks of the clients (provider.c). */
enum err wire_sign(void *ctx, const struct http_request *r, struct buf *out, struct buf *url_suffix,
                   unsigned *ret_edition);
bool wire_renew(void *ctx, const struct http_response *r, unsigned edition);

#endif
