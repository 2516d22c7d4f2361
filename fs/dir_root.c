#include "fs/dirs.h"
#include "fs/tree_internal.h"

static const struct dir_def *const root_dirs[] = { &dir_instances, &dir_by_status,
                                                   &dir_by_name,   &dir_by_created,
                                                   &dir_start,     &dir_entities,
                                                   &dir_machine,   NULL };

static void add_row(struct buf *out, const char *name, const char *after, const char *about)
{
    buf_printf(out, "  %s%s%*s %s\n", name, after,
               (int)(16 > strlen(name) + strlen(after) ? 16 - strlen(name) - strlen(after) : 0), "",
               about);
}

static void add_files(struct buf *out, const struct file_def *files, bool hidden)
{
    for (const struct file_def *f = files; f->name; f++)
        if (f->hidden == hidden)
            add_row(out, f->name, "", f->about);
}

static enum err root_readme_show(const struct view *v, struct buf *out)
{
    buf_printf(out, "This is the Durable Functions task hub %s as files (taskhubfs %s).\n\n",
               catalogue_hub(v->tree->catalogue)->name, v->tree->settings.version);
    for (const struct dir_def *const *d = root_dirs; *d; d++)
        add_row(out, (*d)->name, "/", (*d)->about);
    buf_add_c(out, "\nIn the directory of an instance:\n\n");
    add_files(out, dir_instance.files, false);
    for (const struct dir_def *const *d = dir_instance.dirs; *d; d++)
        add_row(out, (*d)->name, "/", (*d)->about);
    buf_add_c(out, "\nThere, too, though not listed:\n\n");
    add_files(out, dir_instance.files, true);
    buf_add_c(out,
              "\nTo try:\n\n"
              "  ls -l by-status                        a table of counts\n"
              "  cat instances/ID/status\n"
              "  tail -f instances/ID/history\n"
              "  grep -l Failed instances/*/status\n"
              "  echo '{\"ok\":true}' > instances/ID/events/Approve\n"
              "  echo '{\"id\":17}' > start/ORCHESTRATOR/NEW-ID\n"
              "  timeout 30 cat instances/ID/wait\n"
              "  rm -r instances/ID                     purge a finished instance\n"
              "\nAn errno says little: .taskhubfs/errors says why the last operations failed.\n");
    return OK;
}

static const struct file_def root_files[] = {
    { .name = "README",
      .about = "this page",
      .mode = 0444,
      .constant = true,
      .show = root_readme_show },
    { 0 },
};

const struct dir_def dir_root = {
    .about = "the task hub",
    .class = CLASS_DIR_VIEW,
    .files = root_files,
    .dirs = root_dirs,
};
