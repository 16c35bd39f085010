/* omnigraph.h - a typed property graph on columnar tables, with branches and commits.
 *
 * The public C API of libomnigraph. Compiles alone as C11 and C++. All handles are opaque.
 * Functions that can fail return og_status and fill `err` (which may be NULL) on failure; outputs
 * are written on OG_OK only. Text is UTF-8. Unless said otherwise: a `T **out` gives
 * ownership, a returned pointer is borrowed from the handle it came from, og_graph may be shared by
 * threads, everything else belongs to one thread at a time. */
#ifndef OMNIGRAPH_H
#define OMNIGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define OG_API __attribute__((visibility("default")))
#else
#define OG_API
#endif

/* ---- errors ------------------------------------------------------------------------------- */

typedef enum og_status {
    OG_OK = 0,
    OG_NOT_FOUND,   /* expected: the caller asked for something absent */
    OG_CONFLICT,    /* expected: another writer committed first */
    OG_INVALID,     /* the request is wrong (schema, query, data, argument) */
    OG_CORRUPT,     /* stored bytes break the format */
    OG_IO,          /* the store or the network failed */
    OG_NOMEM,       /* out of memory, or above the memory limit */
    OG_DENIED,      /* not allowed: policy, or permissions of the store */
    OG_CANCELLED,   /* the caller asked to stop */
    OG_TIMEOUT,     /* the deadline passed */
    OG_LIMIT,       /* a bound was reached: disk full, record or result too large */
    OG_EXISTS,      /* expected: the name is taken */
    OG_UNSUPPORTED, /* valid, but not something this version does */
    OG_UNKNOWN      /* the outcome of a write could not be learnt; the error names the operation */
} og_status;

typedef struct og_error {
    og_status status;
    uint32_t line, column; /* place in the user's text, 1-based; 0 = none */
    char message[4096];    /* one line unless it quotes the user's text; no trailing stop */
    char detail[4096];     /* "" or the values that explain it */
    char hint[256];        /* "" or what the user can try, a full sentence */
} og_error;

/* Stable text id of a status ("conflict"), the HTTP status for it, and the exit code of a
 * program that ends with it. */
OG_API const char *og_status_id(og_status status);
OG_API int og_status_http(og_status status);
OG_API int og_status_exit_code(og_status status);

#ifdef __cplusplus
}
#endif
#endif
