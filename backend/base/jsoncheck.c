#include "backend/base/jsoncheck.h"

/* What the bytes so far lead us to expect. */
enum lex {
    LEX_START,       /* the value of the document */
    LEX_VALUE,       /* a value, after a colon or a comma */
    LEX_FIRST_VALUE, /* a value or ] */
    LEX_NAME,        /* a name, after a comma */
    LEX_FIRST_NAME,  /* a name or } */
    LEX_COLON,
    LEX_NEXT,     /* a comma or the closing bracket */
    LEX_END,      /* nothing but white space */
    LEX_STRING,   /* inside quotes */
    LEX_ESCAPE,   /* behind a backslash */
    LEX_HEX,      /* sub digits are due */
    LEX_UTF8,     /* sub bytes are due, the first of them within the bounds in unicode */
    LEX_WORD,     /* true, false, null: sub is the place in the word, unicode says which */
    LEX_MINUS,    /* the first digit is due */
    LEX_ZERO,     /* no further digit */
    LEX_INTEGER,  /* digits, point, exponent */
    LEX_POINT,    /* a digit is due */
    LEX_FRACTION, /* digits, exponent */
    LEX_E,        /* a sign or a digit is due */
    LEX_SIGN,     /* a digit is due */
    LEX_EXPONENT  /* digits */
};

static const char *const words[] = { "true", "false", "null" };

static const char *const not_utf8 = "not UTF-8";
static const char *const no_value = "a value cannot begin like this";

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(unsigned char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* NULL is the good answer of every step below; anything else says why the byte cannot be. */

static const char *go(struct jsoncheck *c, enum lex lex)
{
    c->lex = (unsigned char)lex;
    return NULL;
}

static const char *go_sub(struct jsoncheck *c, enum lex lex, unsigned sub, uint32_t unicode)
{
    c->sub = (unsigned char)sub;
    c->unicode = unicode;
    return go(c, lex);
}

static const char *value_ended(struct jsoncheck *c)
{
    return go(c, c->depth ? LEX_NEXT : LEX_END);
}

static bool in_object(const struct jsoncheck *c)
{
    unsigned top = c->depth - 1;
    return c->stack[top >> 3] >> (top & 7) & 1;
}

static const char *open_bracket(struct jsoncheck *c, bool object)
{
    if (c->depth >= JSON_DEPTH_MAX)
        return "nested too deeply";
    unsigned char bit = (unsigned char)(1u << (c->depth & 7));
    if (object)
        c->stack[c->depth >> 3] |= bit;
    else
        c->stack[c->depth >> 3] &= (unsigned char)~bit;
    c->depth++;
    return go(c, object ? LEX_FIRST_NAME : LEX_FIRST_VALUE);
}

static const char *close_bracket(struct jsoncheck *c)
{
    c->depth--;
    return value_ended(c);
}

static const char *open_string(struct jsoncheck *c, bool name)
{
    c->in_name = name;
    return go(c, LEX_STRING);
}

/* The usual ways to miss JSON get their own words. */
static const char *why_no_value(unsigned char byte)
{
    switch (byte) {
    case '+':
        return "a number cannot begin with a plus sign";
    case '.':
        return "a number cannot begin with a point";
    case '\'':
        return "text stands in double quotes";
    case 'N':
    case 'I':
        return "NaN and Infinity are not JSON, true, false and null are small letters";
    case 'T':
    case 'F':
        return "true, false and null are small letters";
    case '/':
    case '#':
        return "JSON has no comments";
    case ',':
    case ':':
    case ']':
    case '}':
        return "a value is missing here";
    default:
        return byte < 0x20 ? "a control character" : no_value;
    }
}

static const char *begin_value(struct jsoncheck *c, unsigned char byte)
{
    switch (byte) {
    case '{':
        return open_bracket(c, true);
    case '[':
        return open_bracket(c, false);
    case '"':
        return open_string(c, false);
    case 't':
        return go_sub(c, LEX_WORD, 1, 0);
    case 'f':
        return go_sub(c, LEX_WORD, 1, 1);
    case 'n':
        return go_sub(c, LEX_WORD, 1, 2);
    case '-':
        return go(c, LEX_MINUS);
    case '0':
        return go(c, LEX_ZERO);
    default:
        return is_digit(byte) ? go(c, LEX_INTEGER) : why_no_value(byte);
    }
}

static const char *begin_document(struct jsoncheck *c, unsigned char byte)
{
    if (byte == 0xef)
        return "a byte order mark";
    return begin_value(c, byte);
}

static const char *name_step(struct jsoncheck *c, unsigned char byte)
{
    if (byte == '"')
        return open_string(c, true);
    if (byte == '}')
        return c->lex == LEX_FIRST_NAME ? close_bracket(c) : "a comma with nothing behind it";
    return "a name in double quotes is due here";
}

static const char *next_step(struct jsoncheck *c, unsigned char byte)
{
    bool object = in_object(c);
    if (byte == ',')
        return go(c, object ? LEX_NAME : LEX_VALUE);
    if (byte == (object ? '}' : ']'))
        return close_bracket(c);
    return object ? "a comma or } is due here" : "a comma or ] is due here";
}

/* The bytes that may follow a lead byte are due next, the first within bounds that keep out
 * overlong forms, surrogates and what is beyond U+10FFFF. */
static const char *lead_byte(struct jsoncheck *c, unsigned char byte)
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return go_sub(c, LEX_UTF8, 1, 0x80bf);
    if (byte >= 0xe0 && byte <= 0xef)
        return go_sub(c, LEX_UTF8, 2, byte == 0xe0 ? 0xa0bf : byte == 0xed ? 0x809f : 0x80bf);
    if (byte >= 0xf0 && byte <= 0xf4)
        return go_sub(c, LEX_UTF8, 3, byte == 0xf0 ? 0x90bf : byte == 0xf4 ? 0x808f : 0x80bf);
    return not_utf8;
}

