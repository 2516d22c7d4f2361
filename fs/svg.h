/* svg: the elements that our SVG pictures are made of.
 * Knows XML and numbers; not what is drawn, nor how a class looks. Lengths are user units, >= 0.
 * Ownership: appends to the caller's buf, which keeps the error. Threads: any.
 * Text is printable UTF-8 and line ends (fs/format.h); class, anchor, name and d are written as
 * they are. */
#ifndef FS_SVG_H
#define FS_SVG_H

#include "backend/base/buf.h"

void svg_number(struct buf *out, double x); /* one decimal; a point in every locale */
void svg_attribute(struct buf *out, const char *name, double x);
void svg_escaped(struct buf *out, struct str text);

/* anchor: NULL = text starts at x. "" draws nothing. */
void svg_text(struct buf *out, const char *class, const char *anchor, double x, double y,
              struct str text);
void svg_rect(struct buf *out, const char *class, double x, double y, double width, double height);
void svg_line(struct buf *out, const char *class, double x, double y1, double y2); /* upright */
/* A path around a point: d is relative to it. */
void svg_mark(struct buf *out, const char *class, double x, double y, const char *d);

#endif
