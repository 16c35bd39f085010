/* Calls of the store by kind, and deaths that are aimed at them. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

static const char *const functions[] = {"get",           "get_range", "head",   "put",
                                        "put_if_absent", "create",    "append", "finish",
                                        "list",          "remove",    "sync"};
static const struct {
    const char *part, *name;
    char letter;
} places[] = {
    {"__manifest/", "manifest", 'm'},      {"_graph_", "dag", 'd'}, {"__recovery/", "sidecar", 's'},
    {"/_versions/", "table version", 'v'}, {"", "file", 'f'},
};
enum {
    FUNCTIONS = sizeof functions / sizeof *functions,
    PLACES = sizeof places / sizeof *places,
};
_Static_assert(FUNCTIONS *PLACES <= SIM_CALL_KINDS, "kinds of calls");

int sim_call_kind(const char *op, const char *name)
{
    int f = 0, p = 0;
    while (f < FUNCTIONS - 1 && strcmp(functions[f], op) != 0)
        f++;
    while (strstr(name, places[p].part) == NULL)
        p++;
    return f * PLACES + p;
}

const char *sim_call_name(int kind)
{
    static char text[64];
    if (kind >= FUNCTIONS * PLACES)
        return NULL;
    snprintf(text, sizeof text, "%s %s", functions[kind / PLACES], places[kind % PLACES].name);
    return text;
}

/* ---- what operations call ----------------------------------------------------------------- */

/* Of each function the places; a capital is a call that few operations make. */
static const char *const known[SIM_OP_KINDS] = {
    [SIM_LOAD_MERGE] = "get:mdsvf head:mdv put:sf put_if_absent:mdvf create:mdf append:mdf "
                       "finish:mdf list:mdsvf remove:mdsf sync:mvf",
    [SIM_LOAD_APPEND] = "get:mdsvf head:mdv put:sf put_if_absent:mdv create:mdf append:mdf "
                        "finish:mdf list:mdsvf remove:mDsf sync:mvf",
    [SIM_LOAD_OVERWRITE] = "get:mdsvf head:mdv put:Sf put_if_absent:mdv create:mdf append:mdf "
                           "finish:mdf list:mdsvF remove:mDsf sync:mvf",
    [SIM_MUTATE] = "get:mdsvf get_range:F head:mdv put:sf put_if_absent:mdvf create:mdf append:mdf "
                   "finish:mdf list:mdsvf remove:mdsf sync:mvf",
    [SIM_READ] = "get:mvf get_range:F head:m list:m",
    [SIM_BRANCH_CREATE] = "get:mdf head:md put:Mdf put_if_absent:md list:md remove:M sync:md",
    [SIM_BRANCH_DELETE] = "get:mSf head:mD put:md list:mds remove:mdSf sync:md",
    [SIM_BRANCH_MERGE] = "get:mdsvf get_range:F head:mdv put:Sf put_if_absent:mdvF create:mdf "
                         "append:mdf finish:mdf list:mdsvF remove:MDSF sync:mvF",
    [SIM_OPTIMIZE] = "get:mdsvf get_range:F head:mdv put:Sf put_if_absent:mdv create:mdf "
                     "append:mdf finish:mdf list:mdsVf remove:mDSf sync:mvf",
    [SIM_CLEANUP] = "get:mdvf head:md put:DVf put_if_absent:m create:m append:m finish:m list:mdVf "
                    "remove:mdvf sync:mDV",
    [SIM_FOREIGN] = "get:mdsvf head:mdv put:S put_if_absent:MdV create:Md append:md finish:Md "
                    "list:mdsVf remove:MDS sync:MV",
    [SIM_INDEX] = "get:mdSvf head:mdv put:sf put_if_absent:mdv create:mdf append:mdf finish:mdf "
                  "list:mdsVF remove:mDsF sync:mvf",
};
enum { RARE_WEIGHT = 6 };

/* The places of a function in such a list. */
static og_str places_of(const char *list, const char *function)
{
    size_t len = strlen(function);
    for (const char *at = list; at != NULL; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, function, len) == 0 && at[len] == ':')
            return (og_str){at + len + 1, strcspn(at + len + 1, " ")};
    }
    return OG_STR("");
}

/* 0: not known; 1: usual; RARE_WEIGHT: rare. */
static int weight(sim_op_kind op, int call)
{
    char letter = places[call % PLACES].letter;
    og_str all = places_of(known[op], functions[call / PLACES]);
    for (size_t i = 0; i < all.len; i++) {
        if (all.ptr[i] == letter)
            return 1;
        if (all.ptr[i] == letter - 'a' + 'A')
            return RARE_WEIGHT;
    }
    return 0;
}

bool sim_call_is_known(sim_op_kind op, int call)
{
    return call < FUNCTIONS * PLACES && weight(op, call) > 0;
}

sim_aim sim_aim_random(sim_rng *r, sim_op_kind op)
{
    int total = 0, call = 0;
    for (int c = 0; c < FUNCTIONS * PLACES; c++)
        total += weight(op, c);
    int which = sim_below(r, total);
    while (which >= weight(op, call))
        which -= weight(op, call++);
    bool is_first = weight(op, call) > 1 || sim_chance(r, 1, 2);
    return (sim_aim){op, call, is_first ? 0 : sim_below(r, 20), sim_chance(r, 1, 2)};
}
