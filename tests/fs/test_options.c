#include <stdio.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "fs/options.h"
#include "tests/fs/check.h"

struct parsed {
    struct options o;
    struct buf why;
    bool ok;
};

/* Parses "a b c", split at blanks. */
static void parse(struct parsed *p, const char *line)
{
    static char text[4096];
    char *argv[64] = { (char *)"taskhubfs" };
    int argc = 1;

    snprintf(text, sizeof text, "%s", line);
    char *save = NULL;
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    options_init(&p->o);
    buf_init(&p->why, 8192);
    p->ok = options_parse(&p->o, argc, argv, &p->why);
}

static void end(struct parsed *p)
{
    options_fini(&p->o);
    buf_fini(&p->why);
}

static void refused(const char *line, const char *part)
{
    struct parsed p;

    parse(&p, line);
    if (p.ok || !strstr(buf_c(&p.why), part))
        print_message("%s: %s\n", line, buf_c(&p.why));
    assert_false(p.ok);
    assert_non_null(strstr(buf_c(&p.why), part));
    end(&p);
}

static void test_defaults(void **state)
{
    struct parsed p;

    parse(&p, "/mnt");
    assert_true(p.ok);
    assert_string_equal(p.o.mountpoint, "/mnt");
    assert_null(p.o.source);
    assert_int_equal(p.o.ttl_ms, TTL_LIST_MS);
    assert_int_equal(p.o.timeout_ms, CALL_TIMEOUT_MS);
    assert_int_equal(p.o.connections, CONNECTIONS_MAX);
    assert_int_equal(p.o.max_payload, PAYLOAD_MAX_BYTES);
    assert_int_equal(p.o.max_memory, CACHE_MAX_BYTES);
    assert_int_equal(p.o.uid, -1);
    assert_int_equal(p.o.umask, 0);
    assert_int_equal(p.o.log_level, LOG_LEVEL_WARNING);
    assert_false(p.o.read_only);
    end(&p);
}

static void test_long_options(void **state)
{
    struct parsed p;

    parse(&p, "--hub=Orders --connection Conn --project=/app --partitions=8 --cache-ttl=0.5 "
              "--timeout=2m --connections=4 --max-payload=1M --max-memory=1GiB --no-purge --uid=5 "
              "--gid 6 --umask=027 --allow-other --auto-unmount --log-level=debug --foreground "
              "acc/Orders /mnt");
    assert_true(p.ok);
    assert_string_equal(p.o.hub, "Orders");
    assert_string_equal(p.o.connection, "Conn");
    assert_string_equal(p.o.project, "/app");
    assert_int_equal(p.o.partitions, 8);
    assert_int_equal(p.o.ttl_ms, 500);
    assert_int_equal(p.o.timeout_ms, 120000);
    assert_int_equal(p.o.connections, 4);
    assert_int_equal(p.o.max_payload, MIB);
    assert_int_equal(p.o.max_memory, 1024 * (int64_t)MIB);
    assert_int_equal(p.o.uid, 5);
    assert_int_equal(p.o.gid, 6);
    assert_int_equal(p.o.umask, 027);
    assert_int_equal(p.o.log_level, LOG_LEVEL_DEBUG);
    assert_true(p.o.no_purge && p.o.allow_other && p.o.auto_unmount && p.o.foreground);
    assert_string_equal(p.o.source, "acc/Orders");
    assert_string_equal(p.o.mountpoint, "/mnt");
    end(&p);
}

/* As mount(8) runs it: source and mount point first, then -o. */
static void test_words_of_o(void **state)
{
    struct parsed p;

    parse(&p, "Orders /mnt -o rw,allow_other,cache_ttl=60,log-level=info,ro -onoexec,noatime -fd");
    assert_true(p.ok);
    assert_true(p.o.read_only && p.o.allow_other && p.o.foreground && p.o.debug);
    assert_int_equal(p.o.ttl_ms, 60000);
    assert_int_equal(p.o.log_level, LOG_LEVEL_INFO);
    assert_string_equal(buf_c(&p.o.kernel), "noexec,noatime");
    end(&p);
    parse(&p, "/mnt -o ro -o rw");
    assert_true(p.ok);
    assert_false(p.o.read_only);
    end(&p);
}

