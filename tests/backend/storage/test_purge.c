#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/storage/blobs.h"
#include "backend/storage/purge.h"
#include "tests/backend/storage/fakeserver.h"

#define ROW       "/t/MyHubInstances(PartitionKey="
#define HISTORY   "/t/MyHubHistory()"
#define EVENT     "/t/MyHubHistory(PartitionKey="
#define BATCH     "/t/$batch"
#define BLOB_LIST "/b/myhub-largemessages?restype=container&comp=list&prefix="
#define BLOB      "/b/myhub-largemessages/"
#define ETAG      "etag: W/\"e1\"\r\n"
#define CODE(c)   "x-ms-error-code: " c "\r\n"

#define ROW_OF(id, status)                                                                         \
    "{\"PartitionKey\":\"" id "\",\"RowKey\":\"\",\"Name\":\"OrderFlow\",\"Version\":\"\","        \
    "\"RuntimeStatus\":\"" status "\",\"CreatedTime\":\"2024-05-01T10:00:00.1234567Z\","           \
    "\"LastUpdatedTime\":\"2024-05-01T10:00:01Z\",\"ExecutionId\":\"x1\"}"

#define GET_ROW                                                                                    \
    {                                                                                              \
        .method = "GET", .path = ROW, .status = 200, .headers = ETAG,                              \
        .body = ROW_OF("order-17", "Completed")                                                    \
    }
#define DELETE_ROW                                                                                 \
    {                                                                                              \
        .method = "DELETE", .path = ROW, .status = 204                                             \
    }
#define NO_CONTAINER                                                                               \
    {                                                                                              \
        .method = "GET", .path = BLOB_LIST, .status = 404, .headers = CODE("ContainerNotFound"),   \
        .times = 2                                                                                 \
    }
#define NO_BLOBS                                                                                   \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs/><NextMarker/>"          \
    "</EnumerationResults>"

/* -- scripts -- */

/* A page of n event rows, and the sentinel. */
static const char *history_page(size_t n, bool sentinel)
{
    static char page[1 << 20];
    size_t at = (size_t)snprintf(page, sizeof(page), "{\"value\":[");

    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(page + at, sizeof(page) - at,
                               "%s{\"PartitionKey\":\"order-17\",\"RowKey\":\"%016zX\"}",
                               i ? "," : "", i);
    snprintf(page + at, sizeof(page) - at, "%s]}",
             sentinel ? ",{\"PartitionKey\":\"order-17\",\"RowKey\":\"sentinel\"}" : "");
    return page;
}

/* The answer to a transaction of n deletes. */
static const char *batch_done(int n)
{
    static char bodies[101][16 * 1024];
    char *body = bodies[n];
    size_t size = sizeof(bodies[n]);
    size_t at = (size_t)snprintf(
        body, size,
        "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n");

    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(body + at, size - at,
                               "--changesetresponse_1\r\nContent-Type: application/http\r\n"
                               "Content-Transfer-Encoding: binary\r\n\r\n"
                               "HTTP/1.1 204 No Content\r\n\r\n\r\n");
    snprintf(body + at, size - at, "--changesetresponse_1--\r\n--batchresponse_1--\r\n");
    return body;
}

static const char batch_refused[] =
    "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n"
    "--changesetresponse_1\r\nContent-Type: application/http\r\n"
    "Content-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 404 Not Found\r\n"
    "Content-Type: application/json\r\n\r\n{\"odata.error\":{\"code\":\"ResourceNotFound\","
    "\"message\":{\"lang\":\"en-US\",\"value\":\"1:gone\"}}}\r\n"
    "--changesetresponse_1--\r\n--batchresponse_1--\r\n";
#define BATCH_HEADERS "Content-Type: multipart/mixed; boundary=batchresponse_1\r\n"

/* -- one purge -- */

struct scene {
    struct fakeserver *f;
    struct storage *s;
    struct call call;
    struct receipt receipt;
    enum err err;
};

