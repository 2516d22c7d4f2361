#include <string.h>

#include "fs/dirs.h"
#include "fs/names.h"
#include "fs/progress.h"
#include "fs/tree_internal.h"

#define INSTANCE_ID_UNITS 256  /* storage messages 4.2: what the framework accepts, UTF-16 units */
#define TARGET_TEXT_MAX   4096 /* an id, a key, a name: table keys have at most 1 KiB */

void target_fini(struct target *t)
{
    buf_fini(&t->id);
    buf_fini(&t->key);
    buf_fini(&t->name);
}

static void target_init(struct target *t, node n)
{
    memset(t, 0, sizeof(*t));
    buf_init(&t->id, TARGET_TEXT_MAX);
    buf_init(&t->key, TARGET_TEXT_MAX);
    buf_init(&t->name, TARGET_TEXT_MAX);
    t->node = n;
}

/* Hands over what is complete, frees what is not. */
static enum err finish(struct call *call, struct target *t, enum err err)
{
    if (err == OK && (buf_err(&t->id) != OK || buf_err(&t->key) != OK || buf_err(&t->name) != OK))
        err = call_fail(call, ERR_TOO_BIG, "the id or name is too long");
    if (err != OK)
        target_fini(t);
    return err;
}

static enum err check_writable_mount(struct tree *t, struct call *call)
{
    if (t->settings.read_only)
        return call_fail(call, ERR_READ_ONLY, "this mount is read-only");
    return OK;
}

static enum err wrong_state(struct call *call, const struct row *row, enum command_kind command)
{
    return call_fail(call, ERR_WRONG_STATE, "the instance is " STR_FMT ": %s is not possible",
                     STR_ARG(row->status_text), command_defs[command].name);
}

static void aim(struct target *ret, enum command_kind command, struct str id, const struct row *row)
{
    ret->command = command;
    ret->body = command_defs[command].body;
    buf_add(&ret->id, id);
    if (row)
        buf_add(&ret->key, row->key);
}

/* What an instance offers is told from the row at hand, since the state is read afresh when the
 * command is sent; only a refusal must come from a fresh one. */
static enum err subject_offering(struct tree *t, struct call *call, const struct place *p,
                                 enum command_kind command, struct subject *ret)
{
    enum err err = subject_at_hand(t, call, p, ret);

    if (err == OK && command_offered(command, ret->row->status))
        return OK;
    subject_fini(ret);
    err = subject_get(t, call, p, ret);
    if (err == OK && !command_offered(command, ret->row->status))
        err = wrong_state(call, ret->row, command);
    return err;
}

enum err tree_target(struct tree *t, struct call *call, node file, struct target *ret)
{
    CLEANUP_PLACE struct place p = { 0 };
    CLEANUP_SUBJECT struct subject s = { 0 };
    const struct file_def *f;
    enum err err = place_of(t, call, file, &p);

    target_init(ret, file);
    if (err != OK)
        return err;
    f = p.kind->file;
    if (!f)
        return call_fail(call, ERR_NOT_FOUND, "a message cannot be opened again");
    err = check_writable_mount(t, call);
    if (err == OK && !file_is_writable(f))
        err = call_fail(call, ERR_FORBIDDEN, "%s can only be read", f->name);
    if (err != OK)
        return err;
    if (f->store) {
        ret->is_store = true;
        ret->body = BODY_TEXT;
        return OK;
    }
    err = subject_offering(t, call, &p, f->command, &s);
    if (err == OK)
        aim(ret, f->command, place_text(&p), s.row);
    return finish(call, ret, err);
}

/* -- messages -- */

/* Names that editors and file managers try out; as a message they would be events (B12). */
static bool is_scratch_name(struct str name)
{
    return name.len == 0 || name.p[0] == '.' || str_ends(name, STR("~")) ||
           str_eq(name, STR("4913")) || (name.len == 9 && str_starts(name, STR("sed")));
}

/* As the framework checks: / \ # ? and control characters, those of C1 (C2 80 ... C2 9F) too. */
static bool has_refused_character(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned char next = i + 1 < s.len ? (unsigned char)s.p[i + 1] : 0xff;

        if (c < 0x20 || c == 0x7f || strchr("/\\#?", c) || (c == 0xc2 && next < 0xa0))
            return true;
    }
    return false;
}

static enum err check_new_id(struct call *call, struct str id)
{
    if (id.len == 0)
        return call_fail(call, ERR_INVALID, "an instance id must not be empty");
    if (id.p[0] == '@')
        return call_fail(call, ERR_INVALID, "an instance id must not start with @");
    if (has_refused_character(id))
        return call_fail(call, ERR_INVALID,
                         "an instance id must not contain /, \\, #, ?, or control characters");
    if (!str_is_utf8(id))
        return call_fail(call, ERR_INVALID, "an instance id must be UTF-8");
    if (str_utf16_len(id) > INSTANCE_ID_UNITS)
        return call_fail(call, ERR_INVALID, "an instance id must not exceed %d characters",
                         INSTANCE_ID_UNITS);
    return OK;
}

