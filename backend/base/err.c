#include "backend/base/err.h"

#include <stddef.h>

static const char *const err_names[ERR_COUNT] = {
    [OK] = "ok",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_WRONG_STATE] = "wrong-state",
    [ERR_FORBIDDEN] = "forbidden",
    [ERR_READ_ONLY] = "read-only",
    [ERR_BUSY] = "busy",
    [ERR_NOT_EMPTY] = "not-empty",
    [ERR_INVALID] = "invalid",
    [ERR_TOO_BIG] = "too-big",
    [ERR_BAD_NAME] = "bad-name",
    [ERR_DENIED] = "denied",
    [ERR_KEY_REJECTED] = "key-rejected",
    [ERR_KEY_EXPIRED] = "key-expired",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_THROTTLED] = "throttled",
    [ERR_TIMEOUT] = "timeout",
    [ERR_UNKNOWN_OUTCOME] = "unknown-outcome",
    [ERR_UNREACHABLE] = "unreachable",
    [ERR_PAUSED] = "paused",
    [ERR_CANCELLED] = "cancelled",
    [ERR_WOULD_BLOCK] = "would-block",
    [ERR_TOO_MANY] = "too-many",
    [ERR_NO_MEMORY] = "no-memory",
    [ERR_DAMAGED] = "damaged",
    [ERR_BROKEN] = "broken",
    [ERR_BUG] = "bug",
};

const char *err_name(enum err err)
{
    if ((unsigned)err >= ERR_COUNT || !err_names[err])
        return "unknown";
    return err_names[err];
}
