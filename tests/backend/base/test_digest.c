#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include <openssl/crypto.h>

#include "backend/base/digest.h"
#include "backend/base/limits.h"

/* What OpenSSL is given memory by: none from the left-th allocation on. */
static long left = -1;

static bool is_out(void)
{
    return left == 0 || (left > 0 && left-- == 0);
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
    return is_out() ? NULL : malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
    return is_out() ? NULL : realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
    free(p);
}

static void assert_hex(const unsigned char *bytes, size_t n, const char *expected)
{
    CLEANUP_BUF struct buf b = BUF_INIT(2 * n);
    digest_hex(&b, bytes, n);
    assert_int_equal(buf_err(&b), OK);
    assert_string_equal(buf_c(&b), expected);
}

/* FIPS 180-2, B.1 and B.2, and the empty message. */
static void test_sha256_vectors(void **state)
{
    unsigned char hash[32];
    digest_sha256(STR("abc"), hash);
    assert_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hash);
    assert_hex(hash, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_sha256(STR_NONE, hash);
    assert_hex(hash, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void test_hmac_vectors(void **state)
{
    unsigned char mac[32];
    char key[131];
    memset(key, 0x0b, sizeof key);
    assert_int_equal(digest_hmac_sha256((struct str){ key, 20 }, STR("Hi There"), mac), OK);
    assert_hex(mac, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_int_equal(digest_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), mac), OK);
    assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_int_equal(
        digest_hmac_sha256((struct str){ key, 131 },
                           STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac),
        OK);
    assert_hex(mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_hmac_takes_an_empty_key_and_empty_data(void **state)
{
    unsigned char mac[32];
    assert_int_equal(digest_hmac_sha256(STR_NONE, STR_NONE, mac), OK);
    assert_hex(mac, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_F51_no_memory_is_an_error(void **state)
{
    unsigned char mac[32];
    int failed = 0;
    enum err err = ERR_NO_MEMORY;
    for (long n = 0; err != OK && n < 100; n++) {
        left = n;
        err = digest_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), mac);
        left = -1;
        assert_true(err == OK || err == ERR_NO_MEMORY);
        failed += err != OK;
    }
    assert_int_equal(err, OK);
    assert_true(failed > 0);
    assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_F51_a_hash_needs_none(void **state)
{
    unsigned char hash[32];
    left = 0;
    digest_sha256(STR("abc"), hash);
    left = -1;
    assert_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4648, section 10. */
static const struct {
    const char *plain, *coded;
} base64_pairs[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

static void test_base64_vectors(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(base64_pairs); i++) {
        CLEANUP_BUF struct buf coded = BUF_INIT(100), plain = BUF_INIT(100);
        base64_encode(&coded, str_c(base64_pairs[i].plain));
        assert_string_equal(buf_c(&coded), base64_pairs[i].coded);
        assert_int_equal(base64_decode(&plain, str_c(base64_pairs[i].coded)), OK);
        assert_string_equal(buf_c(&plain), base64_pairs[i].plain);
    }
}

/* Lengths round the step in which the coder works, and every byte value. */
static void test_base64_there_and_back(void **state)
{
    enum { MOST = 40000 };
    char *data = malloc(MOST);
    assert_non_null(data);
    for (size_t i = 0; i < MOST; i++)
        data[i] = (char)(i * 7 + i / 256);
    for (size_t len = 12 * 1024 - 3; len < MOST; len = len < 12 * 1024 + 3 ? len + 1 : len * 2) {
        CLEANUP_BUF struct buf coded = BUF_INIT(MIB), plain = BUF_INIT(len);
        base64_encode(&coded, (struct str){ data, len });
        assert_int_equal(coded.len, (len + 2) / 3 * 4);
        assert_null(memchr(coded.p, '\n', coded.len));
        assert_int_equal(base64_decode(&plain, buf_str(&coded)), OK);
        assert_int_equal(plain.len, len);
        assert_memory_equal(plain.p, data, len);
    }
    free(data);
}

static void test_base64_appends(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100);
    buf_add_c(&b, "SharedKey account:");
    base64_encode(&b, STR("foo"));
    assert_string_equal(buf_c(&b), "SharedKey account:Zm9v");
    assert_int_equal(base64_decode(&b, STR("YmFy")), OK);
    assert_string_equal(buf_c(&b), "SharedKey account:Zm9vbar");
}

static void test_B41_base64_damage_is_told(void **state)
{
    static const char *const damaged[] = { "Zg",       "Zg=",  "Zg===", "=",     "====",
                                           "Z===",     "Zg=a", "Zm9v=", "Zm 9v", "Zm9\nv",
                                           "Zg==Zg==", "_-8=", "Zm9*",  "{}",    "Zm9v\xc3\xa9" };
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        CLEANUP_BUF struct buf b = BUF_INIT(100);
        assert_int_equal(base64_decode(&b, str_c(damaged[i])), ERR_DAMAGED);
        assert_int_equal(b.len, 0);
    }
}

static void test_base64_blanks_at_the_ends_are_no_damage(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100);
    assert_int_equal(base64_decode(&b, STR(" \r\n\tZm8=\r\n")), OK);
    assert_string_equal(buf_c(&b), "fo");
}

static void test_base64_ends_at_the_maximum(void **state)
{
    CLEANUP_BUF struct buf exact = BUF_INIT(2), small = BUF_INIT(1), coded = BUF_INIT(3);
    assert_int_equal(base64_decode(&exact, STR("Zm8=")), OK);
    assert_int_equal(base64_decode(&small, STR("Zm8=")), ERR_TOO_BIG);
    base64_encode(&coded, STR("f"));
    assert_int_equal(buf_err(&coded), ERR_TOO_BIG);
}

static void pack(struct buf *packed, struct str data)
{
    buf_init(packed, MIB);
    assert_int_equal(gzip_pack(packed, data), OK);
}

static void test_gzip_there_and_back(void **state)
{
    CLEANUP_BUF struct buf data = BUF_INIT(4 * MIB), packed = BUF_INIT(4 * MIB);
    for (int i = 0; data.len < 300000; i++)
        buf_printf(&data, "{\"n\":%d,\"hash\":%u}\n", i, (unsigned)i * 2654435761u);
    assert_int_equal(gzip_pack(&packed, buf_str(&data)), OK);
    assert_true(packed.len < data.len / 2);
    CLEANUP_BUF struct buf again = BUF_INIT(data.len); /* exactly full is not too big */
    assert_int_equal(gzip_unpack(&again, buf_str(&packed)), OK);
    assert_int_equal(again.len, data.len);
    assert_memory_equal(again.p, data.p, data.len);
}

static void test_gzip_of_nothing(void **state)
{
    CLEANUP_BUF struct buf packed, b = BUF_INIT(0);
    pack(&packed, STR_NONE);
    assert_int_equal(packed.len, 20); /* header, an empty block, CRC and length */
    assert_int_equal(gzip_unpack(&b, buf_str(&packed)), OK);
    assert_int_equal(b.len, 0);
}

static void test_gzip_pack_ends_at_the_maximum(void **state)
{
    CLEANUP_BUF struct buf b = BUF_INIT(21);
    assert_int_equal(gzip_pack(&b, STR("0123456789")), ERR_TOO_BIG);
}

static void test_B40_bomb_ends_at_the_maximum(void **state)
{
    CLEANUP_BUF struct buf zeros = BUF_INIT(32 * MIB), packed;
    char *to = buf_space(&zeros, 32 * MIB);
    assert_non_null(to);
    memset(to, 0, 32 * MIB);
    buf_grown(&zeros, 32 * MIB);
    pack(&packed, buf_str(&zeros));
    assert_true(packed.len < zeros.len / 1000);

    CLEANUP_BUF struct buf b = BUF_INIT(MIB);
    assert_int_equal(gzip_unpack(&b, buf_str(&packed)), ERR_TOO_BIG);
    assert_int_equal(buf_err(&b), ERR_TOO_BIG);
    assert_int_equal(b.len, 0);
    assert_true(b.cap <= 2 * MIB);

    CLEANUP_BUF struct buf less = BUF_INIT(32 * MIB - 1), enough = BUF_INIT(32 * MIB);
    assert_int_equal(gzip_unpack(&less, buf_str(&packed)), ERR_TOO_BIG);
    assert_int_equal(gzip_unpack(&enough, buf_str(&packed)), OK);
    assert_int_equal(enough.len, 32 * MIB);
}

static void test_B40_truncated_anywhere_is_damaged(void **state)
{
    CLEANUP_BUF struct buf packed;
    pack(&packed, STR("{\"value\":\"a payload\"}"));
    for (size_t len = 2; len < packed.len; len++) {
        CLEANUP_BUF struct buf b = BUF_INIT(MIB);
        assert_int_equal(gzip_unpack(&b, str_slice(buf_str(&packed), 0, len)), ERR_DAMAGED);
        assert_int_equal(b.len, 0);
    }
}

static void test_B40_bad_crc_and_bad_length_are_damaged(void **state)
{
    CLEANUP_BUF struct buf packed;
    pack(&packed, STR("a payload"));
    for (size_t back = 1; back <= 8; back++) {
        CLEANUP_BUF struct buf b = BUF_INIT(MIB);
        packed.p[packed.len - back] ^= 1;
        assert_int_equal(gzip_unpack(&b, buf_str(&packed)), ERR_DAMAGED);
        assert_int_equal(b.len, 0);
        packed.p[packed.len - back] ^= 1;
    }
}

static void test_B40_trailing_data_is_damaged(void **state)
{
    static const struct str tails[] = { { "x", 1 }, { "trailing data", 13 }, { "\0\0\0\0", 4 } };
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        CLEANUP_BUF struct buf packed, b = BUF_INIT(MIB);
        pack(&packed, STR("a payload"));
        buf_add(&packed, tails[i]);
        assert_int_equal(gzip_unpack(&b, buf_str(&packed)), ERR_DAMAGED);
    }
}

static void test_B40_members_are_concatenated(void **state)
{
    CLEANUP_BUF struct buf packed, b = BUF_INIT(17);
    pack(&packed, STR("one, "));
    assert_int_equal(gzip_pack(&packed, STR_NONE), OK);
    assert_int_equal(gzip_pack(&packed, STR("two, ")), OK);
    assert_int_equal(gzip_pack(&packed, STR("three.\n")), OK);
    assert_int_equal(gzip_unpack(&b, buf_str(&packed)), OK);
    assert_string_equal(buf_c(&b), "one, two, three.\n");
}

/* Behind each member stands its size, which decides how much memory is asked for at once. */
static void test_B40_a_size_that_lies_costs_nothing(void **state)
{
    static const struct str sizes[] = { { "\xff\xff\xff\xff", 4 },
                                        { "\0\0\0\x02", 4 },
                                        { "\0\0\0\0", 4 } };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP_BUF struct buf packed, b = BUF_INIT(64 * MIB);
        pack(&packed, STR("a payload"));
        memcpy(packed.p + packed.len - 4, sizes[i].p, 4);
        assert_int_equal(gzip_unpack(&b, buf_str(&packed)), ERR_DAMAGED);
        assert_true(b.cap <= MIB);
    }
}

