/* store/memory - a store in memory, which forgets what was not synced when told to crash. */
#ifndef OG_STORE_MEMORY_H
#define OG_STORE_MEMORY_H

#include "base/timeval.h"
#include "store/store.h"

OG_NODISCARD og_status og_store_open_memory(og_store **out, og_error *err);

/* Give listings the time at which objects were written, by this clock (borrowed).
 * For objects written before the call they say 0. */
void og_store_memory_set_clock(og_store *store, const og_clock *clock);

/* Power loss: of everything written since its last sync each object's content is kept or cut at a
 * random byte (kept when put_if_absent made it durable), and each name (a folder entry), new,
 * replaced or removed, is lost or kept, by `seed`. Names and content are lost apart, as a file
 * system loses them. What put_summed wrote over something else may be a mixture of both. Synced
 * objects stay. What is left is durable. */
void og_store_memory_crash(og_store *store, uint64_t seed);

#endif
