#include "backend/storage/xml.h"

#include <expat.h>

#include "backend/base/limits.h"

#define XML_PATH_MAX 4096u      /* bytes; our documents have paths of 40 */
#define XML_TEXT_MAX (2u * MIB) /* bytes of one element; a queue message has 64 KiB */
#define CHUNK_BYTES  (1u * MIB) /* expat takes an int */

struct reader {
    XML_Parser parser;
    struct call *call;
    xml_element emit;
    void *ctx;
    struct buf path;
    struct buf text;
    unsigned depth;
    bool encoded;        /* the element that is open last has Encoded="true" */
    const char *refused; /* why we stopped the parser, a sentence part */
    enum err err;        /* what emit said */
};

static void refuse(struct reader *r, const char *why)
{
    if (!r->refused)
        r->refused = why;
    XML_StopParser(r->parser, XML_FALSE);
}

static bool has_encoded(const XML_Char **attributes)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], "Encoded") == 0)
            return strcmp(attributes[1], "true") == 0;
    return false;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = ctx;

    if (++r->depth > JSON_DEPTH_MAX) {
        refuse(r, "nested too deep");
        return;
    }
    if (r->path.len)
        buf_add_ch(&r->path, '/');
    buf_add_c(&r->path, name);
    if (buf_err(&r->path) != OK)
        refuse(r, "element names too long");
    /* Text between elements is layout, never content, in these documents. */
    buf_clear(&r->text);
    r->encoded = has_encoded(attributes);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; what is not %XX stays as it is. */
static void percent_decode(struct buf *b)
{
    size_t out = 0;

    for (size_t i = 0; i < b->len; i++) {
        int high = i + 2 < b->len && b->p[i] == '%' ? hex_value(b->p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(b->p[i + 2]) : -1;
        if (low >= 0) {
            b->p[out++] = (char)(high * 16 + low);
            i += 2;
        } else {
            b->p[out++] = b->p[i];
        }
    }
    b->len = out;
}

static void leave_element(struct reader *r)
{
    size_t n = r->path.len;

    while (n > 0 && r->path.p[n - 1] != '/')
        n--;
    r->path.len = n > 0 ? n - 1 : 0;
    r->depth--;
    r->encoded = false;
    buf_clear(&r->text);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct reader *r = ctx;

    (void)name;
    if (r->refused || r->err != OK)
        return;
    if (buf_err(&r->text) != OK) {
        refuse(r, "element too long");
        return;
    }
    if (r->encoded)
        percent_decode(&r->text);
    r->err = r->emit(r->ctx, buf_str(&r->path), buf_str(&r->text));
    if (r->err != OK)
        XML_StopParser(r->parser, XML_FALSE);
    leave_element(r);
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
    struct reader *r = ctx;

    buf_add(&r->text, (struct str){ text, (size_t)len });
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    refuse(ctx, "it has a DOCTYPE");
}

static bool feed(struct reader *r, struct str document)
{
    size_t at = 0;

    do {
        size_t n = document.len - at < CHUNK_BYTES ? document.len - at : CHUNK_BYTES;
        bool last = at + n == document.len;
        if (XML_Parse(r->parser, document.p ? document.p + at : "", (int)n, last) != XML_STATUS_OK)
            return false;
        at += n;
    } while (at < document.len);
    return true;
}

static enum err verdict(struct reader *r, bool parsed)
{
    if (r->err != OK)
        return r->err;
    if (r->refused)
        return call_fail(r->call, ERR_BROKEN, "the server's XML is refused: %s", r->refused);
    if (!parsed)
        return call_fail(r->call, ERR_BROKEN, "the server's XML cannot be read: %s (line %lu)",
                         XML_ErrorString(XML_GetErrorCode(r->parser)),
                         (unsigned long)XML_GetCurrentLineNumber(r->parser));
    return OK;
}

enum err xml_read(struct call *call, struct str document, xml_element emit, void *ctx)
{
    struct reader r = { .call = call, .emit = emit, .ctx = ctx };

    /* Naming the encoding overrules what the document says of itself. */
    r.parser = XML_ParserCreate("UTF-8");
    if (!r.parser)
        return call_fail(call, ERR_NO_MEMORY, "no memory for an XML parser");
    buf_init(&r.path, XML_PATH_MAX);
    buf_init(&r.text, XML_TEXT_MAX);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    enum err err = verdict(&r, feed(&r, document));
    XML_ParserFree(r.parser);
    buf_fini(&r.path);
    buf_fini(&r.text);
    return err;
}
