/* A program that acts on live sidecars as the reference does: at once, without asking whose they are or whether
 * their writer lives. A sidecar all of whose tables have moved is published, any other is undone.
 *
 * It is the engine's own recovery, made blind: the sidecar loses the member that says that its tables
 * name an operation themselves, and the clock is ahead by more than any grace. Unlike the reference it
 * does not take the version of one operation for another's (docs/dev/commit.md). Merges are left alone:
 * their second parent stands nowhere that the reference looks. */
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

/* Is it of a load or a mutation of the plan? */
static bool is_meant(const sim_world *w, og_str json)
{
    static const char mark[] = "\"actor_id\":\"op";
    size_t at = og_str_find(json, OG_STR("\"actor_id\":\"op"));
    if (at == SIZE_MAX)
        return false;
    int op = atoi(json.ptr + at + sizeof mark - 1);
    return op < w->plan->op_count && w->plan->ops[op].kind <= SIM_MUTATE;
}

static og_status make_foreign(sim_process *p, const char *name, bool *out_found, og_error *err)
{
    OG_AUTO(og_blob) blob = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_TRY(p->store->ops->get(p->store, name, &blob, err));
    if (!og_buf_append(&text, blob->ptr, blob->len) || og_buf_cstr(&text) == NULL)
        return og_error_nomem(err);
    og_str json = og_buf_view(&text);
    size_t at = og_str_find(json, OG_STR(",\"og\":{"));
    if (at == SIZE_MAX || !is_meant(p->world, json))
        return OG_OK;
    text.len = at;
    og_buf_text(&text, "}");
    *out_found = true;
    return p->store->ops->put(p->store, name, og_buf_bytes(&text), err);
}

static og_status look(sim_process *p, bool *out_found, og_error *err)
{
    og_listing names = {0};
    OG_TRY(p->store->ops->list(p->store, "__recovery/", false, NULL, 0, &names, err));
    og_status s = OG_OK;
    for (size_t i = 0; i < names.len && s == OG_OK; i++) {
        char name[256];
        og_str item = names.items[i].name;
        if (item.len >= sizeof name || !og_str_ends(item, OG_STR(".json")))
            continue;
        memcpy(name, item.ptr, item.len);
        name[item.len] = '\0';
        s = make_foreign(p, name, out_found, err);
        if (s == OG_NOT_FOUND)
            s = OG_OK;
    }
    og_listing_deinit(&names);
    return s;
}

og_status sim_foreign_run(sim_process *p, og_error *err)
{
    OG_AUTO(og_repo) repo = NULL;
    OG_GRAPH__AUTO_SIDECARS left = {0};
    const og_clock ahead = {.now_us = read_ahead, .sleep_us = p->clock.sleep_us, .context = p};
    const og_repo_options options = {
        .store = p->store, .clock = &ahead, .random = &p->random, .no_derived = true};
    bool found = false, changed;
    OG_TRY(og_repo_open("sim", &options, &repo, err));
    for (int i = 0; i < LOOKS && !found; i++) {
        OG_TRY(look(p, &found, err));
        if (!found)
            og_clock_sleep(&ahead, BETWEEN_LOOKS_US);
    }
    return found ? og_graph__foreign_recover(repo, &left, &changed, err) : OG_OK;
}
