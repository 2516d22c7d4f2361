#include "backend/base/digest.h"
#include "backend/storage/blobs.h"
#include "tests/backend/storage/scene.h"

#define PAYLOADS "/b/myhub-largemessages"
#define LIST     PAYLOADS "?restype=container&comp=list"

static enum err note(void *ctx, struct str name)
{
    struct buf *names = ctx;

    buf_add(names, name);
    buf_add_ch(names, ';');
    return OK;
}

/* All of those names, each with a semicolon, in names. */
static enum err list(struct scene *scene, const char *prefix, bool folder, struct buf *names)
{
    return blobs_list(scene->s, &scene->call, CONTAINER_PAYLOADS, str_c(prefix), folder, note,
                      names);
}

static void test_address_of_a_payload(void **state)
{
    static const struct fake_rule rules[] = { { 0 } };
    CLEANUP_BUF struct buf url = BUF_INIT(1000);
    struct scene *scene = scene_open(state, rules);

    blobs_url(&url, scene->s, CONTAINER_PAYLOADS, STR("a b/ü^@/message-1.json.gz"));
    assert_true(str_ends(buf_str(&url),
                         STR("/b/myhub-largemessages/a%20b/%C3%BC%5E%40/message-1.json.gz")));
    assert_true(str_starts(buf_str(&url), STR("http://127.0.0.1:")));
}

static void test_get(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES(PAYLOADS "/a%20b/x.json.gz", "bytes"),
        REFUSES("GET", "/b/myhub-leases/taskhub.json", 404, "ContainerNotFound"),
        GIVES(PAYLOADS "/big", "123456"),
        { 0 },
    };
    CLEANUP_RESPONSE struct http_response ok = RESPONSE_INIT, gone = RESPONSE_INIT,
                                          big = RESPONSE_INIT;
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(
        blobs_get(scene->s, &scene->call, CONTAINER_PAYLOADS, STR("a b/x.json.gz"), 100, &ok), OK);
    assert_string_equal(buf_c(&ok.body), "bytes");
    assert_int_equal(
        blobs_get(scene->s, &scene->call, CONTAINER_LEASES, STR("taskhub.json"), 100, &gone),
        ERR_NOT_FOUND);
    assert_int_equal(blobs_get(scene->s, &scene->call, CONTAINER_PAYLOADS, STR("big"), 5, &big),
                     ERR_TOO_BIG);
}

/* Somebody else makes it between our two requests: 409 is as good as 201. */
static void test_container_is_made_when_missing(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = LIST,
          .status = 404,
          .headers = CODE("ContainerNotFound"),
          .times = 2 },
        REFUSES("PUT", PAYLOADS "/x", 404, "ContainerNotFound"),
        REFUSES("PUT", PAYLOADS "?restype=container", 409, "ContainerAlreadyExists"),
        DOES("PUT", PAYLOADS "/x", 201),
        { 0 },
    };
    CLEANUP_BUF struct buf text = BUF_INIT(1000);
    CLEANUP_BUF struct buf names = BUF_INIT(1 << 20);
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(list(scene, "", false, &names), OK);
    assert_int_equal(names.len, 0);
    assert_true(blobs_none(scene->s));
    hub_forget(&scene->s->hub);
    assert_false(blobs_none(scene->s));
    assert_int_equal(list(scene, "", false, &names), OK);
    assert_true(blobs_none(scene->s));
    assert_int_equal(blobs_put(scene->s, &scene->call, STR("x"), STR("content")), OK);
    assert_false(blobs_none(scene->s));
    assert_int_equal(gzip_unpack(&text, fakeserver_body(scene->f, 4)), OK);
    assert_string_equal(buf_c(&text), "content");
    assert_int_equal(fakeserver_count(scene->f), 5);
}

static void test_container_that_is_being_deleted(void **state)
{
    static const struct fake_rule rules[] = {
        REFUSES("PUT", PAYLOADS "/x", 404, "ContainerNotFound"),
        REFUSES("PUT", PAYLOADS "?restype=container", 409, "ContainerBeingDeleted"),
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);

    /* The hub is going: as good as gone (F41). */
    assert_int_equal(blobs_put(scene->s, &scene->call, STR("x"), STR("content")), ERR_NOT_FOUND);
    assert_int_equal(fakeserver_count(scene->f), 2);
}

static void test_delete(void **state)
{
    static const struct fake_rule rules[] = {
        DOES("DELETE", PAYLOADS "/x", 202),
        REFUSES("DELETE", PAYLOADS "/y", 404, "BlobNotFound"),
        REFUSES("DELETE", PAYLOADS "/z", 412, "LeaseIdMissing"),
        { 0 },
    };
    struct scene *scene = scene_open(state, rules);
    bool was_there = false;

    assert_int_equal(blobs_delete(scene->s, &scene->call, STR("x"), &was_there), OK);
    assert_true(was_there);
    assert_int_equal(blobs_delete(scene->s, &scene->call, STR("y"), &was_there), OK);
    assert_false(was_there);
    assert_int_equal(blobs_delete(scene->s, &scene->call, STR("z"), &was_there), ERR_BUSY);
}

#define PAGE(names, marker)                                                                        \
    "<EnumerationResults><Prefix>a/</Prefix><Blobs>" names "</Blobs><NextMarker>" marker           \
    "</NextMarker></EnumerationResults>"
#define NAME(n) "<Blob><Name>" n "</Name><Properties><Etag>1</Etag></Properties></Blob>"

static void test_lists_every_page(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES(LIST "&prefix=a%26b/&delimiter=/&marker=2%21x", PAGE("", "")),
        GIVES(LIST "&prefix=a%26b/&delimiter=/&marker=1%2B", PAGE(NAME("a/3"), "2!x")),
        GIVES(LIST "&prefix=a%26b/&delimiter=/",
              PAGE(NAME("a/1") "<BlobPrefix><Name>a/b/</Name></BlobPrefix>" NAME("a/2"), "1+")),
        { 0 },
    };
    CLEANUP_BUF struct buf names = BUF_INIT(1 << 20);
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(list(scene, "a&b/", true, &names), OK);
    assert_string_equal(buf_c(&names), "a/1;a/2;a/3;");
}

static void test_F36_marker_that_goes_round(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = LIST, .status = 200, .body = PAGE("", "same"), .times = -1 },
        { 0 },
    };
    CLEANUP_BUF struct buf names = BUF_INIT(1 << 20);
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(list(scene, "", false, &names), ERR_BROKEN);
    assert_int_equal(fakeserver_count(scene->f), 4);
}

static void test_B39_list_that_is_no_list(void **state)
{
    static const struct fake_rule rules[] = {
        GIVES(LIST, "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
        { 0 },
    };
    CLEANUP_BUF struct buf names = BUF_INIT(1 << 20);
    struct scene *scene = scene_open(state, rules);

    assert_int_equal(list(scene, "", false, &names), ERR_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_address_of_a_payload),
        SCENE_TEST(test_get),
        SCENE_TEST(test_container_is_made_when_missing),
        SCENE_TEST(test_container_that_is_being_deleted),
        SCENE_TEST(test_delete),
        SCENE_TEST(test_lists_every_page),
        SCENE_TEST(test_F36_marker_that_goes_round),
        SCENE_TEST(test_B39_list_that_is_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
