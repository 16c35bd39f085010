#include "base/budget.h"

#include <assert.h>
#include <stddef.h>

bool og_budget_try_add(og_budget *budget, uint64_t amount)
{
    if (budget == NULL)
        return true;
    uint64_t limit = budget->limit != 0 ? budget->limit : UINT64_MAX;
    uint64_t used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
    do {
        if (used > limit || amount > limit - used)
            return false;
    } while (!__atomic_compare_exchange_n(&budget->used, &used, used + amount, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

void og_budget_release(og_budget *budget, uint64_t amount)
{
    if (budget == NULL)
        return;
    uint64_t before = __atomic_fetch_sub(&budget->used, amount, __ATOMIC_RELAXED);
    assert(before >= amount);
    (void)before;
}

uint64_t og_budget_used(const og_budget *budget)
{
    return budget != NULL ? __atomic_load_n(&budget->used, __ATOMIC_RELAXED) : 0;
}
