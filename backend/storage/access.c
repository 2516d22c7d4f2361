#include "backend/storage/access.h"

void access_init(struct storage *s, const struct hub_reread *reread)
{
    lock_init(&s->access.lock, RANK_HUB);
    s->access.reread = *reread;
}

void access_fini(struct storage *s)
{
    account_fini(&s->account);
    lock_fini(&s->access.lock);
}

enum err access_sign(struct storage *s, enum service service, const struct http_request *r,
                     const struct sign_moment *moment, struct buf *out, struct buf *url_suffix,
                     unsigned *ret_edition)
{
    const struct account *a = &s->account;

    LOCK_SCOPE(&s->access.lock);
    *ret_edition = s->access.edition;
    if (secret_is_set(&a->sas)) {
        buf_add_ch(url_suffix, memchr(r->url.p, '?', r->url.len) ? '&' : '?');
        buf_add(url_suffix, secret_reveal(&a->sas));
        return buf_err(url_suffix);
    }
    buf_add_c(out, "Authorization: ");
    enum err err = sign_request(out, a, service, r, moment);
    buf_add_ch(out, '\n');
    return err;
}

bool access_is_sas(struct storage *s)
{
    LOCK_SCOPE(&s->access.lock);
    return secret_is_set(&s->account.sas);
}

/* -- reading again -- */

static bool is_same(const struct secret *x, const struct secret *y)
{
    return str_eq(secret_reveal(x), secret_reveal(y));
}

/* Caches, names of tables and queues, payloads: all of it is of one account. */
static enum err check_place(const struct storage *s, const struct account *a, struct call *call)
{
    bool same = str_eq(str_c(a->name), str_c(s->account.name));

    for (int i = 0; i < SERVICE_COUNT; i++)
        same = same && str_eq(str_c(a->endpoints[i]), str_c(s->account.endpoints[i]));
    return same ? OK
                : call_fail(call, ERR_INVALID,
                            "the connection string is for account '%s' or other addresses now; "
                            "this mount stays with account '%s' and its old key",
                            a->name, s->account.name);
}

static void take_over(struct storage *s, struct account *fresh)
{
    struct account *mine = &s->account;

    LOCK_SCOPE(&s->access.lock);
    if (is_same(&mine->key, &fresh->key) && is_same(&mine->sas, &fresh->sas))
        return;
    struct secret key = mine->key, sas = mine->sas;
    mine->key = fresh->key;
    mine->sas = fresh->sas;
    fresh->key = key; /* whoever owns fresh wipes them */
    fresh->sas = sas;
    s->access.edition++;
}

static enum err read_again(struct storage *s, struct call *call)
{
    const struct hub_reread *reread = &s->access.reread;
    struct secret text = SECRET_NONE;
    struct account fresh = { .key = SECRET_NONE, .sas = SECRET_NONE };
    enum err err = reread->read(reread->ctx, call, &text);

    if (err != OK || !secret_is_set(&text))
        return err;
    err = account_parse(&fresh, secret_reveal(&text), call);
    if (err == OK)
        err = check_place(s, &fresh, call);
    if (err == OK)
        take_over(s, &fresh);
    account_fini(&fresh);
    secret_fini(&text);
    return err;
}

void access_reread(struct storage *s)
{
    const struct hub_reread *reread = &s->access.reread;
    struct call call;

    if (!reread->read)
        return;
    call_init(&call, INT64_MAX);
    if (read_again(s, &call) != OK && reread->refused)
        reread->refused(reread->ctx, call.text);
}

static unsigned edition(struct storage *s)
{
    LOCK_SCOPE(&s->access.lock);
    return s->access.edition;
}

bool access_renew(struct storage *s, unsigned refused)
{
    if (edition(s) != refused)
        return true;
    access_reread(s);
    return edition(s) != refused;
}
