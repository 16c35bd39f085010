/* Rows of one type by one condition, for mutations. */
#include "exec/run_priv.h"

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
                            og_str id, bool *out_found, uint32_t **out_slots, size_t *out_count,
                            og_error *err)
{
    uint32_t vertex, slot = UINT32_MAX;
    OG_AUTO(og_directory) directory = NULL;
    OG_TRY(og_snapshot_directory(snapshot, def, &directory, NULL, err));
    OG_TRY(og_directory_find(directory, table, &id, 1, &vertex, err));
    *out_found = !og_directory_has_duplicates(directory);
    if (!*out_found)
        return OG_OK;
    if (vertex != OG_NO_VERTEX)
        OG_TRY(og_lance_slots_of(table, &(uint64_t){vertex}, 1, &slot, err));
    *out_slots = og_malloc(sizeof **out_slots);
    if (*out_slots == NULL)
        return og_error_nomem(err);
    **out_slots = slot;
    *out_count = slot != UINT32_MAX;
    return OG_OK;
}

typedef struct condition {
    og_cmp_op op;
    const og_literal *value;
} condition;

static og_status test_condition(void *context, const og_array *values, og_mask *out, og_error *err)
{
    const condition *c = context;
    return og_exec__test_constant(values, c->op, c->value, out, err);
}

og_status og_exec_find_slots(og_snapshot *snapshot, const og_type_def *def, int32_t property,
                             og_str column, og_cmp_op op, const og_literal *value,
                             uint32_t **out_slots, size_t *out_count, og_error *err)
{
    og_lance_table *table;
    uint32_t field = 0;
    OG_TRY(og_snapshot_table(snapshot, def, &table, err));
    OG_TRY(find_field(table, def, property, column, &field, err));
    if (names_id(def, property, column, op, value)) {
        bool found;
        OG_TRY(find_by_id(snapshot, table, def, value->text, &found, out_slots, out_count, err));
        if (found)
            return OG_OK;
    }
    condition c = {op, value};
    return og_lance_find(table, field, 0, test_condition, &c, out_slots, out_count, err);
}

og_status og_exec_match(const og_array *column, og_cmp_op op, const og_literal *value, og_mask *out,
                        og_error *err)
{
    return og_exec__test_constant(column, op, value, out, err);
}
