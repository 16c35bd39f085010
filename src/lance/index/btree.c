/* Reading a segment: the pages a span meets, and in them the rows. */
#include "lance/index/btree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "columnar/kernels.h"
#include "lance/index/btree_priv.h"

#define MAX_PAGE_ROWS (1u << 24)

void og_lance_btree_close(og_lance_btree *b)
{
    if (b == NULL)
        return;
    og_lance_file_unref(b->data);
    og_array_unref(b->min);
    og_array_unref(b->max);
    og_array_unref(b->nulls);
    og_array_unref(b->numbers);
    og_free(b);
}

/* ---- opening ------------------------------------------------------------------------------ */

static og_status open_file(og_lance_table *table, const og_lance_index *index, const char *name,
                           uint32_t columns, og_lance_file **out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_buf_printf(&path, "%s%s", index->folder, name))
        return og_error_nomem(err);
    OG_TRY(og_lance_file_open(og_lance_env_store(og_lance_table_env(table)), og_buf_cstr(&path), 0,
                              out, err));
    if (og_lance_file_column_count(*out) == columns)
        return OG_OK;
    return og_error_set(err, OG_CORRUPT, "%s has %" PRIu32 " columns instead of %" PRIu32,
                        og_buf_cstr(&path), og_lance_file_column_count(*out), columns);
}

og_status og_index__read_column(og_lance_file *file, uint32_t leaf, const og_type *type,
                                uint64_t start, uint64_t count, og_array **out, og_error *err)
{
    const og_field field = {OG_STR(""), type, true};
    const og_lance_column column = {.field = &field, .leaves = &leaf, .leaf_count = 1};
    return og_lance_file_read(file, &column, start, count, out, err);
}

static og_status read_page_rows(og_lance_btree *b, og_lance_file *lookup, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str text;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_file_metadata(lookup, OG_STR(OG_INDEX__PAGE_ROWS_KEY), arena, &text, err));
    b->page_rows = OG_INDEX__PAGE_ROWS;
    if (text.ptr == NULL ||
        (og_parse_u64(text, &b->page_rows) && b->page_rows > 0 && b->page_rows <= MAX_PAGE_ROWS))
        return OG_OK;
    return og_error_set(err, OG_CORRUPT, "%s: batch_size is '%.*s'", og_lance_file_name(lookup),
                        OG_FMT(text));
}

static og_status check_pages(const og_lance_btree *b, og_error *err)
{
    uint64_t rows = og_lance_file_rows(b->data);
    uint64_t pages = (rows + b->page_rows - 1) / b->page_rows;
    for (int64_t i = 0; i < b->numbers->length; i++)
        if (og_array_u32(b->numbers, i) >= pages)
            return og_error_set(err, OG_CORRUPT, "%s has no page %" PRIu32,
                                og_lance_file_name(b->data), og_array_u32(b->numbers, i));
    return OG_OK;
}

static og_status read_lookup(og_lance_btree *b, og_lance_file *lookup, og_error *err)
{
    uint64_t rows = og_lance_file_rows(lookup);
    const og_type *u32 = og_type_of(OG_TYPE_U32);
    OG_TRY(read_page_rows(b, lookup, err));
    OG_TRY(og_index__read_column(lookup, 0, &b->type, 0, rows, &b->min, err));
    OG_TRY(og_index__read_column(lookup, 1, &b->type, 0, rows, &b->max, err));
    OG_TRY(og_index__read_column(lookup, 2, u32, 0, rows, &b->nulls, err));
    OG_TRY(og_index__read_column(lookup, 3, u32, 0, rows, &b->numbers, err));
    return check_pages(b, err);
}

static const og_lance_field *field_of(const og_lance_table *table, int32_t id)
{
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(table, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].id == id)
            return &fields[i];
    return NULL;
}

og_status og_lance_btree_open(og_lance_table *table, const og_lance_index *index,
                              og_lance_btree **out, og_error *err)
{
    const og_lance_field *field =
        index->field_count == 1 ? field_of(table, index->field_ids[0]) : NULL;
    if (field == NULL || !og_lance_btree_takes(field->field.type))
        return og_error_set(err, OG_CORRUPT, "index '%.*s' is not on one column of this table",
                            OG_FMT(index->name));
    OG_AUTO(og_lance_btree) b = og_calloc(1, sizeof *b);
    OG_AUTO(og_lance_file) lookup = NULL;
    if (b == NULL)
        return og_error_nomem(err);
    b->type = *field->field.type;
    OG_TRY(open_file(table, index, OG_INDEX__DATA, 2, &b->data, err));
    OG_TRY(open_file(table, index, OG_INDEX__LOOKUP, 4, &lookup, err));
    OG_TRY(read_lookup(b, lookup, err));
    *out = OG_TAKE(b);
    return OG_OK;
}

/* ---- looking up --------------------------------------------------------------------------- */

