#include "fs/tree.h"

#include <stdlib.h>

#include "fs/dirs.h"
#include "fs/tree_internal.h"

static void on_news(void *ctx, const struct catalogue_news *news)
{
    const struct tree *t = ctx;

    t->settings.news(t->settings.news_ctx, t->settings.hub, news);
}

struct tree *tree_new(const struct tree_settings *settings)
{
    struct tree *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    if (kinds_init(&t->kinds, settings->root ? settings->root : &dir_root) != OK) {
        free(t);
        return NULL;
    }
    t->settings = *settings;
    t->catalogue = settings->catalogue;
    t->mounted = clock_wall();
    nodes_init(&t->nodes);
    sizes_init(&t->sizes);
    memo_init(&t->restarts);
    memo_init(&t->shortened);
    atomic_init(&t->messages, 1);
    atomic_init(&t->versions, 1);
    atomic_init(&t->stale_since_ms, 0);
    atomic_init(&t->stale_count, 0);
    if (t->catalogue && t->settings.news)
        catalogue_watch(t->catalogue, on_news, t);
    return t;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    if (t->catalogue && t->settings.news)
        catalogue_watch(t->catalogue, NULL, NULL);
    memo_fini(&t->shortened);
    memo_fini(&t->restarts);
    sizes_fini(&t->sizes);
    nodes_fini(&t->nodes);
    free(t);
}

enum node_class tree_class(node n)
{
    return kind_class(node_kind(n)); /* that of a root is 0, as its kind is */
}

void tree_forget(struct tree *t, node n, uint64_t count)
{
    const struct kind *kind = kinds_get(&t->kinds, node_kind(n));

    if (kind)
        nodes_forget(&t->nodes, place_space(kind), node_index(n), count);
}

enum err tree_hold(struct tree *t, const struct attr *a, struct str id)
{
    const struct kind *kind = kinds_get(&t->kinds, node_kind(a->node));

    if (!kind)
        return ERR_BUG;
    enum err err = place_hold(t, kind, node_view(a->node), node_index(a->node), id);
    if (err == OK)
        place_told(t, kind, a);
    return err;
}

enum err tree_hold_again(struct tree *t, node n)
{
    const struct kind *kind = kinds_get(&t->kinds, node_kind(n));
    struct text *id = kind ? nodes_text(&t->nodes, place_space(kind), node_index(n)) : NULL;
    enum err err = ERR_NOT_FOUND;

    if (id)
        err = place_hold(t, kind, node_view(n), node_index(n), text_str(id));
    text_unref(id);
    return err;
}

uint64_t tree_instance_count(struct tree *t)
{
    struct listing *l = t->catalogue ? catalogue_listing_now(t->catalogue, LIST_INSTANCES) : NULL;
    uint64_t n = l ? listing_count(l) : 0;

    listing_unref(l);
    return n;
}

enum err tree_folders(struct tree *t, struct call *call, const struct place *dir,
                      struct folders *ret)
{
    CLEANUP(listing_unref) struct listing *l = NULL;
    enum err err = catalogue_listing(t->catalogue, call, place_dir(dir)->what, &l);

    if (err == OK)
        err = place_dir(dir)->folders(l, call, place_text(dir), ret);
    if (err == OK && ret->err != OK)
        err = call_fail(call, ret->err, "out of memory");
    return err;
}

void tree_drop_cached(struct tree *t)
{
    memo_clear(&t->shortened);
    catalogue_forget(t->catalogue);
}

/* -- attributes -- */

void tree_attr_sent(struct tree *t, node n, struct attr *ret)
{
    attrs_message(t, n, ret);
}

enum err tree_attr(struct tree *t, struct call *call, node n, bool exact, struct attr *ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = place_of(t, call, n, &p);

    if (err != OK)
        return err;
    if (p.kind->is_message) {
        attrs_message(t, n, ret);
        return OK;
    }
    err = subject_get(t, call, &p, &s);
    if (err != OK)
        return err;
    if (!p.kind->file) {
        attrs_dir(t, p.kind, n, place_text(&p), s.row, s.hold.known_ms, ret);
        return OK;
    }
    if (!file_is_present(p.kind->file, s.row))
        return call_fail(call, ERR_NOT_FOUND, "there is no %s in this state", p.kind->file->name);
    return attrs_file(t, call, &p, s.row, s.hold.known_ms, exact, ret);
}
