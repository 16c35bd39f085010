#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* One row per status: its stable text id, the HTTP status a server answers with, and the
 * exit code of the command line. */
static const struct {
    const char *id;
    int http_status;
    int exit_code;
} status_table[] = {
    [OG_OK] = {"ok", 200, 0},
    [OG_NOT_FOUND] = {"not_found", 404, 1},
    [OG_CONFLICT] = {"conflict", 409, 1},
    [OG_INVALID] = {"bad_request", 400, 1},
    [OG_CORRUPT] = {"corrupt", 500, 1},
    [OG_IO] = {"io", 500, 1},
    [OG_NOMEM] = {"no_memory", 500, 1},
    [OG_DENIED] = {"forbidden", 403, 1},
    [OG_CANCELLED] = {"cancelled", 499, 1},
    [OG_TIMEOUT] = {"timeout", 504, 1},
    [OG_LIMIT] = {"limit", 413, 1},
    [OG_EXISTS] = {"exists", 409, 1},
    [OG_UNSUPPORTED] = {"unsupported", 501, 1},
    [OG_UNKNOWN] = {"unknown_outcome", 500, 1},
};

static size_t status_index(og_status status)
{
    size_t index = (size_t)status;
    return index < sizeof status_table / sizeof *status_table ? index : OG_UNKNOWN;
}

const char *og_status_id(og_status status)
{
    return status_table[status_index(status)].id;
}

int og_status_http(og_status status)
{
    return status_table[status_index(status)].http_status;
}

int og_status_exit_code(og_status status)
{
    return status_table[status_index(status)].exit_code;
}

/* Fill the header fields without touching 8 KiB of text buffers. */
static void reset(og_error *err, og_status status)
{
    err->status = status;
    err->line = err->column = 0;
    err->message[0] = err->detail[0] = err->hint[0] = '\0';
}

/* Print; of a text that does not fit the end is left out, in front of a code point. */
static void print(char *dst, size_t size, const char *fmt, va_list ap)
{
    int len = vsnprintf(dst, size, fmt, ap);
    size_t bad;
    if (len < 0 || (size_t)len < size || og_utf8_valid((og_str){dst, size - 1}, &bad))
        return;
    if (bad + 4 >= size)
        dst[bad] = '\0';
}

og_status og_error_set(og_error *err, og_status status, const char *fmt, ...)
{
    assert(status != OG_OK);
    if (err != NULL) {
        va_list ap;
        reset(err, status);
        va_start(ap, fmt);
        print(err->message, sizeof err->message, fmt, ap);
        va_end(ap);
    }
    return status;
}

og_status og_error_set_at(og_error *err, og_status status, uint32_t line, uint32_t column,
                          const char *fmt, ...)
{
    assert(status != OG_OK);
    if (err != NULL) {
        va_list ap;
        reset(err, status);
        err->line = line;
        err->column = column;
        va_start(ap, fmt);
        print(err->message, sizeof err->message, fmt, ap);
        va_end(ap);
    }
    return status;
}

og_status og_error_nomem(og_error *err)
{
    return og_error_set(err, OG_NOMEM, "out of memory");
}

static og_status status_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return OG_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return OG_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return OG_LIMIT;
    case ENOMEM:
        return OG_NOMEM;
    default:
        return OG_IO;
    }
}

og_status og_error_errno(og_error *err, int errnum, const char *what, const char *path)
{
    char text[128];
    if (err == NULL)
        return status_of_errno(errnum);
    return og_error_set(err, status_of_errno(errnum), "%s %s: %s", what, path,
                        strerror_r(errnum, text, sizeof text));
}

og_status og_error_context(og_error *err, og_status status, const char *fmt, ...)
{
    if (err == NULL)
        return status;
    char context[1024];
    va_list ap;
    va_start(ap, fmt);
    print(context, sizeof context, fmt, ap);
    va_end(ap);

    size_t used = strlen(context);
    size_t room = sizeof err->message - used - 3;
    size_t len = strnlen(err->message, sizeof err->message - 1);
    if (len > room)
        len = room;
    memmove(err->message + used + 2, err->message, len);
    memcpy(err->message, context, used);
    memcpy(err->message + used, ": ", 2);
    err->message[used + 2 + len] = '\0';
    return err->status;
}

void og_error_detail(og_error *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    print(err->detail, sizeof err->detail, fmt, ap);
    va_end(ap);
}

void og_error_hint(og_error *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    print(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
}
