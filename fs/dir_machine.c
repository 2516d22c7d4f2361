#include "backend/base/jsonw.h"
#include "fs/dirs.h"
#include "fs/tree_internal.h"

static enum err machine_version_show(const struct view *v, struct buf *out)
{
    buf_add_c(out, v->tree->settings.version);
    buf_add_ch(out, '\n');
    return OK;
}

static enum err machine_config_show(const struct view *v, struct buf *out)
{
    if (v->tree->settings.print_config)
        v->tree->settings.print_config(v->tree->settings.ctx, out);
    return OK;
}

static enum err machine_errors_show(const struct view *v, struct buf *out)
{
    failures_print(v->tree->settings.failures, out);
    return OK;
}

/* -- stats -- */

static void add_number(struct jsonw *w, const char *name, uint64_t n)
{
    jsonw_name(w, name);
    jsonw_i64(w, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static void begin(struct jsonw *w, const char *name)
{
    jsonw_name(w, name);
    jsonw_object(w);
}

static void add_instances(struct jsonw *w, const struct catalogue_stats *c)
{
    begin(w, "instances");
    for (enum status s = 0; s < STATUS_COUNT; s++)
        if (s != STATUS_UNKNOWN || c->by_status[s] > 0)
            add_number(w, status_name(s), c->by_status[s]);
    jsonw_object_end(w);
    jsonw_name(w, "listed");
    jsonw_bool(w, c->listed);
}

static void add_traffic(struct jsonw *w, const struct hub_stats *h)
{
    uint64_t requests = h->table_requests + h->queue_requests + h->blob_requests;

    begin(w, "requests");
    add_number(w, "table", h->table_requests);
    add_number(w, "queue", h->queue_requests);
    add_number(w, "blob", h->blob_requests);
    jsonw_object_end(w);
    begin(w, "bytes");
    add_number(w, "in", h->bytes_in);
    add_number(w, "out", h->bytes_out);
    jsonw_object_end(w);
    add_number(w, "retries", h->retries);
    add_number(w, "errors", h->errors);
    begin(w, "latency");
    add_number(w, "totalMs", h->latency_ms_total);
    add_number(w, "averageMs", requests ? h->latency_ms_total / requests : 0);
    jsonw_object_end(w);
}

static enum err machine_stats_show(const struct view *v, struct buf *out)
{
    struct catalogue *catalogue = v->tree->catalogue;
    struct catalogue_stats c = { 0 };
    struct hub_stats h = { 0 };
    struct jsonw w;

    catalogue_stats(catalogue, &c);
    hub_stats(catalogue_hub(catalogue), &h);
    jsonw_init(&w, out);
    jsonw_object(&w);
    add_instances(&w, &c);
    add_traffic(&w, &h);
    begin(&w, "cache");
    add_number(&w, "hits", c.hits);
    add_number(&w, "misses", c.misses);
    add_number(&w, "refreshes", c.refreshes);
    add_number(&w, "bytes", c.cache_bytes);
    add_number(&w, "listingBytes", c.listing_bytes);
    jsonw_object_end(&w);
    add_number(&w, "heldNodes", nodes_count(&v->tree->nodes));
    jsonw_object_end(&w);
    buf_add_ch(out, '\n');
    return OK;
}

/* -- queues, refresh -- */

static enum err machine_queues_fetch(struct tree *tree, struct call *call, struct buf *out)
{
    struct hub *hub = catalogue_hub(tree->catalogue);

    return hub_can(hub, CAP_INSPECT) ? hub_inspect(hub, call, out) : OK; /* the demo has none */
}

static enum err machine_refresh_store(struct tree *tree, struct call *call, struct str text)
{
    memo_clear(&tree->shortened);
    catalogue_forget(tree->catalogue);
    return OK;
}

static const struct file_def machine_files[] = {
    { .name = "version",
      .about = "the version of this program",
      .mode = 0444,
      .constant = true,
      .show = machine_version_show },
    { .name = "config",
      .about = "the settings in force and where each came from",
      .mode = 0444,
      .show = machine_config_show },
    { .name = "stats",
      .about = "instances per status, requests, bytes, cache hits, retries, latencies, as JSON",
      .mode = 0444,
      .show = machine_stats_show },
    { .name = "errors",
      .about = "the last failures with their reasons, one JSON object a line",
      .mode = 0444,
      .show = machine_errors_show },
    { .name = "refresh",
      .about = "write anything to drop everything cached",
      .mode = 0644,
      .store = machine_refresh_store },
    { .name = "queues",
      .about = "queues, their approximate lengths, owners of the partitions, tab-separated",
      .mode = 0444,
      .fetch = machine_queues_fetch },
    { 0 },
};

const struct dir_def dir_machine = {
    .name = ".taskhubfs",
    .about = "the mount itself: version, config, stats, errors, refresh, queues",
    .class = CLASS_DIR_VIEW,
    .files = machine_files,
};
