#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/fs/mounted.h"

#define LONG_MS 3600000

static void begin(struct mounted *m)
{
    call_init(&m->call, 10000);
    buf_clear(&m->out);
}

static void print_config(void *ctx, struct buf *out)
{
    buf_add_c(out, "cache-ttl\t3600\tdefault\n");
}

struct mounted *mounted_new(void)
{
    struct mounted *m = calloc(1, sizeof(*m));
    struct catalogue_settings settings = { LONG_MS, 64 << 20, 64 << 20 };

    m->hub = fakehub_new();
    m->catalogue = catalogue_new(&m->hub->hub, &settings);
    m->failures = failures_new();
    buf_init(&m->out, 64 << 20);
    m->settings = (struct tree_settings){ .catalogue = m->catalogue,
                                          .failures = m->failures,
                                          .purge = true,
                                          .uid = 1000,
                                          .gid = 1001,
                                          .umask = 0022,
                                          .ttl_ms = LONG_MS,
                                          .version = "1.2.3",
                                          .print_config = print_config };
    m->tree = tree_new(&m->settings);
    assert_non_null(m->tree);
    begin(m);
    return m;
}

void mounted_again(struct mounted *m)
{
    tree_free(m->tree);
    m->tree = tree_new(&m->settings);
    assert_non_null(m->tree);
}

void mounted_free(struct mounted *m)
{
    tree_free(m->tree);
    catalogue_free(m->catalogue);
    failures_free(m->failures);
    buf_fini(&m->out);
    free(m);
}

void mounted_refresh(struct mounted *m)
{
    catalogue_forget(m->catalogue);
}

enum err mounted_path(struct mounted *m, const char *path, struct attr *ret)
{
    struct str rest = str_c(path);
    enum err err;

    begin(m);
    err = tree_attr(m->tree, &m->call, NODE_ROOT, true, ret);
    while (err == OK && rest.len > 0) {
        node dir = ret->node;
        int64_t negative_ms;

        err = tree_lookup(m->tree, &m->call, dir, str_cut(&rest, '/'), ret, &negative_ms);
        tree_forget(m->tree, dir, 1);
    }
    return err;
}

node mounted_node(struct mounted *m, const char *path)
{
    struct attr a;
    enum err err = mounted_path(m, path, &a);

    if (err != OK)
        fail_msg("%s: %s (%s)", path, err_name(err), m->call.text);
    return a.node;
}

const char *mounted_ls(struct mounted *m, const char *path)
{
    node dir = mounted_node(m, path);
    struct lister *l = NULL;
    struct entry e = { 0 };
    bool more = true;

    begin(m);
    assert_int_equal(tree_opendir(m->tree, &m->call, dir, &l), OK);
    for (;;) {
        enum err err = lister_entry(l, &m->call, e.next, &e, &more);

        if (err != OK)
            fail_msg("%s: %s", path, m->call.text);
        if (!more)
            break;
        buf_add(&m->out, e.name);
        buf_add_c(&m->out, S_ISDIR(e.attr.mode) ? "/ " : " ");
    }
    lister_free(l);
    tree_forget(m->tree, dir, 1);
    return buf_c(&m->out);
}

enum err mounted_read(struct mounted *m, const char *path, struct content *ret)
{
    struct attr a;
    enum err err = mounted_path(m, path, &a);

    if (err != OK)
        return err;
    err = tree_read(m->tree, &m->call, a.node, ret);
    tree_forget(m->tree, a.node, 1);
    return err;
}

const char *mounted_cat(struct mounted *m, const char *path)
{
    struct content c;
    enum err err = mounted_read(m, path, &c);

    if (err != OK)
        fail_msg("%s: %s (%s)", path, err_name(err), m->call.text);
    buf_add(&m->out, text_str(c.text));
    content_fini(&c);
    return buf_c(&m->out);
}

enum err mounted_write(struct mounted *m, const char *path, const char *text)
{
    const char *slash = strrchr(path, '/');
    char parent[512];
    struct target target;
    struct receipt receipt;
    struct attr a, dir;
    enum err err = mounted_path(m, path, &a);

    if (err == OK) {
        err = tree_target(m->tree, &m->call, a.node, &target);
    } else if (err == ERR_NOT_FOUND) {
        snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
        err = mounted_path(m, parent, &dir);
        if (err != OK)
            return err;
        err = tree_create(m->tree, &m->call, dir.node, str_c(slash + 1), &target, &a);
        tree_forget(m->tree, dir.node, 1);
    }
    if (err != OK)
        return err;
    err = tree_act(m->tree, &m->call, &target, text[0] != '\0', str_c(text), &receipt);
    target_fini(&target);
    tree_forget(m->tree, a.node, 1);
    return err;
}
