#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/digest.h"
#include "backend/storage/blobs.h"
#include "tests/backend/storage/fakeserver.h"

#define PAYLOADS "/b/myhub-largemessages"
#define LIST     PAYLOADS "?restype=container&comp=list"
#define CODE(c)  "x-ms-error-code: " c "\r\n"

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct buf names;
};

static struct scene scene_of(const struct fake_rule *rules)
{
    struct scene scene = { .f = fakeserver_new(rules), .names = BUF_INIT(1 << 20) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    return scene;
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    buf_fini(&scene->names);
    fakeserver_free(scene->f);
}

static enum err note(void *ctx, struct str name)
{
    struct buf *names = ctx;

    buf_add(names, name);
    buf_add_ch(names, ';');
    return OK;
}

static void test_address_of_a_payload(void **state)
{
    static const struct fake_rule rules[] = { { 0 } };
    CLEANUP_BUF struct buf url = BUF_INIT(1000);
    struct scene scene = scene_of(rules);

    blobs_url(&url, scene.s, CONTAINER_PAYLOADS, STR("a b/ü^@/message-1.json.gz"));
    assert_true(str_ends(buf_str(&url),
                         STR("/b/myhub-largemessages/a%20b/%C3%BC%5E%40/message-1.json.gz")));
    assert_true(str_starts(buf_str(&url), STR("http://127.0.0.1:")));
    scene_end(&scene);
}

static void test_get(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = PAYLOADS "/a%20b/x.json.gz", .status = 200, .body = "bytes" },
        { .method = "GET",
          .path = "/b/myhub-leases/taskhub.json",
          .status = 404,
          .headers = CODE("ContainerNotFound") },
        { .method = "GET", .path = PAYLOADS "/big", .status = 200, .body = "123456" },
        { 0 },
    };
    CLEANUP_RESPONSE struct http_response ok = RESPONSE_INIT, gone = RESPONSE_INIT,
                                          big = RESPONSE_INIT;
    struct scene scene = scene_of(rules);

    assert_int_equal(
        blobs_get(scene.s, &scene.call, CONTAINER_PAYLOADS, STR("a b/x.json.gz"), 100, &ok), OK);
    assert_string_equal(buf_c(&ok.body), "bytes");
    assert_int_equal(
        blobs_get(scene.s, &scene.call, CONTAINER_LEASES, STR("taskhub.json"), 100, &gone),
        ERR_NOT_FOUND);
    assert_int_equal(blobs_get(scene.s, &scene.call, CONTAINER_PAYLOADS, STR("big"), 5, &big),
                     ERR_TOO_BIG);
    scene_end(&scene);
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
        { .method = "PUT",
          .path = PAYLOADS "/x",
          .status = 404,
          .headers = CODE("ContainerNotFound") },
        { .method = "PUT",
          .path = PAYLOADS "?restype=container",
          .status = 409,
          .headers = CODE("ContainerAlreadyExists") },
        { .method = "PUT", .path = PAYLOADS "/x", .status = 201 },
        { 0 },
    };
    CLEANUP_BUF struct buf text = BUF_INIT(1000);
    struct scene scene = scene_of(rules);

    assert_int_equal(
        blobs_list(scene.s, &scene.call, CONTAINER_PAYLOADS, STR(""), false, note, &scene.names),
        OK);
    assert_int_equal(scene.names.len, 0);
    assert_true(blobs_none(scene.s));
    hub_forget(&scene.s->hub);
    assert_false(blobs_none(scene.s));
    assert_int_equal(
        blobs_list(scene.s, &scene.call, CONTAINER_PAYLOADS, STR(""), false, note, &scene.names),
        OK);
    assert_true(blobs_none(scene.s));
    assert_int_equal(blobs_put(scene.s, &scene.call, STR("x"), STR("content")), OK);
    assert_false(blobs_none(scene.s));
    assert_int_equal(gzip_unpack(&text, fakeserver_body(scene.f, 4)), OK);
    assert_string_equal(buf_c(&text), "content");
    assert_int_equal(fakeserver_count(scene.f), 5);
    scene_end(&scene);
}

