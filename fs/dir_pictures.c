#include "fs/dirs.h"
#include "fs/pictures.h"

/* Unfinished bars end now. A whole second, so that a stat and the open behind it mostly see the
 * same size (R4); not the youngest event, since a task that was scheduled an hour ago has no
 * younger one and yet has been open for an hour. */
static ticks picture_time(void)
{
    ticks now = clock_wall();

    return now - now % TICKS_PER_SEC;
}

enum err instance_timeline_show(const struct view *v, struct buf *out)
{
    return timeline_text(v->details->history, v->row, picture_time(), out);
}

enum err instance_timeline_svg_show(const struct view *v, struct buf *out)
{
    return timeline_svg(v->details->history, v->row, picture_time(), out);
}

enum err instance_history_mmd_show(const struct view *v, struct buf *out)
{
    return mermaid_gantt(v->details->history, v->row, picture_time(), out);
}
