#include "backend/storage/wire.h"

#include <stdio.h>

#include "backend/base/clock.h"
#include "backend/storage/access.h"
#include "backend/storage/refusal.h"

#define ACCEPT_JSON   "application/json;odata=nometadata" /* the exact text (Azurite facts 5.1) */
#define CLOCK_ERROR_S 300 /* the service refuses 15 minutes; worth a word from here on */
#define PATH_SHOWN    240 /* bytes of a URL's path in a sentence */

void wire_url(struct buf *url, const struct storage *s, enum service service)
{
    buf_add_c(url, s->account.endpoints[service]);
}

void wire_header(struct http_request *r, const char *name, struct str value)
{
    for (int i = 0; i < HTTP_HEADERS; i++)
        if (!r->headers[i].name) {
            r->headers[i] = (struct http_header){ name, value };
            return;
        }
}

static bool has_header(const struct http_request *r, const char *name)
{
    for (int i = 0; i < HTTP_HEADERS && r->headers[i].name; i++)
        if (str_eq_nocase(str_c(r->headers[i].name), str_c(name)))
            return true;
    return false;
}

enum err wire_sign(void *ctx, const struct http_request *r, struct buf *out, struct buf *url_suffix,
                   unsigned *ret_edition)
{
    const struct wire_context *w = ctx;
    CLEANUP_BUF struct buf date = BUF_INIT(64);
    struct sign_moment moment = { .version = STR(WIRE_VERSION) };
    enum err err;

    ticks_print_http(&date, clock_wall());
    if ((err = buf_err(&date)) != OK)
        return err;
    moment.date = buf_str(&date);
    buf_printf(out, "x-ms-version: %s\nx-ms-date: " STR_FMT "\n", WIRE_VERSION,
               STR_ARG(moment.date));
    err = access_sign(w->storage, w->service, r, &moment, out, url_suffix, ret_edition);
    return err != OK ? err : buf_err(out);
}

bool wire_renew(void *ctx, const struct http_response *r, unsigned edition)
{
    const struct wire_context *w = ctx;
    struct refusal why;
    enum err err;

    refusal_read(&why, r);
    err = refusal_outcome(&why, CLASS_READ, access_is_sas(w->storage));
    return (err == ERR_KEY_REJECTED || err == ERR_KEY_EXPIRED) && access_renew(w->storage, edition);
}

/* "GET /MyHubInstances()": enough to know what was asked, without a query that may be long. */
static struct str shown_path(const struct storage *s, enum service service,
                             const struct http_request *r)
{
    struct str path = r->url;
    struct str endpoint = str_c(s->account.endpoints[service]);

    if (str_starts(path, endpoint))
        path = str_slice(path, endpoint.len, path.len);
    path = str_cut(&path, '?');
    return str_slice(path, 0, PATH_SHOWN);
}

static void note_answer(struct call *call, const struct refusal *why, const struct http_response *r)
{
    struct str id;

    call->http_status = why->status;
    snprintf(call->code, sizeof(call->code), "%s", why->code);
    call->request_id[0] = '\0';
    if (response_header(r, "x-ms-request-id", &id))
        snprintf(call->request_id, sizeof(call->request_id), STR_FMT,
                 STR_ARG(str_slice(id, 0, sizeof(call->request_id) - 1)));
}

static const char *hint(const struct refusal *why, enum err err, const struct http_response *r,
                        char *space, size_t size)
{
    int64_t ahead_s;

    if (err != ERR_KEY_REJECTED && err != ERR_KEY_EXPIRED)
        return why->status >= 300 && why->status < 400 ? " (redirects are not followed)" : "";
    if (!refusal_clock_error(r, &ahead_s) || (ahead_s < CLOCK_ERROR_S && ahead_s > -CLOCK_ERROR_S))
        return "";
    snprintf(space, size, " (this machine's clock is %lld s %s the server's)",
             (long long)(ahead_s < 0 ? -ahead_s : ahead_s), ahead_s < 0 ? "behind" : "ahead of");
    return space;
}

static enum err refused(struct storage *s, struct call *call, enum service service,
                        const struct http_request *r, const struct http_response *response)
{
    struct refusal why;
    char space[96];
    enum err err;

    refusal_read(&why, response);
    err = refusal_outcome(&why, r->class, access_is_sas(s));
    note_answer(call, &why, response);
    return call_fail(call, err, "%s " STR_FMT " of account %s: %d%s%s%s%s%s",
                     http_method_name(r->method), STR_ARG(shown_path(s, service, r)),
                     s->account.name, why.status, why.code[0] ? " " : "", why.code,
                     why.message[0] ? ": " : "", why.message,
                     hint(&why, err, response, space, sizeof(space)));
}

enum err wire_send(struct storage *s, struct call *call, enum service service,
                   struct http_request *r, struct http_response *ret)
{
    struct http_request sent = *r;
    enum err err;

    if (!sent.max_body)
        sent.max_body = WIRE_BODY_MAX;
    if (service == SERVICE_TABLES && !has_header(&sent, "Accept"))
        wire_header(&sent, "Accept", STR(ACCEPT_JSON));
    err = http_send(s->clients[service], call, &sent, true, ret);
    if (err != OK || (ret->status >= 200 && ret->status < 300))
        return err;
    return refused(s, call, service, &sent, ret);
}

void wire_forgive(struct call *call)
{
    call->err = OK;
    call->http_status = 0;
    call->code[0] = call->request_id[0] = call->text[0] = '\0';
}

enum err wire_deleted(struct call *call, enum err err, bool *ret_was_there)
{
    bool was_there = err == OK;

    if (err == ERR_NOT_FOUND ||
        (err == ERR_BUSY && str_ends(str_c(call->code), STR("BeingDeleted")))) {
        wire_forgive(call);
        err = OK;
    }
    if (err == OK && ret_was_there)
        *ret_was_there = was_there;
    return err;
}
