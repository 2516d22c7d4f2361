#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/storage/account.h"

#define K          "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
#define SECRET_KEY "c2VjcmV0LWtleS1ieXRlcw==" /* "secret-key-bytes" */

struct parsed {
    struct account account;
    struct call call;
    enum err err;
};

static struct parsed parse(const char *text)
{
    struct parsed p = { 0 };

    call_init(&p.call, 1000);
    p.err = account_parse(&p.account, str_c(text), &p.call);
    return p;
}

static void assert_endpoints(const char *text, const char *tables, const char *queues,
                             const char *blobs)
{
    struct parsed p = parse(text);

    assert_int_equal(p.err, OK);
    assert_string_equal(p.account.endpoints[SERVICE_TABLES], tables);
    assert_string_equal(p.account.endpoints[SERVICE_QUEUES], queues);
    assert_string_equal(p.account.endpoints[SERVICE_BLOBS], blobs);
    account_fini(&p.account);
}

/* ERR_INVALID, with a sentence that holds part. */
static void assert_refused(const char *text, const char *part)
{
    struct parsed p = parse(text);

    assert_int_equal(p.err, ERR_INVALID);
    if (!str_has(str_c(p.call.text), str_c(part)))
        fail_msg("\"%s\" is not in \"%s\"", part, p.call.text);
    assert_false(secret_is_set(&p.account.key));
    assert_false(secret_is_set(&p.account.sas));
}

static void test_C1_development_storage(void **state)
{
    struct parsed p = parse("UseDevelopmentStorage=true");

    assert_int_equal(p.err, OK);
    assert_true(p.account.development);
    assert_string_equal(p.account.name, "devstoreaccount1");
    assert_true(secret_is_set(&p.account.key));
    assert_int_equal(secret_reveal(&p.account.key).len, 64);
    account_fini(&p.account);
    assert_endpoints("UseDevelopmentStorage=true", "http://127.0.0.1:10002/devstoreaccount1",
                     "http://127.0.0.1:10001/devstoreaccount1",
                     "http://127.0.0.1:10000/devstoreaccount1");
    assert_refused("UseDevelopmentStorage=false", "UseDevelopmentStorage");
    assert_refused("UseDevelopmentStorage=true;AccountName=a", "AccountName");
}

static void test_C2_development_proxy(void **state)
{
    assert_endpoints(
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://host.docker.internal",
        "http://host.docker.internal:10002/devstoreaccount1",
        "http://host.docker.internal:10001/devstoreaccount1",
        "http://host.docker.internal:10000/devstoreaccount1");
    assert_refused("DevelopmentStorageProxyUri=http://a;AccountName=a;AccountKey=" K,
                   "DevelopmentStorageProxyUri");
}

static void test_C3_C4_C5_key_and_suffix(void **state)
{
    static const char *const public[] = {
        "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" K
        ";EndpointSuffix=core.windows.net",
        "accountname=acct;ACCOUNTKEY=" K ";",
    };

    for (size_t i = 0; i < ARRAY_LEN(public); i++)
        assert_endpoints(public[i], "https://acct.table.core.windows.net",
                         "https://acct.queue.core.windows.net",
                         "https://acct.blob.core.windows.net");
    assert_endpoints("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" K
                     ";EndpointSuffix=core.chinacloudapi.cn",
                     "https://acct.table.core.chinacloudapi.cn",
                     "https://acct.queue.core.chinacloudapi.cn",
                     "https://acct.blob.core.chinacloudapi.cn");
}

