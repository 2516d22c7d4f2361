#include "backend/worker.h"

#include "backend/base/limits.h"

enum err worker_start(struct worker *w, void *(*run)(void *), void *arg, struct call *call)
{
    if (w->started)
        pthread_join(w->thread, NULL); /* it is not live: it has left the lock for the last time */
    w->started = false;
    call_init(&w->call, CALL_TIMEOUT_MS);
    w->call.patience_ms = CALL_TIMEOUT_MS;
    if (pthread_create(&w->thread, NULL, run, arg) != 0)
        return call_fail(call, ERR_TOO_MANY, "no thread to read the hub with");
    w->started = w->live = true;
    return OK;
}

void worker_end(struct worker *w)
{
    call_cancel(&w->call);
    if (w->started)
        pthread_join(w->thread, NULL);
    w->started = false;
}
