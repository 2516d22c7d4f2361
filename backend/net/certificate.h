/* certificate: whose certificate a server shows, asked after it was refused, so that the reason can
 * name it (F6): curl's own words do not.
 * Knows one more TLS handshake, unverified; sends no request and no secret over it.
 * Ownership: none. Threads: any. */
#ifndef BACKEND_NET_CERTIFICATE_H
#define BACKEND_NET_CERTIFICATE_H

#include "backend/base/call.h"

/* The subject, "CN = host" or the like, for https://place/ ("host:port"); "" when it cannot be had
 * before connect_ms or the call's end. The text is the server's: untrusted. */
void certificate_subject(struct call *call, const char *place, int64_t connect_ms, char *ret,
                         size_t size);

#endif
