#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/dirs.h"
#include "fs/kinds.h"
#include "fs/lister.h"
#include "fs/names.h"
#include "fs/nodes.h"

static struct kinds kinds;

static int setup(void **state)
{
    return kinds_init(&kinds, &dir_root) == OK ? 0 : -1;
}

static void expect_legal(const char *name)
{
    char spelling[NAME_MAX_BYTES + 1];
    size_t skip = name[0] == '.' ? 1 : 0; /* .taskhubfs is ours */

    assert_true(strlen(name) > skip);
    name_from_id(spelling, str_c(name + skip));
    assert_string_equal(spelling, name + skip);
}

static void expect_about(const char *about)
{
    assert_non_null(about);
    assert_true(strlen(about) > 3);
    assert_null(strchr(about, '\n'));
}

static void check_file(const struct file_def *f)
{
    bool writable = f->is_command || f->store;

    expect_legal(f->name);
    expect_about(f->about);
    assert_int_equal(f->mode, writable ? 0644 : 0444);
    assert_false(f->is_command && f->store);
    assert_true(f->show || f->fetch || writable);
    assert_false(f->show && f->fetch);
    assert_false(f->parts && !f->show);
    assert_false(f->waits && f->parts);
    assert_false(f->empty && !f->parts);
    if (f->is_command)
        assert_string_equal(f->name, command_defs[f->command].name);
}

/* Whatever a table says to fetch must be a part that there is. */
static void check_parts(const struct dir_def *d, const struct file_def *f)
{
    unsigned all = PART_CELLS | PART_INPUT | PART_OUTPUT | PART_CUSTOM | PART_EVENTS | PART_HISTORY;

    assert_int_equal(f->parts & ~all, 0);
    if (d->row == ROW_NONE)
        assert_int_equal(f->parts, 0);
    else
        assert_null(f->fetch);
}

static void check_dir(const struct kind *k)
{
    const struct dir_def *d = k->dir;
    size_t entries = 0;

    expect_about(d->about);
    if (d->name)
        expect_legal(d->name);
    assert_true(d->class == CLASS_DIR_VIEW || d->class == CLASS_DIR_INSTANCE ||
                d->class == CLASS_DIR_INSIDE || d->class == CLASS_DIR_MESSAGES);
    /* Children made of data come from exactly one source. */
    assert_int_equal(!!d->child, !!d->rows + !!d->folders);
    assert_false(d->admits && !d->folders);
    if (d->child)
        assert_null(d->child->name);
    if (d->takes_messages)
        assert_int_equal(command_defs[d->message].body, BODY_JSON);
    if (d->row == ROW_INSTANCE)
        assert_int_equal(d->space, SPACE_SLOT);
    if (d->row == ROW_ENTITY)
        assert_int_equal(d->space, SPACE_FOLDER);
    for (const struct file_def *f = d->files; f && f->name; f++, entries++)
        check_parts(d, f);
    for (const struct dir_def *const *s = d->dirs; s && *s; s++, entries++) {
        assert_non_null((*s)->name);
        assert_int_equal((*s)->space, d->space);
    }
    assert_true(entries <= LISTER_FIXED_MAX);
}

static void test_every_row(void **state)
{
    assert_true(kinds.count > 30);
    for (unsigned i = 0; i < kinds.count; i++) {
        const struct kind *k = &kinds.rows[i];

        if (k->file)
            check_file(k->file);
        else if (!k->is_message)
            check_dir(k);
    }
}

static void test_names_are_unique(void **state)
{
    for (unsigned i = 0; i < kinds.count; i++) {
        const struct dir_def *d = kinds.rows[i].dir;

        if (kinds.rows[i].file || kinds.rows[i].is_message)
            continue;
        for (const struct file_def *f = d->files; f && f->name; f++) {
            for (const struct file_def *g = d->files; g != f; g++)
                assert_string_not_equal(f->name, g->name);
            for (const struct dir_def *const *s = d->dirs; s && *s; s++)
                assert_string_not_equal(f->name, (*s)->name);
        }
    }
}

static void test_kinds_find_their_rows(void **state)
{
    for (unsigned i = 0; i < kinds.count; i++) {
        const struct kind *k = &kinds.rows[i];
        node n = node_pack(2, k->number, 12345);

        assert_ptr_equal(kinds_get(&kinds, k->number), k);
        if (k->number == 0) {
            assert_int_equal(n, NODE_ROOT);
            continue;
        }
        assert_int_equal(node_view(n), 2);
        assert_int_equal(node_kind(n), k->number);
        assert_int_equal(node_index(n), 12345);
        if (k->is_message)
            assert_int_equal(tree_class(n), CLASS_FILE_MESSAGE);
        else if (!k->file)
            assert_int_equal(tree_class(n), k->dir->class);
        else
            assert_int_equal(tree_class(n), k->file->mode == 0644 ? CLASS_FILE_ACTION : CLASS_FILE);
    }
    assert_int_equal(tree_class(NODE_ROOT), CLASS_DIR_VIEW);
    assert_null(kinds_get(&kinds, KINDS_MAX - 1));
}

/* The same instance in two views is two nodes. */
static void test_views_differ(void **state)
{
    const struct kind *k = kinds_of_dir(&kinds, &dir_instance);
    const struct kind *by_status = kinds_of_dir(&kinds, &dir_by_status);

    assert_int_equal(kinds_view_below(by_status, VIEW_PLAIN), VIEW_STATUS);
    assert_true(node_pack(VIEW_PLAIN, k->number, 7) != node_pack(VIEW_STATUS, k->number, 7));
    assert_int_equal(k->parent[VIEW_PLAIN], kinds_of_dir(&kinds, &dir_instances)->number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_kinds_find_their_rows),
        cmocka_unit_test(test_views_differ),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
