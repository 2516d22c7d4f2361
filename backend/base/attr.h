/* attr: the compiler attributes that this project uses, under names that say why.
 * Knows the compiler only. Ownership, threads: none. */
#ifndef BACKEND_BASE_ATTR_H
#define BACKEND_BASE_ATTR_H

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)       __attribute__((cleanup(fn##_cleanup)))

/* Declares the function that CLEANUP(fn) calls when a pointer variable leaves its scope. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
    static inline void fn##_cleanup(type **p)                                                      \
    {                                                                                              \
        (void)fn(*p);                                                                              \
    }

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