static void test_container_that_is_being_deleted(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "PUT",
          .path = PAYLOADS "/x",
          .status = 404,
          .headers = CODE("ContainerNotFound") },
        { .method = "PUT",
          .path = PAYLOADS "?restype=container",
          .status = 409,
          .headers = CODE("ContainerBeingDeleted") },
        { 0 },
    };
    struct scene scene = scene_of(rules);

    /* The hub is going: as good as gone (F41). */
    assert_int_equal(blobs_put(scene.s, &scene.call, STR("x"), STR("content")), ERR_NOT_FOUND);
    assert_int_equal(fakeserver_count(scene.f), 2);
    scene_end(&scene);
}

static void test_delete(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "DELETE", .path = PAYLOADS "/x", .status = 202 },
        { .method = "DELETE",
          .path = PAYLOADS "/y",
          .status = 404,
          .headers = CODE("BlobNotFound") },
        { .method = "DELETE",
          .path = PAYLOADS "/z",
          .status = 412,
          .headers = CODE("LeaseIdMissing") },
        { 0 },
    };
    struct scene scene = scene_of(rules);
    bool was_there = false;

    assert_int_equal(blobs_delete(scene.s, &scene.call, STR("x"), &was_there), OK);
    assert_true(was_there);
    assert_int_equal(blobs_delete(scene.s, &scene.call, STR("y"), &was_there), OK);
    assert_false(was_there);
    assert_int_equal(blobs_delete(scene.s, &scene.call, STR("z"), &was_there), ERR_BUSY);
    scene_end(&scene);
}

#define PAGE(names, marker)                                                                        \
    "<EnumerationResults><Prefix>a/</Prefix><Blobs>" names "</Blobs><NextMarker>" marker           \
    "</NextMarker></EnumerationResults>"
#define NAME(n) "<Blob><Name>" n "</Name><Properties><Etag>1</Etag></Properties></Blob>"

static void test_lists_every_page(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = LIST "&prefix=a%26b/&delimiter=/&marker=2%21x",
          .status = 200,
          .body = PAGE("", "") },
        { .method = "GET",
          .path = LIST "&prefix=a%26b/&delimiter=/&marker=1%2B",
          .status = 200,
          .body = PAGE(NAME("a/3"), "2!x") },
        { .method = "GET",
          .path = LIST "&prefix=a%26b/&delimiter=/",
          .status = 200,
          .body =
              PAGE(NAME("a/1") "<BlobPrefix><Name>a/b/</Name></BlobPrefix>" NAME("a/2"), "1+") },
        { 0 },
    };
    struct scene scene = scene_of(rules);

    assert_int_equal(
        blobs_list(scene.s, &scene.call, CONTAINER_PAYLOADS, STR("a&b/"), true, note, &scene.names),
        OK);
    assert_string_equal(buf_c(&scene.names), "a/1;a/2;a/3;");
    scene_end(&scene);
}

static void test_F36_marker_that_goes_round(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET", .path = LIST, .status = 200, .body = PAGE("", "same"), .times = -1 },
        { 0 },
    };
    struct scene scene = scene_of(rules);

    assert_int_equal(
        blobs_list(scene.s, &scene.call, CONTAINER_PAYLOADS, STR(""), false, note, &scene.names),
        ERR_BROKEN);
    assert_int_equal(fakeserver_count(scene.f), 4);
    scene_end(&scene);
}

static void test_B39_list_that_is_no_list(void **state)
{
    static const struct fake_rule rules[] = {
        { .method = "GET",
          .path = LIST,
          .status = 200,
          .body = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>" },
        { 0 },
    };
    struct scene scene = scene_of(rules);

    assert_int_equal(
        blobs_list(scene.s, &scene.call, CONTAINER_PAYLOADS, STR(""), false, note, &scene.names),
        ERR_BROKEN);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_of_a_payload),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_container_is_made_when_missing),
        cmocka_unit_test(test_container_that_is_being_deleted),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_lists_every_page),
        cmocka_unit_test(test_F36_marker_that_goes_round),
        cmocka_unit_test(test_B39_list_that_is_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