static enum err aim_start(struct tree *t, struct call *call, const struct place *dir, struct str id,
                          struct target *ret)
{
    struct row_hold hold = { 0 };
    enum err err = check_new_id(call, id);

    if (err != OK)
        return err;
    err = catalogue_row(t->catalogue, call, id, INT64_MAX, &hold);
    row_hold_fini(&hold);
    if (err == OK) /* as last seen; it may have been purged since */
        err = tree_row(t, call, id, &hold);
    row_hold_fini(&hold);
    if (err == OK)
        return call_fail(call, ERR_EXISTS, "an instance of this id is there already");
    if (err != ERR_NOT_FOUND)
        return err;
    aim(ret, CMD_START, id, NULL);
    buf_add(&ret->name, place_text(dir));
    return OK;
}

static enum err aim_event(struct tree *t, struct call *call, const struct place *dir,
                          struct str event, struct target *ret)
{
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = subject_offering(t, call, dir, CMD_EVENT, &s);

    if (err != OK)
        return err;
    if (event.len == 0)
        return call_fail(call, ERR_INVALID, "an event must have a name");
    aim(ret, CMD_EVENT, place_text(dir), s.row);
    buf_add(&ret->name, event);
    return OK;
}

static enum err aim_signal(struct call *call, const struct place *dir, struct str operation,
                           struct target *ret)
{
    struct str name, key;

    if (!id_split_entity(place_text(dir), &name, &key))
        return call_fail(call, ERR_INVALID, "this is not an entity id");
    if (has_refused_character(key))
        return call_fail(call, ERR_INVALID,
                         "an entity key must not contain /, \\, #, ?, or control characters");
    if (operation.len == 0)
        return call_fail(call, ERR_INVALID, "an operation must have a name");
    aim(ret, CMD_SIGNAL, place_text(dir), NULL);
    buf_add(&ret->name, operation);
    return OK;
}

static enum err aim_message(struct tree *t, struct call *call, const struct place *dir,
                            struct str name, struct target *ret)
{
    CLEANUP_BUF struct buf decoded = BUF_INIT(TARGET_TEXT_MAX);

    if (is_scratch_name(name))
        return call_fail(call, ERR_FORBIDDEN, "a name like this is an editor's, not a message");
    if (name_to_id(&decoded, name) != NAME_PLAIN)
        return call_fail(call, ERR_BAD_NAME, "this is not the spelling of any name");
    /* The commands that a message can be; others are files. */
    if (place_dir(dir)->message == CMD_START)
        return aim_start(t, call, dir, buf_str(&decoded), ret);
    if (place_dir(dir)->message == CMD_SIGNAL)
        return aim_signal(call, dir, buf_str(&decoded), ret);
    return aim_event(t, call, dir, buf_str(&decoded), ret);
}

/* A number for the open message; the kernel forgets it after the close. */
static enum err hold_message(struct tree *t, struct call *call, const struct place *dir,
                             struct str name, struct target *ret, struct attr *ret_attr)
{
    const struct kind *kind = kinds_of_message(&t->kinds, place_dir(dir));
    uint64_t index = atomic_fetch_add(&t->messages, 1) & NODE_INDEX_MASK;
    CLEANUP_BUF struct buf path = BUF_INIT(4 * TARGET_TEXT_MAX);

    tree_path(t, dir->node, name, &path);
    if (nodes_hold(&t->nodes, SPACE_MESSAGE, index, buf_str(&path)) != OK)
        return call_fail(call, ERR_NO_MEMORY, "out of memory");
    ret->node = node_beside(dir->node, node_pack(dir->view, kind->number, index));
    attrs_message(t, ret->node, ret_attr);
    return OK;
}

static bool may_be_hidden(const struct file_def *f, const struct row *row)
{
    return row->status == STATUS_PENDING && command_defs[f->command].hidden_pending;
}

/* Not a directory for messages: a verb that the state hides is checked when it is written, of other
 * known ones it is said why they are not there, everything else is refused. */
static enum err aim_hidden(struct tree *t, struct call *call, const struct place *dir,
                           struct str name, struct target *ret)
{
    CLEANUP_SUBJECT struct subject s = { 0 };

    for (const struct file_def *f = place_dir(dir)->files; f && f->name; f++) {
        enum err err;

        if (!f->is_command || !str_eq(name, str_c(f->name)))
            continue;
        err = subject_get(t, call, dir, &s);
        if (err != OK)
            return err;
        /* It is there by now when the kernel still believes that it is not. */
        if (!file_is_present(f, s.row) && !may_be_hidden(f, s.row))
            return wrong_state(call, s.row, f->command);
        aim(ret, f->command, place_text(dir), s.row);
        return OK;
    }
    return call_fail(call, ERR_FORBIDDEN, "nothing can be created here");
}

enum err tree_create(struct tree *t, struct call *call, node dir, struct str name,
                     struct target *ret, struct attr *ret_attr)
{
    CLEANUP_PLACE struct place p = { 0 };
    enum err err = place_of(t, call, dir, &p);

