/* base/budget - a bound on what many parts may use together: bytes of a query, rows of a result.
 *
 * Whoever is about to allocate asks first and gives back when done. Any thread may. */
#ifndef OG_BASE_BUDGET_H
#define OG_BASE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct og_budget {
    uint64_t limit; /* 0 = no bound (use is counted all the same); not changed while in use */
    uint64_t used;  /* atomic: read it by og_budget_used */
} og_budget;

/* True and counted, or false and nothing changed when `amount` more would pass the limit. A NULL
 * budget has no bound. */
bool og_budget_try_add(og_budget *budget, uint64_t amount);
/* Give back what was added. */
void og_budget_release(og_budget *budget, uint64_t amount);
uint64_t og_budget_used(const og_budget *budget);

#endif
