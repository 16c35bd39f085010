/* A program that acts on live sidecars as the reference does: at once, without asking whose
 * they are or whether their writer lives. A sidecar all of whose tables have moved is
 * published, any other is undone.
 *
 * It is the engine's own recovery, made blind: it is given sidecars without the member that says
 * that their tables name an operation themselves, and its clock is ahead by more than any grace.
 * Unlike the reference it does not take the version of one operation for another's
 * (docs/dev/commit.md). Merges are left alone: their second parent stands nowhere that the
 * reference looks. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "graph/foreign.h"

enum {
    LOOKS = 40,
    BETWEEN_LOOKS_US = 5000,
    AHEAD_US = 11000000,
};

static int64_t read_ahead(void *context)
{
    return ((sim_process *)context)->world->now_us + AHEAD_US;
}

/* ---- what it is given to read ------------------------------------------------------------- */

/* Is it of a load or a mutation of the plan? */
static bool is_meant(const sim_world *w, og_str json)
{
    static const char mark[] = "\"actor_id\":\"op";
    size_t at = og_str_find(json, og_str_of(mark));
    int op = at != SIZE_MAX ? atoi(json.ptr + at + sizeof mark - 1) : -1;
    return op >= 0 && op < w->plan->op_count && w->plan->ops[op].kind <= SIM_MUTATE;
}

/* Strangers of one world at a time. */
static struct {
    const sim_world *world;
    const og_store_ops *plain;
    og_store_ops ops; /* the plain ones but for get */
} glasses;

static og_status strip_sidecar(og_blob **inout, og_error *err)
{
    OG_AUTO(og_blob) blob = *inout;
    OG_AUTO_BUF text = OG_BUF_INIT;
    if (!og_buf_append(&text, blob->ptr, blob->len) || og_buf_cstr(&text) == NULL)
        return og_error_nomem(err);
    size_t at = og_str_find(og_buf_view(&text), OG_STR(",\"og\":{"));
    if (at != SIZE_MAX && is_meant(glasses.world, og_buf_view(&text))) {
        text.len = at;
        og_buf_text(&text, "}");
    }
    *inout = og_blob_copy(og_buf_bytes(&text));
    return *inout != NULL ? OG_OK : og_error_nomem(err);
}

static og_status get_stripped(og_store *s, const char *name, og_blob **out, og_error *err)
{
    OG_TRY(glasses.plain->get(s, name, out, err));
    return strncmp(name, "__recovery/", 11) == 0 ? strip_sidecar(out, err) : OG_OK;
}

/* ---- what it does ------------------------------------------------------------------------- */

static og_status is_one_there(sim_process *p, bool *out, og_error *err)
{
    og_listing names = {0};
    OG_TRY(p->store->ops->list(p->store, "__recovery/", false, NULL, 0, &names, err));
    *out = names.len > 0;
    og_listing_deinit(&names);
    return OG_OK;
}

static og_status act(sim_process *p, og_error *err)
{
    OG_AUTO(og_repo) repo = NULL;
    OG_GRAPH__AUTO_SIDECARS left = {0};
    const og_clock ahead = {.now_us = read_ahead, .sleep_us = p->clock.sleep_us, .context = p};
    const og_repo_options options = {
        .store = p->store, .clock = &ahead, .random = &p->random, .no_derived = true};
    bool found = false, changed;
    OG_TRY(og_repo_open("sim", &options, &repo, err));
    for (int i = 0; i < LOOKS && !found; i++) {
        OG_TRY(is_one_there(p, &found, err));
        if (!found)
            og_clock_sleep(&ahead, BETWEEN_LOOKS_US);
    }
    return found ? og_graph__foreign_recover(repo, &left, &changed, err) : OG_OK;
}

og_status sim_foreign_run(sim_process *p, og_error *err)
{
    glasses.world = p->world;
    glasses.plain = glasses.plain != NULL ? glasses.plain : p->store->ops;
    glasses.ops = *glasses.plain;
    glasses.ops.get = get_stripped;
    p->store->ops = &glasses.ops;
    og_status s = act(p, err);
    p->store->ops = glasses.plain;
    return s;
}
