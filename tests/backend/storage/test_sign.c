#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "backend/base/digest.h"
#include "backend/storage/sign.h"

/* Storage messages 10.7. Account, key and date of the vectors. */
#define D    "Wed, 01 May 2024 10:00:00 GMT"
#define R    "/devstoreaccount1/devstoreaccount1"
#define M    "x-ms-date:" D "\nx-ms-version:2021-12-02\n"
#define HOST "http://127.0.0.1:10000/devstoreaccount1"

static const struct sign_moment moment = { { D, sizeof(D) - 1 }, { "2021-12-02", 10 } };

static void assert_signed(struct account *a, enum service service, const struct http_request *r,
                          const char *text, const char *signature)
{
    CLEANUP_BUF struct buf b = BUF_INIT(SIGN_TEXT_MAX), want = BUF_INIT(512);

    if (service == SERVICE_TABLES)
        sign_text_tables(&b, a, r, &moment);
    else
        assert_int_equal(sign_text_blobs(&b, a, r, &moment), OK);
    assert_string_equal(buf_c(&b), text);
    buf_clear(&b);
    assert_int_equal(sign_request(&b, a, service, r, &moment), OK);
    buf_printf(&want, "SharedKey %s:%s", a->name, signature);
    assert_string_equal(buf_c(&b), buf_c(&want));
}

static void test_S1_table_query(void **state)
{
    struct http_request r = { .method = HTTP_GET, .url = STR(HOST "/MyHubInstances()?$top=3") };

    assert_signed(*state, SERVICE_TABLES, &r, "GET\n\n\n" D "\n" R "/MyHubInstances()",
                  "DljRG8iqm/2LYo3sxu6CQ+V9Vr1Tc3gFZAGzqxuyPqg=");
}

static void test_S3_insert_row(void **state)
{
    struct http_request r = { .method = HTTP_POST,
                              .url = STR(HOST "/MyHubInstances"),
                              .headers = { { "Content-Type", STR("application/json") } },
                              .body = STR("{}") };

    assert_signed(*state, SERVICE_TABLES, &r,
                  "POST\n\napplication/json\n" D "\n" R "/MyHubInstances",
                  "dZS+V0as3yBxHpc6XA3aMVFMRAv+l0Fhji5dNkhuJLA=");
}

static void test_S4_merge_row(void **state)
{
    struct http_request r = {
        .method = HTTP_MERGE,
        .url = STR(HOST "/MyHubInstances(PartitionKey='order%2017',RowKey='')"),
        .headers = { { "If-Match", STR("*") }, { "content-type", STR("application/json") } },
    };

    assert_signed(*state, SERVICE_TABLES, &r,
                  "MERGE\n\napplication/json\n" D "\n" R
                  "/MyHubInstances(PartitionKey='order%2017',RowKey='')",
                  "gyz85abMd7mT1WTbETB2hN0Qcc8VxdkKRgpTG6el7So=");
}

static void test_S5_batch(void **state)
{
    struct http_request r = {
        .method = HTTP_POST,
        .url = STR(HOST "/$batch"),
        .headers = { { "Content-Type", STR("multipart/mixed; boundary=batch_1") } },
    };

    assert_signed(*state, SERVICE_TABLES, &r,
                  "POST\n\nmultipart/mixed; boundary=batch_1\n" D "\n" R "/$batch",
                  "dcjv9RW1Yiw1P0+e7w9nkWE2RtbEx39gjDdkbdk3yPo=");
}

static void test_S6_comp_is_part_of_the_resource(void **state)
{
    struct http_request r = { .method = HTTP_GET,
                              .url = STR(HOST "/?restype=service&comp=properties") };

    assert_signed(*state, SERVICE_TABLES, &r, "GET\n\n\n" D "\n" R "/?comp=properties",
                  "UgjzkDbeHVf/+XuaklkOMfgpHFHiebMwF0PxB87A4jY=");
}

static struct http_request put_message(const char *url, size_t len)
{
    return (struct http_request){ .method = HTTP_POST,
                                  .url = str_c(url),
                                  .headers = { { "Content-Type", STR("application/xml") } },
                                  .body = { "x", len } };
}

static void test_S7_put_message(void **state)
{
    struct http_request r =
        put_message(HOST "/myhub-control-03/messages?visibilitytimeout=0&messagettl=-1", 1234);

    assert_signed(*state, SERVICE_QUEUES, &r,
                  "POST\n\n\n1234\n\napplication/xml\n\n\n\n\n\n\n" M R
                  "/myhub-control-03/messages\nmessagettl:-1\nvisibilitytimeout:0",
                  "0ibXPtWQIS9bAGDNY7ZHmkfVg2CuN/zWHxcMqM+2FQg=");
}