static void test_gzip_gets_its_memory_at_once(void **state)
{
    CLEANUP_BUF struct buf data = BUF_INIT(4 * MIB), packed, b = BUF_INIT(64 * MIB);
    while (data.len < MIB + MIB / 8)
        buf_printf(&data, "%zu,", data.len);
    pack(&packed, buf_str(&data));
    assert_int_equal(gzip_unpack(&b, buf_str(&packed)), OK);
    assert_true(str_eq(buf_str(&b), buf_str(&data)));
    assert_true(b.cap < data.len + 128 * KIB); /* doubling would have made it more */
}

static void test_B40_not_gzip_is_plain(void **state)
{
    static const struct str plain[] = {
        { "", 0 }, { "\x1f", 1 }, { "{\"a\":1}", 7 }, { "\0\x8b", 2 }
    };
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        CLEANUP_BUF struct buf b = BUF_INIT(7);
        assert_int_equal(gzip_unpack(&b, plain[i]), OK);
        assert_true(str_eq(buf_str(&b), plain[i]));
    }
    CLEANUP_BUF struct buf small = BUF_INIT(6);
    assert_int_equal(gzip_unpack(&small, STR("{\"a\":1}")), ERR_TOO_BIG);
}

static void test_gzip_unpack_appends_and_takes_back_what_is_damaged(void **state)
{
    CLEANUP_BUF struct buf packed, b = BUF_INIT(MIB);
    pack(&packed, STR("payload"));
    buf_add_c(&b, "kept ");
    packed.p[packed.len - 1] ^= 1;
    assert_int_equal(gzip_unpack(&b, buf_str(&packed)), ERR_DAMAGED);
    assert_string_equal(buf_c(&b), "kept ");
    packed.p[packed.len - 1] ^= 1;
    assert_int_equal(gzip_unpack(&b, buf_str(&packed)), OK);
    assert_string_equal(buf_c(&b), "kept payload");
}

