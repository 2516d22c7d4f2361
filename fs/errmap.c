#include <errno.h>

#include "fs/errmap.h"

#define ROW(err, number, meaning) [err] = { err, number, #number, meaning }

const struct errmap_row errmap[ERR_COUNT] = {
    [OK] = { OK, 0, "0", "It worked." },
    ROW(ERR_NOT_FOUND, ENOENT,
        "The instance, hub or payload is not there, or went away meanwhile."),
    ROW(ERR_EXISTS, EEXIST, "An instance with this id exists already."),
    ROW(ERR_WRONG_STATE, EPERM, "The state of the instance forbids this verb; nothing was sent."),
    ROW(ERR_FORBIDDEN, EPERM, "Not offered for this file, or switched off by an option."),
    ROW(ERR_READ_ONLY, EROFS, "The mount is read-only."),
    ROW(ERR_BUSY, EBUSY,
        "The instance is not finished, has been started again and not begun, or changed meanwhile; "
        "or the directory is part of the tree itself."),
    ROW(ERR_NOT_EMPTY, ENOTEMPTY,
        "The process that removes the directory left one of its entries out; nothing was purged."),
    ROW(ERR_INVALID, EINVAL, "The text or JSON cannot be accepted; nothing was sent."),
    ROW(ERR_TOO_BIG, EFBIG, "The payload is above a limit; nothing was sent."),
    ROW(ERR_BAD_NAME, EILSEQ, "A name or its bytes cannot be represented."),
    ROW(ERR_DENIED, EACCES, "The service knows who we are, but the identity lacks the right."),
    ROW(ERR_KEY_REJECTED, EKEYREJECTED, "The service refused the signature, key or token."),
    ROW(ERR_KEY_EXPIRED, EKEYEXPIRED, "The token has expired and cannot be renewed."),
    ROW(ERR_UNSUPPORTED, EPERM, "This kind of hub cannot do that."),
    ROW(ERR_THROTTLED, EREMOTEIO,
        "The service asked for more patience than the time limit allows; nothing was executed."),
    ROW(ERR_TIMEOUT, ETIMEDOUT, "The time limit passed while reading."),
    ROW(ERR_UNKNOWN_OUTCOME, ETIMEDOUT,
        "A write left us and no complete answer came back: it may have been executed. It is never "
        "sent again."),
    ROW(ERR_UNREACHABLE, EHOSTUNREACH, "No connection could be made: nothing was sent."),
    ROW(ERR_PAUSED, EAGAIN, "Connecting failed again and again just now: nothing was sent."),
    ROW(ERR_CANCELLED, EINTR, "The caller was interrupted; nothing was sent."),
    ROW(ERR_WOULD_BLOCK, EIO, "Our own mistake: please report it."),
    ROW(ERR_TOO_MANY, ENFILE, "Too many files are open, or too much of their content is held."),
    ROW(ERR_NO_MEMORY, ENOMEM, "Out of memory."),
    ROW(ERR_DAMAGED, EBADMSG, "The stored data is damaged."),
    ROW(ERR_BROKEN, EREMOTEIO,
        "The service failed, or said something that cannot be understood, after all retries."),
    ROW(ERR_BUG, EIO, "Our own mistake: please report it."),
};

int errmap_errno(enum err err)
{
    if ((unsigned)err >= ERR_COUNT)
        return EIO;
    return errmap[err].errno_value;
}
