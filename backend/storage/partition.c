#include "backend/storage/partition.h"

#include <stdio.h>

uint32_t partition_hash(struct str id)
{
    uint32_t h = 0x811c9dc5u;

    for (size_t i = 0; i < id.len; i++) {
        h ^= (unsigned char)id.p[i];
        h *= 16777619u;
    }
    return h;
}

unsigned partition_of(struct str id, unsigned count)
{
    return partition_hash(id) % count;
}

void partition_resource(char ret[QUEUE_NAME_MAX], struct str hub, const char *suffix)
{
    size_t n = 0;

    /* Hub names are ASCII, so that lower-casing needs no table. */
    for (; n < hub.len && n < QUEUE_NAME_MAX - 1; n++) {
        char c = hub.p[n];
        ret[n] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    snprintf(ret + n, QUEUE_NAME_MAX - n, "-%s", suffix);
}

void partition_queue(char ret[QUEUE_NAME_MAX], struct str hub, unsigned index)
{
    char suffix[24];

    snprintf(suffix, sizeof(suffix), "control-%02u", index);
    partition_resource(ret, hub, suffix);
}

bool partition_parse_queue(struct str name, struct str hub, unsigned *ret)
{
    char prefix[QUEUE_NAME_MAX];

    partition_resource(prefix, hub, "control-");
    if (!str_starts(name, str_c(prefix)) || name.len != strlen(prefix) + 2)
        return false;
    unsigned value = 0;
    for (size_t i = name.len - 2; i < name.len; i++) {
        if (name.p[i] < '0' || name.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(name.p[i] - '0');
    }
    *ret = value;
    return true;
}
