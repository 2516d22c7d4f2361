/* story: a history told in seconds, for the tests of what draws it.
 * Ownership: story_fini frees. Texts are constants. Threads: the test's own. */
#ifndef TESTS_FS_STORY_H
#define TESTS_FS_STORY_H

#include "fs/bars.h"

struct story {
    struct history *h;
    struct row row; /* Running, of the orchestrator Flow, id flow-1, created at 0 */
    int64_t next_id;
};

ticks at(double seconds); /* after 2026-11-24T09:00:00Z */

void story_init(struct story *s);
void story_fini(struct story *s);
/* A test to which that story is told anew. */
#define STORY_TEST(name, story)                                                                    \
    cmocka_unit_test_prestate_setup_teardown(name, story_setup, story_teardown, story)
int story_setup(void **state);
int story_teardown(void **state);
struct event *told(struct story *s, enum event_type type, double seconds);
void turn(struct story *s, double seconds);   /* OrchestratorStarted */
void rest(struct story *s, double seconds);   /* OrchestratorCompleted */
void begins(struct story *s, double seconds); /* created at 0, first turn then */
int64_t decides(struct story *s, enum event_type type, double seconds, const char *name);
void comes(struct story *s, enum event_type type, double seconds, int64_t id);
void fails(struct story *s, enum event_type type, double seconds, int64_t id, const char *reason);
int64_t sets_timer(struct story *s, double seconds, double due);
void ends(struct story *s, double seconds, const char *status); /* and rests */

/* -- whole stories -- */

void tells_evil(struct story *s);         /* names full of markup and control characters; open */
void tells_tasks(struct story *s, int n); /* at once, one ends a second; the 8th of 50 fails */

struct bars *story_bars(struct story *s, double now, size_t max); /* linked; NULL without memory */

#endif
