/* Building a segment: the column in memory, an order, two files. */
#include "lance/index/btree.h"

#include "base/vec.h"
#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "columnar/sort.h"
#include "lance/file/writer.h"
#include "lance/index/btree_priv.h"

bool og_lance_btree_takes(const og_type *type)
{
    return (type->id >= OG_TYPE_BOOL && type->id <= OG_TYPE_DATE64) ||
           (type->id >= OG_TYPE_TIMESTAMP_US && type->id <= OG_TYPE_LARGE_BINARY);
}

/* ---- the column --------------------------------------------------------------------------- */

typedef struct entries {
    OG_VEC(og_array *) parts;
    OG_VEC(uint64_t) ids;
    og_array *values; /* all parts */
    uint32_t *order;
} entries;

static void entries_deinit(entries *e)
{
    for (size_t i = 0; i < e->parts.len; i++)
        og_array_unref(e->parts.items[i]);
    og_vec_deinit(&e->parts);
    og_vec_deinit(&e->ids);
    og_array_unref(e->values);
    og_free(e->order);
}

static og_status add_rows(entries *e, og_lance_table *table, const og_batch *batch,
                          const uint32_t *slots, og_error *err)
{
    size_t count = (size_t)batch->row_count;
    if (!og_vec_reserve(&e->ids, count) || !og_vec_push(&e->parts, og_array_ref(batch->columns[0])))
        return og_error_nomem(err);
    OG_TRY(og_lance_row_ids(table, slots, count, e->ids.items + e->ids.len, err));
    e->ids.len += count;
    return OG_OK;
}

static og_status read_fragment(entries *e, og_lance_table *table, uint32_t field,
                               const og_lance_fragment *f, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, &field, 1, f->first_slot, f->first_slot + f->physical_rows,
                              &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(add_rows(e, table, &batch, slots, err));
    }
}

static bool names(const uint32_t *fragments, uint32_t count, uint64_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (fragments[i] == id)
            return true;
    return false;
}

static og_status collect(entries *e, og_lance_table *table, uint32_t field,
                         const uint32_t *fragments, uint32_t fragment_count, og_error *err)
{
    uint32_t count;
    const og_lance_fragment *all = og_lance_table_fragments(table, &count);
    for (uint32_t i = 0; i < count; i++)
        if (names(fragments, fragment_count, all[i].id))
            OG_TRY(read_fragment(e, table, field, &all[i], err));
    if (e->ids.len == 0)
        return OG_OK;
    OG_TRY(og_concat((const og_array *const *)e->parts.items, e->parts.len, &e->values, err));
    e->order = og_reallocarray(NULL, e->ids.len, sizeof *e->order);
    if (e->order == NULL)
        return og_error_nomem(err);
    const og_sort_key key = {.column = e->values};
    return og_sort_rows(&key, 1, (int64_t)e->ids.len, e->order, err);
}

/* ---- files -------------------------------------------------------------------------------- */

typedef struct segment {
    og_lance_write *write;
    og_uuid uuid;
    og_type type; /* of the column */
    uint64_t bytes[2];
} segment;

static og_status open_file(const segment *s, const char *file, const og_lance_new_field *fields,
                           uint32_t count, const og_lance_kv *metadata, uint32_t metadata_count,
                           og_lance_file_writer **out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    OG_AUTO_BUF schema = OG_BUF_INIT;
    og_lance_write_column columns[4];
    for (uint32_t i = 0; i < count; i++)
        columns[i] = (og_lance_write_column){.field = &fields[i].field};
    OG_TRY(og_lance_schema_message(fields, count, metadata, metadata_count, &schema, err));
    if (!og_lance_index_folder(&name, s->write, s->uuid) || !og_buf_text(&name, file))
        return og_error_nomem(err);
    og_store *store = og_lance_env_store(og_lance_table_env(og_lance_write_base(s->write)));
    return og_lance_file_writer_open(store, og_buf_cstr(&name), columns, count,
                                     og_buf_bytes(&schema), out, err);
}