static struct scene play_id(const struct fake_rule *rules, const char *id)
{
    struct scene scene = { .f = fakeserver_new(rules) };

    scene.s = fake_hub_new(scene.f, (struct fake_hub){ 0 });
    fake_call_init(&scene.call);
    scene.err = hub_purge(&scene.s->hub, &scene.call, str_c(id), STR(""), &scene.receipt);
    return scene;
}

static struct scene play(const struct fake_rule *rules)
{
    return play_id(rules, "order-17");
}

static void scene_end(struct scene *scene)
{
    hub_close(&scene->s->hub);
    fakeserver_free(scene->f);
}

static void assert_end(const struct scene *scene, enum err err, size_t requests)
{
    if (scene->err != err || fakeserver_count(scene->f) != requests)
        fail_msg("%s instead of %s, %zu requests instead of %zu: %s\n%s", err_name(scene->err),
                 err_name(err), fakeserver_count(scene->f), requests, scene->call.text,
                 fakeserver_log(scene->f));
}

static void assert_receipt(const struct scene *scene, bool gone, uint64_t rows, uint64_t blobs)
{
    assert_int_equal(scene->receipt.gone, gone);
    assert_int_equal(scene->receipt.rows, rows);
    assert_int_equal(scene->receipt.blobs, blobs);
}

static size_t count_in(struct str text, const char *part)
{
    size_t n = 0;
    const char *at = text.p, *end = text.p + text.len;

    while ((at = memmem(at, (size_t)(end - at), part, strlen(part)))) {
        n++;
        at += strlen(part);
    }
    return n;
}

/* -- the vectors of storage tables 12.5 -- */

static void test_T97_a_finished_instance(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(23, true) },
        { .method = "GET",
          .path = BLOB_LIST "order-17/&delimiter=/",
          .status = 200,
          .body =
              "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>"
              "<Blob><Name>order-17/history-1.json.gz</Name></Blob>"
              "<Blob><Name>order-17/message-1.json.gz</Name></Blob></Blobs><NextMarker/>"
              "</EnumerationResults>" },
        { .method = "POST",
          .path = BATCH,
          .status = 202,
          .headers = BATCH_HEADERS,
          .body = batch_done(24) },
        { .method = "DELETE", .path = BLOB, .status = 202, .times = 2 },
        DELETE_ROW,
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, OK, 8);
    assert_receipt(&scene, true, 24, 2);
    struct str batch = fakeserver_body(scene.f, 4);
    assert_int_equal(count_in(batch, "DELETE http"), 24);
    assert_int_equal(count_in(batch, "If-Match: *"), 24);
    const char *sentinel = memmem(batch.p, batch.len, "RowKey='sentinel'", 17);
    assert_non_null(sentinel);
    assert_null(memmem(sentinel, (size_t)(batch.p + batch.len - sentinel), "RowKey='0", 9));
    assert_true(str_eq(fakeserver_path(scene.f, 5), STR(BLOB "order-17/history-1.json.gz")));
    assert_true(str_eq(fakeserver_header(scene.f, 7, "if-match"), STR("W/\"e1\"")));
    assert_true(str_has(fakeserver_path(scene.f, 1), STR("select=PartitionKey,RowKey&")));
    scene_end(&scene);
}

static void test_T98_T99_batches_of_a_hundred(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(250, true) },
        NO_CONTAINER,
        { .method = "POST",
          .path = BATCH,
          .status = 202,
          .headers = BATCH_HEADERS,
          .body = batch_done(100),
          .times = 2 },
        { .method = "POST",
          .path = BATCH,
          .status = 202,
          .headers = BATCH_HEADERS,
          .body = batch_done(51) },
        DELETE_ROW,
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, OK, 8);
    assert_receipt(&scene, true, 251, 0);
    assert_int_equal(count_in(fakeserver_body(scene.f, 4), "DELETE http"), 100);
    assert_int_equal(count_in(fakeserver_body(scene.f, 5), "DELETE http"), 100);
    assert_int_equal(count_in(fakeserver_body(scene.f, 6), "DELETE http"), 51);
    assert_int_equal(count_in(fakeserver_body(scene.f, 6), "sentinel"), 1);
    scene_end(&scene);
}

