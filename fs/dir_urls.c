/* The addresses of an instance in the HTTP management API (management API 5). */
#include "backend/base/jsonw.h"
#include "fs/dirs.h"
#include "fs/tree_internal.h"

#define QUERY_MAX (16 * KIB)
#define URL_MAX   (32 * KIB)

/* As the framework's own UrlEncode, but a blank is %20: the '+' that it makes is a plus sign in a
 * path of the Functions host 2.x, so such an address would lead nowhere. */
#define UNENCODED "!*()"

static const struct {
    const char *name, *path;
    bool reason;
} urls[] = {
    { "statusQueryGetUri", "", false },
    { "sendEventPostUri", "/raiseEvent/{eventName}", false },
    { "terminatePostUri", "/terminate", true },
    { "rewindPostUri", "/rewind", true },
    { "purgeHistoryDeleteUri", "", false },
    { "restartPostUri", "/restart", false },
    { "suspendPostUri", "/suspend", true },
    { "resumePostUri", "/resume", true },
};

static void add_query(const struct tree *t, struct buf *query)
{
    const struct tree_http *http = &t->settings.http;

    buf_add_c(query, "taskHub=");
    buf_add_url(query, str_c(catalogue_hub(t->catalogue)->name), UNENCODED);
    buf_add_c(query, "&connection=");
    buf_add_url(query, str_c(http->connection), UNENCODED);
    if (http->add_key)
        http->add_key(http->ctx, query);
}

static void add_url(struct jsonw *w, const char *name, struct buf *url)
{
    jsonw_name(w, name);
    jsonw_str(w, buf_str(url));
}

static void add_urls(const struct view *v, struct jsonw *w, struct str query)
{
    CLEANUP_BUF struct buf url = BUF_INIT(URL_MAX);

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        buf_clear(&url);
        buf_printf(&url, "%s/instances/", v->tree->settings.http.base);
        buf_add_url(&url, v->row->id, UNENCODED);
        buf_printf(&url, "%s?%s", urls[i].path, urls[i].reason ? "reason={text}&" : "");
        buf_add(&url, query);
        add_url(w, urls[i].name, &url);
    }
}

enum err instance_urls_show(const struct view *v, struct buf *out)
{
    CLEANUP_BUF struct buf query = BUF_INIT(QUERY_MAX);
    struct jsonw w;

    if (!v->tree->settings.http.base)
        return ERR_NOT_FOUND;
    add_query(v->tree, &query);
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_name(&w, "id");
    jsonw_str(&w, v->row->id);
    add_urls(v, &w, buf_str(&query));
    jsonw_object_end(&w);
    buf_add_ch(out, '\n');
    return buf_err(&query);
}