static og_lance_new_field field_of(const char *name, const og_type *type, bool nullable)
{
    return (og_lance_new_field){.field = {og_str_of(name), type, nullable}};
}

/* Rows [start, start + count) of the order as values and ids. */
static og_status take_page(const entries *e, size_t start, size_t count, og_batch *out,
                           og_error *err)
{
    OG_TRY(og_batch_init(out, 2, (int64_t)count, err));
    OG_TRY(og_take_u32(e->values, e->order + start, (int64_t)count, &out->columns[0], err));
    OG_AUTO(og_builder) ids = og_builder_new(og_type_of(OG_TYPE_U64));
    if (ids == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        og_builder_u64(ids, e->ids.items[e->order[start + i]]);
    return og_builder_finish(ids, &out->columns[1], err);
}

static og_status write_data(segment *s, const entries *e, og_error *err)
{
    const og_lance_new_field fields[2] = {
        field_of("values", &s->type, true),
        field_of("ids", og_type_of(OG_TYPE_U64), false),
    };
    OG_AUTO(og_lance_file_writer) writer = NULL;
    OG_TRY(open_file(s, OG_INDEX__DATA, fields, 2, NULL, 0, &writer, err));
    for (size_t at = 0; at < e->ids.len; at += OG_INDEX__PAGE_ROWS) {
        size_t left = e->ids.len - at;
        OG_AUTO_BATCH page = {0};
        OG_TRY(
            take_page(e, at, left < OG_INDEX__PAGE_ROWS ? left : OG_INDEX__PAGE_ROWS, &page, err));
        OG_TRY(og_lance_file_writer_write(writer, &page, err));
    }
    return og_lance_file_writer_finish(writer, &s->bytes[0], err);
}

/* First and last rows of pages as a column. */
static og_status take_ends(const entries *e, bool last, og_array **out, og_error *err)
{
    size_t pages = (e->ids.len + OG_INDEX__PAGE_ROWS - 1) / OG_INDEX__PAGE_ROWS;
    OG_AUTO_FREE uint32_t *rows = og_reallocarray(NULL, pages + 1, sizeof *rows);
    if (rows == NULL)
        return og_error_nomem(err);
    for (size_t p = 0; p < pages; p++) {
        size_t end = (p + 1) * OG_INDEX__PAGE_ROWS;
        end = end < e->ids.len ? end : e->ids.len;
        rows[p] = e->order[last ? end - 1 : p * OG_INDEX__PAGE_ROWS];
    }
    return og_take_u32(e->values, rows, (int64_t)pages, out, err);
}

/* Null counts and numbers of pages. Nulls come first. */
static og_status count_pages(const entries *e, og_array **out_nulls, og_array **out_numbers,
                             og_error *err)
{
    OG_AUTO(og_builder) nulls = og_builder_new(og_type_of(OG_TYPE_U32));
    OG_AUTO(og_builder) numbers = og_builder_new(og_type_of(OG_TYPE_U32));
    if (nulls == NULL || numbers == NULL)
        return og_error_nomem(err);
    size_t left = (size_t)e->values->null_count;
    for (size_t at = 0; at < e->ids.len; at += OG_INDEX__PAGE_ROWS) {
        size_t rows = e->ids.len - at;
        rows = rows < OG_INDEX__PAGE_ROWS ? rows : OG_INDEX__PAGE_ROWS;
        size_t here = left < rows ? left : rows;
        left -= here;
        og_builder_u64(nulls, here);
        og_builder_u64(numbers, at / OG_INDEX__PAGE_ROWS);
    }
    OG_TRY(og_builder_finish(nulls, out_nulls, err));
    return og_builder_finish(numbers, out_numbers, err);
}

static og_status write_lookup(segment *s, const entries *e, og_error *err)
{
    const og_type *u32 = og_type_of(OG_TYPE_U32);
    const og_lance_new_field fields[4] = {
        field_of("min", &s->type, true),
        field_of("max", &s->type, true),
        field_of("null_count", u32, false),
        field_of("page_idx", u32, false),
    };
    const og_lance_kv metadata[] = {
        {OG_STR(OG_INDEX__PAGE_ROWS_KEY), OG_STR(OG_INDEX__PAGE_ROWS_TEXT)},
        {OG_STR("range_partitioned"), OG_STR("false")},
    };
    OG_AUTO(og_lance_file_writer) writer = NULL;
    OG_TRY(open_file(s, OG_INDEX__LOOKUP, fields, 4, metadata, 2, &writer, err));
    if (e->ids.len > 0) {
        OG_AUTO_BATCH rows = {0};
        size_t pages = (e->ids.len + OG_INDEX__PAGE_ROWS - 1) / OG_INDEX__PAGE_ROWS;
        OG_TRY(og_batch_init(&rows, 4, (int64_t)pages, err));
        OG_TRY(take_ends(e, false, &rows.columns[0], err));
        OG_TRY(take_ends(e, true, &rows.columns[1], err));
        OG_TRY(count_pages(e, &rows.columns[2], &rows.columns[3], err));
        OG_TRY(og_lance_file_writer_write(writer, &rows, err));
    }
    return og_lance_file_writer_finish(writer, &s->bytes[1], err);
}

/* ---- segments ----------------------------------------------------------------------------- */

og_status og_lance_btree_build(og_lance_write *write, uint32_t field, og_str name,
                               const uint32_t *fragments, uint32_t fragment_count, og_error *err)
{
    og_lance_table *base = og_lance_write_base(write);
    uint32_t field_count;
    const og_lance_field *f = &og_lance_table_fields(base, &field_count)[field];
    if (!og_lance_btree_takes(f->field.type) || f->leaf_count != 1) {
        char type[128];
        og_type_name(f->field.type, type, sizeof type);
        return og_error_set(err, OG_UNSUPPORTED, "no BTREE on column '%.*s' of type %s",
                            OG_FMT(f->field.name), type);
    }
    segment s = {.write = write, .uuid = og_lance_write_new_uuid(write), .type = *f->field.type};
    __attribute__((cleanup(entries_deinit))) entries e = {0};
    OG_TRY(collect(&e, base, field, fragments, fragment_count, err));
    OG_TRY(write_data(&s, &e, err));
    og_status status = write_lookup(&s, &e, err);
    static const char *const files[] = {OG_INDEX__DATA, OG_INDEX__LOOKUP};
    const og_lance_new_index index = {.uuid = s.uuid,
                                      .name = name,
                                      .kind = OG_STR(OG_LANCE_BTREE_KIND),
                                      .field_id = f->id,
                                      .fragments = fragments,
                                      .fragment_count = fragment_count,
                                      .file_names = files,
                                      .file_bytes = s.bytes,
                                      .file_count = 2};
    return status == OG_OK ? og_lance_write_add_index(write, &index, err) : status;
}

static og_status uncovered(og_lance_table *table, const og_lance_index *indices, uint32_t count,
                           og_str name, bool all, og_arena *arena, uint32_t **out,
                           uint32_t *out_count, og_error *err)
{
    uint32_t fragment_count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &fragment_count);
    *out = og_arena_array_of(arena, uint32_t, (size_t)fragment_count + 1);
    *out_count = 0;
    if (*out == NULL)
        return og_error_nomem(err);
    for (uint32_t f = 0; f < fragment_count; f++) {
        bool is_covered = false;
        for (uint32_t i = 0; !all && i < count; i++)
            is_covered |= og_str_eq(indices[i].name, name) &&
                          og_lance_index_covers(&indices[i], fragments[f].id);
        if (!is_covered)
            (*out)[(*out_count)++] = (uint32_t)fragments[f].id;
    }
    return OG_OK;
}

