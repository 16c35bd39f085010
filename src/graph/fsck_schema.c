/* The files that say the schema over again, and changes of it that were begun. That
 * `_schema.pg` compiles, and to what `__schema_state.json` has the hash of, is a condition of
 * opening the graph. */
#include "base/json.h"
#include "graph/fsck_priv.h"
#include "graph/layout.h"
#include "graph/schema_files.h"
#include "lang/schema.h"

static const og_str no_table = {"", 0};

/* `*out` NULL: there is none. */
static og_status read_file(og_graph__fsck *f, const char *name, og_blob **out, og_error *err)
{
    og_store *store = f->repo->store;
    *out = NULL;
    og_status s = store->ops->get(store, name, out, err);
    return s == OG_NOT_FOUND ? OG_OK : s;
}

static og_status tell_file(og_graph__fsck *f, const char *name, og_str text, const char *problem,
                           og_error *err)
{
    og_store *store = f->repo->store;
    const og_bytes bytes = {(const uint8_t *)text.ptr, text.len};
    if (f->input->repair && store->ops->put(store, name, bytes, NULL) == OG_OK &&
        store->ops->sync(store, &name, 1, NULL) == OG_OK)
        return og_graph__fsck_tell_repaired(f, OG_FINDING_SCHEMA, no_table, err, "%s %s", name,
                                            problem);
    return og_graph__fsck_tell(f, OG_FINDING_SCHEMA, no_table, err, "%s %s", name, problem);
}

static bool is_same_text(const og_blob *blob, og_str text)
{
    return blob->len == text.len && memcmp(blob->ptr, text.ptr, text.len) == 0;
}

/* The canonical form, byte for byte: its hash is compared by the reference when it opens the
 * graph. */
static og_status check_ir(og_graph__fsck *f, og_str ir, og_error *err)
{
    OG_AUTO(og_blob) stored = NULL;
    OG_TRY(read_file(f, OG_GRAPH__SCHEMA_IR, &stored, err));
    if (stored == NULL)
        return tell_file(f, OG_GRAPH__SCHEMA_IR, ir, "is missing", err);
    return is_same_text(stored, ir)
               ? OG_OK
               : tell_file(f, OG_GRAPH__SCHEMA_IR, ir, "is not what _schema.pg says", err);
}

static bool is_one(const og_json *state, const char *key)
{
    const og_json *member = og_json_get(state, key);
    uint64_t value;
    return member != NULL && member->kind == OG_JSON_NUMBER && og_json_to_u64(member, &value) &&
           value == 1;
}

/* Its hash is right, or the graph would not be open. */
static og_status check_state(og_graph__fsck *f, const og_catalog *catalog, og_error *err)
{
    OG_AUTO(og_blob) stored = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF right = OG_BUF_INIT;
    og_json state;
    if (arena == NULL || !og_graph__schema_state(&right, catalog))
        return og_error_nomem(err);
    OG_TRY(read_file(f, OG_GRAPH__SCHEMA_STATE, &stored, err));
    if (stored != NULL &&
        og_json_parse(arena, (og_str){(const char *)stored->ptr, stored->len}, &state, NULL) ==
            OG_OK &&
        is_one(&state, "format_version") && is_one(&state, "schema_identity_version"))
        return OG_OK;
    return tell_file(f, OG_GRAPH__SCHEMA_STATE, og_buf_view(&right), "does not say its version",
                     err);
}

/* What the reference puts first when it changes a schema, and takes away last. */
static og_status check_change(og_graph__fsck *f, og_error *err)
{
    static const char *const names[] = {
        OG_GRAPH__MANIFEST "/_refs/branches/" OG_GRAPH__SCHEMA_LOCK ".json",
        OG_GRAPH__SCHEMA_SOURCE ".staging", OG_GRAPH__SCHEMA_IR ".staging",
        OG_GRAPH__SCHEMA_STATE ".staging"};
    og_store *store = f->repo->store;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t bytes;
        og_status s = store->ops->head(store, names[i], &bytes, err);
        if (s == OG_OK)
            return og_graph__fsck_tell(f, OG_FINDING_SCHEMA_CHANGE, no_table, err,
                                       "a change of the schema has left %s", names[i]);
        if (s != OG_NOT_FOUND)
            return s;
    }
    return OG_OK;
}

og_status og_graph__fsck_schema(og_graph__fsck *f, og_error *err)
{
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO_BUF ir = OG_BUF_INIT;
    OG_TRY(og_schema_compile_ir(og_repo_schema_source(f->repo), &catalog, &ir, err));
    OG_TRY(check_ir(f, og_buf_view(&ir), err));
    OG_TRY(check_state(f, catalog, err));
    return check_change(f, err);
}