static void test_C6_C7_shared_access_signature(void **state)
{
    struct parsed p = parse("BlobEndpoint=https://a.blob.core.windows.net/;"
                            "QueueEndpoint=https://a.queue.core.windows.net/;"
                            "TableEndpoint=https://a.table.core.windows.net/;"
                            "SharedAccessSignature=sv=2021-12-02&ss=bqt&sig=x%3D");

    assert_int_equal(p.err, OK);
    assert_string_equal(p.account.name, "a");
    assert_string_equal(p.account.endpoints[SERVICE_BLOBS], "https://a.blob.core.windows.net");
    assert_true(str_eq(secret_reveal(&p.account.sas), STR("sv=2021-12-02&ss=bqt&sig=x%3D")));
    assert_false(secret_is_set(&p.account.key));
    account_fini(&p.account);

    p = parse("AccountName=acct;SharedAccessSignature=?sv=2021-12-02&sig=x");
    assert_int_equal(p.err, OK);
    assert_true(str_eq(secret_reveal(&p.account.sas), STR("sv=2021-12-02&sig=x")));
    assert_string_equal(p.account.endpoints[SERVICE_QUEUES], "https://acct.queue.core.windows.net");
    account_fini(&p.account);
}

static void test_C8_to_C12_refused(void **state)
{
    assert_refused("AccountName=acct", "No valid combination of account information found.");
    assert_refused("AccountName=a;AccountName=b;AccountKey=" K,
                   "Duplicate setting 'AccountName' found.");
    assert_refused("AccountName", "Settings must be of the form \"name=value\".");
    assert_refused("=x;AccountName=a", "Settings must be of the form \"name=value\".");
    assert_refused("AccountName=a;AccountKey=" K ";Foo=1", "unknown setting");
    assert_refused("AccountName=a;AccountKey=" K ";SharedAccessSignature=s", "exclude each other");
}

static void test_B52_blanks_and_empty_parts(void **state)
{
    assert_endpoints(" \r\n;;AccountName=acct;\r\n;AccountKey=" K " ; \r\n",
                     "https://acct.table.core.windows.net", "https://acct.queue.core.windows.net",
                     "https://acct.blob.core.windows.net");
    assert_refused("", "empty");
    assert_refused(" ;; ", "neither AccountKey");
    assert_refused("\"AccountName=acct;AccountKey=" K "\"", "unknown setting");
}

static void test_B52_bad_parts_are_named(void **state)
{
    assert_refused("AccountName=a;AccountKey=!!!", "AccountKey is not base64");
    assert_refused("AccountName=a;AccountKey=", "AccountKey is not base64");
    assert_refused("AccountKey=" K, "AccountKey without AccountName");
    assert_refused("AccountName=a b;AccountKey=" K, "AccountName is not the name of an account");
    assert_refused("AccountName=a;AccountKey=" K ";TableEndpoint=ftp://x", "TableEndpoint");
    assert_refused("AccountName=a;AccountKey=" K ";QueueEndpoint=https://u@h/", "QueueEndpoint");
    assert_refused("AccountName=a;AccountKey=" K ";BlobEndpoint=https://h/?x=1", "BlobEndpoint");
    assert_refused("AccountName=a;AccountKey=" K ";BlobEndpoint=https://h:0/", "BlobEndpoint");
    assert_refused("AccountName=a;AccountKey=" K ";BlobEndpoint=https://:80/", "BlobEndpoint");
    assert_refused("AccountName=a;AccountKey=" K ";DefaultEndpointsProtocol=ws",
                   "DefaultEndpointsProtocol");
    assert_refused("AccountName=a;AccountKey=" K ";EndpointSuffix=a/b", "EndpointSuffix");
    assert_refused("AccountName=a;AccountKey=" K ";TableSecondaryEndpoint=https://x",
                   "TableSecondaryEndpoint without TableEndpoint");
    assert_refused("AccountName=a;SharedAccessSignature=sv=1", "sig=");
    assert_refused("AccountName=a;SharedAccessSignature=sig=a b", "SharedAccessSignature");
    assert_refused("BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sig=x",
                   "TableEndpoint is missing");
    assert_refused("@Microsoft.KeyVault(SecretUri=https://v/s)", "Key Vault");
}

