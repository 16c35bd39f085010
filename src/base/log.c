#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void og_log_printf(const og_log *log, og_log_level level, const char *fmt, ...)
{
    char message[1024];
    if (!og_log_wants(log, level))
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    log->write(log->context, level, message);
}
