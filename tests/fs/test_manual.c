/* The manual and the README against the tables that the program is made of: whoever adds an option,
 * a file or an error learns here that nobody can read about it yet. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/base/buf.h"
#include "backend/base/limits.h"
#include "fs/dirs.h"
#include "fs/errmap.h"
#include "fs/kinds.h"
#include "fs/options.h"
#include "tests/fs/check.h"

#define TEXT_MAX  (256 * KIB)
#define HEADS_MAX 8 /* .It lines one behind the other that share a text */

static struct buf manual = BUF_INIT(TEXT_MAX);
static struct buf readme = BUF_INIT(TEXT_MAX);

static void read_source(struct buf *ret, const char *path)
{
    CLEANUP_BUF struct buf whole = BUF_INIT(4 * KIB);
    char chunk[4096];
    size_t n;

    buf_printf(&whole, "%s/%s", TEST_SOURCE_DIR, path);
    FILE *f = fopen(buf_c(&whole), "re");
    assert_non_null(f);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(ret, (struct str){ chunk, n });
    fclose(f);
    assert_int_equal(buf_err(ret), OK);
    assert_true(ret->len > 0);
}

static int setup(void **state)
{
    read_source(&manual, "docs/taskhubfs.1");
    read_source(&readme, "README.md");
    return 0;
}

static int teardown(void **state)
{
    buf_fini(&manual);
    buf_fini(&readme);
    return 0;
}

/* -- mdoc, as far as we use it -- */

/* What stands between this .Sh and the next. */
static struct str section(const char *title)
{
    struct str rest = buf_str(&manual);
    const char *begin = NULL, *end = rest.p + rest.len;

    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR(".Sh ")))
            continue;
        if (begin) {
            end = line.p;
            break;
        }
        if (str_eq(str_slice(line, 4, line.len), str_c(title)))
            begin = line.p + line.len;
    }
    if (!begin)
        fail_msg("the manual has no section %s", title);
    return (struct str){ begin, (size_t)(end - begin) };
}

/* Lower case, one blank where there are several, so that a sentence is found however it is broken
 * into lines and whether it begins an item or not. */
static void add_plain(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)tolower((unsigned char)s.p[i]);

        if (!isspace((unsigned char)c))
            buf_add_ch(b, c);
        else if (b->len && b->p[b->len - 1] != ' ')
            buf_add_ch(b, ' ');
    }
}

struct item {
    struct str heads[HEADS_MAX]; /* what follows .It */
    size_t n_heads;
    struct buf text; /* plain, without macro lines */
};

/* The next item of a section; false at its end. */
static bool item_next(struct str *rest, struct item *ret)
{
    ret->n_heads = 0;
    buf_clear(&ret->text);
    while (rest->len) {
        struct str before = *rest, line = str_cut(rest, '\n');
        bool is_head = str_starts(line, STR(".It "));

        if (is_head && ret->text.len) {
            *rest = before;
            return true;
        }
        if (is_head) {
            assert_true(ret->n_heads < HEADS_MAX);
            ret->heads[ret->n_heads++] = str_slice(line, 4, line.len);
        } else if (ret->n_heads && !str_starts(line, STR("."))) {
            add_plain(&ret->text, line);
            buf_add_ch(&ret->text, ' ');
        }
    }
    return ret->n_heads > 0;
}

static bool item_says(struct item *item, const char *sentence)
{
    CLEANUP_BUF struct buf plain = BUF_INIT(4 * KIB);

    add_plain(&plain, str_c(sentence));
    return strstr(buf_c(&item->text), buf_c(&plain)) != NULL;
}

static bool item_has_head(const struct item *item, const char *head)
{
    for (size_t i = 0; i < item->n_heads; i++)
        if (str_eq(item->heads[i], str_c(head)))
            return true;
    return false;
}

/* Finds the item with this head (NULL: any) whose text holds the sentence (NULL: any). */
static bool describes(struct str rest, const char *head, const char *sentence)
{
    struct item item = { .text = BUF_INIT(TEXT_MAX) };
    bool found = false;

    while (!found && item_next(&rest, &item))
        found = (!head || item_has_head(&item, head)) && (!sentence || item_says(&item, sentence));
    buf_fini(&item.text);
    return found;
}

static void expect(const char *title, const char *head, const char *sentence)
{
    if (!describes(section(title), head, sentence))
        fail_msg("the manual's section %s has no item \".It %s\" that says \"%s\"", title,
                 head ? head : "(any)", sentence ? sentence : "(anything)");
}

/* -- options -- */

