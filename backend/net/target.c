#include "backend/net/target.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "backend/base/attr.h"

static size_t find_any(struct str s, const char *chars)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr(chars, s.p[i]) && s.p[i])
            return i;
    return s.len;
}

static bool cut_scheme(struct str *url, const char **port)
{
    static const struct {
        struct str prefix;
        const char *port;
    } schemes[] = { { { "https://", 8 }, "443" }, { { "http://", 7 }, "80" } };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!str_eq_nocase(str_slice(*url, 0, schemes[i].prefix.len), schemes[i].prefix))
            continue;
        *url = str_slice(*url, schemes[i].prefix.len, url->len);
        *port = schemes[i].port;
        return true;
    }
    return false;
}

static bool is_loopback(struct str host)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("[::1]")))
        return true;
    if (host.len >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(host));
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool target_parse(struct str url, struct target *ret)
{
    const char *port;
    if (!cut_scheme(&url, &port))
        return false;
    size_t end = find_any(url, "/?#");
    struct str host = str_slice(url, 0, end);
    struct str path = str_slice(url, end, url.len);
    size_t at = find_any(host, "@");
    if (at < host.len)
        host = str_slice(host, at + 1, host.len);
    size_t bracket = find_any(host, "]");
    size_t from = bracket < host.len ? bracket : 0;
    size_t colon = from + find_any(str_slice(host, from, host.len), ":");
    struct str given = str_slice(host, colon + 1, host.len);
    host = str_slice(host, 0, colon);
    if (host.len == 0)
        return false;
    if (given.len == 0)
        given = str_c(port);
    path = str_slice(path, 0, find_any(path, "?#"));
    snprintf(ret->place, sizeof(ret->place), STR_FMT ":" STR_FMT, STR_ARG(host), STR_ARG(given));
    snprintf(ret->path, sizeof(ret->path), STR_FMT, STR_ARG(path));
    ret->loopback = is_loopback(host);
    return true;
}
