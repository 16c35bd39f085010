/* Rows of one type by one condition, for mutations. */
#include "exec/run_priv.h"

typedef OG_VEC(uint32_t) slot_list;

static og_status find_field(const og_lance_table *table, const og_type_def *def, int32_t property,
                            og_str column, uint32_t *out, og_error *err)
{
    og_str name = property >= 0 ? def->properties[property].name : column;
    int32_t field = og_lance_table_find_field(table, name);
    if (field < 0)
        return og_error_set(err, OG_INVALID, "type '%.*s' has no stored column '%.*s'",
                            OG_FMT(def->name), OG_FMT(name));
    *out = (uint32_t)field;
    return OG_OK;
}

/* The id of a node is the text of its first key property. */
static bool names_id(const og_type_def *def, int32_t property, og_str column, og_cmp_op op,
                     const og_literal *value)
{
    if (def->is_edge || op != OG_CMP_EQ || value->kind != OG_LIT_STRING)
        return false;
    if (property < 0)
        return og_str_is(column, "id");
    const og_prop_type *type = &def->properties[property].type;
    return property == def->key_property && type->scalar == OG_SCALAR_STRING && !type->list;
}

/* *out_found false when the directory can't tell all rows of an id. */
static og_status find_by_id(og_snapshot *snapshot, og_lance_table *table, const og_type_def *def,
                            og_str id, slot_list *out, bool *out_found, og_error *err)
{
    uint32_t vertex, slot;
    OG_AUTO(og_directory) directory = NULL;
    OG_TRY(og_snapshot_directory(snapshot, def, &directory, NULL, err));
    *out_found = !og_directory_has_duplicates(directory);
    if (!*out_found)
        return OG_OK;
    OG_TRY(og_directory_find(directory, table, &id, 1, &vertex, err));
    if (vertex == OG_NO_VERTEX)
        return OG_OK;
    OG_TRY(og_lance_slots_of(table, &(uint64_t){vertex}, 1, &slot, err));
    if (slot == UINT32_MAX)
        return OG_OK;
    return og_vec_push(out, slot) ? OG_OK : og_error_nomem(err);
}

static og_status add_batch(const og_array *column, const uint32_t *slots, og_cmp_op op,
                           const og_literal *value, og_mask *mask, slot_list *out, og_error *err)
{
    OG_TRY(og_exec__test_constant(column, op, value, mask, err));
    size_t count = (size_t)og_mask_count(mask);
    if (!og_vec_reserve(out, (size_t)mask->length))
        return og_error_nomem(err);
    uint32_t *found = out->items + out->len;
    (void)og_mask_select(mask, found);
    for (size_t i = 0; i < count; i++)
        found[i] = slots[found[i]];
    out->len += count;
    return OG_OK;
}

static og_status find_by_scan(og_lance_table *table, uint32_t field, og_cmp_op op,
                              const og_literal *value, slot_list *out, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_MASK mask = {0};
    OG_TRY(og_lance_scan_open(table, &field, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(add_batch(batch.columns[0], slots, op, value, &mask, out, err));
    }
}

og_status og_exec_find_slots(og_snapshot *snapshot, const og_type_def *def, int32_t property,
                             og_str column, og_cmp_op op, const og_literal *value,
                             uint32_t **out_slots, size_t *out_count, og_error *err)
{
    og_lance_table *table;
    uint32_t field = 0;
    OG_TRY(og_snapshot_table(snapshot, def, &table, err));
    OG_TRY(find_field(table, def, property, column, &field, err));
    slot_list slots = {0};
    og_status status = OG_OK;
    bool found = false;
    if (names_id(def, property, column, op, value))
        status = find_by_id(snapshot, table, def, value->text, &slots, &found, err);
    if (status == OG_OK && !found)
        status = find_by_scan(table, field, op, value, &slots, err);
    if (status != OG_OK) {
        og_vec_deinit(&slots);
        return status;
    }
    *out_slots = slots.items;
    *out_count = slots.len;
    return OG_OK;
}

og_status og_exec_match(const og_array *column, og_cmp_op op, const og_literal *value, og_mask *out,
                        og_error *err)
{
    return og_exec__test_constant(column, op, value, out, err);
}
