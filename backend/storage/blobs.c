#include "backend/storage/blobs.h"

#include "backend/base/digest.h"
#include "backend/base/limits.h"
#include "backend/storage/partition.h"
#include "backend/storage/xml.h"

#define MARKER_MAX    (4 * KIB)   /* bytes of a continuation marker */
#define BLOB_NAME_MAX (8 * KIB)   /* 1,024 characters in UTF-8 */
#define MARKER_LOOPS  3           /* equal markers in a row that end a listing (F36) */
#define GZIP_MAX      (160 * MIB) /* what MESSAGE_JSON_MAX can become, if it does not shrink */

static void container_name(char ret[QUEUE_NAME_MAX], const struct storage *s,
                           enum container container)
{
    static const char *const suffixes[CONTAINERS] = {
        [CONTAINER_PAYLOADS] = "largemessages",
        [CONTAINER_LEASES] = "leases",
        [CONTAINER_APPLEASE] = "applease",
    };

    partition_resource(ret, str_c(s->hub_lower), suffixes[container]);
}

static void container_url(struct buf *b, const struct storage *s, enum container container)
{
    char name[QUEUE_NAME_MAX];

    container_name(name, s, container);
    wire_url(b, s, SERVICE_BLOBS);
    buf_add_ch(b, '/');
    buf_add_c(b, name);
}

void blobs_url(struct buf *b, const struct storage *s, enum container container, struct str name)
{
    container_url(b, s, container);
    buf_add_ch(b, '/');
    buf_add_url(b, name, "/");
}

/* Sends a request whose URL is in url; one failed buffer is enough to know. */
static enum err blob_send(struct storage *s, struct call *call, struct buf *url,
                          struct http_request *r, struct http_response *ret)
{
    enum err err = buf_err(url);

    if (err != OK)
        return call_fail(call, err, "the name of a blob is too long");
    r->url = buf_str(url);
    return wire_send(s, call, SERVICE_BLOBS, r, ret);
}

enum err blobs_get(struct storage *s, struct call *call, enum container container, struct str name,
                   size_t max, struct http_response *ret)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ, .max_body = max };

    blobs_url(&url, s, container, name);
    return blob_send(s, call, &url, &r, ret);
}

static enum err put_once(struct storage *s, struct call *call, struct str name, struct str packed)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_PUT, .class = CLASS_IDEMPOTENT, .body = packed };

    blobs_url(&url, s, CONTAINER_PAYLOADS, name);
    wire_header(&r, "Content-Type", STR("application/octet-stream"));
    wire_header(&r, "x-ms-blob-type", STR("BlockBlob"));
    return blob_send(s, call, &url, &r, &response);
}

static enum err make_container(struct storage *s, struct call *call)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_PUT, .class = CLASS_IDEMPOTENT };

    container_url(&url, s, CONTAINER_PAYLOADS);
    buf_add_c(&url, "?restype=container");
    enum err err = blob_send(s, call, &url, &r, &response);
    if (err != OK && str_eq(str_c(call->code), STR("ContainerAlreadyExists"))) {
        wire_forgive(call);
        err = OK;
    }
    if (err == OK)
        atomic_store(&s->no_payloads, false);
    return err;
}

enum err blobs_put(struct storage *s, struct call *call, struct str name, struct str content)
{
    CLEANUP_BUF struct buf packed = BUF_INIT(GZIP_MAX);
    enum err err = gzip_pack(&packed, content);

    if (err != OK)
        return call_fail(call, err, "a payload of %zu bytes cannot be compressed", content.len);
    err = put_once(s, call, name, buf_str(&packed));
    if (err != ERR_NOT_FOUND)
        return err;
    wire_forgive(call);
    err = make_container(s, call);
    return err == OK ? put_once(s, call, name, buf_str(&packed)) : err;
}

enum err blobs_delete(struct storage *s, struct call *call, struct str name, bool *ret_was_there)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_DELETE, .class = CLASS_IDEMPOTENT };

    blobs_url(&url, s, CONTAINER_PAYLOADS, name);
    return wire_deleted(call, blob_send(s, call, &url, &r, &response), ret_was_there);
}

/* -- containers -- */

enum err blobs_container_lease(struct storage *s, struct call *call, enum container container,
                               char ret[LEASE_STATE_MAX])
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    struct str state;

    container_url(&url, s, container);
    buf_add_c(&url, "?restype=container");
    enum err err = blob_send(s, call, &url, &r, &response);
    ret[0] = '\0';
    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    if (!response_header(&response, "x-ms-lease-state", &state) || !state.len)
        state = STR("unknown");
    state = str_slice(state, 0, LEASE_STATE_MAX - 1);
    memcpy(ret, state.p, state.len);
    ret[state.len] = '\0';
    return OK;
}

enum err blobs_delete_container(struct storage *s, struct call *call, enum container container,
                                bool *ret_was_there)
{
    CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_DELETE, .class = CLASS_IDEMPOTENT };

    container_url(&url, s, container);
    buf_add_c(&url, "?restype=container");
    return wire_deleted(call, blob_send(s, call, &url, &r, &response), ret_was_there);
}

/* -- listing -- */

