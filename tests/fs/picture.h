/* picture: a story drawn, and checks of what was drawn.
 * Fails the test when there is no picture. Ownership: appends to the test's buf. Threads: its own.
 */
#ifndef TESTS_FS_PICTURE_H
#define TESTS_FS_PICTURE_H

#include "fs/pictures.h"
#include "tests/fs/story.h"

#define PICTURE_MAX (64 << 20)

void picture_draw(struct buf *out,
                  enum err (*picture)(const struct history *, const struct row *, ticks,
                                      struct buf *),
                  struct story *s, double now);

size_t count_of(struct str text, struct str part);

/* Well-formed, as far as we use XML. Returns how many elements there are. */
size_t expect_well_formed(struct str xml);

#endif