static int32_t field_of_index(const og_lance_table *table, const og_lance_index *index)
{
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(table, &count);
    for (uint32_t i = 0; index->field_count == 1 && i < count; i++)
        if (fields[i].id == index->field_ids[0])
            return (int32_t)i;
    return -1;
}

/* How many segments the index has, and its column; OG_NOT_FOUND none. */
static og_status look_at_index(og_lance_table *table, const og_lance_index *indices, uint32_t count,
                               og_str name, uint32_t *out_segments, int32_t *out_field,
                               og_error *err)
{
    *out_segments = 0;
    *out_field = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (!og_str_eq(indices[i].name, name))
            continue;
        if (!og_str_is(indices[i].kind, OG_LANCE_BTREE_KIND))
            return og_error_set(err, OG_UNSUPPORTED, "index '%.*s' is no BTREE", OG_FMT(name));
        *out_field = field_of_index(table, &indices[i]);
        (*out_segments)++;
    }
    if (*out_field < 0)
        return og_error_set(err, OG_NOT_FOUND, "no index '%.*s'", OG_FMT(name));
    return OG_OK;
}

static og_status lowest_row_id(og_lance_table *table, const uint32_t *ids, uint32_t count,
                               uint64_t *out, og_error *err)
{
    uint32_t fragment_count;
    const og_lance_fragment *all = og_lance_table_fragments(table, &fragment_count);
    *out = UINT64_MAX;
    for (uint32_t i = 0; i < fragment_count; i++) {
        if (!names(ids, count, all[i].id))
            continue;
        for (uint32_t row = 0; row < all[i].physical_rows; row++) {
            uint32_t slot = all[i].first_slot + row;
            uint64_t id;
            OG_TRY(og_lance_row_ids(table, &slot, 1, &id, err));
            *out = id < *out ? id : *out;
        }
    }
    return OG_OK;
}