static void test_random_bytes_differ(void **state)
{
    unsigned char a[64] = { 0 }, b[64] = { 0 }, zero[64] = { 0 };
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 32, zero, 32); /* to the end, not only the beginning */
}

static void test_guids_have_their_form(void **state)
{
    char guid[GUID_LEN + 1], plain[32 + 1], other[32 + 1];
    guid_new(guid);
    guid_new_plain(plain);
    guid_new_plain(other);
    assert_int_equal(strlen(guid), GUID_LEN);
    assert_int_equal(strspn(guid, "0123456789abcdef-"), GUID_LEN);
    assert_true(guid[8] == '-' && guid[13] == '-' && guid[18] == '-' && guid[23] == '-');
    assert_int_equal(guid[14], '4');
    assert_non_null(strchr("89ab", guid[19]));
    assert_int_equal(strlen(plain), 32);
    assert_int_equal(strspn(plain, "0123456789abcdef"), 32);
    assert_string_not_equal(plain, other);
}

int main(void)
{
    if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_vectors),
        cmocka_unit_test(test_hmac_vectors),
        cmocka_unit_test(test_hmac_takes_an_empty_key_and_empty_data),
        cmocka_unit_test(test_F51_no_memory_is_an_error),
        cmocka_unit_test(test_F51_a_hash_needs_none),
        cmocka_unit_test(test_base64_vectors),
        cmocka_unit_test(test_base64_there_and_back),
        cmocka_unit_test(test_base64_appends),
        cmocka_unit_test(test_B41_base64_damage_is_told),
        cmocka_unit_test(test_base64_blanks_at_the_ends_are_no_damage),
        cmocka_unit_test(test_base64_ends_at_the_maximum),
        cmocka_unit_test(test_gzip_there_and_back),
        cmocka_unit_test(test_gzip_of_nothing),
        cmocka_unit_test(test_gzip_pack_ends_at_the_maximum),
        cmocka_unit_test(test_B40_bomb_ends_at_the_maximum),
        cmocka_unit_test(test_B40_truncated_anywhere_is_damaged),
        cmocka_unit_test(test_B40_bad_crc_and_bad_length_are_damaged),
        cmocka_unit_test(test_B40_trailing_data_is_damaged),
        cmocka_unit_test(test_B40_members_are_concatenated),
        cmocka_unit_test(test_B40_a_size_that_lies_costs_nothing),
        cmocka_unit_test(test_gzip_gets_its_memory_at_once),
        cmocka_unit_test(test_B40_not_gzip_is_plain),
        cmocka_unit_test(test_gzip_unpack_appends_and_takes_back_what_is_damaged),
        cmocka_unit_test(test_random_bytes_differ),
        cmocka_unit_test(test_guids_have_their_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
