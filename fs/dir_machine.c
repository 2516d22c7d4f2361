#include "backend/base/jsonw.h"
#include "fs/dirs.h"
#include "fs/progress.h"
#include "fs/tree_internal.h"

/* Each hub that this directory speaks of: its own, or, at the top of a mount of several, all. */
static void each_hub(struct tree *t, void (*visit)(void *ctx, struct tree *t), void *ctx)
{
    const struct tree_whole *whole = t->settings.whole;

    if (whole)
        whole->each(whole->ctx, visit, ctx);
    else
        visit(ctx, t);
}

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

struct sums {
    struct catalogue_stats catalogue;
    struct hub_stats hub;
    uint64_t nodes;
};

static void sum_catalogue(struct catalogue_stats *sum, const struct catalogue_stats *c)
{
    sum->hits += c->hits;
    sum->misses += c->misses;
    sum->instances += c->instances;
    for (int s = 0; s < STATUS_COUNT; s++)
        sum->by_status[s] += c->by_status[s];
    sum->listed |= c->listed;
    sum->listing_bytes += c->listing_bytes;
    sum->cache_bytes += c->cache_bytes;
    sum->refreshes += c->refreshes;
    sum->read_ahead += c->read_ahead;
    sum->read_ahead_used += c->read_ahead_used;
}

static void sum_hub(struct hub_stats *sum, const struct hub_stats *h)
{
    sum->table_requests += h->table_requests;
    sum->queue_requests += h->queue_requests;
    sum->blob_requests += h->blob_requests;
    sum->bytes_in += h->bytes_in;
    sum->bytes_out += h->bytes_out;
    sum->retries += h->retries;
    sum->errors += h->errors;
    sum->latency_ms_total += h->latency_ms_total;
}

static void visit_stats(void *ctx, struct tree *t)
{
    struct sums *sums = ctx;
    struct catalogue_stats c = { 0 };
    struct hub_stats h = { 0 };

    catalogue_stats(t->catalogue, &c);
    hub_stats(catalogue_hub(t->catalogue), &h);
    sum_catalogue(&sums->catalogue, &c);
    sum_hub(&sums->hub, &h);
    sums->nodes += nodes_count(&t->nodes);
}

static enum err machine_stats_show(const struct view *v, struct buf *out)
{
    struct sums sums = { 0 };
    const struct catalogue_stats *c = &sums.catalogue;
    struct jsonw w;

    each_hub(v->tree, visit_stats, &sums);
    jsonw_init(&w, out);
    jsonw_object(&w);
    add_instances(&w, c);
    add_traffic(&w, &sums.hub);
    begin(&w, "cache");
    add_number(&w, "hits", c->hits);
    add_number(&w, "misses", c->misses);
    add_number(&w, "refreshes", c->refreshes);
    add_number(&w, "readAhead", c->read_ahead);
    add_number(&w, "readAheadUsed", c->read_ahead_used);
    add_number(&w, "bytes", c->cache_bytes);
    add_number(&w, "listingBytes", c->listing_bytes);
    jsonw_object_end(&w);
    add_number(&w, "heldNodes", sums.nodes);
    jsonw_object_end(&w);
    buf_add_ch(out, '\n');
    return OK;
}

/* -- progress -- */

static void add_load(struct tree *t, enum list_what what, const char *name, struct buf *out)
{
    CLEANUP_BUF struct buf text = BUF_INIT(KIB);
    struct catalogue_load load;

    if (!catalogue_loading(t->catalogue, what, &load))
        return;
    buf_printf(&text, "list %s%s%s", t->settings.prefix ? t->settings.prefix : "",
               t->settings.prefix ? "/" : "", name);
    progress_print_line(out,
                        clock_wall() - (clock_now_ms() - load.since_ms) * (TICKS_PER_SEC / 1000),
                        buf_str(&text), load.done, load.of);
}

static void visit_loads(void *ctx, struct tree *t)
{
    add_load(t, LIST_INSTANCES, "instances", ctx);
    add_load(t, LIST_ENTITIES, "entities", ctx);
}

static enum err machine_progress_show(const struct view *v, struct buf *out)
{
    each_hub(v->tree, visit_loads, out);
    progress_print(v->tree->settings.progress, out);
    return OK;
}

/* -- queues, refresh -- */

static enum err machine_queues_fetch(struct tree *tree, struct call *call, struct buf *out)
{
    struct hub *hub = catalogue_hub(tree->catalogue);

    return hub_can(hub, CAP_INSPECT) ? hub_inspect(hub, call, out) : OK;
}

static enum err machine_refresh_store(struct tree *tree, struct call *call, struct str text)
{
    const struct tree_whole *whole = tree->settings.whole;

    if (whole)
        whole->forget(whole->ctx);
    else
        tree_drop_cached(tree);
    return OK;
}

/* The first is of one hub only. */
#define HUB_FILES 1
static const struct file_def machine_files[] = {
    { .name = "queues",
      .about = "queues, their approximate lengths, owners of the partitions, tab-separated",
      .mode = 0444,
      .fetch = machine_queues_fetch },
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
    { .name = "progress",
      .about = "long operations under way: since, what, done, of, tab-separated",
      .mode = 0444,
      .show = machine_progress_show },
    { .name = "refresh",
      .about = "write anything to drop everything cached",
      .mode = 0644,
      .store = machine_refresh_store },
    { 0 },
};

const struct dir_def dir_machine = {
    .name = ".taskhubfs",
    .about = "the mount itself: version, config, stats, errors, progress, refresh, queues",
    .class = CLASS_DIR_VIEW,
    .files = machine_files,
};

/* -- the top of a mount of all hubs -- */

static const struct dir_def dir_account_machine = {
    .name = ".taskhubfs",
    .about = "the mount as a whole: version, config, stats, errors, progress, refresh",
    .class = CLASS_DIR_VIEW,
    .files = machine_files + HUB_FILES,
};

static const struct dir_def *const account_dirs[] = { &dir_account_machine, NULL };

const struct dir_def dir_account = {
    .about = "every task hub of the account",
    .class = CLASS_DIR_VIEW,
    .dirs = account_dirs,
};
