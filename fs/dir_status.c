#include "backend/base/jsonw.h"
#include "fs/dirs.h"
#include "fs/format.h"

static struct str status_text(const struct row *row)
{
    return row->status_text.len > 0 ? row->status_text : str_c(status_name(row->status));
}

enum err instance_status_show(const struct view *v, struct buf *out)
{
    const struct row *row = v->row;

    format_line(out, "InstanceId", row->id);
    format_line(out, "Name", row->name);
    format_line(out, "Version", row->version);
    format_line(out, "RuntimeStatus", status_text(row));
    format_time_line(out, "CreatedTime", row->created);
    format_time_line(out, "LastUpdatedTime", row->updated);
    format_time_line(out, "ScheduledStartTime", row->scheduled);
    format_time_line(out, "CompletedTime", row_completed(row));
    return OK;
}

/* -- status.json: the management API's object (http management api 6.1), then what it leaves out --
 */

static void add_payload(struct jsonw *w, const char *name, const struct text *text)
{
    CLEANUP_BUF struct buf value = BUF_INIT(w->out->max);

    jsonw_name(w, name);
    if (!text) {
        jsonw_null(w);
        return;
    }
    format_json_value(&value, text_str(text));
    if (buf_err(&value) == OK)
        jsonw_raw(w, buf_str(&value));
    else if (w->out->err == OK)
        w->out->err = buf_err(&value);
}

static void add_text(struct jsonw *w, const char *name, struct str text)
{
    if (text.len == 0)
        return;
    jsonw_name(w, name);
    jsonw_str(w, text);
}

static void add_time(struct jsonw *w, const char *name, ticks t)
{
    CLEANUP_BUF struct buf text = BUF_INIT(64);

    if (t == TICKS_NONE)
        return;
    ticks_print(&text, t);
    add_text(w, name, buf_str(&text));
}

static void add_extras(struct jsonw *w, const struct row *row, const struct details *d)
{
    const struct instance *in = d->instance;
    struct arena arena;

    add_text(w, "executionId", in->execution_id);
    add_time(w, "completedTime", row_completed(row));
    add_text(w, "version", row->version);
    if (in->tags.len > 0) {
        CLEANUP_BUF struct buf tags = BUF_INIT(w->out->max);

        format_json_value(&tags, in->tags);
        jsonw_name(w, "tags");
        jsonw_raw(w, buf_str(&tags));
    }
    add_time(w, "scheduledStartTime", row->scheduled);
    if (in->generation >= 0) {
        jsonw_name(w, "generation");
        jsonw_i64(w, in->generation);
    }
    if (!d->history)
        return;
    arena_init(&arena);
    add_text(w, "parentInstanceId", history_parent(d->history, &arena));
    arena_fini(&arena);
}

enum err instance_status_json_show(const struct view *v, struct buf *out)
{
    const struct row *row = v->row;
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_name(&w, "name");
    jsonw_str(&w, row->name);
    jsonw_name(&w, "instanceId");
    jsonw_str(&w, row->id);
    jsonw_name(&w, "runtimeStatus");
    jsonw_str(&w, status_text(row));
    add_payload(&w, "input", v->details->input);
    add_payload(&w, "customStatus", v->details->custom);
    add_payload(&w, "output", v->details->output);
    add_time(&w, "createdTime", row->created);
    add_time(&w, "lastUpdatedTime", row->updated);
    add_extras(&w, row, v->details);
    jsonw_object_end(&w);
    buf_add_ch(out, '\n');
    return OK;
}