static void test_texts_of_o_outlive_the_argument(void **state)
{
    struct parsed p;

    parse(&p, "/mnt -o hub=Orders,connection=Conn,project=/a/b");
    assert_true(p.ok);
    assert_string_equal(p.o.hub, "Orders");
    assert_string_equal(p.o.connection, "Conn");
    assert_string_equal(p.o.project, "/a/b");
    end(&p);
}

static void test_B57_words_of_mount_tables_are_ignored(void **state)
{
    struct parsed p;

    parse(&p,
          "Orders /mnt -o defaults,_netdev,nofail,noauto,user,x-systemd.automount,comment=hello");
    assert_true(p.ok);
    assert_int_equal(p.o.kernel.len, 0);
    end(&p);
}

static void test_B57_unknown_names_the_nearest(void **state)
{
    refused("--cachettl=5 /mnt", "did you mean --cache-ttl?");
    refused("--no-purg /mnt", "did you mean --no-purge?");
    refused("/mnt -o alow_other", "did you mean -o allow-other?");
    refused("--frobnicate /mnt", "--help");
    refused("-x /mnt", "no option -x");
    refused("/mnt -o foreground", "no option -o foreground");
    refused("--ro /mnt", "no option --ro");
}

static void test_B57_values_out_of_range(void **state)
{
    refused("--partitions=0 /mnt", "between 1 and 16");
    refused("--partitions=17 /mnt", "between 1 and 16");
    refused("--cache-ttl=-1 /mnt", "between 0 and 86400");
    refused("--cache-ttl=86401 /mnt", "between 0 and 86400");
    refused("--cache-ttl=5x /mnt", "'5x'");
    refused("--timeout=0.5 /mnt", "between 1 and 3600");
    refused("--connections=65 /mnt", "between 1 and 64");
    refused("--max-payload=1 /mnt", "max-payload");
    refused("--max-memory=0x100 /mnt", "max-memory");
    refused("--umask=1000 /mnt", "between 000 and 777");
    refused("--umask=8 /mnt", "umask");
    refused("--uid=-1 /mnt", "uid");
    refused("--log-level=loud /mnt", "none of error, warning, info, debug");
    refused("--hub= /mnt", "needs a value");
}

static void test_B57_just_inside_the_ranges(void **state)
{
    static const char *const good[] = {
        "--partitions=1 /m",   "--partitions=16 /m",  "--cache-ttl=0 /m",   "--cache-ttl=24h /m",
        "--timeout=1000ms /m", "--timeout=3600 /m",   "--connections=1 /m", "--connections=64 /m",
        "--max-payload=1K /m", "--max-payload=1G /m", "--umask=777 /m",     "--uid=4294967294 /m"
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct parsed p;

        parse(&p, good[i]);
        assert_true(p.ok);
        end(&p);
    }
}

static void test_B57_contradictions(void **state)
{
    refused("--demo --connection=X /mnt", "--demo");
    refused("--demo --connection-file=X /mnt", "--demo");
    refused("--connection=X --connection-file=Y Hub1 /mnt", "contradict");
    refused("--hub=A B /mnt", "give one");
    refused("-o ro --allow-tree-delete /mnt", "contradict");
    refused("--no-purge --allow-tree-delete /mnt", "contradict");
    refused("--all-hubs --hub=A /mnt", "contradict");
    refused("--hub=A acct/ /mnt", "contradict");
    refused("--all-hubs Shop /mnt", "contradict");
    refused("--all-hubs acct/Shop /mnt", "contradict");
    refused("--allow-delete-hub Shop /mnt", "--all-hubs");
    refused("-o ro --allow-delete-hub acct/ /mnt", "contradict");
    refused("--http-key-file=/k Shop /mnt", "--http-url");
}

static void test_all_hubs(void **state)
{
    static const char *const lines[] = { "--all-hubs /mnt", "--all-hubs acct/ /mnt",
                                         "--allow-delete-hub azurite/ /mnt",
                                         "-o all-hubs,allow_delete_hub /mnt" };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct parsed p;

        parse(&p, lines[i]);

        if (!p.ok)
            fail_msg("%s: %s", lines[i], buf_c(&p.why));
        end(&p);
    }
}

static void test_addresses(void **state)
{
    static const char *const bad[] = { "localhost:7071", "ftp://x",      "http://",   "https:///x",
                                       "http://u@host",  "http://h?x=1", "http://h#x" };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char line[128];

        snprintf(line, sizeof(line), "--http-url=%s /mnt", bad[i]);
        refused(line, "http-url");
    }
    struct parsed p;
    parse(&p, "--http-url=https://app.example/x --http-key-file=/k /mnt");
    assert_true(p.ok);
    assert_string_equal(p.o.http_url, "https://app.example/x");
    end(&p);
}

