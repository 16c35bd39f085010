#include "graph/place.h"

#include "base/json.h"
#include "graph/layout.h"
#include "graph/publish.h"
#include "lance/table/look.h"

void og_graph__places_deinit(og_graph__places *places)
{
    og_vec_deinit(places);
    og_arena_free(places->arena);
    places->arena = NULL;
}

static og_str without_slash(og_str path)
{
    return path.len > 0 && path.ptr[0] == '/' ? og_str_slice(path, 1, path.len) : path;
}

/* Where the manifest of a pin is:
 * "home/ana/team.omni/nodes/<hash>/_versions/<20 digits>.manifest". */
static bool place_of_pin(const og_repo *repo, const og_graph__pin *pin, og_buf *out)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    og_str root = without_slash(og_str_of(repo->store->root));
    og_buf_clear(out);
    og_buf_str(out, root);
    og_buf_byte(out, '/');
    return og_graph__pin_path(&path, pin) &&
           og_lance_manifest_name(out, og_buf_cstr(&path), pin->version);
}

/* Columns of the scan, in this order. */
enum { TYPE, METADATA, KEY, VERSION, SCANNED };

typedef struct reader {
    og_repo *repo;
    const og_graph__state *state;
    og_graph__places *out;
    og_arena *scratch;
    og_buf real;
} reader;

static og_str text_at(const og_batch *batch, int column, int64_t row)
{
    const og_array *a = batch->columns[column];
    return og_array_is_null(a, row) ? OG_STR("") : og_array_str(a, row);
}

static og_status take_row(reader *r, const og_batch *batch, int64_t row, og_error *err)
{
    og_json metadata;
    if (!og_str_is(text_at(batch, TYPE, row), OG_GRAPH__ROW_VERSION) ||
        og_array_is_null(batch->columns[VERSION], row))
        return OG_OK;
    const og_graph__pin *pin = og_graph__state_pin(r->state, text_at(batch, KEY, row));
    if (pin == NULL || pin->version != og_array_u64(batch->columns[VERSION], row))
        return OG_OK;
    og_arena_reset(r->scratch);
    if (og_json_parse(r->scratch, text_at(batch, METADATA, row), &metadata, NULL) != OG_OK)
        return OG_OK; /* the state could not be read, which was told */
    og_str stored = without_slash(og_json_get_str(&metadata, "manifest_path", OG_STR("")));
    if (!place_of_pin(r->repo, pin, &r->real))
        return og_error_nomem(err);
    if (og_str_eq(stored, og_buf_view(&r->real)))
        return OG_OK;
    og_arena *arena = r->out->arena;
    const og_graph__place place = {og_arena_str(arena, pin->table_key), og_arena_str(arena, stored),
                                   og_arena_str(arena, og_buf_view(&r->real))};
    if (place.table_key.ptr == NULL || place.stored.ptr == NULL || place.real.ptr == NULL ||
        !og_vec_push(r->out, place))
        return og_error_nomem(err);
    return OG_OK;
}

static og_status scan_rows(reader *r, og_lance_table *manifest, og_error *err)
{
    static const int columns[SCANNED] = {
        [TYPE] = OG_GRAPH__COL_OBJECT_TYPE,
        [METADATA] = OG_GRAPH__COL_METADATA,
        [KEY] = OG_GRAPH__COL_TABLE_KEY,
        [VERSION] = OG_GRAPH__COL_TABLE_VERSION,
    };
    uint32_t fields[SCANNED];
    for (int i = 0; i < SCANNED; i++) {
        og_str name = og_graph__manifest_fields()[columns[i]].field.name;
        fields[i] = (uint32_t)og_lance_table_find_field(manifest, name);
    }
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(manifest, fields, SCANNED, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++)
            OG_TRY(take_row(r, &batch, row, err));
    }
}

og_status og_graph__places_read(og_repo *repo, og_lance_table *manifest,
                                const og_graph__state *state, og_graph__places *out, og_error *err)
{
    reader r = {.repo = repo, .state = state, .out = out, .real = OG_BUF_INIT};
    *out = (og_graph__places){.arena = og_arena_new(0)};
    r.scratch = og_arena_new(0);
    og_status s = out->arena != NULL && r.scratch != NULL ? scan_rows(&r, manifest, err)
                                                          : og_error_nomem(err);
    og_arena_free(r.scratch);
    og_buf_deinit(&r.real);
    if (s != OG_OK)
        og_graph__places_deinit(out);
    return s;
}

bool og_graph__bases_are_right(const og_repo *repo, const og_lance_table *table,
                               bool accept_relative)
{
    og_str root = og_str_of(repo->store->root);
    og_lance_base base;
    for (size_t i = 0; og_lance_table_base(table, i, &base); i++) {
        bool is_below = og_str_starts(base.path, root) &&
                        (base.path.len == root.len || base.path.ptr[root.len] == '/');
        bool is_relative = !og_str_starts(base.path, OG_STR("/"));
        if (!is_below && !(is_relative && accept_relative))
            return false;
    }
    return true;
}
