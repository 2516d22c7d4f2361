/* tables: the table service: one row, pages of rows, writes with ETags, transactions.
 * Knows OData, tokens and multipart; not what the columns mean.
 * Texts are given unencoded; key literals and percent-encoding are made here. etag "*" = whatever
 * version is there.
 * Threads: any; a struct pages is private to one. */
#ifndef BACKEND_STORAGE_TABLES_H
#define BACKEND_STORAGE_TABLES_H

#include "backend/storage/wire.h"

/* Reads one row: ret->body is its JSON object, its ETag the header "etag". select may be NULL (all
 * columns). ERR_NOT_FOUND. */
MUST_CHECK enum err tables_get(struct storage *s, struct call *call, struct str table,
                               struct str partition_key, struct str row_key, const char *select,
                               struct http_response *ret);

/* Writes. json: the row's members as an object. All may be repeated by the layer below after a lost
 * answer: then an insert that was done says ERR_EXISTS, and a conditional write ERR_BUSY (412);
 * read again to tell (F39). */
MUST_CHECK enum err tables_insert(struct storage *s, struct call *call, struct str table,
                                  struct str json);
MUST_CHECK enum err tables_merge(struct storage *s, struct call *call, struct str table,
                                 struct str partition_key, struct str row_key, struct str etag,
                                 struct str json);
MUST_CHECK enum err tables_replace(struct storage *s, struct call *call, struct str table,
                                   struct str partition_key, struct str row_key, struct str etag,
                                   struct str json);
MUST_CHECK enum err tables_delete(struct storage *s, struct call *call, struct str table,
                                  struct str partition_key, struct str row_key, struct str etag);

/* Deletes 1 to BATCH_ROWS rows of one partition in one transaction: all or none. Judged by the
 * inner answers (F42): ERR_NOT_FOUND: one of them is gone and nothing was deleted; ERR_BUSY: an
 * ETag did not match. etag "" is taken as "*". */
struct table_key {
    struct str row_key;
    struct str etag;
};
MUST_CHECK enum err tables_delete_batch(struct storage *s, struct call *call, struct str table,
                                        struct str partition_key, const struct table_key *rows,
                                        size_t n);

/* Deletes a whole table. One that is not there, or already being deleted, is success.
 * *ret_was_there may be NULL. */
MUST_CHECK enum err tables_drop(struct storage *s, struct call *call, struct str table,
                                bool *ret_was_there);

/* Pages of a query, in key order, to the end (R3): empty and short pages are followed, a token that
 * goes round in circles is ERR_BROKEN (F36), an empty last page is asked for once more (F37).
 *
 *     struct pages p;
 *     pages_init(&p, s, &query);
 *     while ((err = pages_next(&p, call)) == OK && pages_more(&p))
 *         ... pages_body(&p) ...     // {"value":[ rows ]}; may hold no row
 *     pages_fini(&p);
 */
struct table_query {
    struct str table;   /* its spelling; the text lives as long as the pages */
    struct str filter;  /* OData; "" = none */
    const char *select; /* columns with commas; NULL = all */
    int top;            /* rows a page; 0 = the service's own maximum */
};

struct pages {
    struct storage *storage;
    struct table_query query;
    struct http_response response;
    struct buf next_partition, next_row; /* token of the page after this one */
    struct buf token_query;              /* "&NextPartitionKey=..." of the current page */
    struct buf seen;                     /* an older token, to find circles */
    unsigned steps, seen_for, repeats;   /* private: Brent's method */
    unsigned damaged;                    /* times the current page was unreadable */
    bool started, has_next, has_row, again, reread, end;
};

void pages_init(struct pages *p, struct storage *s, const struct table_query *query);
void pages_fini(struct pages *p);
/* Fetches the next page; asks for the same again after pages_damaged. */
MUST_CHECK enum err pages_next(struct pages *p, struct call *call);
bool pages_more(const struct pages *p); /* false: the query has ended, there is no page */
struct str pages_body(const struct pages *p);
bool pages_has_next(const struct pages *p); /* a token says that there may be more */
bool pages_is_empty(const struct pages *p); /* the page holds no row */
/* The page could not be read (B29): the next pages_next asks for it once more. ERR_BROKEN when it
 * was unreadable three times. */
MUST_CHECK enum err pages_damaged(struct pages *p, struct call *call);

#endif