static void test_values_missing_or_too_many(void **state)
{
    refused("", "MOUNTPOINT is missing");
    refused("a b c", "too many");
    refused("/mnt --hub", "needs a value");
    refused("/mnt -o", "needs a value");
    refused("/mnt -o hub", "needs a value");
    refused("/mnt --demo=yes", "takes no value");
}

static void test_double_dash_ends_options(void **state)
{
    struct parsed p;

    parse(&p, "--demo -- --mnt");
    assert_true(p.ok);
    assert_string_equal(p.o.mountpoint, "--mnt");
    end(&p);
}

static void test_help_needs_no_mount_point(void **state)
{
    static const char *const lines[] = { "--help",         "-h",     "--version", "-V",
                                         "--unmount=/mnt", "-u /mnt" };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct parsed p;

        parse(&p, lines[i]);
        assert_true(p.ok);
        assert_true(p.o.help || p.o.version || p.o.unmount);
        end(&p);
    }
}

static void test_B56_secrets(void **state)
{
    static const char *const lines[] = {
        "--connection=AccountName=x;AccountKey=TOPSECRET /mnt",
        "-o connection=AccountKey=TOPSECRET /mnt",
        "https://x.table.core.windows.net/?sv=1&sig=TOPSECRET /mnt",
        "--hub=x?code=TOPSECRET /mnt",
        "/mnt -o x-secret,accountkey=TOPSECRET",
        "SharedAccessSignature=TOPSECRET /mnt",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct parsed p;

        parse(&p, lines[i]);
        assert_false(p.ok);
        assert_null(strstr(buf_c(&p.why), "TOPSECRET"));
        assert_non_null(strstr(buf_c(&p.why), "--connection=NAME"));
        end(&p);
    }
}

static void test_every_row_is_sound(void **state)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];

        assert_non_null(row->name);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(row->name, option_rows[j].name);
            if (row->letter)
                assert_int_not_equal(row->letter, option_rows[j].letter);
        }
        if (row->kind == OPTION_KERNEL || row->kind == OPTION_IGNORED)
            continue;
        assert_non_null(row->about);
        assert_true((row->value != NULL) ==
                    (row->kind != OPTION_FLAG && row->kind != OPTION_UNFLAG));
        if (row->kind == OPTION_NUMBER || row->kind == OPTION_SECONDS || row->kind == OPTION_BYTES)
            assert_true(row->min < row->max);
    }
}

static void test_help_lists_every_row(void **state)
{
    struct buf b = BUF_INIT(64 * KIB);

    options_help(&b);
    for (size_t i = 0; i < option_row_count; i++)
        if (option_rows[i].about)
            assert_non_null(strstr(buf_c(&b), option_rows[i].name));
    buf_fini(&b);
}

static void test_config_lines(void **state)
{
    struct buf b = BUF_INIT(64 * KIB);
    struct parsed p;

    parse(&p, "--cache-ttl=2 --umask=022 /mnt");
    options_print(&p.o, &b);
    assert_non_null(strstr(buf_c(&b), "cache-ttl\t2\toption\n"));
    assert_non_null(strstr(buf_c(&b), "umask\t022\toption\n"));
    assert_non_null(strstr(buf_c(&b), "timeout\t30\tdefault\n"));
    assert_non_null(strstr(buf_c(&b), "ro\tno\tdefault\n"));
    buf_fini(&b);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_long_options),
        cmocka_unit_test(test_words_of_o),
        cmocka_unit_test(test_texts_of_o_outlive_the_argument),
        cmocka_unit_test(test_B57_words_of_mount_tables_are_ignored),
        cmocka_unit_test(test_B57_unknown_names_the_nearest),
        cmocka_unit_test(test_B57_values_out_of_range),
        cmocka_unit_test(test_B57_just_inside_the_ranges),
        cmocka_unit_test(test_B57_contradictions),
        cmocka_unit_test(test_all_hubs),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_values_missing_or_too_many),
        cmocka_unit_test(test_double_dash_ends_options),
        cmocka_unit_test(test_help_needs_no_mount_point),
        cmocka_unit_test(test_B56_secrets),
        cmocka_unit_test(test_every_row_is_sound),
        cmocka_unit_test(test_help_lists_every_row),
        cmocka_unit_test(test_config_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