static bool is_word_only(const struct option_row *row)
{
    return row->place == PLACE_WORD;
}

/* The head that an option must have: ".It Fl u , Fl Fl unmount Ns = Ns Ar MOUNTPOINT". */
static void option_head(const struct option_row *row, struct buf *ret)
{
    if (is_word_only(row))
        buf_printf(ret, "Fl o Cm %s", row->name);
    else if (row->letter)
        buf_printf(ret, "Fl %c , Fl Fl %s", row->letter, row->name);
    else
        buf_printf(ret, "Fl Fl %s", row->name);
    if (row->value)
        buf_printf(ret, " Ns = Ns Ar %s", row->value);
}

/* Words without a sentence of their own share items: "Fl o Cm exec , noexec". */
static bool head_lists_word(struct str head, const char *word)
{
    if (!str_starts(head, STR("Fl o Cm ")))
        return false;
    struct str rest = str_slice(head, strlen("Fl o Cm "), head.len);
    while (rest.len)
        if (str_eq(str_cut(&rest, ' '), str_c(word)))
            return true;
    return false;
}

static bool options_list_word(const char *word)
{
    struct item item = { .text = BUF_INIT(TEXT_MAX) };
    struct str rest = section("OPTIONS");
    bool found = false;

    while (!found && item_next(&rest, &item))
        for (size_t i = 0; i < item.n_heads; i++)
            found |= head_lists_word(item.heads[i], word);
    buf_fini(&item.text);
    return found;
}

static void test_every_option_is_described(void **state)
{
    assert_true(option_row_count > 20);
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        CLEANUP_BUF struct buf head = BUF_INIT(KIB);

        if (!row->about) {
            if (!options_list_word(row->name))
                fail_msg("the manual's section OPTIONS does not list -o %s", row->name);
            continue;
        }
        option_head(row, &head);
        expect("OPTIONS", buf_c(&head), row->about);
        /* ... and says where it may stand. */
        bool told = describes(section("OPTIONS"), buf_c(&head), "not a word of");
        if (told != (row->place == PLACE_ARGUMENT))
            fail_msg("%s: the manual is wrong about -o", row->name);
    }
}

static void test_ranges_of_numbers_are_told(void **state)
{
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        CLEANUP_BUF struct buf head = BUF_INIT(KIB);
        char range[64];

        if (row->kind != OPTION_NUMBER || row->max >= UINT16_MAX)
            continue; /* ids: whatever the kernel takes */
        snprintf(range, sizeof range, "From %lld to %lld.", (long long)row->min,
                 (long long)row->max);
        option_head(row, &head);
        expect("OPTIONS", buf_c(&head), range);
    }
}

static bool head_is_known(struct str head)
{
    for (size_t i = 0; i < option_row_count; i++) {
        CLEANUP_BUF struct buf known = BUF_INIT(KIB);

        option_head(&option_rows[i], &known);
        if (option_rows[i].about && str_eq(head, buf_str(&known)))
            return true;
    }
    return false;
}

static bool word_is_known(struct str word)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (is_word_only(&option_rows[i]) && str_eq(word, str_c(option_rows[i].name)))
            return true;
    return str_eq(word, STR(","));
}

static bool words_are_known(struct str head)
{
    if (!str_starts(head, STR("Fl o Cm ")))
        return false;
    struct str rest = str_slice(head, strlen("Fl o Cm "), head.len);
    while (rest.len)
        if (!word_is_known(str_cut(&rest, ' ')))
            return false;
    return true;
}

static void test_no_option_is_made_up(void **state)
{
    struct item item = { .text = BUF_INIT(TEXT_MAX) };
    struct str rest = section("OPTIONS");

    while (item_next(&rest, &item))
        for (size_t i = 0; i < item.n_heads; i++)
            if (!head_is_known(item.heads[i]) && !words_are_known(item.heads[i]))
                fail_msg("the manual describes \".It " STR_FMT "\", which no table has",
                         STR_ARG(item.heads[i]));
    buf_fini(&item.text);
}

static bool is_long_option(struct str name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (!is_word_only(&option_rows[i]) && str_eq(name, str_c(option_rows[i].name)))
            return true;
    return false;
}

/* A long option's name at the beginning of s. */
static struct str option_name(struct str s)
{
    size_t n = 0;

    while (n < s.len && (islower((unsigned char)s.p[n]) || (n && s.p[n] == '-')))
        n++;
    return str_slice(s, 0, n);
}

