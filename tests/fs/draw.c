/* Draws recorded instances: draw DIRECTORY writes NAME.txt and NAME.svg of each, which is
 * what docs/pictures/ shows. */
#include <stdio.h>
#include <stdlib.h>

#include "fs/pictures.h"
#include "tests/fs/recorded.h"

static void write_picture(const char *directory, const char *name, const char *suffix,
                          enum err (*draw)(const struct history *, const struct row *, ticks,
                                           struct buf *),
                          const struct history *h, const struct row *row, ticks now)
{
    CLEANUP_BUF struct buf out = BUF_INIT(64 << 20);
    char path[512];
    FILE *f;

    if (draw(h, row, now, &out) != OK || buf_err(&out) != OK) {
        fprintf(stderr, "draw: no picture of %s\n", name);
        exit(1);
    }
    snprintf(path, sizeof(path), "%s/%s.%s", directory, name, suffix);
    f = fopen(path, "wb");
    if (!f || fwrite(out.p, 1, out.len, f) != out.len || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void draw(const char *directory, const struct recorded_picture *p)
{
    struct row row;
    struct history *h = recorded_history(p->stage, p->id, &row);
    ticks now = 0;

    (void)ticks_parse(RECORDED_NOW, &now);
    write_picture(directory, p->name, "txt", timeline_text, h, &row, now);
    write_picture(directory, p->name, "svg", timeline_svg, h, &row, now);
    history_unref(h);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: draw DIRECTORY\n");
        return 2;
    }
    for (size_t i = 0; i < RECORDED_PICTURES; i++)
        draw(argv[1], &recorded_pictures[i]);
    return 0;
}
