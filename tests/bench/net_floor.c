/* net_floor: how fast the same answers can be had by somebody who does not look at them.
 *   net_floor FILE CONNECTIONS     fetches every URL of FILE, one a line, over so many connections
 *   net_floor --follow URL         fetches a listing page by page, as its tokens say
 * Bodies are counted and dropped. Prints requests, bytes and seconds, separated by tabs.
 * Threads: one; curl's multi interface keeps the connections busy. */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CONNECTIONS_TOP 64
#define URL_MAX         32768
#define TOKEN_MAX       2048

struct floor {
    CURLM *multi;
    struct curl_slist *headers;
    FILE *urls;
    unsigned long requests, bytes, failures;
    int busy; /* connections with a request */
};

struct token {
    char partition[TOKEN_MAX], row[TOKEN_MAX];
    bool has_row;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t drop(char *at, size_t size, size_t n, void *ctx)
{
    struct floor *f = ctx;

    (void)at;
    f->bytes += size * n;
    return size * n;
}

static struct curl_slist *make_headers(void)
{
    struct curl_slist *list;
    char date[64], line[96];
    time_t t = time(NULL);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(line, sizeof(line), "x-ms-date: %s", date);
    list = curl_slist_append(NULL, line);
    list = curl_slist_append(list, "Accept: application/json;odata=nometadata");
    return curl_slist_append(list, "Authorization: SharedKey floor:floor");
}

static CURL *handle_new(struct floor *f)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        abort();
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
}

/* Gives the connection its next request, if there is one. */
static void next_url(struct floor *f, CURL *easy)
{
    char url[URL_MAX];

    if (!fgets(url, sizeof(url), f->urls))
        return;
    url[strcspn(url, "\n")] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_multi_add_handle(f->multi, easy);
    f->busy++;
}

static void take_finished(struct floor *f)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(f->multi, &left))) {
        CURL *easy = m->easy_handle;

        f->requests++;
        f->failures += m->data.result != CURLE_OK;
        curl_multi_remove_handle(f->multi, easy);
        f->busy--;
        next_url(f, easy);
    }
}

static void fetch_all(struct floor *f, int connections)
{
    CURL *handles[CONNECTIONS_TOP];
    int running = 0;

    f->multi = curl_multi_init();
    for (int i = 0; i < connections; i++) {
        handles[i] = handle_new(f);
        next_url(f, handles[i]);
    }
    while (f->busy) {
        curl_multi_perform(f->multi, &running);
        take_finished(f);
        if (running)
            curl_multi_poll(f->multi, NULL, 0, 1000, NULL);
    }
    for (int i = 0; i < connections; i++)
        curl_easy_cleanup(handles[i]);
    curl_multi_cleanup(f->multi);
}

static bool copy_value(char *dst, const char *line, size_t len, const char *name)
{
    size_t n = strlen(name);

    if (len < n || strncasecmp(line, name, n) != 0)
        return false;
    snprintf(dst, TOKEN_MAX, "%.*s", (int)(len - n), line + n);
    dst[strcspn(dst, "\r\n")] = '\0';
    return true;
}

static size_t take_header(char *at, size_t size, size_t n, void *ctx)
{
    struct token *t = ctx;

    (void)copy_value(t->partition, at, size * n, "x-ms-continuation-NextPartitionKey: ");
    t->has_row |= copy_value(t->row, at, size * n, "x-ms-continuation-NextRowKey: ");
    return size * n;
}

static void follow(struct floor *f, const char *first)
{
    CURL *easy = handle_new(f);
    struct token t = { .partition = "" };
    char url[URL_MAX];

    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);
    snprintf(url, sizeof(url), "%s", first);
    do {
        char *partition, *row;

        t = (struct token){ .partition = "" };
        curl_easy_setopt(easy, CURLOPT_URL, url);
        f->failures += curl_easy_perform(easy) != CURLE_OK;
        f->requests++;
        partition = curl_easy_escape(easy, t.partition, 0);
        row = curl_easy_escape(easy, t.row, 0);
        snprintf(url, sizeof(url), "%s&NextPartitionKey=%s%s%s", first, partition,
                 t.has_row ? "&NextRowKey=" : "", t.has_row ? row : "");
        curl_free(partition);
        curl_free(row);
    } while (t.partition[0] && !f->failures);
    curl_easy_cleanup(easy);
}

int main(int argc, char **argv)
{
    struct floor f = { .headers = make_headers() };
    bool follows = argc == 3 && strcmp(argv[1], "--follow") == 0;
    int connections = argc == 3 && !follows ? (int)strtol(argv[2], NULL, 10) : 1;
    double began;

    if (argc != 3 || connections < 1 || connections > CONNECTIONS_TOP) {
        fprintf(stderr, "usage: net_floor FILE CONNECTIONS | --follow URL\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_ALL);
    began = now();
    if (follows) {
        follow(&f, argv[2]);
    } else {
        f.urls = fopen(argv[1], "re");
        if (!f.urls) {
            perror(argv[1]);
            return 2;
        }
        fetch_all(&f, connections);
        fclose(f.urls);
    }
    printf("%lu\t%lu\t%.6f\n", f.requests, f.bytes, now() - began);
    curl_slist_free_all(f.headers);
    if (f.failures)
        fprintf(stderr, "net_floor: %lu requests failed\n", f.failures);
    return f.failures ? 1 : 0;
}