/* Every option that is named after mark on a line. */
static void expect_known_options(struct str line, const char *mark)
{
    for (struct str s = line; s.len; s = str_slice(s, 1, s.len)) {
        if (!str_starts(s, str_c(mark)))
            continue;
        struct str name = option_name(str_slice(s, strlen(mark), s.len));
        if (name.len && !is_long_option(name))
            fail_msg("\"" STR_FMT "\" names an option that there is not", STR_ARG(line));
    }
}

static void test_options_named_elsewhere_exist(void **state)
{
    struct str rest = buf_str(&manual);

    while (rest.len)
        expect_known_options(str_cut(&rest, '\n'), "Fl Fl ");
    rest = buf_str(&readme);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');

        if (!str_has(line, STR("scripts/")))
            expect_known_options(line, "--");
    }
}

/* -- the tree -- */

static struct kinds kinds;

static void test_every_file_is_described(void **state)
{
    assert_int_equal(kinds_init(&kinds, &dir_root), OK);
    assert_true(kinds.count > 30);
    for (unsigned i = 0; i < kinds.count; i++) {
        const struct kind *k = &kinds.rows[i];
        char head[128];

        /* The directory speaks for its messages, and THE TREE itself for the root. */
        if (k->is_message || (k->dir == &dir_root && !k->file))
            continue;
        if (k->file)
            snprintf(head, sizeof head, "Pa %s", k->file->name);
        else if (k->dir->name)
            snprintf(head, sizeof head, "Pa %s/", k->dir->name);
        expect("THE TREE", k->file || k->dir->name ? head : NULL,
               k->file ? k->file->about : k->dir->about);
    }
}

/* "output", "by-status/" */
static bool is_in_tables(struct str name)
{
    bool is_dir = str_ends(name, STR("/"));
    struct str bare = str_slice(name, 0, name.len - is_dir);

    for (unsigned i = 0; i < kinds.count; i++) {
        const struct kind *k = &kinds.rows[i];

        if (k->is_message)
            continue;
        const char *known = k->file ? k->file->name : k->dir->name;
        if (known && is_dir == !k->file && str_eq(bare, str_c(known)))
            return true;
    }
    return false;
}

static void test_no_file_is_made_up(void **state)
{
    struct item item = { .text = BUF_INIT(TEXT_MAX) };
    struct str rest = section("THE TREE");

    assert_int_equal(kinds_init(&kinds, &dir_root), OK);
    while (item_next(&rest, &item))
        for (size_t i = 0; i < item.n_heads; i++) {
            struct str words = item.heads[i];
            struct str macro = str_cut(&words, ' '), name = str_cut(&words, ' ');

            if (!str_eq(macro, STR("Pa")) || !is_in_tables(name))
                fail_msg("the manual describes \".It " STR_FMT "\", which no table has",
                         STR_ARG(item.heads[i]));
        }
    buf_fini(&item.text);
}

/* -- errors -- */

#define ERRORS "ERRORS OF FILE OPERATIONS"

static void test_every_error_is_described(void **state)
{
    for (enum err e = OK + 1; e < ERR_COUNT; e++) {
        char head[64];

        snprintf(head, sizeof head, "Bq Er %s", errmap[e].errno_name);
        expect(ERRORS, head, errmap[e].meaning);
    }
}

static bool is_errno_of_ours(struct str head)
{
    for (enum err e = OK + 1; e < ERR_COUNT; e++) {
        char known[64];

        snprintf(known, sizeof known, "Bq Er %s", errmap[e].errno_name);
        if (str_eq(head, str_c(known)))
            return true;
    }
    return false;
}

static void test_no_error_is_made_up(void **state)
{
    struct item item = { .text = BUF_INIT(TEXT_MAX) };
    struct str rest = section(ERRORS);

    while (item_next(&rest, &item))
        for (size_t i = 0; i < item.n_heads; i++)
            if (!is_errno_of_ours(item.heads[i]))
                fail_msg("no operation fails with \"" STR_FMT "\"", STR_ARG(item.heads[i]));
    buf_fini(&item.text);
}

/* -- exit statuses -- */

#define STATUSES_MAX 32

struct statuses {
    int64_t at[STATUSES_MAX];
    size_t n;
};

static void add_status(struct statuses *s, int64_t status)
{
    assert_true(s->n < STATUSES_MAX);
    s->at[s->n++] = status;
}

