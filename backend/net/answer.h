/* answer: takes an answer in as curl hands it over, line by line, and decides whether it is one
 * that we accept (F16, F26, F27). Knows status lines and headers; not curl.
 * Ownership: borrows the response it fills. Threads: private to the exchange. */
#ifndef BACKEND_NET_ANSWER_H
#define BACKEND_NET_ANSWER_H

#include "backend/net/net_internal.h"

/* Of an error answer so much is kept; its status counts even if more comes (B38). */
#define ERROR_BODY_MAX (64 * KIB)

struct answer {
    struct http_response *response;
    struct str client_id; /* what an echo must be equal to */
    enum http_class class;
    size_t max_body;
    bool head;       /* the blank line behind the headers was seen */
    bool mixed_up;   /* an echo of another request: the answer is not ours (F27) */
    bool too_big;    /* the body is above max_body */
    bool cut;        /* enough of the body is here, the rest was refused */
    const char *bad; /* why the answer is unacceptable; NULL = it is not */
    size_t head_bytes;
};

/* Empties the response. client_id borrowed. */
void answer_init(struct answer *a, const struct http_request *r, struct str client_id,
                 struct http_response *response);
/* False: stop the transfer. A line with its CR LF; status line, header, blank line or trailer. */
bool answer_line(struct answer *a, struct str line);
bool answer_body(struct answer *a, struct str bytes);

#endif
