/* Any bytes as a connection string: what is accepted can be used as it is, what is refused is
 * refused in a sentence without a value. */
#include <string.h>

#include "backend/storage/account.h"
#include "tests/fuzz/fuzz.h"

static void check_endpoint(const struct account *a, enum service s)
{
    struct str url = str_c(a->endpoints[s]);

    MUST_HOLD(str_starts(url, STR("https://")) || str_starts(url, STR("http://")));
    MUST_HOLD(!str_ends(url, STR("/")));
    MUST_HOLD(strpbrk(a->endpoints[s], " \t\r\n?#@\"<>\\") == NULL);
    MUST_HOLD(url.len < ENDPOINT_MAX);
}

static void check_account(const struct account *a)
{
    MUST_HOLD(a->name[0]);
    MUST_HOLD(secret_is_set(&a->key) != secret_is_set(&a->sas));
    for (int s = 0; s < SERVICE_COUNT; s++)
        check_endpoint(a, (enum service)s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct account a;
    struct call call;
    enum err err;

    call_init(&call, 1000);
    err = account_parse(&a, fuzz_str(data, size), &call);
    if (err == OK) {
        check_account(&a);
        account_fini(&a);
    } else {
        MUST_HOLD(err == ERR_INVALID);
        MUST_HOLD(strstr(call.text, "connection string"));
    }
    return 0;
}
