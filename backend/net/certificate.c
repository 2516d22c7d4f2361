#include "backend/net/certificate.h"

#include <curl/curl.h>
#include <stdio.h>

#define SUBJECT "Subject:"

/* Non-zero ends the handshake. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    const struct call *call = ctx;
    return call_cancelled(call) || call_left_ms(call) == 0;
}

static void prepare(CURL *easy, struct call *call, const char *url, int64_t connect_ms)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); /* nothing is sent, and nothing believed */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
}

/* Of the server's own certificate, which is the chain's first. */
static void copy_subject(CURL *easy, char *ret, size_t size)
{
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
        chain->num_of_certs < 1)
        return;
    for (const struct curl_slist *field = chain->certinfo[0]; field; field = field->next)
        if (strncmp(field->data, SUBJECT, strlen(SUBJECT)) == 0)
            snprintf(ret, size, "%s", field->data + strlen(SUBJECT));
}

void certificate_subject(struct call *call, const char *place, int64_t connect_ms, char *ret,
                         size_t size)
{
    char url[320];
    snprintf(ret, size, "%s", "");
    snprintf(url, sizeof(url), "https://%s/", place);
    CURL *easy = curl_easy_init();
    if (!easy)
        return;
    prepare(easy, call, url, connect_ms);
    if (curl_easy_perform(easy) == CURLE_OK)
        copy_subject(easy, ret, size);
    curl_easy_cleanup(easy);
}