/* Other readers hold a hit of one segment against the fragments of all of them.
 * So a segment may stand beside older ones only when these know none of its rows. */
static og_status may_stand_beside(og_lance_table *table, const og_lance_index *indices,
                                  uint32_t count, og_str name, const uint32_t *fragments,
                                  uint32_t fragment_count, bool *out, og_error *err)
{
    uint64_t lowest, highest = 0;
    *out = true;
    OG_TRY(lowest_row_id(table, fragments, fragment_count, &lowest, err));
    for (uint32_t i = 0; i < count && *out; i++) {
        OG_AUTO(og_lance_btree) btree = NULL;
        bool has_rows;
        if (!og_str_eq(indices[i].name, name))
            continue;
        OG_TRY(og_lance_btree_open(table, &indices[i], &btree, err));
        OG_TRY(og_index__highest_row_id(btree, &highest, &has_rows, err));
        *out = !has_rows || highest < lowest;
    }
    return OG_OK;
}

static og_status update(og_lance_write *write, og_str name, og_arena *arena, bool *out_changed,
                        og_error *err)
{
    og_lance_table *base = og_lance_write_base(write);
    const og_lance_index *indices;
    uint32_t count, segments, fragment_count, *fragments;
    int32_t field;
    OG_TRY(og_lance_indices(base, arena, &indices, &count, err));
    OG_TRY(look_at_index(base, indices, count, name, &segments, &field, err));
    OG_TRY(uncovered(base, indices, count, name, false, arena, &fragments, &fragment_count, err));
    *out_changed = fragment_count > 0;
    if (fragment_count == 0)
        return OG_OK;
    bool beside = false;
    if (segments < OG_INDEX__MAX_SEGMENTS)
        OG_TRY(
            may_stand_beside(base, indices, count, name, fragments, fragment_count, &beside, err));
    if (!beside) {
        OG_TRY(
            uncovered(base, indices, count, name, true, arena, &fragments, &fragment_count, err));
        OG_TRY(og_lance_write_drop_index(write, name, err));
    }
    return og_lance_btree_build(write, (uint32_t)field, name, fragments, fragment_count, err);
}

og_status og_lance_btree_update(og_lance_write *write, og_str name, bool *out_changed,
                                og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    return arena != NULL ? update(write, name, arena, out_changed, err) : og_error_nomem(err);
}
