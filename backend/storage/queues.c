#include "backend/storage/queues.h"

#include <stdio.h>

#include "backend/storage/messages.h"
#include "backend/storage/xml.h"

#define PUT_BODY_MAX  (96 * KIB) /* base64 of an inline message, and its XML */
#define PEEK_MAX      (16 * MIB) /* 32 messages of 64 KiB, each character perhaps an entity */
#define MARKER_MAX    (4 * KIB)  /* bytes of a continuation marker */
#define PAGES_MAX     1000       /* pages of a list of queues; a page has 5,000 names */
#define TASK_HUB_META "x-ms-meta-durabletask_taskhub"

static enum err queue_send(struct storage *s, struct call *call, struct buf *url,
                           struct http_request *r, struct http_response *ret)
{
    enum err err = buf_err(url);

    if (err != OK)
        return call_fail(call, err, "the name of a queue is too long");
    r->url = buf_str(url);
    return wire_send(s, call, SERVICE_QUEUES, r, ret);
}

static void queue_url(struct buf *url, const struct storage *s, const char *queue, const char *rest)
{
    wire_url(url, s, SERVICE_QUEUES);
    buf_printf(url, "/%s%s", queue, rest);
}

enum err queues_put(struct storage *s, struct call *call, const char *queue, struct str json,
                    int64_t delay_s)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_BUF struct buf body = BUF_INIT(PUT_BODY_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_POST, .class = CLASS_ONCE };

    queue_url(&url, s, queue, "/messages?messagettl=-1");
    if (delay_s > 0)
        buf_printf(&url, "&visibilitytimeout=%lld", (long long)delay_s);
    message_queue_body(&body, json);
    enum err err = buf_err(&body);
    if (err != OK)
        return call_fail(call, err, "a message of %zu bytes does not fit in a queue", json.len);
    wire_header(&r, "Content-Type", STR("application/xml"));
    r.body = buf_str(&body);
    err = queue_send(s, call, &url, &r, &response);
    /* 201 says that it is there; any other success says nothing we know (F24). */
    if (err == OK && response.status != 201)
        return call_fail(call, ERR_UNKNOWN_OUTCOME,
                         "queue %s answered %d to a message: it may be there", queue,
                         response.status);
    return err;
}

struct peek {
    queues_peeked emit;
    void *ctx;
    size_t count;
};

static enum err on_message(void *ctx, struct str path, struct str text)
{
    struct peek *p = ctx;

    if (!str_eq(path, STR("QueueMessagesList/QueueMessage/MessageText")))
        return OK;
    p->count++;
    return p->emit(p->ctx, text);
}

enum err queues_peek(struct storage *s, struct call *call, const char *queue, queues_peeked emit,
                     void *ctx, size_t *ret_count)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ, .max_body = PEEK_MAX };
    struct peek peek = { .emit = emit, .ctx = ctx };

    queue_url(&url, s, queue, "/messages");
    buf_printf(&url, "?numofmessages=%d&peekonly=true", QUEUE_PEEK_MAX);
    enum err err = queue_send(s, call, &url, &r, &response);
    if (err == OK)
        err = xml_read(call, buf_str(&response.body), on_message, &peek);
    if (err == OK && ret_count)
        *ret_count = peek.count;
    return err;
}

enum err queues_metadata(struct storage *s, struct call *call, const char *queue,
                         struct queue_metadata *ret)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    struct str value;

    queue_url(&url, s, queue, "?comp=metadata");
    enum err err = queue_send(s, call, &url, &r, &response);
    if (err != OK)
        return err;
    *ret = (struct queue_metadata){ .messages = -1 };
    if (response_header(&response, "x-ms-approximate-messages-count", &value))
        (void)str_to_i64(value, &ret->messages);
    if (response_header(&response, TASK_HUB_META, &value) && value.len < sizeof(ret->task_hub))
        snprintf(ret->task_hub, sizeof(ret->task_hub), STR_FMT, STR_ARG(value));
    return OK;
}

struct walk {
    queues_emit emit;
    void *ctx;
    struct buf marker;
};

static enum err on_queue(void *ctx, struct str path, struct str text)
{
    struct walk *w = ctx;

    if (str_eq(path, STR("EnumerationResults/Queues/Queue/Name")))
        return w->emit(w->ctx, text);
    if (str_eq(path, STR("EnumerationResults/NextMarker")))
        buf_add(&w->marker, text);
    return OK;
}

/* Fetches the page that w->marker leads to and leaves the marker of the next in it. */
static enum err list_page(struct storage *s, struct call *call, const char *prefix, struct walk *w)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };

    wire_url(&url, s, SERVICE_QUEUES);
    buf_add_c(&url, "/?comp=list&prefix=");
    buf_add_url(&url, str_c(prefix), "");
    if (w->marker.len) {
        buf_add_c(&url, "&marker=");
        buf_add_url(&url, buf_str(&w->marker), "");
    }
    enum err err = queue_send(s, call, &url, &r, &response);
    if (err != OK)
        return err;
    buf_clear(&w->marker);
    err = xml_read(call, buf_str(&response.body), on_queue, w);
    if (err == OK && buf_err(&w->marker) != OK)
        err = call_fail(call, ERR_BROKEN, "a list of queues goes on with an overlong marker");
    return err;
}

enum err queues_list(struct storage *s, struct call *call, const char *prefix, queues_emit emit,
                     void *ctx)
{
    struct walk w = { .emit = emit, .ctx = ctx, .marker = BUF_INIT(MARKER_MAX) };
    unsigned pages = 0;
    enum err err;

    do {
        err = list_page(s, call, prefix, &w);
        if (err == OK && ++pages == PAGES_MAX && w.marker.len)
            err = call_fail(call, ERR_BROKEN, "a list of queues does not end");
    } while (err == OK && w.marker.len);
    buf_fini(&w.marker);
    return err;
}

enum err queues_delete(struct storage *s, struct call *call, const char *queue, bool *ret_was_there)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_DELETE, .class = CLASS_IDEMPOTENT };

    queue_url(&url, s, queue, "");
    return wire_deleted(call, queue_send(s, call, &url, &r, &response), ret_was_there);
}
