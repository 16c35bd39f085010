/* store/wrap - a store around another that counts, waits and fails by a seeded schedule. */
#ifndef OG_STORE_WRAP_H
#define OG_STORE_WRAP_H

#include "store/store.h"

/* What happens to one call. Reads (get, get_range, head, list), and `create` and `append`,
 * which make nothing visible, have no unknown outcome: for them LOST_ACK and UNDONE are
 * OG_IO. FULL is OG_IO for reads. A sync that fails is always OG_UNKNOWN. After a failed
 * append the writer cannot finish. A put_summed that meets UNDONE, or is the call of a CRASH,
 * leaves the first half of its bytes over what was there. */
typedef enum og_store_fault {
    OG_STORE_PASS,
    OG_STORE_FAIL,     /* OG_IO, nothing done */
    OG_STORE_LOST_ACK, /* done, and OG_UNKNOWN returned */
    OG_STORE_UNDONE,   /* not done, and OG_UNKNOWN returned */
    OG_STORE_FULL,     /* OG_LIMIT: disk full, nothing done (a partial write is rolled back) */
    OG_STORE_CRASH,    /* OG_CANCELLED now and for every later call: the process is "dead" */
} og_store_fault;

/* Asked before each call. `op` is the name of the function ("put_if_absent", of writers
 * "append" and "finish"); `name` is the object's, the prefix of a list, the first of several
 * names ("" of none); `call` counts all calls from 0. Also a place for a scheduler to switch
 * tasks and for a test to look. */
typedef struct og_store_hook {
    og_store_fault (*before)(void *context, uint64_t call, const char *op, const char *name);
    void *context;
} og_store_hook;

/* Borrows `inner`, which must outlive the wrapper. `hook.before` NULL: every call passes.
 * `latency_us` is slept per call (0 = none). */
OG_NODISCARD og_status og_store_wrap(og_store *inner, og_store_hook hook, uint32_t latency_us,
                                     og_store **out, og_error *err);

/* A ready hook: the call with number `at` gets `fault`, all others pass. */
typedef struct og_store_fault_at {
    uint64_t at;
    og_store_fault fault;
    uint64_t seen; /* calls so far; tells a test when the schedule is past the end */
} og_store_fault_at;
og_store_hook og_store_hook_at(og_store_fault_at *plan);

#endif