/* The line of --help: "exit status: 0 ended or unmounted, 1 usage, ...". */
static void statuses_of_help(struct statuses *ret)
{
    CLEANUP_BUF struct buf help = BUF_INIT(TEXT_MAX);
    int64_t status;

    options_help(&help);
    const char *begin = strstr(buf_c(&help), "exit status:");
    assert_non_null(begin);
    struct str rest = str_c(begin);
    while (rest.len) {
        struct str word = str_trim(str_cut(&rest, ' '));
        const char *newline = word.p ? memchr(word.p, '\n', word.len) : NULL;

        if (newline) /* "unreachable,\n12" */
            word = str_slice(word, (size_t)(newline - word.p) + 1, word.len);
        if (str_to_i64(word, &status))
            add_status(ret, status);
    }
}

/* The enum that the program ends with. */
static void statuses_of_main(struct statuses *ret)
{
    CLEANUP_BUF struct buf source = BUF_INIT(TEXT_MAX);
    int64_t status;

    read_source(&source, "fs/main.c");
    struct str rest = buf_str(&source);
    while (rest.len) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        struct str name = str_cut(&line, ' ');

        if (!str_starts(name, STR("EXIT_")) || !str_starts(line, STR("= ")))
            continue;
        line = str_slice(line, 2, line.len);
        if (str_to_i64(str_cut(&line, ','), &status))
            add_status(ret, status);
    }
}

static bool has_status(const struct statuses *s, int64_t status)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i] == status)
            return true;
    return false;
}

static void test_every_exit_status_is_described(void **state)
{
    struct statuses help = { .n = 0 }, program = { .n = 0 };

    statuses_of_help(&help);
    statuses_of_main(&program);
    assert_true(program.n >= 8);
    assert_int_equal(help.n, program.n);
    for (size_t i = 0; i < program.n; i++) {
        char head[32], code[40];

        snprintf(head, sizeof head, "%lld", (long long)program.at[i]);
        snprintf(code, sizeof code, "`%s`", head);
        assert_true(has_status(&help, program.at[i]));
        expect("EXIT STATUS", head, NULL);
        if (!strstr(buf_c(&readme), code))
            fail_msg("the README does not say what exit status %s means", head);
    }
}

static void test_no_exit_status_is_made_up(void **state)
{
    struct item item = { .text = BUF_INIT(TEXT_MAX) };
    struct statuses program = { .n = 0 };
    struct str rest = section("EXIT STATUS");
    int64_t status;

    statuses_of_main(&program);
    while (item_next(&rest, &item))
        for (size_t i = 0; i < item.n_heads; i++)
            if (!str_to_i64(item.heads[i], &status) || !has_status(&program, status))
                fail_msg("the program never ends with \"" STR_FMT "\"", STR_ARG(item.heads[i]));
    buf_fini(&item.text);
}

/* -- README -- */

static void expect_path(struct str path)
{
    CLEANUP_BUF struct buf whole = BUF_INIT(4 * KIB);

    buf_printf(&whole, "%s/" STR_FMT, TEST_SOURCE_DIR, STR_ARG(path));
    if (access(buf_c(&whole), F_OK) != 0)
        fail_msg("the README speaks of " STR_FMT ", which is not there", STR_ARG(path));
}

/* "| `fs/` | what the kernel sees |" */
static void test_readme_table_names_what_is_there(void **state)
{
    struct str rest = buf_str(&readme);
    size_t n = 0;

    while (rest.len) {
        struct str line = str_cut(&rest, '\n');

        if (!str_starts(line, STR("| `")))
            continue;
        line = str_slice(line, 3, line.len);
        expect_path(str_cut(&line, '`'));
        n++;
    }
    assert_true(n >= 8);
}

static void test_readme_names_the_commands(void **state)
{
    static const char *const said[] = { "scripts/demo",  "scripts/demo --azurite", "scripts/test",
                                        "scripts/check", ".taskhubfs/errors",      "azurite/" };
    static const char *const programs[] = { "demo", "test", "check" };

    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        assert_non_null(strstr(buf_c(&readme), said[i]));
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        char path[512];

        snprintf(path, sizeof path, "%s/scripts/%s", TEST_SOURCE_DIR, programs[i]);
        assert_int_equal(access(path, X_OK), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_option_is_described),
        cmocka_unit_test(test_ranges_of_numbers_are_told),
        cmocka_unit_test(test_no_option_is_made_up),
        cmocka_unit_test(test_options_named_elsewhere_exist),
        cmocka_unit_test(test_every_file_is_described),
        cmocka_unit_test(test_no_file_is_made_up),
        cmocka_unit_test(test_every_error_is_described),
        cmocka_unit_test(test_no_error_is_made_up),
        cmocka_unit_test(test_every_exit_status_is_described),
        cmocka_unit_test(test_no_exit_status_is_made_up),
        cmocka_unit_test(test_readme_table_names_what_is_there),
        cmocka_unit_test(test_readme_names_the_commands),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