static void test_B52_values_are_never_printed(void **state)
{
    static const char *const bad[] = {
        "AccountName=a;AccountKey=" SECRET_KEY ";" SECRET_KEY,
        "AccountName=a;AccountKey=" SECRET_KEY "?;",
        "AccountKey=" SECRET_KEY ";AccountKey=" SECRET_KEY,
        "AccountKey=" SECRET_KEY,
        SECRET_KEY,
        SECRET_KEY "=1",
        "AccountName=" SECRET_KEY ";AccountKey=" SECRET_KEY,
        "AccountName=a;AccountKey=" SECRET_KEY ";TableEndpoint=" SECRET_KEY,
        "AccountName=a;SharedAccessSignature=sig=" SECRET_KEY "\x01",
        "AccountName=a;AccountKey=" SECRET_KEY ";DefaultEndpointsProtocol=" SECRET_KEY,
        "AccountName=a;AccountKey=" SECRET_KEY ";EndpointSuffix=" SECRET_KEY,
        "UseDevelopmentStorage=" SECRET_KEY,
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct parsed p = parse(bad[i]);

        assert_int_equal(p.err, ERR_INVALID);
        assert_true(str_has(str_c(p.call.text), STR("connection string")));
        assert_false(str_has(str_c(p.call.text), STR("c2VjcmV0")));
    }
}

static void test_B52_nul_byte(void **state)
{
    struct account a;
    struct call call;

    call_init(&call, 1000);
    assert_int_equal(account_parse(&a, STR("AccountName=a\0;AccountKey=" K), &call), ERR_INVALID);
}

static void test_B53_http_only_to_loopback(void **state)
{
    static const char *const loopback[] = {
        "http://127.0.0.1:10002/devstoreaccount1",
        "http://localhost:10002/devstoreaccount1",
        "http://[::1]:10002/devstoreaccount1",
        "http://127.9.9.9/x",
        "http://a.localhost:1/",
    };
    static const char *const elsewhere[] = {
        "http://example.org/",
        "http://10.0.0.1:10002/a",
        "http://127.0.0.1.example.org/a",
        "http://localhost.example.org/",
    };
    char text[512];

    for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
        struct parsed p;

        snprintf(text, sizeof(text), "AccountName=a;AccountKey=%s;TableEndpoint=%s", K,
                 loopback[i]);
        p = parse(text);
        assert_int_equal(p.err, OK);
        account_fini(&p.account);
    }
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
        snprintf(text, sizeof(text), "AccountName=a;AccountKey=%s;TableEndpoint=%s", K,
                 elsewhere[i]);
        assert_refused(text, "uses http to another machine");
    }
    assert_refused("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=" K,
                   "http to another machine");
}

static void test_name_from_endpoints(void **state)
{
    struct parsed p =
        parse("BlobEndpoint=http://127.0.0.1:1/acc;QueueEndpoint=http://127.0.0.1:2/acc;"
              "TableEndpoint=http://127.0.0.1:3/acc/;SharedAccessSignature=sig=x");

    assert_int_equal(p.err, OK);
    assert_string_equal(p.account.name, "acc");
    assert_string_equal(p.account.endpoints[SERVICE_TABLES], "http://127.0.0.1:3/acc");
    account_fini(&p.account);
    assert_string_equal(service_name(SERVICE_TABLES), "table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C1_development_storage),
        cmocka_unit_test(test_C2_development_proxy),
        cmocka_unit_test(test_C3_C4_C5_key_and_suffix),
        cmocka_unit_test(test_C6_C7_shared_access_signature),
        cmocka_unit_test(test_C8_to_C12_refused),
        cmocka_unit_test(test_B52_blanks_and_empty_parts),
        cmocka_unit_test(test_B52_bad_parts_are_named),
        cmocka_unit_test(test_B52_values_are_never_printed),
        cmocka_unit_test(test_B52_nul_byte),
        cmocka_unit_test(test_B53_http_only_to_loopback),
        cmocka_unit_test(test_name_from_endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
