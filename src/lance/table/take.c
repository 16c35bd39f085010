/* Taking rows by slot.
 *
 * Slots are brought into ascending order once (unless they are), cut into groups by fragment, and
 * each field is taken group by group: from the decoded column when the cache keeps it, else from
 * the file. The groups are joined and, if slots were sorted, put back into the order asked for. */
#include "columnar/kernels.h"
#include "lance/table/take_priv.h"

#include <assert.h>

/* Rows of a chunk, about: what one row taken alone costs to decode. */
#define CHUNK_ROWS_LOG2 10
/* What one costs among a few, for which the file keeps the chunks that it expands. */
#define KEPT_ROWS_LOG2 6

typedef struct group {
    uint32_t fragment;
    size_t start, end; /* in plan.rows */
} group;

typedef struct take_plan {
    const uint32_t *slots; /* ascending */
    size_t count;
    uint32_t *rows;    /* offset of each in its fragment */
    uint32_t *restore; /* row of the taken arrays for each slot asked for; NULL: as they are */
    uint32_t *sorted;  /* owned copy behind `slots`, or NULL */
    OG_VEC(group) groups;
    uint32_t one_row; /* room for a single row, the commonest case */
} take_plan;

static void plan_deinit(take_plan *plan)
{
    if (plan->rows != &plan->one_row)
        og_free(plan->rows);
    og_free(plan->restore);
    og_free(plan->sorted);
    og_vec_deinit(&plan->groups);
}

/* One pass of a radix sort by the byte at `shift`. */
static void radix_pass(const uint32_t *keys, const uint32_t *places, uint32_t *out_keys,
                       uint32_t *out_places, size_t count, unsigned shift)
{
    size_t starts[257] = {0};
    for (size_t i = 0; i < count; i++)
        starts[((keys[i] >> shift) & 0xFF) + 1]++;
    for (size_t b = 1; b < 257; b++)
        starts[b] += starts[b - 1];
    for (size_t i = 0; i < count; i++) {
        size_t at = starts[(keys[i] >> shift) & 0xFF]++;
        out_keys[at] = keys[i];
        out_places[at] = places[i];
    }
}

static og_status sort_slots(take_plan *plan, og_error *err)
{
    size_t count = plan->count;
    uint32_t *keys = og_malloc(count * sizeof *keys), *spare = og_malloc(count * sizeof *keys);
    uint32_t *places = og_malloc(count * sizeof *keys);
    uint32_t *restore = og_malloc(count * sizeof *keys);
    if (keys == NULL || spare == NULL || places == NULL || restore == NULL) {
        og_free(keys);
        og_free(spare);
        og_free(places);
        og_free(restore);
        return og_error_nomem(err);
    }
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++) {
        keys[i] = plan->slots[i];
        places[i] = (uint32_t)i;
        all |= keys[i];
    }
    for (unsigned shift = 0; shift < 32 && all >> shift != 0; shift += 8) {
        radix_pass(keys, places, spare, restore, count, shift);
        uint32_t *t = keys;
        keys = spare;
        spare = t;
        t = places;
        places = restore;
        restore = t;
    }
    for (size_t i = 0; i < count; i++)
        restore[places[i]] = (uint32_t)i;
    plan->slots = plan->sorted = keys;
    plan->restore = restore;
    og_free(spare);
    og_free(places);
    return OG_OK;
}

static bool is_ascending(const uint32_t *slots, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (slots[i] < slots[i - 1])
            return false;
    return true;
}

