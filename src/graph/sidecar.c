#include "graph/sidecar.h"

#include <stdio.h>

#include "base/json.h"
#include "base/number.h"
#include "base/vec.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"

#define SCHEMA_VERSION 1
#define MAX_SIDECAR_BYTES ((size_t)16 << 20)
#define MAX_SIDECARS 4096

static const char *const kind_names[] = {
    [OG_GRAPH__SIDECAR_MUTATION] = "Mutation",
    [OG_GRAPH__SIDECAR_LOAD] = "Load",
    [OG_GRAPH__SIDECAR_SCHEMA_APPLY] = "SchemaApply",
    [OG_GRAPH__SIDECAR_BRANCH_MERGE] = "BranchMerge",
    [OG_GRAPH__SIDECAR_ENSURE_INDICES] = "EnsureIndices",
    [OG_GRAPH__SIDECAR_OPTIMIZE] = "Optimize",
};

const char *og_graph__sidecar_kind_name(og_graph__sidecar_kind kind)
{
    return kind_names[kind];
}

/* ---- decoding ----------------------------------------------------------------------------- */

static bool number_at(const og_json *object, const char *key, uint64_t *out)
{
    const og_json *member = og_json_get(object, key);
    return member != NULL && member->kind == OG_JSON_NUMBER && og_json_to_u64(member, out);
}

/* Main is null, or its name. */
static og_str branch_at(const og_json *object, const char *key)
{
    og_str branch = og_json_get_str(object, key, OG_STR(""));
    return og_str_is(branch, "main") ? OG_STR("") : branch;
}

static bool read_kind(const og_json *json, og_graph__sidecar_kind *out)
{
    og_str name = og_json_get_str(json, "writer_kind", OG_STR(""));
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
        if (og_str_is(name, kind_names[i])) {
            *out = (og_graph__sidecar_kind)i;
            return true;
        }
    }
    return false;
}

static bool read_table(const og_json *json, bool key_only, og_graph__sidecar_table *out)
{
    out->table_key = og_json_get_str(json, "table_key", OG_STR(""));
    out->table_branch = branch_at(json, "table_branch");
    return out->table_key.len > 0 &&
           (key_only || (number_at(json, "expected_version", &out->expected_version) &&
                         number_at(json, "post_commit_pin", &out->post_commit_pin)));
}

static og_status read_tables(og_arena *arena, const og_json *json, bool key_only,
                             og_graph__sidecar *out, bool *out_whole, og_error *err)
{
    const og_json *tables = og_json_get(json, "tables");
    *out_whole = tables != NULL && tables->kind == OG_JSON_ARRAY;
    if (!*out_whole)
        return OG_OK;
    out->tables = og_arena_array_of(arena, og_graph__sidecar_table, (size_t)tables->count + 1);
    if (out->tables == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < tables->count; i++) {
        if (read_table(&tables->items[i], key_only, &out->tables[out->table_count]))
            out->table_count++;
        else
            *out_whole = false;
    }
    return OG_OK;
}

static bool has_items(const og_json *json, const char *key)
{
    const og_json *member = og_json_get(json, key);
    return member != NULL && member->kind == OG_JSON_ARRAY && member->count > 0;
}

static void read_texts(const og_json *json, og_graph__sidecar *out)
{
    og_str started = og_json_get_str(json, "started_at", OG_STR(""));
    uint64_t us;
    out->operation_id = og_json_get_str(json, "operation_id", OG_STR(""));
    out->branch = branch_at(json, "branch");
    out->actor = og_json_get_str(json, "actor_id", OG_STR(""));
    out->merge_source = og_json_get_str(json, "merge_source_commit_id", OG_STR(""));
    if (og_parse_u64(started, &us) && us < INT64_MAX)
        out->started_us = (int64_t)us;
    out->changes_types =
        has_items(json, "additional_registrations") || has_items(json, "tombstones");
    const og_json *og = og_json_get(json, "og");
    out->is_ours = og != NULL && og->kind == OG_JSON_OBJECT;
}