/* Does a span end before a value, or begin behind it? */
static bool is_below(const og_lance_span_of_values *span, const og_datum *value)
{
    int order = span->high != NULL ? og_compare_data(span->high, value) : 1;
    return order < 0 || (order == 0 && span->high_is_out);
}

static bool is_above(const og_lance_span_of_values *span, const og_datum *value)
{
    int order = span->low != NULL ? og_compare_data(span->low, value) : -1;
    return order > 0 || (order == 0 && span->low_is_out);
}

static bool page_meets(const og_lance_btree *b, int64_t page, const og_lance_span_of_values *span)
{
    if (span == NULL)
        return og_array_u32(b->nulls, page) > 0;
    if (og_array_is_null(b->max, page))
        return false;
    og_datum max = og_datum_of_row(b->max, page);
    if (is_above(span, &max))
        return false;
    if (og_array_is_null(b->min, page))
        return true;
    og_datum min = og_datum_of_row(b->min, page);
    return !is_below(span, &min);
}

static bool row_meets(const og_array *values, int64_t row, const og_lance_span_of_values *span)
{
    if (og_array_is_null(values, row))
        return span == NULL;
    if (span == NULL)
        return false;
    og_datum value = og_datum_of_row(values, row);
    return !is_below(span, &value) && !is_above(span, &value);
}

static og_status add_id(og_lance_row_id_list *list, uint64_t id, og_error *err)
{
    if (list->len == list->cap) {
        size_t cap = list->cap * 2 + 64;
        uint64_t *items = og_reallocarray(list->items, cap, sizeof *items);
        if (items == NULL)
            return og_error_nomem(err);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->len++] = id;
    return OG_OK;
}

/* Values of a page are in order: [first, last) of them meet the span. Floats are an exception where
 * zeros of both signs stand side by side, which compare as equal; the search finds both. */
static og_status find_in_page(og_lance_btree *b, uint32_t page, const og_lance_span_of_values *span,
                              og_lance_row_id_list *out, og_error *err)
{
    uint64_t start = page * b->page_rows, rows = og_lance_file_rows(b->data) - start;
    uint64_t count = rows < b->page_rows ? rows : b->page_rows;
    OG_AUTO(og_array) values = NULL;
    OG_AUTO(og_array) ids = NULL;
    OG_TRY(og_index__read_column(b->data, 0, &b->type, start, count, &values, err));
    int64_t first = 0, last = 0;
    while (first < values->length && !row_meets(values, first, span))
        first++;
    for (last = first; last < values->length && row_meets(values, last, span);)
        last++;
    if (first == last)
        return OG_OK;
    OG_TRY(og_index__read_column(b->data, 1, og_type_of(OG_TYPE_U64), start + (uint64_t)first,
                                 (uint64_t)(last - first), &ids, err));
    for (int64_t i = 0; i < ids->length; i++)
        OG_TRY(add_id(out, og_array_u64(ids, i), err));
    return OG_OK;
}

og_status og_lance_btree_find(og_lance_btree *b, const og_lance_span_of_values *span,
                              og_lance_row_id_list *out, og_error *err)
{
    for (int64_t i = 0; i < b->numbers->length; i++)
        if (page_meets(b, i, span))
            OG_TRY(find_in_page(b, og_array_u32(b->numbers, i), span, out, err));
    return OG_OK;
}

og_status og_index__highest_row_id(og_lance_btree *b, uint64_t *out, bool *out_has_rows,
                                   og_error *err)
{
    uint64_t rows = og_lance_file_rows(b->data);
    *out = 0;
    *out_has_rows = rows > 0;
    for (uint64_t at = 0; at < rows; at += b->page_rows) {
        uint64_t count = rows - at < b->page_rows ? rows - at : b->page_rows;
        OG_AUTO(og_array) ids = NULL;
        OG_TRY(og_index__read_column(b->data, 1, og_type_of(OG_TYPE_U64), at, count, &ids, err));
        for (int64_t i = 0; i < ids->length; i++)
            *out = og_array_u64(ids, i) > *out ? og_array_u64(ids, i) : *out;
    }
    return OG_OK;
}

/* ---- rows of a table ---------------------------------------------------------------------- */

typedef struct selection {
    og_lance_table *table;
    uint32_t field;
    const og_lance_span_of_values *span;
    uint8_t *covered; /* by fragment */
    uint32_t *slots;
    size_t count, capacity;
} selection;

static og_status add_slot(selection *s, uint32_t slot, og_error *err)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity * 2 + 64;
        uint32_t *slots = og_reallocarray(s->slots, capacity, sizeof *slots);
        if (slots == NULL)
            return og_error_nomem(err);
        s->slots = slots;
        s->capacity = capacity;
    }
    s->slots[s->count++] = slot;
    return OG_OK;
}

