/* base/log - where messages for an operator go. Library code never prints: it logs to the og_log it
 * was given, and the program decides what becomes of it. Arguments are evaluated only when
 * somebody listens. */
#ifndef OG_BASE_LOG_H
#define OG_BASE_LOG_H

#include "base/error.h"

typedef enum og_log_level {
    OG_LOG_ERROR,
    OG_LOG_WARNING,
    OG_LOG_INFO,
    OG_LOG_DEBUG,
} og_log_level;

/* A zeroed og_log takes no messages. `write` may be called from several threads at once;
 * `message` is one line without a newline, borrowed for the call. */
typedef struct og_log {
    void (*write)(void *context, og_log_level level, const char *message);
    void *context;
    og_log_level level; /* the most detailed level wanted */
} og_log;

static inline bool og_log_wants(const og_log *log, og_log_level level)
{
    return log != NULL && log->write != NULL && level <= log->level;
}

/* Messages are cut at 1 KiB. */
void og_log_printf(const og_log *log, og_log_level level, const char *fmt, ...) OG_PRINTF(3, 4);

#define og_log_at(log, log_level, ...)                                                             \
    (og_log_wants((log), (log_level)) ? og_log_printf((log), (log_level), __VA_ARGS__) : (void)0)
#define og_log_error(log, ...) og_log_at(log, OG_LOG_ERROR, __VA_ARGS__)
#define og_log_warning(log, ...) og_log_at(log, OG_LOG_WARNING, __VA_ARGS__)
#define og_log_info(log, ...) og_log_at(log, OG_LOG_INFO, __VA_ARGS__)
#define og_log_debug(log, ...) og_log_at(log, OG_LOG_DEBUG, __VA_ARGS__)

#endif
