/* Any bytes as base64, and any bytes to base64 and back. */
#include "backend/base/digest.h"
#include "tests/fuzz/fuzz.h"

static void decode_any(struct str text)
{
    CLEANUP_BUF struct buf bytes = BUF_INIT(text.len + 1), again = BUF_INIT(2 * text.len + 8);
    enum err err = base64_decode(&bytes, text);
    MUST_HOLD(err == OK || err == ERR_DAMAGED);
    if (err)
        return;
    /* All but the last group is the same; that may carry bits that mean nothing. */
    base64_encode(&again, buf_str(&bytes));
    struct str inner = str_trim(text);
    MUST_HOLD(again.len == inner.len);
    if (inner.len)
        MUST_HOLD(str_eq(str_slice(buf_str(&again), 0, inner.len - 4),
                         str_slice(inner, 0, inner.len - 4)));
}

static void there_and_back(struct str data)
{
    CLEANUP_BUF struct buf text = BUF_INIT(2 * data.len + 8), bytes = BUF_INIT(data.len);
    base64_encode(&text, data);
    MUST_HOLD(buf_err(&text) == OK && text.len == (data.len + 2) / 3 * 4);
    MUST_HOLD(base64_decode(&bytes, buf_str(&text)) == OK);
    MUST_HOLD(str_eq(buf_str(&bytes), data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_any(fuzz_str(data, size));
    there_and_back(fuzz_str(data, size));
    return 0;
}