    target_init(ret, 0);
    if (err == OK)
        err = check_writable_mount(t, call);
    if (err != OK)
        return err;
    err = place_dir(&p)->takes_messages ? aim_message(t, call, &p, name, ret)
                                        : aim_hidden(t, call, &p, name, ret);
    if (err == OK)
        err = hold_message(t, call, &p, name, ret, ret_attr);
    return finish(call, ret, err);
}

/* Also of one that may have been started: its id is what one needs to find out. Forgetting it would
 * only make `restart` read as empty. */
static void remember_restart(struct tree *t, const struct command *cmd, const struct receipt *r)
{
    if (r->instance_id[0] && memo_put(&t->restarts, cmd->id, str_c(r->instance_id)) != OK)
        memo_clear(&t->restarts);
}

/* What `restart` reads as is another text now. */
static void tell_restart(struct tree *t, const struct target *target)
{
    struct catalogue_news news = { .slot = (uint32_t)node_index(target->node),
                                   .own = true,
                                   .created = TICKS_NONE };

    if (t->settings.news)
        t->settings.news(t->settings.news_ctx, t->settings.hub, &news);
}

enum err tree_act(struct tree *t, struct call *call, const struct target *target, bool has_data,
                  struct str data, struct receipt *ret)
{
    struct command cmd = { .kind = target->command,
                           .id = buf_str(&target->id),
                           .key = buf_str(&target->key),
                           .name = buf_str(&target->name),
                           .has_data = has_data,
                           .data = data };
    enum err err = check_writable_mount(t, call);

    memset(ret, 0, sizeof(*ret));
    if (err != OK)
        return err;
    if (target->is_store) {
        const struct kind *kind = kinds_get(&t->kinds, node_kind(target->node));

        if (!kind || !kind->file || !kind->file->store)
            return call_fail(call, ERR_BUG, "nothing stores what was written");
        return kind->file->store(t, call, data);
    }
    err = catalogue_send(t->catalogue, call, &cmd, ret);
    if (cmd.kind == CMD_RESTART && (err == OK || err == ERR_UNKNOWN_OUTCOME)) {
        remember_restart(t, &cmd, ret);
        tell_restart(t, target);
    }
    return err;
}

/* -- deleting -- */

static void add_path(struct tree *t, node n, struct buf *ret)
{
    CLEANUP_BUF struct buf path = BUF_INIT(4 * TARGET_TEXT_MAX);

    tree_path(t, n, STR_NONE, &path);
    buf_add(ret, buf_str(&path));
}

static enum err check_may_purge(struct tree *t, struct call *call)
{
    enum err err = check_writable_mount(t, call);

    if (err == OK && !t->settings.purge)
        err = call_fail(call, ERR_FORBIDDEN, "--no-purge was given");
    return err;
}

static bool has_entry(const struct dir_def *dir, struct str name)
{
    for (const struct file_def *f = dir->files; f && f->name; f++)
        if (str_eq(name, str_c(f->name)))
            return true;
    for (const struct dir_def *const *d = dir->dirs; d && *d; d++)
        if (str_eq(name, str_c((*d)->name)))
            return true;
    return false;
}

enum err tree_unlink_check(struct tree *t, struct call *call, node dir, struct str name)
{
    CLEANUP_PLACE struct place p = { 0 };
    CLEANUP_SUBJECT struct subject s = { 0 };
    enum err err = place_of(t, call, dir, &p);

    if (err == OK)
        err = check_may_purge(t, call);
    if (err != OK)
        return err;
    if (p.kind->file || place_dir(&p)->row != ROW_INSTANCE)
        return call_fail(call, ERR_FORBIDDEN, "only whole instances can be removed");
    if (!has_entry(place_dir(&p), name))
        return call_fail(call, ERR_NOT_FOUND, "there is no such file");
    err = subject_get(t, call, &p, &s);
    if (err != OK)
        return err;
    if (!row_is_finished(s.row))
        return call_fail(call, ERR_BUSY,
                         "the instance is " STR_FMT ": only finished ones can be purged",
                         STR_ARG(s.row->status_text));
    return OK;
}

static enum err purge(struct tree *t, struct call *call, const struct place *dir)
{
    CLEANUP_BUF struct buf what = BUF_INIT(4 * TARGET_TEXT_MAX);
    struct receipt receipt = { 0 };
    struct running running;

    buf_add_c(&what, "purge ");
    add_path(t, dir->node, &what);
    progress_begin(t->settings.progress, &running, call, buf_str(&what));
    enum err err = catalogue_purge(t->catalogue, call, place_text(dir), &receipt);
    progress_end(t->settings.progress, &running);
    return err;
}

enum err tree_purge(struct tree *t, struct call *call, node dir)
{
    CLEANUP_PLACE struct place p = { 0 };
    enum err err = place_of(t, call, dir, &p);

    if (err == OK)
        err = check_may_purge(t, call);
    if (err != OK)
        return err;
    if (p.kind->file || place_dir(&p)->class != CLASS_DIR_INSTANCE)
        return call_fail(call, ERR_FORBIDDEN, "this is not the directory of an instance");
    if (!place_is_current(t, &p))
        return call_fail(call, ERR_NOT_FOUND, "the instance was deleted and started again");
    return purge(t, call, &p);
}
