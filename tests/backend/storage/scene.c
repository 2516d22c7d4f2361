#include "tests/backend/storage/scene.h"

#include <stdlib.h>

static void end(struct scene *scene)
{
    struct fakeserver *f = scene->f;

    hub_close(&scene->s->hub);
    arena_fini(&scene->arena);
    free(scene);
    fakeserver_free(f);
}

int scene_teardown(void **state)
{
    struct scene *scene = *state;

    *state = NULL;
    if (scene)
        end(scene);
    return 0;
}

struct scene *scene_open(void **state, const struct fake_rule *rules)
{
    struct scene *scene;

    (void)scene_teardown(state);
    scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    scene->f = fakeserver_new(rules);
    scene->s = fake_hub_new(scene->f, (struct fake_hub){ 0 });
    arena_init(&scene->arena);
    fake_call_init(&scene->call);
    *state = scene;
    return scene;
}

struct scene *scene_send(void **state, const struct fake_rule *rules, const struct command *cmd)
{
    struct scene *scene = scene_open(state, rules);

    scene->err = hub_send(&scene->s->hub, &scene->call, cmd, &scene->receipt);
    return scene;
}

void assert_err(const struct scene *scene, enum err err)
{
    if (scene->err != err)
        fail_msg("%s instead of %s: %s\n%s", err_name(scene->err), err_name(err), scene->call.text,
                 fakeserver_log(scene->f));
}

void assert_requests(const struct scene *scene, size_t n)
{
    if (fakeserver_count(scene->f) != n)
        fail_msg("%zu requests instead of %zu: %s\n%s", fakeserver_count(scene->f), n,
                 scene->call.text, fakeserver_log(scene->f));
}

void assert_end(const struct scene *scene, enum err err, size_t requests)
{
    assert_err(scene, err);
    assert_requests(scene, requests);
}

void assert_no(const struct scene *scene, const char *method)
{
    struct str log = str_c(fakeserver_log(scene->f));

    while (log.len) {
        struct str line = str_cut(&log, '\n'), first = str_cut(&line, ' ');

        if (str_eq(first, str_c(method)))
            fail_msg("%s was made:\n%s", method, fakeserver_log(scene->f));
    }
}

void assert_header(const struct scene *scene, size_t i, const char *name, const char *value)
{
    struct str found = fakeserver_header(scene->f, i, name);

    if (!str_eq(found, str_c(value)))
        fail_msg("%s of request %zu is \"%.*s\" instead of \"%s\"", name, i, STR_ARG(found), value);
}

void assert_has(struct str text, const char *part)
{
    if (!str_has(text, str_c(part)))
        fail_msg("%s is not in %.*s", part, STR_ARG(text));
}

void assert_has_not(struct str text, const char *part)
{
    if (str_has(text, str_c(part)))
        fail_msg("%s is in %.*s", part, STR_ARG(text));
}

struct str large_text(char *data, size_t n)
{
    memset(data, 'x', n);
    data[0] = data[n - 1] = '"';
    return (struct str){ data, n };
}
