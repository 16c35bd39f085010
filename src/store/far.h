/* store/far - a store around one that is far away: calls that are announced travel side by side.
 *
 * What is expected (og_store_expect) is asked at once, on a thread of its own, and the call that asks for it takes that
 * answer. Objects from a writer travel after `finish` returned; the next sync, put or listing waits for all of
 * them, and a sync or put tells when one of them failed. So what follows a sync or put stands on whole
 * objects, as around any other store. Objects of this process that are small and never
 * replaced (data files: from a writer) stay in memory for a while and are read from there. */
#ifndef OG_STORE_FAR_H
#define OG_STORE_FAR_H

#include "store/store.h"

/* Borrows `inner`, which must outlive it and be durable at put. */
OG_NODISCARD og_status og_store_open_far(og_store *inner, og_store **out, og_error *err);

#endif
