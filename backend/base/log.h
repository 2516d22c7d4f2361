/* log: one line of text a happening, to stderr (foreground) or syslog.
 * base, net and providers log at debug level at most; the border and main log, once.
 * Secrets never arrive here (secret.h); what looks like one is redacted all the same (faults and
 * limits, section 5): sig=, code=, AccountKey=, Bearer, SharedKey, x-functions-key.
 * Threads: any. */
#ifndef BACKEND_BASE_LOG_H
#define BACKEND_BASE_LOG_H

#include <stdbool.h>

#include "backend/base/attr.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
bool log_parse_level(enum log_level *ret, const char *text); /* error, warning, info, debug */
void log_to_syslog(const char *program);                     /* after going to the background */

/* A line is cut at LOG_LINE_MAX; one equal to another of the last LOG_FOLD_MS is counted instead of
 * written, and the count told later. Nothing waits for a slow reader of stderr: what it does not
 * take is lost and counted. errno stays as it was. */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Tells the counts of folded lines at once: at the end of the process. */
void log_flush(void);

/* Redacts in place what looks like a secret (exposed for .taskhubfs/errors and tests). */
void log_redact(char *text);

#endif