static const char *utf8_step(struct jsoncheck *c, unsigned char byte)
{
    if (byte < c->unicode >> 8 || byte > (c->unicode & 0xff))
        return not_utf8;
    if (c->sub == 1)
        return go(c, LEX_STRING);
    return go_sub(c, LEX_UTF8, c->sub - 1u, 0x80bf);
}

static const char *string_step(struct jsoncheck *c, unsigned char byte)
{
    if (byte == '"')
        return c->in_name ? go(c, LEX_COLON) : value_ended(c);
    if (byte == '\\')
        return go(c, LEX_ESCAPE);
    if (byte < 0x20)
        return "a control character inside quotes";
    return byte < 0x80 ? NULL : lead_byte(c, byte);
}

static const char *escape_step(struct jsoncheck *c, unsigned char byte)
{
    if (byte == 'u')
        return go_sub(c, LEX_HEX, 4, 0);
    if (byte && strchr("\"\\/bfnrt", byte))
        return go(c, LEX_STRING);
    return "no such escape";
}

static const char *hex_step(struct jsoncheck *c, unsigned char byte)
{
    if (!is_hex(byte))
        return "\\u takes four hex digits";
    if (--c->sub == 0)
        return go(c, LEX_STRING);
    return NULL;
}

static const char *word_step(struct jsoncheck *c, unsigned char byte)
{
    const char *word = words[c->unicode];
    if (byte != (unsigned char)word[c->sub])
        return "text stands in double quotes; bare are only true, false and null";
    if (!word[++c->sub])
        return value_ended(c);
    return NULL;
}

/* A byte behind a complete number that does not continue it. */
static const char *number_ended(struct jsoncheck *c, unsigned char byte);

static const char *integer_step(struct jsoncheck *c, unsigned char byte)
{
    if (is_digit(byte))
        return c->lex == LEX_ZERO ? "a number cannot begin with 0 and go on" : NULL;
    if (byte == '.')
        return go(c, LEX_POINT);
    if (byte == 'e' || byte == 'E')
        return go(c, LEX_E);
    return number_ended(c, byte);
}

