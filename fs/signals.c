#include <signal.h>
#include <time.h>

#include "fs/signals.h"

static void do_nothing(int signal)
{
    (void)signal;
}

static void waited_for(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    sigaddset(ret, SIGUSR2); /* of signals_stop */
}

void signals_block(void)
{
    struct sigaction nothing = { .sa_handler = do_nothing };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t set;

    waited_for(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGUSR1, &nothing, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* a closed stderr must not end the mount (F55) */
}

static void handle(struct signals *s, int signal)
{
    if (signal == SIGTERM || signal == SIGINT)
        atomic_store(&s->ended, true);
    if (atomic_load(&s->ended))
        s->end(s->ctx);
    else if (signal == SIGHUP)
        s->reload(s->ctx);
}

static void *signals_main(void *arg)
{
    const struct timespec nudge = { .tv_nsec = SIGNALS_NUDGE_MS * 1000000L };
    struct signals *s = arg;
    sigset_t set;

    waited_for(&set);
    while (!atomic_load(&s->stopping)) {
        bool again = atomic_load(&s->ended);

        handle(s, again ? sigtimedwait(&set, NULL, &nudge) : sigwaitinfo(&set, NULL));
    }
    return NULL;
}

bool signals_start(struct signals *s)
{
    s->started = pthread_create(&s->thread, NULL, signals_main, s) == 0;
    return s->started;
}

void signals_stop(struct signals *s)
{
    if (!s->started)
        return;
    atomic_store(&s->stopping, true);
    pthread_kill(s->thread, SIGUSR2);
    pthread_join(s->thread, NULL);
    s->started = false;
}

void signals_nudge(pthread_t thread)
{
    pthread_kill(thread, SIGUSR1);
}
