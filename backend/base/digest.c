#include "backend/base/digest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* The hash that needs no memory is deprecated in favour of one that fetches an algorithm each time
 * and can fail for want of it; the name of a file must not (F51). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <zlib.h>

#define STEP_BYTES       (64 * 1024) /* how much the packers are given room for at a time */
#define UNPACKED_AT_ONCE (1u << 30)  /* zlib counts room in 32 bits */
#define GZIP_GROWTH      1032        /* a byte of deflate becomes so many at most */
#define STEP_BASE64      (12 * 1024) /* divisible by 3 and 4, so that no step ends in padding */

void digest_sha256(struct str data, unsigned char ret[32])
{
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Update(&hash, data.p, data.len);
    SHA256_Final(ret, &hash);
}

enum err digest_hmac_sha256(struct str key, struct str data, unsigned char ret[32])
{
    /* An empty key is a key; NULL would mean "the one of the last call". */
    const char *key_bytes = key.len ? key.p : "";
    if (key.len > INT_MAX)
        return ERR_TOO_BIG;
    return HMAC(EVP_sha256(), key_bytes, (int)key.len, (const unsigned char *)data.p, data.len, ret,
                NULL)
               ? OK
               : ERR_NO_MEMORY;
}

static char hex_digit(unsigned v)
{
    return "0123456789abcdef"[v & 15];
}

void digest_hex(struct buf *b, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_add_ch(b, hex_digit(bytes[i] >> 4));
        buf_add_ch(b, hex_digit(bytes[i]));
    }
}

void base64_encode(struct buf *b, struct str data)
{
    char block[STEP_BASE64 / 3 * 4 + 1]; /* OpenSSL writes a NUL behind it */
    for (size_t i = 0; i < data.len; i += STEP_BASE64) {
        struct str step = str_slice(data, i, i + STEP_BASE64);
        int n =
            EVP_EncodeBlock((unsigned char *)block, (const unsigned char *)step.p, (int)step.len);
        buf_add(b, (struct str){ block, (size_t)n });
    }
}

static bool is_base64_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* OpenSSL takes padding anywhere and white space between; we do not. */
static bool base64_check(struct str text, size_t *ret_padding)
{
    if (text.len % 4)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.p[text.len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.len - padding; i++)
        if (!is_base64_char(text.p[i]))
            return false;
    *ret_padding = padding;
    return true;
}

enum err base64_decode(struct buf *b, struct str text)
{
    size_t padding = 0;
    text = str_trim(text);
    if (!base64_check(text, &padding))
        return ERR_DAMAGED;
    for (size_t i = 0; i < text.len; i += STEP_BASE64) {
        struct str step = str_slice(text, i, i + STEP_BASE64);
        size_t n = step.len / 4 * 3;
        bool last = i + step.len == text.len;
        unsigned char block[STEP_BASE64 / 4 * 3];
        if (EVP_DecodeBlock(block, (const unsigned char *)step.p, (int)step.len) != (int)n)
            return ERR_DAMAGED;
        buf_add(b, (struct str){ (char *)block, last ? n - padding : n });
    }
    return buf_err(b);
}

static enum err zlib_err(int code)
{
    return code == Z_MEM_ERROR ? ERR_NO_MEMORY : ERR_BUG;
}

/* Gives z the next part of data; zlib counts in unsigned int. */
static void feed(z_stream *z, struct str *rest)
{
    if (z->avail_in || !rest->len)
        return;
    struct str step = str_slice(*rest, 0, INT_MAX);
    z->next_in = (Bytef *)(uintptr_t)step.p;
    z->avail_in = (uInt)step.len;
    *rest = str_slice(*rest, step.len, rest->len);
}

