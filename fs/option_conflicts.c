#include "fs/option_conflicts.h"

static bool check_hubs(const struct options *o, struct buf *why)
{
    size_t len = o->source ? strlen(o->source) : 0;
    bool is_account = len && o->source[len - 1] == '/';

    if ((o->all_hubs || is_account) && o->hub)
        buf_printf(why, "all hubs of the account and --hub=%s contradict each other", o->hub);
    else if (o->all_hubs && len && !is_account)
        buf_printf(why, "--all-hubs and SOURCE '%s' contradict each other: give ACCOUNT/",
                   o->source);
    else if (o->allow_delete_hub && o->read_only)
        buf_add_c(why, "-o ro and --allow-delete-hub contradict each other");
    else if (o->allow_delete_hub && !o->all_hubs && !is_account)
        buf_add_c(why, "--allow-delete-hub is for a mount of all hubs: add --all-hubs, or give "
                       "ACCOUNT/ as SOURCE");
    else
        return true;
    return false;
}

/* An address and nothing else: what follows it is made here, and a user in it could be a secret. */
static bool is_http_url(const char *url)
{
    bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;

    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("?#@\"\\", *p))
            return false;
    return http && strchr(url, '/')[2] != '\0' && strchr(url, '/')[2] != '/';
}

static bool check_http(const struct options *o, struct buf *why)
{
    if (o->http_url && !is_http_url(o->http_url))
        buf_add_c(why,
                  "option http-url: the address of the app, http:// or https://, without user, "
                  "query and fragment (as http://localhost:7071)");
    else if (o->http_key_file && !o->http_url)
        buf_add_c(why, "--http-key-file is of use with --http-url only");
    else
        return true;
    return false;
}

bool options_agree(const struct options *o, struct buf *why)
{
    if (o->demo && (o->connection || o->connection_file || o->project)) {
        buf_add_c(why, "--demo has no account: it cannot be combined with --connection, "
                       "--connection-file or --project");
        return false;
    }
    if (o->connection && o->connection_file) {
        buf_add_c(why, "--connection and --connection-file contradict each other: give one");
        return false;
    }
    if (o->source && o->hub && !strchr(o->source, '/') && strcmp(o->source, o->hub) != 0) {
        buf_printf(why, "SOURCE says hub '%s' and --hub says '%s': give one", o->source, o->hub);
        return false;
    }
    if (!check_hubs(o, why) || !check_http(o, why))
        return false;
    if (o->read_only && o->allow_tree_delete) {
        buf_add_c(why, "-o ro and --allow-tree-delete contradict each other");
        return false;
    }
    if (o->no_purge && o->allow_tree_delete) {
        buf_add_c(why, "--no-purge and --allow-tree-delete contradict each other");
        return false;
    }
    return true;
}
