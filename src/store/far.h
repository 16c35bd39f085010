/* store/far - a store around one that is far away (S3): requests that are announced travel side by
 * side.
 *
 * Requests. An announced call (og_store_expect) is sent at once, on a thread of its own, and the
 * call itself takes the answer.
 * Uploads. `finish` of an object writer returns before the object has arrived. The next sync, put
 * or listing waits for all uploads, and a sync or put fails when one of them failed. So whatever is
 * written after a sync or put rests on whole objects, as with any other store.
 * Small objects that this process wrote by an object writer, and which are therefore never replaced
 * (data files), stay in memory for a while and are read from there. */
#ifndef OG_STORE_FAR_H
#define OG_STORE_FAR_H

#include "store/store.h"

/* Borrows `inner`, which must outlive it and be durable at put. */
OG_NODISCARD og_status og_store_open_far(og_store *inner, og_store **out, og_error *err);

#endif