static void assert_get(struct account *a, const char *tail, const char *resource,
                       const char *signature)
{
    CLEANUP_BUF struct buf url = BUF_INIT(1024), text = BUF_INIT(1024);
    struct http_request r = { .method = HTTP_GET };

    buf_printf(&url, "%s%s", HOST, tail);
    buf_printf(&text, "GET\n\n\n\n\n\n\n\n\n\n\n\n%s%s%s", M, R, resource);
    r.url = buf_str(&url);
    assert_signed(a, SERVICE_BLOBS, &r, buf_c(&text), signature);
}

static void test_S8_to_S11_S13_reads(void **state)
{
    assert_get(*state, "/myhub-control-03?comp=metadata", "/myhub-control-03\ncomp:metadata",
               "eYGZrDymPHkzQ5MTe2F6X/lDBlsQxQ/svM/eNAvGsl4=");
    assert_get(*state, "/myhub-control-03/messages?numofmessages=32&peekonly=true",
               "/myhub-control-03/messages\nnumofmessages:32\npeekonly:true",
               "aQOuVvQWGhO6uIBUPW1zt0y29v+mB4XQs5ms1EfG1io=");
    assert_get(*state, "/?comp=list&prefix=myhub-", "/\ncomp:list\nprefix:myhub-",
               "os9IcH3HajK3U10DaSLp7vcgnyGuNc2vEv5zjN8+pek=");
    assert_get(*state, "/myhub-leases/taskhub.json", "/myhub-leases/taskhub.json",
               "IT62Xxi9/MzIBvRX7c4r4bwFoZxzcAWLuEPki0RQ3s4=");
    assert_get(*state,
               "/myhub-leases?restype=container&comp=list&prefix=intent%2F&include=metadata",
               "/myhub-leases\ncomp:list\ninclude:metadata\nprefix:intent/\nrestype:container",
               "Zep92clolCqt4Unc9yR2bgeAmk+i6KPrFNX33vglKjw=");
}

#define MESSAGE_BLOB                                                                               \
    "/myhub-largemessages/order%2017/message-7ef1dff122cd4c2b9fbe1d9a0f0d3c4a-"                    \
    "ExecutionStarted.json.gz"

static void test_S12_put_blob(void **state)
{
    struct http_request r = { .method = HTTP_PUT,
                              .url = STR(HOST MESSAGE_BLOB),
                              .headers = { { "Content-Type", STR("application/octet-stream") },
                                           { "x-ms-blob-type", STR(" BlockBlob ") },
                                           { "If-None-Match", STR("*") } },
                              .body = { "x", 321 } };

    assert_signed(*state, SERVICE_BLOBS, &r,
                  "PUT\n\n\n321\n\napplication/octet-stream\n\n\n\n*\n\n\n"
                  "x-ms-blob-type:BlockBlob\n" M R MESSAGE_BLOB,
                  "Tr3eF251IfhSON192YNkj42tzIueu8Wkr/nhI96uA68=");
}

static void test_S14_host_style(void **state)
{
    struct account a = { .name = "contoso", .key = SECRET_NONE };
    unsigned char key[64];
    struct http_request r = put_message(
        "https://contoso.queue.core.windows.net/myhub-control-03/messages?messagettl=-1", 77);

    for (unsigned i = 0; i < 64; i++)
        key[i] = (unsigned char)i;
    assert_int_equal(secret_set(&a.key, (struct str){ (const char *)key, 64 }), OK);
    assert_signed(&a, SERVICE_QUEUES, &r,
                  "POST\n\n\n77\n\napplication/xml\n\n\n\n\n\n\n" M
                  "/contoso/myhub-control-03/messages\nmessagettl:-1",
                  "xRqtn2caNfyi7VNRcvjUkmHBmDRCWSmuDy5T/2mAuKs=");
    account_fini(&a);
}

static void test_repeated_parameters_are_joined(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1024);
    struct http_request r = { .method = HTTP_GET, .url = STR("https://c/x?B=2&a=z&a=b%26c&flag") };

    assert_int_equal(sign_text_blobs(&b, *state, &r, &moment), OK);
    assert_true(str_ends(buf_str(&b), STR("/devstoreaccount1/x\nb:2\na:b&c,z\nflag:")));
}

static int account_begin(void **state)
{
    struct account *a = calloc(1, sizeof(*a));
    struct call call;

    call_init(&call, 1000);
    assert_int_equal(account_parse(a, STR("UseDevelopmentStorage=true"), &call), OK);
    *state = a;
    return 0;
}

static int account_end(void **state)
{
    account_fini(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S1_table_query),
        cmocka_unit_test(test_S3_insert_row),
        cmocka_unit_test(test_S4_merge_row),
        cmocka_unit_test(test_S5_batch),
        cmocka_unit_test(test_S6_comp_is_part_of_the_resource),
        cmocka_unit_test(test_S7_put_message),
        cmocka_unit_test(test_S8_to_S11_S13_reads),
        cmocka_unit_test(test_S12_put_blob),
        cmocka_unit_test(test_S14_host_style),
        cmocka_unit_test(test_repeated_parameters_are_joined),
    };

    return cmocka_run_group_tests(tests, account_begin, account_end);
}