static void test_T100_crash_before_the_row_is_finished_by_the_next(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(0, false) },
        NO_CONTAINER,
        DELETE_ROW,
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, OK, 5);
    assert_receipt(&scene, true, 0, 0);
    scene_end(&scene);
}

static void test_T101_a_row_that_is_gone(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(2, true) },
        NO_CONTAINER,
        { .method = "POST",
          .path = BATCH,
          .status = 202,
          .headers = BATCH_HEADERS,
          .body = batch_refused },
        { .method = "DELETE", .path = EVENT "'order-17',RowKey='0000000000000000'", .status = 204 },
        { .method = "DELETE",
          .path = EVENT "'order-17',RowKey='0000000000000001'",
          .status = 404,
          .headers = CODE("ResourceNotFound") },
        { .method = "DELETE", .path = EVENT "'order-17',RowKey='sentinel'", .status = 204 },
        DELETE_ROW,
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, OK, 9);
    assert_receipt(&scene, true, 2, 0);
    scene_end(&scene);
}

static void test_T102_changed_between_the_reads(void **state)
{
    const struct fake_rule rules[] = {
        GET_ROW,
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(2, true) },
        NO_CONTAINER,
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = "etag: W/\"e2\"\r\n",
          .body = ROW_OF("order-17", "Pending") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, ERR_BUSY, 4);
    assert_receipt(&scene, false, 0, 0);
    scene_end(&scene);
}

static void test_T103_changed_before_the_last_delete(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(0, false) },
        NO_CONTAINER,
        { .method = "DELETE",
          .path = ROW,
          .status = 412,
          .headers = CODE("UpdateConditionNotSatisfied") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, ERR_BUSY, 5);
    assert_receipt(&scene, false, 0, 0);
    scene_end(&scene);
}

static void test_T104_T105_both_folders_with_their_slash(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("a^0b", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(0, false) },
        { .method = "GET",
          .path = BLOB_LIST "a%5E0b/&delimiter=/",
          .status = 200,
          .body = NO_BLOBS },
        { .method = "GET", .path = BLOB_LIST "a/b/&delimiter=/", .status = 200, .body = NO_BLOBS },
        DELETE_ROW,
        { 0 },
    };
    struct scene scene = play_id(rules, "a/b");

    assert_end(&scene, OK, 6);
    scene_end(&scene);
}

static void test_T106_running(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Running") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, ERR_BUSY, 1);
    scene_end(&scene);
}

static void test_T107_no_row(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, ERR_NOT_FOUND, 1);
    scene_end(&scene);
}

static void test_T126_blobs_of_others_stay(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("a", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(0, false) },
        { .method = "GET",
          .path = BLOB_LIST "a/&delimiter=/",
          .status = 200,
          .body = "<EnumerationResults><Blobs><Blob><Name>a/history-1.json.gz</Name></Blob>"
                  "<BlobPrefix><Name>a/b/</Name></BlobPrefix></Blobs><NextMarker>m+1</NextMarker>"
                  "</EnumerationResults>" },
        { .method = "GET",
          .path = BLOB_LIST "a/&delimiter=/&marker=m%2B1",
          .status = 200,
          .body = "<EnumerationResults><Blobs><Blob><Name>a/message-1.json.gz</Name></Blob></Blobs>"
                  "<NextMarker/></EnumerationResults>" },
        { .method = "DELETE", .path = BLOB "a/history-1.json.gz", .status = 202 },
        { .method = "DELETE",
          .path = BLOB "a/message-1.json.gz",
          .status = 404,
          .headers = CODE("BlobNotFound") },
        DELETE_ROW,
        { 0 },
    };
    struct scene scene = play_id(rules, "a");

    assert_end(&scene, OK, 8);
    assert_receipt(&scene, true, 0, 1);
    scene_end(&scene);
}