static enum err deflate_all(z_stream *z, struct buf *b, struct str rest)
{
    int code = Z_OK;
    while (code != Z_STREAM_END) {
        feed(z, &rest);
        size_t room = b->max - b->len < STEP_BYTES ? b->max - b->len : STEP_BYTES;
        char *to = buf_space(b, room ? room : 1); /* 1: fails with the buffer's own error */
        if (!to)
            return buf_err(b);
        z->next_out = (Bytef *)to;
        z->avail_out = (uInt)room;
        code = deflate(z, rest.len ? Z_NO_FLUSH : Z_FINISH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return zlib_err(code);
        buf_grown(b, room - z->avail_out);
    }
    return buf_err(b);
}

enum err gzip_pack(struct buf *b, struct str data)
{
    z_stream z = { 0 };
    int code = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    if (code != Z_OK)
        return zlib_err(code);
    enum err err = deflate_all(&z, b, data);
    deflateEnd(&z);
    return err;
}

/* At least a step, or all that is there: between two calls zlib copies its window. */
static size_t step_room(const struct buf *b)
{
    size_t room = b->cap > b->len ? b->cap - 1 - b->len : 0;

    if (room < STEP_BYTES)
        room = STEP_BYTES;
    if (room > UNPACKED_AT_ONCE)
        room = UNPACKED_AT_ONCE;
    return room < b->max - b->len ? room : b->max - b->len;
}

/* One step into b. A full buffer gets one byte beside it: only a byte that really comes makes the
 * content too big, the trailer of a member may still follow. */
static enum err inflate_step(z_stream *z, struct buf *b, int *ret_code)
{
    char beyond;
    size_t room = step_room(b);
    char *to = room ? buf_space(b, room) : &beyond;
    if (!to)
        return buf_err(b);
    z->next_out = (Bytef *)to;
    z->avail_out = room ? (uInt)room : 1;
    *ret_code = inflate(z, Z_NO_FLUSH);
    if (room)
        buf_grown(b, room - z->avail_out);
    else if (z->avail_out == 0)
        (void)buf_space(b, 1); /* fails, and says so from now on */
    if (*ret_code == Z_MEM_ERROR)
        return ERR_NO_MEMORY;
    return *ret_code == Z_OK || *ret_code == Z_STREAM_END ? buf_err(b) : ERR_DAMAGED;
}

/* One member; Z_BUF_ERROR when the data ends before it does becomes ERR_DAMAGED above. */
static enum err inflate_member(z_stream *z, struct buf *b, struct str *rest)
{
    int code = Z_OK;
    while (code != Z_STREAM_END) {
        feed(z, rest);
        enum err err = inflate_step(z, b, &code);
        if (err)
            return err;
    }
    return OK;
}

static enum err inflate_all(z_stream *z, struct buf *b, struct str rest)
{
    for (;;) {
        enum err err = inflate_member(z, b, &rest);
        if (err)
            return err;
        if (!z->avail_in && !rest.len)
            return OK;
        if (inflateReset(z) != Z_OK)
            return ERR_BUG;
    }
}

static bool is_gzip(struct str data)
{
    return str_starts(data, STR("\x1f\x8b"));
}

/* The last member ends with its size. It is foreign, so only believed as far as the packed bytes
 * can grow at all, and only for getting memory at once, which growing would fetch and copy in
 * pieces. */
static enum err reserve(struct buf *b, struct str data)
{
    size_t room = b->max - b->len, size = 0;

    for (size_t i = 1; i <= 4 && i <= data.len; i++)
        size = size << 8 | (unsigned char)data.p[data.len - i];
    if (size / GZIP_GROWTH > data.len)
        return OK;
    size += STEP_BYTES; /* the trailer is read with a step of room left */
    return buf_space(b, size < room ? size : room) ? OK : buf_err(b);
}

enum err gzip_unpack(struct buf *b, struct str data)
{
    enum err err = buf_err(b);
    if (err)
        return err;
    if (!is_gzip(data)) {
        buf_add(b, data);
        return buf_err(b);
    }
    err = reserve(b, data);
    if (err)
        return err;
    z_stream z = { 0 };
    int code = inflateInit2(&z, 15 + 16);
    if (code != Z_OK)
        return zlib_err(code);
    size_t before = b->len;
    err = inflate_all(&z, b, data);
    inflateEnd(&z);
    if (err)
        b->len = before; /* half a payload is none */
    return err;
}

/* Only where the system forbids the call: ids that are not random would be used twice. */
static _Noreturn void give_up(void)
{
    fprintf(stderr, "taskhubfs: getrandom failed, giving up\n");
    abort();
}

void random_bytes(unsigned char *ret, size_t n)
{
    while (n) {
        ssize_t got = getrandom(ret, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            give_up();
        ret += got;
        n -= (size_t)got;
    }
}

void guid_new_plain(char ret[32 + 1])
{
    unsigned char bytes[16];
    random_bytes(bytes, sizeof bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40; /* version 4, as Guid.NewGuid makes it */
    bytes[8] = (bytes[8] & 0x3f) | 0x80; /* the variant of RFC 4122 */
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret[2 * i] = hex_digit(bytes[i] >> 4);
        ret[2 * i + 1] = hex_digit(bytes[i]);
    }
    ret[32] = '\0';
}

void guid_new(char ret[GUID_LEN + 1])
{
    char plain[32 + 1];
    guid_new_plain(plain);
    char *to = ret;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *to++ = '-';
        *to++ = plain[i];
    }
    *to = '\0';
}
