/* client: what the tests of this room share: a client with quick figures, and requests to a server.
 * Ownership: test_client's is freed by http_client_free. Threads: the test's own. */
#ifndef TESTS_BACKEND_NET_CLIENT_H
#define TESTS_BACKEND_NET_CLIENT_H

#include "backend/net/http.h"
#include "backend/net/net_internal.h"

/* Real limits, but waits of a few ms and a slowness limit of one second. */
struct tuning quick_tuning(void);
struct http_client *quick_client(int connections);

/* A request to http://127.0.0.1:port/devstore/table?sig=hidden; its URL lives in url. */
struct http_request request_to(char url[128], int port, enum http_method method,
                               enum http_class class);
#define TEST_MAX_BODY 4096
#define TEST_BODY     "{\"a\":1}"

/* Answers with and without a body. */
#define HEAD_OK   "HTTP/1.1 200 OK\r\nx-ms-request-id: r1\r\nx-ms-client-request-id: $ID\r\n"
#define ANSWER_OK HEAD_OK "Content-Length: 5\r\n\r\nhello"

/* A call of 20 s, long enough for never mattering. */
struct call patient_call(void);

#endif