/* -- what else can happen -- */

static void test_somebody_else_purged_it(void **state)
{
    const struct fake_rule before[] = {
        GET_ROW,
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(0, false) },
        NO_CONTAINER,
        { .method = "GET", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { 0 },
    };
    const struct fake_rule at_the_end[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(0, false) },
        NO_CONTAINER,
        { .method = "DELETE", .path = ROW, .status = 404, .headers = CODE("ResourceNotFound") },
        { 0 },
    };
    struct scene scene = play(before);

    assert_end(&scene, OK, 4);
    assert_receipt(&scene, false, 0, 0);
    scene_end(&scene);
    scene = play(at_the_end);
    assert_end(&scene, OK, 5);
    assert_receipt(&scene, false, 0, 0);
    scene_end(&scene);
}

/* One request less from the second instance on, unless a history names a blob after all. */
static void test_a_hub_without_container_is_asked_once(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 6 },
        { .method = "GET", .path = BLOB_LIST, .status = 404, .headers = CODE("ContainerNotFound") },
        { .method = "GET",
          .path = HISTORY "?$top=1000&$select=PartitionKey,RowKey&",
          .status = 200,
          .body = history_page(0, false) },
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"sentinel\",\"ResultBlobName\":null}]}" },
        { .method = "POST",
          .path = BATCH,
          .status = 202,
          .headers = BATCH_HEADERS,
          .body = batch_done(1),
          .times = 2 },
        { .method = "GET",
          .path = HISTORY,
          .status = 200,
          .body = "{\"value\":[{\"RowKey\":\"sentinel\",\"ResultBlobName\":\"order-17/x\"}]}" },
        { .method = "GET", .path = BLOB_LIST, .status = 200, .body = NO_BLOBS },
        { .method = "DELETE", .path = ROW, .status = 204, .times = 3 },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, OK, 5);
    assert_true(blobs_none(scene.s));
    scene.err = hub_purge(&scene.s->hub, &scene.call, STR("order-17"), STR(""), &scene.receipt);
    assert_end(&scene, OK, 10);
    scene.err = hub_purge(&scene.s->hub, &scene.call, STR("order-17"), STR(""), &scene.receipt);
    assert_end(&scene, OK, 16);
    assert_false(blobs_none(scene.s));
    scene_end(&scene);
}

static void test_a_refused_batch_stops_it(void **state)
{
    const struct fake_rule rules[] = {
        { .method = "GET",
          .path = ROW,
          .status = 200,
          .headers = ETAG,
          .body = ROW_OF("order-17", "Completed"),
          .times = 2 },
        { .method = "GET", .path = HISTORY, .status = 200, .body = history_page(2, true) },
        NO_CONTAINER,
        { .method = "POST",
          .path = BATCH,
          .status = 403,
          .headers = CODE("AuthorizationPermissionMismatch") },
        { 0 },
    };
    struct scene scene = play(rules);

    assert_end(&scene, ERR_DENIED, 5); /* the row stays, so it can be repeated (F42) */
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T97_a_finished_instance),
        cmocka_unit_test(test_T98_T99_batches_of_a_hundred),
        cmocka_unit_test(test_T100_crash_before_the_row_is_finished_by_the_next),
        cmocka_unit_test(test_T101_a_row_that_is_gone),
        cmocka_unit_test(test_T102_changed_between_the_reads),
        cmocka_unit_test(test_T103_changed_before_the_last_delete),
        cmocka_unit_test(test_T104_T105_both_folders_with_their_slash),
        cmocka_unit_test(test_T106_running),
        cmocka_unit_test(test_T107_no_row),
        cmocka_unit_test(test_T126_blobs_of_others_stay),
        cmocka_unit_test(test_somebody_else_purged_it),
        cmocka_unit_test(test_a_hub_without_container_is_asked_once),
        cmocka_unit_test(test_a_refused_batch_stops_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
