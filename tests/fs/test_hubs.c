#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/base/limits.h"
#include "fs/hubs.h"
#include "tests/fs/check.h"

struct scene {
    struct options o;
    struct hubs h;
    struct call call;
    struct buf why;
    enum err err;
};

/* Only the demo needs no account. */
static void begin(struct scene *s, const char *line)
{
    static char text[1024];
    char *argv[16] = { (char *)"taskhubfs", (char *)"--demo" };
    int argc = 2;

    *s = (struct scene){ .why = BUF_INIT(KIB) };
    snprintf(text, sizeof(text), "%s /mnt", line);
    for (char *rest = text, *word; (word = strtok_r(rest, " ", &rest));)
        argv[argc++] = word;
    options_init(&s->o);
    if (!options_parse(&s->o, argc, argv, &s->why))
        fail_msg("%s: %s", line, buf_c(&s->why));
    call_init(&s->call, 60000);
    s->err = hubs_open(&s->h, &s->o, &s->call);
}

static void end(struct scene *s)
{
    hubs_close(&s->h);
    options_fini(&s->o);
    buf_fini(&s->why);
}

static void expect_name(struct scene *s, const char *want)
{
    char name[64];

    assert_int_equal(s->err, OK);
    hubs_name(&s->h, name, sizeof(name));
    assert_string_equal(name, want);
}

static void test_one(void **state)
{
    struct scene s;
    struct forest_settings settings = { 0 };
    struct buf out = BUF_INIT(4 * KIB);

    begin(&s, "");
    expect_name(&s, "Demo@memory");
    hubs_plant(&s.h, &settings);
    assert_ptr_equal(settings.tree.catalogue, s.h.only);
    assert_null(settings.hubs.discover);
    assert_null(settings.tree.http.base);
    hubs_print(&s.h, &out);
    assert_non_null(strstr(buf_c(&out), "hub\tDemo\tdefault\n"));
    buf_fini(&out);
    end(&s);
}

static void test_all(void **state)
{
    struct scene s;
    struct forest_settings settings = { .tree = { .ttl_ms = 1000, .version = "1" } };
    struct attr a;
    int64_t negative_ms;

    begin(&s, "--all-hubs");
    expect_name(&s, "memory");
    assert_int_equal(s.h.count, 1);
    assert_null(s.h.only);
    hubs_plant(&s.h, &settings);
    struct forest *f = forest_new(&settings);
    assert_int_equal(forest_discover(f, &s.call), OK);
    assert_int_equal(forest_lookup(f, &s.call, NODE_ROOT, STR("Demo"), &a, &negative_ms), OK);
    assert_int_equal(forest_lookup(f, &s.call, a.node, STR("instances"), &a, &negative_ms), OK);
    assert_int_equal(forest_lookup(f, &s.call, a.node, STR("order-17"), &a, &negative_ms), OK);
    assert_int_equal(forest_lookup(f, &s.call, NODE_ROOT, STR("Nope"), &a, &negative_ms),
                     ERR_NOT_FOUND);
    forest_forget(f, a.node, 1);
    forest_free(f);
    end(&s);
}

static void expect_base(const char *url, const char *base)
{
    struct scene s;
    struct forest_settings settings = { 0 };
    char line[256];

    snprintf(line, sizeof(line), "--http-url=%s", url);
    begin(&s, line);
    assert_int_equal(s.err, OK);
    hubs_plant(&s.h, &settings);
    assert_string_equal(settings.tree.http.base, base);
    assert_string_equal(settings.tree.http.connection, "Storage");
    struct buf key = BUF_INIT(KIB);
    settings.tree.http.add_key(settings.tree.http.ctx, &key);
    assert_int_equal(key.len, 0);
    buf_fini(&key);
    end(&s);
}

static void test_addresses(void **state)
{
    expect_base("http://localhost:7071", "http://localhost:7071/runtime/webhooks/durabletask");
    expect_base("https://app.example/", "https://app.example/runtime/webhooks/durabletask");
    expect_base("http://127.0.0.1:17071/durabletask/", "http://127.0.0.1:17071/durabletask");
}

static void expect_key(struct scene *s, const char *want)
{
    struct forest_settings settings = { 0 };
    struct buf out = BUF_INIT(KIB);

    hubs_plant(&s->h, &settings);
    settings.tree.http.add_key(settings.tree.http.ctx, &out);
    assert_string_equal(buf_c(&out), want);
    buf_fini(&out);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void test_F57_the_key_is_read_again(void **state)
{
    char path[] = "/tmp/test_hubs.XXXXXX", line[256];
    struct scene s;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    write_file(path, "k1");
    snprintf(line, sizeof(line), "--http-url=http://h --http-key-file=%s", path);
    begin(&s, line);
    assert_int_equal(s.err, OK);
    write_file(path, "k2\n");
    expect_key(&s, "&code=k1");
    hubs_reload(&s.h);
    expect_key(&s, "&code=k2");
    write_file(path, "not a key");
    hubs_reload(&s.h);
    expect_key(&s, "&code=k2");
    assert_int_equal(unlink(path), 0);
    hubs_reload(&s.h);
    expect_key(&s, "&code=k2");
    end(&s);
}

static void test_the_key_is_in_no_text(void **state)
{
    char path[] = "/tmp/test_hubs.XXXXXX", line[256];
    struct buf out = BUF_INIT(16 * KIB);
    struct scene s;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "k3y==\n", 6), 6);
    close(fd);
    snprintf(line, sizeof(line), "--http-url=http://h --http-key-file=%s", path);
    begin(&s, line);
    assert_int_equal(s.err, OK);
    expect_key(&s, "&code=k3y==");
    hubs_print(&s.h, &out);
    options_print(&s.o, &out);
    assert_null(strstr(buf_c(&out), "k3y"));
    end(&s);
    assert_int_equal(unlink(path), 0);
    begin(&s, line);
    assert_int_equal(s.err, ERR_INVALID);
    assert_non_null(strstr(s.call.text, path));
    end(&s);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_the_key_is_in_no_text),
        cmocka_unit_test(test_F57_the_key_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
