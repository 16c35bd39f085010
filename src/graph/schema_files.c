#include "graph/schema_files.h"

#include "base/json.h"
#include "graph/layout.h"
#include "lang/schema.h"

/* The hash in the state file, "sha256:" and 64 digits, into dst. */
static og_status read_state_hash(og_store *store, char dst[72], og_error *err)
{
    OG_AUTO(og_blob) blob = NULL;
    OG_TRY(store->ops->get(store, OG_GRAPH__SCHEMA_STATE, &blob, err));
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    og_json state;
    if (scratch == NULL)
        return og_error_nomem(err);
    og_status s = og_json_parse(scratch, (og_str){(const char *)blob->ptr, blob->len}, &state, err);
    if (s != OG_OK) {
        og_error_context(err, s, "invalid %s", OG_GRAPH__SCHEMA_STATE);
        if (err != NULL)
            err->status = OG_CORRUPT;
        return OG_CORRUPT;
    }
    og_str hash = og_json_get_str(&state, "schema_ir_hash", OG_STR(""));
    if (hash.len != 71 || !og_str_starts(hash, OG_STR("sha256:")))
        return og_error_set(err, OG_CORRUPT, "%s has no valid schema_ir_hash",
                            OG_GRAPH__SCHEMA_STATE);
    memcpy(dst, hash.ptr, hash.len);
    dst[hash.len] = '\0';
    return OG_OK;
}

/* "sha256:" and the digits of the catalog's hash, however it keeps them. */
static bool hash_is(const og_catalog *catalog, const char *stated)
{
    const char *ours = catalog->schema_hash;
    return strcmp(ours, stated) == 0 || strcmp(ours, stated + strlen("sha256:")) == 0;
}

/* The state is written last by init: without it there is no graph, or it was lost. */
static og_status no_state(og_store *store, og_error *err)
{
    uint64_t bytes;
    og_status s = store->ops->head(store, OG_GRAPH__INIT_MARKER, &bytes, err);
    if (s == OG_NOT_FOUND) {
        og_error_set(err, OG_CORRUPT,
                     "graph is missing persisted schema state; manual coordination is required "
                     "before schema changes are allowed");
        og_error_hint(err, "Put back the file " OG_GRAPH__SCHEMA_STATE " of the graph.");
        return OG_CORRUPT;
    }
    OG_TRY(s);
    og_error_set(err, OG_INVALID, "the init of the graph at '%s' is under way, or did not finish",
                 store->root);
    og_error_hint(err, "Run init again if it was interrupted.");
    return OG_INVALID;
}

/* Without a schema there is no graph, unless its state says that one was made. */
static og_status no_source(og_store *store, og_error *err)
{
    uint64_t bytes;
    OG_TRY(store->ops->head(store, OG_GRAPH__SCHEMA_STATE, &bytes, err));
    og_error_set(err, OG_CORRUPT, "the graph at '%s' has lost its " OG_GRAPH__SCHEMA_SOURCE,
                 store->root);
    og_error_hint(err, "Put back the " OG_GRAPH__SCHEMA_SOURCE " that the graph was made with.");
    return OG_CORRUPT;
}

/* The schema that init accepted compiles; when it does not any more, its file was damaged. */
static og_status compile_stored(og_str source, og_catalog **out, og_error *err)
{
    og_status s = og_schema_compile(source, out, err);
    if (s == OG_INVALID)
        og_error_hint(err, "This is the graph's own " OG_GRAPH__SCHEMA_SOURCE
                           ": put back the one that the graph was made with.");
    return s;
}

og_status og_graph__schema_open(og_store *store, og_buf *out_source, og_catalog **out,
                                og_error *err)
{
    OG_AUTO(og_blob) blob = NULL;
    og_status s = store->ops->get(store, OG_GRAPH__SCHEMA_SOURCE, &blob, err);
    if (s == OG_NOT_FOUND)
        return no_source(store, err);
    OG_TRY(s);
    og_buf_clear(out_source);
    if (!og_buf_append(out_source, blob->ptr, blob->len))
        return og_error_nomem(err);

    OG_AUTO(og_catalog) catalog = NULL;
    OG_TRY(compile_stored(og_buf_view(out_source), &catalog, err));
    char stated[72];
    s = read_state_hash(store, stated, err);
    if (s == OG_NOT_FOUND)
        return no_state(store, err);
    OG_TRY(s);
    if (!hash_is(catalog, stated)) {
        og_error_set(err, OG_CONFLICT,
                     "current _schema.pg no longer matches the accepted persisted schema state");
        og_error_hint(err, "Put back the _schema.pg that the graph was made with.");
        return OG_CONFLICT;
    }
    *out = OG_TAKE(catalog);
    return OG_OK;
}

og_status og_graph__schema_unchanged(og_store *store, const og_catalog *catalog, og_error *err)
{
    char stated[72];
    OG_TRY(read_state_hash(store, stated, err));
    if (hash_is(catalog, stated))
        return OG_OK;
    og_error_set(err, OG_CONFLICT, "the graph's schema was changed by another program");
    og_error_hint(err, "Open the graph again.");
    return OG_CONFLICT;
}

#define SCHEMA_LOCK OG_GRAPH__MANIFEST "/_refs/branches/" OG_GRAPH__SCHEMA_LOCK ".json"

void og_graph__schema_expect(og_store *store)
{
    og_store_expect(store, OG_STORE_HEAD, SCHEMA_LOCK, 0);
    og_store_expect(store, OG_STORE_GET, OG_GRAPH__SCHEMA_STATE, 0);
}

og_status og_graph__schema_idle(og_store *store, const og_catalog *catalog, og_error *err)
{
    uint64_t bytes;
    og_status s = store->ops->head(store, SCHEMA_LOCK, &bytes, err);
    if (s == OG_OK)
        return og_error_set(err, OG_CONFLICT, "a schema change of this graph is under way");
    if (s != OG_NOT_FOUND)
        return s;
    return og_graph__schema_unchanged(store, catalog, err);
}

bool og_graph__schema_state(og_buf *out, const og_catalog *catalog)
{
    const char *hash = catalog->schema_hash;
    return og_buf_printf(out,
                         "{\n  \"format_version\": 1,\n  \"schema_ir_hash\": \"%s%s\",\n"
                         "  \"schema_identity_version\": 1\n}",
                         strncmp(hash, "sha256:", 7) == 0 ? "" : "sha256:", hash);
}

og_status og_graph__schema_write(og_store *store, og_str source, og_str ir,
                                 const og_catalog *catalog, og_error *err)
{
    static const char *const names[] = {OG_GRAPH__SCHEMA_SOURCE, OG_GRAPH__SCHEMA_IR,
                                        OG_GRAPH__SCHEMA_STATE};
    OG_AUTO_BUF state = OG_BUF_INIT;
    if (!og_graph__schema_state(&state, catalog))
        return og_error_nomem(err);
    const og_str contents[] = {source, ir, og_buf_view(&state)};
    for (int i = 0; i < 3; i++) {
        og_bytes bytes = {(const uint8_t *)contents[i].ptr, contents[i].len};
        OG_TRY(store->ops->put(store, names[i], bytes, err));
    }
    return store->ops->sync(store, names, 3, err);
}