static const char *fraction_step(struct jsoncheck *c, unsigned char byte)
{
    if (is_digit(byte))
        return NULL;
    if (byte == 'e' || byte == 'E')
        return go(c, LEX_E);
    return number_ended(c, byte);
}

static const char *minus_step(struct jsoncheck *c, unsigned char byte)
{
    if (!is_digit(byte))
        return "a digit is due after the minus sign";
    return go(c, byte == '0' ? LEX_ZERO : LEX_INTEGER);
}

static const char *exponent_begin(struct jsoncheck *c, unsigned char byte)
{
    if (is_digit(byte))
        return go(c, LEX_EXPONENT);
    if (c->lex == LEX_E && (byte == '+' || byte == '-'))
        return go(c, LEX_SIGN);
    return "a digit is due in the exponent";
}

static const char *token_step(struct jsoncheck *c, unsigned char byte)
{
    switch ((enum lex)c->lex) {
    case LEX_STRING:
        return string_step(c, byte);
    case LEX_ESCAPE:
        return escape_step(c, byte);
    case LEX_HEX:
        return hex_step(c, byte);
    case LEX_UTF8:
        return utf8_step(c, byte);
    case LEX_WORD:
        return word_step(c, byte);
    case LEX_MINUS:
        return minus_step(c, byte);
    case LEX_ZERO:
    case LEX_INTEGER:
        return integer_step(c, byte);
    case LEX_POINT:
        return is_digit(byte) ? go(c, LEX_FRACTION) : "a digit is due after the point";
    case LEX_FRACTION:
        return fraction_step(c, byte);
    case LEX_E:
    case LEX_SIGN:
        return exponent_begin(c, byte);
    case LEX_EXPONENT:
        return is_digit(byte) ? NULL : number_ended(c, byte);
    case LEX_START:
    case LEX_VALUE:
    case LEX_FIRST_VALUE:
    case LEX_NAME:
    case LEX_FIRST_NAME:
    case LEX_COLON:
    case LEX_NEXT:
    case LEX_END:
        break;
    }
    return "cannot happen";
}

/* Between tokens, where white space may stand. */
static const char *structure_step(struct jsoncheck *c, unsigned char byte)
{
    if (is_blank(byte))
        return NULL;
    switch (c->lex) {
    case LEX_START:
        return begin_document(c, byte);
    case LEX_FIRST_VALUE:
        return byte == ']' ? close_bracket(c) : begin_value(c, byte);
    case LEX_VALUE:
        return begin_value(c, byte);
    case LEX_FIRST_NAME:
    case LEX_NAME:
        return name_step(c, byte);
    case LEX_COLON:
        return byte == ':' ? go(c, LEX_VALUE) : "a colon is due after the name";
    case LEX_NEXT:
        return next_step(c, byte);
    default:
        return "text after the value";
    }
}

static const char *number_ended(struct jsoncheck *c, unsigned char byte)
{
    (void)value_ended(c);
    return structure_step(c, byte);
}

static enum jsoncheck_state state_of(const struct jsoncheck *c)
{
    bool number = c->lex == LEX_ZERO || c->lex == LEX_INTEGER || c->lex == LEX_FRACTION ||
                  c->lex == LEX_EXPONENT;
    if (c->lex == LEX_START)
        return JSONCHECK_BLANK;
    if (c->lex == LEX_END)
        return JSONCHECK_COMPLETE;
    return number && c->depth == 0 ? JSONCHECK_NUMBER : JSONCHECK_OPEN;
}

void jsoncheck_init(struct jsoncheck *c)
{
    *c = (struct jsoncheck){ .state = JSONCHECK_BLANK, .lex = LEX_START };
}

enum jsoncheck_state jsoncheck_feed(struct jsoncheck *c, struct str bytes)
{
    if (c->state == JSONCHECK_BAD)
        return c->state;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        const char *reason = c->lex >= LEX_STRING ? token_step(c, byte) : structure_step(c, byte);
        if (reason) {
            c->reason = reason;
            c->bad_at = c->bytes;
            return c->state = JSONCHECK_BAD;
        }
        c->bytes++;
    }
    return c->state = state_of(c);
}
