/* What happened over all seeds, in numbers. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>

static void report_outcomes(const sim_counts *c)
{
    for (int k = 0; k < SIM_OP_KINDS; k++)
        for (int s = 0; s < 16; s++)
            if (c->outcomes[k][s] > 0)
                printf("  %-15s %-16s %9" PRIu64 "\n", sim_op_names[k],
                       s == 0 ? "ok" : og_status_id((og_status)s), c->outcomes[k][s]);
}

/* Every pair of an operation and a call that it makes: how often it died before and after. */
static void report_deaths(const sim_counts *c)
{
    int pairs = 0, missing = 0;
    printf("%-15s %-28s %10s %8s %8s\n", "operation", "call", "calls", "before", "after");
    for (int k = 0; k < SIM_OP_KINDS; k++)
        for (int i = 0; i < SIM_CALL_KINDS; i++) {
            uint64_t before = c->died_before[k][i], after = c->died_after[k][i];
            bool is_known = sim_call_is_known((sim_op_kind)k, i);
            if (c->calls[k][i] + before == 0 && !is_known)
                continue;
            bool is_missing = before == 0 || after == 0;
            pairs++;
            missing += is_missing;
            printf("%-15s %-28s %10" PRIu64 " %8" PRIu64 " %8" PRIu64 "%s%s\n", sim_op_names[k],
                   sim_call_name(i), c->calls[k][i], before, after, is_missing ? "  missing" : "",
                   is_known ? "" : "  not in calls.c");
        }
    printf("%d pairs of an operation and a call, %d without a death before and after\n", pairs,
           missing);
}

void sim_report(const sim_counts *c, bool all)
{
    printf("%" PRIu64 " seeds, %" PRIu64 " calls, %" PRIu64 " publications, %" PRIu64
           " lookups by index\n",
           c->seeds, c->steps, c->publications, c->lookups);
    for (int f = 1; f < SIM_FAULT_KINDS; f++)
        printf("  %-20s %10" PRIu64 "\n", sim_fault_names[f], c->faults[f]);
    report_outcomes(c);
    if (all)
        report_deaths(c);
}
