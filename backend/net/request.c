#include "backend/net/request.h"

const char *http_method_name(enum http_method m)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",   [HTTP_HEAD] = "HEAD",   [HTTP_PUT] = "PUT",
        [HTTP_POST] = "POST", [HTTP_MERGE] = "MERGE", [HTTP_DELETE] = "DELETE"
    };
    return names[m];
}

void response_fini(struct http_response *r)
{
    buf_fini(&r->body);
    buf_fini(&r->headers);
}

bool response_header(const struct http_response *r, const char *name, struct str *ret)
{
    struct str lines = buf_str(&r->headers), wanted = str_c(name);
    while (lines.len > 0) {
        struct str line = str_cut(&lines, '\n');
        if (!str_starts(line, wanted) || line.len <= wanted.len || line.p[wanted.len] != ':')
            continue;
        *ret = str_trim(str_slice(line, wanted.len + 1, line.len));
        return true;
    }
    return false;
}

bool http_is_clean(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}