bool og_index__is_covered(const og_lance_table *table, const og_lance_index *index, uint32_t slot)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &count);
    uint32_t low = 0, high = count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (fragments[middle].first_slot <= slot)
            low = middle;
        else
            high = middle;
    }
    return og_lance_index_covers(index, fragments[low].id);
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Leave out slots from `first` on whose value is another one now. Lance, when it
 * brings an index up to date, keeps the entries of rows that were updated in between,
 * beside those of their new values. */
static og_status recheck(selection *s, size_t first, og_error *err)
{
    size_t kept = first;
    if (s->count > first + 1)
        qsort(s->slots + first, s->count - first, sizeof *s->slots, compare_slots);
    for (size_t at = first; at < s->count;) {
        size_t left = s->count - at;
        uint32_t count = left < OG_BATCH_ROWS ? (uint32_t)left : OG_BATCH_ROWS;
        OG_AUTO_BATCH batch = {0};
        OG_TRY(og_lance_take(s->table, &s->field, 1, s->slots + at, count, &batch, err));
        for (uint32_t row = 0; row < count; row++)
            if (row_meets(batch.columns[0], row, s->span))
                s->slots[kept++] = s->slots[at + row];
        at += count;
    }
    s->count = kept;
    return OG_OK;
}

static og_status add_hits(selection *s, const og_lance_index *index,
                          const og_lance_row_id_list *ids, og_error *err)
{
    OG_AUTO_FREE uint32_t *slots = og_reallocarray(NULL, ids->len + 1, sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_slots_of(s->table, ids->items, ids->len, slots, err));
    size_t first = s->count;
    for (size_t i = 0; i < ids->len; i++)
        if (slots[i] != UINT32_MAX && og_index__is_covered(s->table, index, slots[i]))
            OG_TRY(add_slot(s, slots[i], err));
    return recheck(s, first, err);
}

static og_status use_segment(selection *s, const og_lance_index *index, og_error *err)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(s->table, &count);
    OG_AUTO(og_lance_btree) b = NULL;
    og_lance_row_id_list ids = {0};
    OG_TRY(og_lance_btree_open(s->table, index, &b, err));
    og_status status = og_lance_btree_find(b, s->span, &ids, err);
    if (status == OG_OK)
        status = add_hits(s, index, &ids, err);
    og_free(ids.items);
    for (uint32_t i = 0; i < count; i++)
        s->covered[i] |= og_lance_index_covers(index, fragments[i].id);
    return status;
}

static og_status scan_fragment(selection *s, const og_lance_fragment *f, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(s->table, &s->field, 1, f->first_slot,
                              f->first_slot + f->physical_rows, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++)
            if (row_meets(batch.columns[0], row, s->span))
                OG_TRY(add_slot(s, slots[row], err));
    }
}

/* Segments may cover a fragment twice, so a slot may come twice. */
static void sort_and_unite(selection *s)
{
    size_t kept = 0;
    if (s->count > 1)
        qsort(s->slots, s->count, sizeof *s->slots, compare_slots);
    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || s->slots[kept - 1] != s->slots[i])
            s->slots[kept++] = s->slots[i];
    s->count = kept;
}

static og_status select_rows(selection *s, bool *out_indexed, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *indices;
    uint32_t count, field_count, fragment_count;
    const og_lance_fragment *fragments = og_lance_table_fragments(s->table, &fragment_count);
    int32_t id = og_lance_table_fields(s->table, &field_count)[s->field].id;
    if (arena == NULL)
        return og_error_nomem(err);
    s->covered = og_arena_array_of(arena, uint8_t, (size_t)fragment_count + 1);
    if (s->covered == NULL)
        return og_error_nomem(err);
    memset(s->covered, 0, fragment_count);
    OG_TRY(og_lance_indices(s->table, arena, &indices, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        if (!og_str_is(indices[i].kind, OG_LANCE_BTREE_KIND) || indices[i].field_count != 1 ||
            indices[i].field_ids[0] != id)
            continue;
        *out_indexed = true;
        OG_TRY(use_segment(s, &indices[i], err));
    }
    for (uint32_t i = 0; *out_indexed && i < fragment_count; i++)
        if (!s->covered[i])
            OG_TRY(scan_fragment(s, &fragments[i], err));
    sort_and_unite(s);
    return OG_OK;
}

og_status og_lance_btree_select(og_lance_table *table, uint32_t field,
                                const og_lance_span_of_values *span, uint32_t **out_slots,
                                size_t *out_count, bool *out_indexed, og_error *err)
{
    selection s = {.table = table, .field = field, .span = span};
    *out_indexed = false;
    og_status status = select_rows(&s, out_indexed, err);
    if (status != OG_OK || !*out_indexed) {
        og_free(s.slots);
        s.slots = NULL;
        s.count = 0;
    }
    *out_slots = s.slots;
    *out_count = s.count;
    return status;
}
