#include "fs/dirs.h"
#include "fs/format.h"
#include "fs/tree_internal.h"

/* -- which files there are -- */

static bool is_failed(const struct row *row)
{
    return row->status == STATUS_FAILED;
}

static bool offers_event(const struct row *row)
{
    return command_offered(CMD_EVENT, row->status);
}

static bool offers_terminate(const struct row *row)
{
    return command_offered(CMD_TERMINATE, row->status);
}

static bool offers_suspend(const struct row *row)
{
    return command_offered(CMD_SUSPEND, row->status);
}

static bool offers_resume(const struct row *row)
{
    return command_offered(CMD_RESUME, row->status);
}

static bool offers_rewind(const struct row *row)
{
    return command_offered(CMD_REWIND, row->status);
}

static bool offers_restart(const struct row *row)
{
    return command_offered(CMD_RESTART, row->status);
}

/* Until then the cell may hold the reason of a suspension (storage tables 3.3). */
static bool has_no_output(const struct row *row)
{
    return !row_is_finished(row);
}

/* -- what they say -- */

static enum err instance_input_show(const struct view *v, struct buf *out)
{
    format_payload(out, text_str(v->details->input));
    return OK;
}

static enum err instance_output_show(const struct view *v, struct buf *out)
{
    if (!has_no_output(v->row))
        format_payload(out, text_str(v->details->output));
    return OK;
}

static enum err instance_custom_status_show(const struct view *v, struct buf *out)
{
    if (!str_eq(text_str(v->details->custom), STR("null")))
        format_payload(out, text_str(v->details->custom));
    return OK;
}

static enum err instance_wait_show(const struct view *v, struct buf *out)
{
    format_escaped(out, v->row->status_text);
    buf_add_ch(out, '\n');
    return OK;
}

static enum err instance_restart_show(const struct view *v, struct buf *out)
{
    struct text *id = memo_get(&v->tree->restarts, v->text);

    format_payload(out, text_str(id));
    text_unref(id);
    return OK;
}

static const struct file_def instance_files[] = {
    { .name = "status",
      .about = "who, what, when: one \"Key:<TAB>value\" a line",
      .mode = 0444,
      .show = instance_status_show },
    { .name = "input",
      .about = "the input, JSON as stored",
      .mode = 0444,
      .time = TIME_CREATED,
      .parts = PART_INPUT,
      .show = instance_input_show },
    { .name = "output",
      .about = "the result as stored; empty until the instance is finished",
      .mode = 0444,
      .time = TIME_COMPLETED,
      .parts = PART_OUTPUT,
      .empty = has_no_output,
      .show = instance_output_show },
    { .name = "custom-status",
      .about = "what the orchestrator says of itself, JSON as stored; empty while there is none",
      .mode = 0444,
      .parts = PART_CUSTOM,
      .show = instance_custom_status_show },
    { .name = "history",
      .about = "one event a line: time, type, name, task id, detail; tail -f works",
      .mode = 0444,
      .follows = true,
      .parts = PART_HISTORY,
      .show = instance_history_show },
    { .name = "failure",
      .about = "why it failed, with stacks; only of failed instances",
      .mode = 0444,
      .time = TIME_COMPLETED,
      .parts = PART_OUTPUT | PART_HISTORY,
      .present = is_failed,
      .show = instance_failure_show },
    { .name = "parent",
      .about = "the parent orchestration's name in instances/, or empty",
      .mode = 0444,
      .parts = PART_EVENTS,
      .show = instance_parent_show },
    { .name = "children",
      .about = "the sub-orchestrations' names in instances/, one a line",
      .mode = 0444,
      .parts = PART_EVENTS,
      .show = instance_children_show },
    { .name = "terminate",
      .about = "write a reason to end the instance",
      .mode = 0644,
      .present = offers_terminate,
      .is_command = true,
      .command = CMD_TERMINATE },
    { .name = "suspend",
      .about = "write a reason to suspend the instance",
      .mode = 0644,
      .present = offers_suspend,
      .is_command = true,
      .command = CMD_SUSPEND },
    { .name = "resume",
      .about = "write a reason to resume the instance",
      .mode = 0644,
      .present = offers_resume,
      .is_command = true,
      .command = CMD_RESUME },
    { .name = "rewind",
      .about = "write a reason to run what failed once more",
      .mode = 0644,
      .present = offers_rewind,
      .is_command = true,
      .command = CMD_REWIND },
    { .name = "restart",
      .about = "write an id (or a newline) to start it again; reads as the id that was started",
      .mode = 0644,
      .present = offers_restart,
      .show = instance_restart_show,
      .is_command = true,
      .command = CMD_RESTART },
    { .name = "status.json",
      .about = "status, input, output as one JSON object",
      .mode = 0444,
      .hidden = true,
      .parts = PART_CELLS | PART_INPUT | PART_OUTPUT | PART_CUSTOM | PART_EVENTS,
      .show = instance_status_json_show },
    { .name = "history.jsonl",
      .about = "the events as stored, one JSON object a line",
      .mode = 0444,
      .hidden = true,
      .parts = PART_HISTORY,
      .show = instance_history_jsonl_show },
    { .name = "history.json",
      .about = "the events as stored, one JSON array",
      .mode = 0444,
      .hidden = true,
      .parts = PART_HISTORY,
      .show = instance_history_json_show },
    { .name = "urls",
      .about = "the HTTP management URLs as JSON; only with --http-url",
      .mode = 0444,
      .hidden = true,
      .show = instance_urls_show },
    { .name = "timeline",
      .about = "the history as a chart of 100 columns, one bar a task",
      .mode = 0444,
      .hidden = true,
      .ages = true,
      .parts = PART_EVENTS,
      .show = instance_timeline_show },
    { .name = "timeline.svg",
      .about = "the same chart as a picture",
      .mode = 0444,
      .hidden = true,
      .ages = true,
      .parts = PART_EVENTS,
      .show = instance_timeline_svg_show },
    { .name = "history.mmd",
      .about = "the same chart as a Mermaid Gantt chart",
      .mode = 0444,
      .hidden = true,
      .ages = true,
      .parts = PART_EVENTS,
      .show = instance_history_mmd_show },
    { .name = "wait",
      .about = "reading blocks until the instance is finished, then gives its runtime status",
      .mode = 0444,
      .hidden = true,
      .waits = true,
      .show = instance_wait_show },
    { 0 },
};

static const struct dir_def dir_events = {
    .name = "events",
    .about = "write JSON to events/NAME to raise an event; only of unfinished instances",
    .class = CLASS_DIR_INSIDE,
    .space = SPACE_SLOT,
    .row = ROW_INSTANCE,
    .present = offers_event,
    .takes_messages = true,
    .message = CMD_EVENT,
};

static const struct dir_def *const instance_dirs[] = { &dir_events, NULL };

const struct dir_def dir_instance = {
    .about = "one instance; rm -r purges a finished one",
    .class = CLASS_DIR_INSTANCE,
    .space = SPACE_SLOT,
    .row = ROW_INSTANCE,
    .files = instance_files,
    .dirs = instance_dirs,
};