static og_status make_plan(const og_lance_table *table, take_plan *plan, og_error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->slots[i] >= table->slot_count)
            return og_error_set(err, OG_INVALID, "no slot %u in %s", plan->slots[i], table->path);
    if (!is_ascending(plan->slots, plan->count))
        OG_TRY(sort_slots(plan, err));
    plan->rows = plan->count <= 1 ? &plan->one_row : og_malloc(plan->count * sizeof *plan->rows);
    if (plan->rows == NULL)
        return og_error_nomem(err);
    uint32_t fragment = 0;
    for (size_t i = 0; i < plan->count;) {
        fragment = og_table__fragment_of(table, plan->slots[i], fragment);
        const og_lance_fragment *f = &table->fragments[fragment];
        size_t start = i;
        for (; i < plan->count && plan->slots[i] - f->first_slot < f->physical_rows; i++)
            plan->rows[i] = plan->slots[i] - f->first_slot;
        if (!og_vec_push(&plan->groups, (group){fragment, start, i}))
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* ---- one field of one fragment ------------------------------------------------------------ */

/* Values about to be decoded when these rows are taken from the file. */
static uint64_t take_work(const og_type *type, const uint32_t *rows, size_t count)
{
    uint64_t chunks = 0;
    uint32_t last = UINT32_MAX;
    if (count <= OG_LANCE_FEW_ROWS && type->child_count == 0)
        return (uint64_t)count << KEPT_ROWS_LOG2;
    for (size_t i = 0; i < count; i++) {
        chunks += rows[i] >> CHUNK_ROWS_LOG2 != last;
        last = rows[i] >> CHUNK_ROWS_LOG2;
    }
    return chunks << CHUNK_ROWS_LOG2;
}

static const og_type *array_type(const og_lance_field *field)
{
    return field->is_blob ? og_lance_blob_type() : field->field.type;
}

typedef struct source {
    og_table__cached *file; /* NULL: no file has the field */
    og_lance_column column;
} source;

static og_status find_source(og_lance_table *table, uint32_t fragment, uint32_t field, source *out,
                             og_error *err)
{
    const og_table__place *places;
    OG_TRY(og_table__places(table, fragment, &places, err));
    const og_table__place *place = &places[field];
    const og_lance_field *f = &table->fields[field];
    *out = (source){NULL, {&f->field, place->leaves, place->leaf_count, f->is_blob, f->packed}};
    if (place->file == OG_TABLE__NO_FILE)
        return OG_OK;
    return og_table__open_file(table, fragment, place->file, &out->file, err);
}

static og_status all_null(const og_lance_field *field, size_t count, og_array **out, og_error *err)
{
    *out = og_array_new_null(array_type(field), (int64_t)count);
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

static og_status take_group(og_lance_table *table, uint32_t fragment, uint32_t field,
                            const uint32_t *rows, size_t count, og_array **out, og_error *err)
{
    source from;
    OG_TRY(find_source(table, fragment, field, &from, err));
    if (from.file == NULL)
        return all_null(&table->fields[field], count, out, err);
    OG_AUTO(og_array)
    whole = og_table__cached_column(from.file, &from.column,
                                    take_work(from.column.field->type, rows, count));
    if (whole != NULL)
        return og_take_u32(whole, rows, (int64_t)count, out, err);
    OG_TRY(
        og_lance_file_take(og_table__cached_file(from.file), &from.column, rows, count, out, err));
    og_table__cached_account(from.file, &from.column, *out);
    return OG_OK;
}

og_status og_table__read_range(og_lance_table *table, uint32_t fragment, uint32_t field,
                               uint32_t start, uint32_t count, og_array **out, og_error *err)
{
    source from;
    OG_TRY(find_source(table, fragment, field, &from, err));
    if (from.file == NULL)
        return all_null(&table->fields[field], count, out, err);
    OG_AUTO(og_array) whole = og_table__cached_column(from.file, &from.column, count);
    if (whole != NULL)
        return og_slice(whole, start, count, out, err);
    OG_TRY(
        og_lance_file_read(og_table__cached_file(from.file), &from.column, start, count, out, err));
    og_table__cached_account(from.file, &from.column, *out);
    return OG_OK;
}

void og_table__read_ahead(og_lance_table *table, uint32_t fragment, const uint32_t *fields,
                          uint32_t field_count, uint32_t start, uint32_t count)
{
    if (!og_lance_env_store(table->env)->maps_objects)
        return;
    for (uint32_t i = 0; i < field_count; i++) {
        source from;
        if (find_source(table, fragment, fields[i], &from, NULL) == OG_OK && from.file != NULL)
            og_lance_file_read_ahead(og_table__cached_file(from.file), &from.column, start, count);
    }
}

og_status og_table__read_codes(og_lance_table *table, uint32_t fragment, uint32_t field,
                               uint32_t start, uint32_t count, uint32_t *out_codes,
                               og_lance_coded *out, og_error *err)
{
    source from;
    OG_TRY(find_source(table, fragment, field, &from, err));
    *out = (og_lance_coded){0};
    if (from.file == NULL)
        return OG_OK;
    return og_lance_file_read_coded(og_table__cached_file(from.file), &from.column, start, count,
                                    out_codes, out, err);
}

/* ---- a field of all groups ---------------------------------------------------------------- */

static og_status join_groups(og_lance_table *table, uint32_t field, const take_plan *plan,
                             og_array **out, og_error *err)
{
    size_t count = plan->groups.len;
    og_array **parts = og_calloc(count, sizeof *parts);
    if (parts == NULL)
        return og_error_nomem(err);
    og_status status = OG_OK;
    for (size_t i = 0; status == OG_OK && i < count; i++) {
        const group *g = &plan->groups.items[i];
        status = take_group(table, g->fragment, field, plan->rows + g->start, g->end - g->start,
                            &parts[i], err);
    }
    if (status == OG_OK)
        status = og_concat((const og_array *const *)parts, count, out, err);
    for (size_t i = 0; i < count; i++)
        og_array_unref(parts[i]);
    og_free(parts);
    return status;
}

static og_status take_field(og_lance_table *table, uint32_t field, const take_plan *plan,
                            og_array **out, og_error *err)
{
    if (plan->count == 0)
        return all_null(&table->fields[field], 0, out, err);
    OG_AUTO(og_array) taken = NULL;
    if (plan->groups.len == 1)
        OG_TRY(take_group(table, plan->groups.items[0].fragment, field, plan->rows, plan->count,
                          &taken, err));
    else
        OG_TRY(join_groups(table, field, plan, &taken, err));
    if (plan->restore != NULL)
        return og_take_u32(taken, plan->restore, (int64_t)plan->count, out, err);
    *out = OG_TAKE(taken);
    return OG_OK;
}

og_status og_lance_take(og_lance_table *table, const uint32_t *fields, uint32_t field_count,
                        const uint32_t *slots, size_t count, og_batch *out, og_error *err)
{
    __attribute__((cleanup(plan_deinit))) take_plan plan = {.slots = slots, .count = count};
    OG_TRY(make_plan(table, &plan, err));
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, field_count, (int64_t)count, err));
    for (uint32_t i = 0; i < field_count; i++) {
        assert(fields[i] < table->field_count);
        OG_TRY(take_field(table, fields[i], &plan, &batch.columns[i], err));
    }
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}