struct walk {
    struct call *call;
    blobs_emit emit;
    blobs_lease emit_lease; /* instead of emit, when a blob is complete */
    void *ctx;
    struct buf name, state; /* of the current blob */
    struct buf marker;      /* of the next page */
};

static enum err on_lease(struct walk *w, struct str path, struct str text)
{
    if (str_eq(path, STR("EnumerationResults/Blobs/Blob/Name")))
        buf_add(&w->name, text);
    if (str_eq(path, STR("EnumerationResults/Blobs/Blob/Properties/LeaseState")))
        buf_add(&w->state, text);
    if (!str_eq(path, STR("EnumerationResults/Blobs/Blob")))
        return OK;
    enum err err = buf_err(&w->name) != OK ? buf_err(&w->name) : buf_err(&w->state);
    if (err == OK)
        err = w->emit_lease(w->ctx, buf_str(&w->name), buf_str(&w->state));
    buf_clear(&w->name);
    buf_clear(&w->state);
    return err;
}

static enum err on_element(void *ctx, struct str path, struct str text)
{
    struct walk *w = ctx;

    if (str_eq(path, STR("EnumerationResults/NextMarker")))
        buf_add(&w->marker, text);
    else if (w->emit_lease)
        return on_lease(w, path, text);
    else if (str_eq(path, STR("EnumerationResults/Blobs/Blob/Name")))
        return w->emit(w->ctx, text);
    return OK;
}

static void list_url(struct buf *url, const struct storage *s, enum container container,
                     struct str prefix, bool stop_at_slash, struct str marker)
{
    container_url(url, s, container);
    buf_add_c(url, "?restype=container&comp=list");
    if (prefix.len) {
        buf_add_c(url, "&prefix=");
        buf_add_url(url, prefix, "/");
    }
    if (stop_at_slash)
        buf_add_c(url, "&delimiter=/");
    if (marker.len) {
        buf_add_c(url, "&marker=");
        buf_add_url(url, marker, "");
    }
}

static enum err list_page(struct storage *s, struct walk *w, struct buf *url)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    struct http_request r = { .method = HTTP_GET, .class = CLASS_READ };
    enum err err = blob_send(s, w->call, url, &r, &response);

    if (err != OK)
        return err;
    buf_clear(&w->marker);
    err = xml_read(w->call, buf_str(&response.body), on_element, w);
    if (err == OK && buf_err(&w->marker) != OK)
        err = call_fail(w->call, ERR_BROKEN, "a list of blobs goes on with an overlong marker");
    call_progress(w->call);
    return err;
}

/* A marker that comes back again and again would never end. */
static enum err follow(struct walk *w, struct buf *marker, unsigned *repeats)
{
    if (!str_eq(buf_str(marker), buf_str(&w->marker)))
        *repeats = 0;
    else if (++*repeats >= MARKER_LOOPS)
        return call_fail(w->call, ERR_BROKEN, "a list of blobs goes on in circles");
    buf_clear(marker);
    buf_add(marker, buf_str(&w->marker));
    return buf_err(marker);
}

static enum err list_pages(struct storage *s, struct walk *w, enum container container,
                           struct str prefix, bool stop_at_slash)
{
    CLEANUP_BUF struct buf marker = BUF_INIT(MARKER_MAX);
    unsigned repeats = 0;
    enum err err;

    do {
        CLEANUP_BUF struct buf url = BUF_INIT(WIRE_URL_MAX);
        list_url(&url, s, container, prefix, stop_at_slash, buf_str(&marker));
        err = list_page(s, w, &url);
        if (err == OK && w->marker.len)
            err = follow(w, &marker, &repeats);
    } while (err == OK && w->marker.len);
    return err;
}

static enum err list(struct storage *s, struct walk *w, enum container container, struct str prefix,
                     bool stop_at_slash)
{
    struct call *call = w->call;

    buf_init(&w->marker, MARKER_MAX);
    buf_init(&w->name, BLOB_NAME_MAX);
    buf_init(&w->state, BLOB_NAME_MAX);
    enum err err = list_pages(s, w, container, prefix, stop_at_slash);
    buf_fini(&w->marker);
    buf_fini(&w->name);
    buf_fini(&w->state);
    /* Only the service's own 404 means that: emit may have met one of its own. */
    if (err == ERR_NOT_FOUND && str_eq(str_c(call->code), STR("ContainerNotFound"))) {
        wire_forgive(call);
        if (container == CONTAINER_PAYLOADS)
            atomic_store(&s->no_payloads, true);
        return OK;
    }
    return err;
}

enum err blobs_list(struct storage *s, struct call *call, enum container container,
                    struct str prefix, bool stop_at_slash, blobs_emit emit, void *ctx)
{
    struct walk w = { .call = call, .emit = emit, .ctx = ctx };

    return list(s, &w, container, prefix, stop_at_slash);
}

enum err blobs_list_leases(struct storage *s, struct call *call, enum container container,
                           blobs_lease emit, void *ctx)
{
    struct walk w = { .call = call, .emit_lease = emit, .ctx = ctx };

    return list(s, &w, container, STR_NONE, false);
}

bool blobs_none(const struct storage *s)
{
    return atomic_load(&s->no_payloads);
}

void blobs_forget(struct storage *s)
{
    atomic_store(&s->no_payloads, false);
}