og_status og_graph__sidecar_decode(og_arena *arena, const char *name, og_bytes bytes,
                                   og_graph__sidecar *out, og_error *err)
{
    og_json json;
    bool whole;
    *out = (og_graph__sidecar){.name = name, .state = OG_GRAPH__SIDECAR_DAMAGED};
    if (bytes.len > MAX_SIDECAR_BYTES)
        return OG_OK;
    og_str text = og_arena_str(arena, (og_str){(const char *)bytes.ptr, bytes.len});
    if (text.ptr == NULL)
        return og_error_nomem(err);
    og_status s = og_json_parse(arena, text, &json, err);
    if (s == OG_NOMEM)
        return s;
    if (s != OG_OK || json.kind != OG_JSON_OBJECT ||
        !number_at(&json, "schema_version", &out->schema_version))
        return OG_OK;
    bool is_newer = out->schema_version != SCHEMA_VERSION;
    read_texts(&json, out);
    OG_TRY(read_tables(arena, &json, is_newer, out, &whole, err));
    if (is_newer)
        out->state = OG_GRAPH__SIDECAR_NEWER;
    else if (whole && out->operation_id.len > 0 && read_kind(&json, &out->kind))
        out->state = OG_GRAPH__SIDECAR_READ;
    return OG_OK;
}

/* ---- all of a graph ----------------------------------------------------------------------- */

static og_status read_one(const og_repo *repo, const og_object_info *info, og_graph__sidecars *out,
                          og_error *err)
{
    OG_AUTO(og_blob) blob = NULL;
    const char *name = og_arena_str(out->arena, info->name).ptr;
    if (name == NULL)
        return og_error_nomem(err);
    og_status s = repo->store->ops->get(repo->store, name, &blob, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    OG_TRY(s);
    og_graph__sidecar *sidecar = &out->items[out->count];
    OG_TRY(
        og_graph__sidecar_decode(out->arena, name, (og_bytes){blob->ptr, blob->len}, sidecar, err));
    if (sidecar->started_us == 0)
        sidecar->started_us = info->modified_us;
    out->count++;
    return OG_OK;
}

static og_status read_listing(const og_repo *repo, const og_listing *listing,
                              og_graph__sidecars *out, og_error *err)
{
    size_t count = listing->len < MAX_SIDECARS ? listing->len : MAX_SIDECARS;
    if (count == 0)
        return OG_OK;
    out->arena = og_arena_new(0);
    out->items =
        out->arena != NULL ? og_arena_array_of(out->arena, og_graph__sidecar, count) : NULL;
    if (out->items == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        if (og_str_ends(listing->items[i].name, OG_STR(".json")))
            OG_TRY(read_one(repo, &listing->items[i], out, err));
    return OG_OK;
}

og_status og_graph__sidecars_read(const og_repo *repo, og_graph__sidecars *out, og_error *err)
{
    og_listing listing = {0};
    *out = (og_graph__sidecars){0};
    OG_TRY(repo->store->ops->list(repo->store, OG_GRAPH__RECOVERY, false, NULL, 0, &listing, err));
    og_status s = read_listing(repo, &listing, out, err);
    og_listing_deinit(&listing);
    if (s != OG_OK)
        og_graph__sidecars_deinit(out);
    return s;
}

void og_graph__sidecars_deinit(og_graph__sidecars *sidecars)
{
    og_arena_free(sidecars->arena);
    *sidecars = (og_graph__sidecars){0};
}

bool og_graph__sidecar_names(const og_graph__sidecar *sidecar, og_str table_key, og_str branch)
{
    bool any_branch = sidecar->state == OG_GRAPH__SIDECAR_NEWER;
    if (!any_branch && !og_str_eq(sidecar->branch, branch))
        return false;
    for (uint32_t i = 0; i < sidecar->table_count; i++)
        if (og_str_eq(sidecar->tables[i].table_key, table_key))
            return true;
    return false;
}

/* ---- putting away ------------------------------------------------------------------------- */

void og_graph__sidecar_remove(const og_repo *repo, const char *name)
{
    (void)!repo->store->ops->remove(repo->store, &name, 1, NULL);
}

void og_graph__sidecar_remove_of(const og_repo *repo, og_str op)
{
    char name[64];
    snprintf(name, sizeof name, OG_GRAPH__RECOVERY "%.*s.json", OG_FMT(op));
    og_graph__sidecar_remove(repo, name);
}

og_status og_graph__sidecar_quarantine(const og_repo *repo, const char *name, og_error *err)
{
    OG_AUTO(og_blob) blob = NULL;
    OG_AUTO_BUF aside = OG_BUF_INIT;
    if (!og_buf_printf(&aside, "%s.quarantined", name))
        return og_error_nomem(err);
    og_status s = repo->store->ops->get(repo->store, name, &blob, err);
    if (s == OG_OK)
        s = repo->store->ops->put(repo->store, og_buf_cstr(&aside),
                                  (og_bytes){blob->ptr, blob->len}, err);
    if (s == OG_OK)
        og_graph__sidecar_remove(repo, name);
    return s == OG_NOT_FOUND ? OG_OK : s;
}
