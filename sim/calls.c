/* Calls of the store by kind, and deaths that are aimed at them. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

static const char *const functions[] = {"get",        "get_range",     "head",   "put",
                                        "put_summed", "put_if_absent", "create", "append",
                                        "finish",     "list",          "remove", "sync"};
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
    CALLS = FUNCTIONS * PLACES,
};
_Static_assert((int)CALLS <= SIM_CALL_KINDS, "kinds of calls");

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
    if (kind >= CALLS)
        return NULL;
    snprintf(text, sizeof text, "%s %s", functions[kind / PLACES], places[kind % PLACES].name);
    return text;
}

/* ---- what operations call ----------------------------------------------------------------- */

/* Of each function the places; a capital is a call that few operations make (in causes:
 * hardly any make). */
static const char *const known[SIM_OP_KINDS] = {
    [SIM_LOAD_MERGE] = "get:mdsvf head:mdv put:sf put_summed:f put_if_absent:mdvf create:mdf "
                       "append:mdf finish:mdf list:mdsvf remove:mDsf sync:mvf",
    [SIM_LOAD_APPEND] = "get:mdsvf head:mdv put:sf put_summed:f put_if_absent:mdv create:mdf "
                        "append:mdf finish:mdf list:mdsvf remove:mDsf sync:mvf",
    [SIM_LOAD_OVERWRITE] = "get:mdsvf head:mdv put:Sf put_summed:f put_if_absent:mdv create:mdf "
                           "append:mdf finish:mdf list:mdsvF remove:mDsf sync:mvf",
    [SIM_MUTATE] =
        "get:mdsvf get_range:F head:mdv put:sf put_summed:f put_if_absent:mdvf create:mdf "
        "append:mdf finish:mdf list:mdsvf remove:mdsf sync:mvf",
    [SIM_READ] = "get:mvf get_range:F head:m list:m",
    [SIM_BRANCH_CREATE] = "get:mdf head:md put:Md put_summed:f put_if_absent:md list:md remove:MD "
                          "sync:md",
    [SIM_BRANCH_DELETE] = "get:mSf head:m put:md put_if_absent:M list:mds remove:mdSf sync:md",
    [SIM_BRANCH_MERGE] = "get:mdsvf get_range:F head:mdv put:SF put_summed:F put_if_absent:MDvF "
                         "create:Mdf append:mdf finish:Mdf list:mdsVF remove:MDSF sync:MVF",
    [SIM_OPTIMIZE] =
        "get:mdsvf get_range:F head:mdv put:S put_summed:f put_if_absent:mdv create:mdf "
        "append:mdf finish:mdf list:mdsVF remove:mDSf sync:mvf",
    [SIM_CLEANUP] =
        "get:mdvf head:md put:MDV put_summed:f put_if_absent:m create:m append:m finish:m "
        "list:mdVf remove:mdvf sync:mDV",
    [SIM_FOREIGN] = "get:mdsvf head:mdv put:S put_if_absent:MDV create:MD append:md "
                    "finish:MD list:mDsVf remove:MDS sync:MV",
    [SIM_INDEX] =
        "get:mdSvf head:mdv put:sf put_summed:f put_if_absent:mdv create:mdf append:mdf finish:mdf "
        "list:mdsvF remove:mDsF sync:mvf",
};
enum {
    RARE_WEIGHT = 6,
    RAREST_WEIGHT = 40,
};

/* What must happen before an operation gets to some call. */
static const struct {
    sim_op_kind op;
    const char *call;
    sim_op_kind first_op;
    const char *first_call;
    og_store_fault fault;
} causes[] = {
    {SIM_BRANCH_DELETE, "remove sidecar", SIM_LOAD_MERGE, "sync table version", OG_STORE_CRASH},
    /* A branch whose delete was not finished is an orphan. */
    {SIM_CLEANUP, "put manifest", SIM_BRANCH_DELETE, "list sidecar", OG_STORE_CRASH},
    {SIM_CLEANUP, "put dag", SIM_BRANCH_DELETE, "remove dag", OG_STORE_CRASH},
    {SIM_CLEANUP, "sync dag", SIM_BRANCH_DELETE, "remove dag", OG_STORE_CRASH},
};
enum { CAUSES = sizeof causes / sizeof *causes };

/* Which of them brings this about; CAUSES: none. */
static int cause_of(sim_op_kind op, int call)
{
    int i = 0;
    while (i < CAUSES && (causes[i].op != op || strcmp(causes[i].call, sim_call_name(call)) != 0))
        i++;
    return i;
}

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

/* 0: not known; 1: usual. */
static int weight(sim_op_kind op, int call)
{
    char letter = places[call % PLACES].letter;
    og_str all = places_of(known[op], functions[call / PLACES]);
    for (size_t i = 0; i < all.len; i++) {
        if (all.ptr[i] == letter)
            return 1;
        if (all.ptr[i] == letter - 'a' + 'A')
            return cause_of(op, call) < CAUSES ? RAREST_WEIGHT : RARE_WEIGHT;
    }
    return 0;
}

bool sim_call_is_known(sim_op_kind op, int call)
{
    return call < CALLS && weight(op, call) > 0;
}

/* The kind of a call by its name. */
static int call_named(const char *name)
{
    int call = 0;
    while (strcmp(sim_call_name(call), name) != 0)
        call++;
    return call;
}

static int add_cause(const sim_aim *aim, sim_aim *out)
{
    int i = cause_of(aim->op, aim->call);
    if (i == CAUSES)
        return 0;
    *out =
        (sim_aim){causes[i].first_op, call_named(causes[i].first_call), 0, causes[i].fault, false};
    return 1;
}

/* A pair of a kind of operation with a share, and a call of it. */
static sim_aim random_pair(sim_rng *r, const int *shares)
{
    int total = 0;
    for (int i = 0; i < SIM_OP_KINDS * CALLS; i++)
        total += shares[i / CALLS] > 0 ? weight((sim_op_kind)(i / CALLS), i % CALLS) : 0;
    int which = sim_below(r, total);
    for (int i = 0;; i++) {
        sim_op_kind op = (sim_op_kind)(i / CALLS);
        which -= shares[op] > 0 ? weight(op, i % CALLS) : 0;
        if (which < 0)
            return (sim_aim){op, i % CALLS, 0, OG_STORE_CRASH, sim_chance(r, 1, 2)};
    }
}

int sim_aims_random(sim_rng *r, const int *shares, int count, sim_aim *out)
{
    int made = 0;
    while (made < count && made < SIM_AIMS - 1) {
        sim_aim *aim = &out[made++];
        *aim = random_pair(r, shares);
        if (weight(aim->op, aim->call) == 1 && sim_chance(r, 1, 2))
            aim->skip = sim_below(r, 20);
        made += add_cause(aim, &out[made]);
    }
    return made;
}

sim_aim sim_mishap_random(sim_rng *r)
{
    static const sim_op_kind ops[] = {SIM_LOAD_MERGE, SIM_LOAD_MERGE, SIM_LOAD_APPEND, SIM_MUTATE};
    static const char *const calls[] = {"put_if_absent manifest", "put_if_absent manifest",
                                        "sync table version", "put_if_absent table version"};
    sim_op_kind op = ops[sim_below(r, 4)];
    int call = call_named(calls[sim_below(r, 4)]);
    int fault = sim_chance(r, 1, 2) ? SIM_FAULT_SLOW : OG_STORE_LOST_ACK;
    return (sim_aim){op, call, sim_below(r, 4), fault, false};
}
