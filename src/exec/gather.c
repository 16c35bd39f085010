/* From vertices to values: late, once, and only what is missing. */
#include "exec/run_priv.h"

#include <assert.h>

#include "columnar/kernels.h"

og_status og_exec__table_fill(og_exec *x, const og_type_def *def, og_exec__table *out,
                              og_error *err)
{
    og_lance_table *table;
    OG_TRY(og_snapshot_table(x->snapshot, def, &table, err));
    uint64_t next = og_lance_table_next_row_id(table);
    if (next >= OG_NO_VERTEX)
        return og_error_set(err, OG_UNSUPPORTED, "type '%.*s' has had more than 2^32 rows",
                            OG_FMT(def->name));
    *out = (og_exec__table){table, (uint32_t)next, og_lance_table_row_count(table) == next};
    return OG_OK;
}

og_status og_exec__table_of(og_exec *x, uint32_t var, const og_exec__table **out, og_error *err)
{
    og_exec__table *t = &x->tables[var];
    if (t->table == NULL)
        OG_TRY(og_exec__table_fill(x, x->plan->query->vars[var].def, t, err));
    *out = t;
    return OG_OK;
}

static og_status check_type(const og_exec__column *column, const og_lance_table *table,
                            int32_t field, og_error *err)
{
    uint32_t count;
    const og_lance_field *f = &og_lance_table_fields(table, &count)[field];
    if (f->is_blob || og_type_eq(f->field.type, column->arrow))
        return OG_OK;
    char stored[128], wanted[128];
    og_type_name(f->field.type, stored, sizeof stored);
    og_type_name(column->arrow, wanted, sizeof wanted);
    return og_error_set(err, OG_CORRUPT, "%s: column '%.*s' is %s, the schema says %s",
                        og_lance_table_path(table), OG_FMT(column->name), stored, wanted);
}

og_status og_exec__field_of(og_exec *x, uint32_t column, int32_t *out, og_error *err)
{
    if (x->fields[column] == -2) {
        const og_exec__column *c = &x->plan->columns[column];
        const og_exec__table *t;
        OG_TRY(og_exec__table_of(x, c->var, &t, err));
        int32_t field = og_lance_table_find_field(t->table, c->name);
        if (c->type.scalar == OG_SCALAR_BLOB)
            field = -1; /* blobs are null in results */
        if (field >= 0)
            OG_TRY(check_type(c, t->table, field, err));
        x->fields[column] = field;
    }
    *out = x->fields[column];
    return OG_OK;
}

og_status og_exec__slots_of_vertices(og_lance_table *table, const uint32_t *vertices,
                                     uint32_t count, uint32_t *out, og_error *err)
{
    uint64_t ids[256];
    for (uint32_t done = 0; done < count;) {
        uint32_t n = count - done < 256 ? count - done : 256;
        for (uint32_t i = 0; i < n; i++)
            ids[i] = vertices[done + i];
        OG_TRY(og_lance_slots_of(table, ids, n, out + done, err));
        done += n;
    }
    return OG_OK;
}

og_status og_exec__vertices_of_slots(og_lance_table *table, const uint32_t *slots, uint32_t count,
                                     uint32_t *out, og_error *err)
{
    uint64_t ids[256];
    for (uint32_t done = 0; done < count;) {
        uint32_t n = count - done < 256 ? count - done : 256;
        OG_TRY(og_lance_row_ids(table, slots + done, n, ids, err));
        for (uint32_t i = 0; i < n; i++)
            out[done + i] = (uint32_t)ids[i];
        done += n;
    }
    return OG_OK;
}

/* ---- values ------------------------------------------------------------------------------- */

static og_status null_column(const og_type *type, uint32_t count, og_array **out, og_error *err)
{
    *out = og_array_new_null(type, count);
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

/* Take the columns that the table holds, in one call. */
static og_status take_stored(og_exec *x, og_lance_table *table, const uint32_t *columns,
                             uint32_t count, const uint32_t *slots, uint32_t slot_count,
                             og_array **out, og_error *err)
{
    uint32_t fields[OG_EXEC_GATHER_MAX], places[OG_EXEC_GATHER_MAX];
    uint32_t field_count = 0;
    assert(count <= OG_EXEC_GATHER_MAX);
    for (uint32_t i = 0; i < count; i++) {
        int32_t field;
        OG_TRY(og_exec__field_of(x, columns[i], &field, err));
        if (field < 0)
            continue;
        fields[field_count] = (uint32_t)field;
        places[field_count++] = i;
    }
    if (field_count == 0)
        return OG_OK;
    OG_AUTO_BATCH taken = {0};
    OG_TRY(og_lance_take(table, fields, field_count, slots, slot_count, &taken, err));
    for (uint32_t i = 0; i < field_count; i++)
        out[places[i]] = OG_TAKE(taken.columns[i]);
    return OG_OK;
}

static void unref_all(og_array **arrays, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        og_array_unref(arrays[i]);
        arrays[i] = NULL;
    }
}

og_status og_exec__gather_slots(og_exec *x, const uint32_t *columns, uint32_t count,
                                const uint32_t *slots, uint32_t slot_count, og_array **out,
                                og_error *err)
{
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(x, x->plan->columns[columns[0]].var, &t, err));
    memset(out, 0, count * sizeof *out);
    og_status status = take_stored(x, t->table, columns, count, slots, slot_count, out, err);
    for (uint32_t i = 0; status == OG_OK && i < count; i++) {
        if (out[i] == NULL)
            status = null_column(x->plan->columns[columns[i]].arrow, slot_count, &out[i], err);
    }
    if (status != OG_OK)
        unref_all(out, count);
    return status;
}

og_status og_exec__ensure_slots(og_exec *x, og_exec__rows *rows, uint32_t var, og_error *err)
{
    if (rows->slots[var] != NULL)
        return OG_OK;
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(x, var, &t, err));
    uint32_t *slots;
    OG_TRY(og_exec__rows_slots(x, rows, var, &slots, err));
    return og_exec__slots_of_vertices(t->table, rows->vertices[var], rows->count, slots, err);
}

/* Runs of one slot: the slots without repeats, and for each row its place among them. */
static uint32_t find_runs(const uint32_t *slots, uint32_t count, uint32_t *distinct,
                          uint32_t *places)
{
    uint32_t runs = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || slots[i] != slots[i - 1])
            distinct[runs++] = slots[i];
        places[i] = runs - 1;
    }
    return runs;
}

static bool has_long_runs(const uint32_t *slots, uint32_t count)
{
    uint32_t repeats = 0;
    for (uint32_t i = 1; i < count; i++)
        repeats += slots[i] == slots[i - 1];
    return repeats > count / 4;
}

static og_status gather_runs(og_exec *x, const uint32_t *columns, uint32_t count,
                             const uint32_t *slots, uint32_t row_count, og_array **out,
                             og_error *err)
{
    OG_AUTO_FREE uint32_t *distinct = og_malloc((size_t)row_count * 2 * sizeof *distinct);
    if (distinct == NULL)
        return og_error_nomem(err);
    uint32_t *places = distinct + row_count;
    uint32_t runs = find_runs(slots, row_count, distinct, places);
    OG_TRY(og_exec__gather_slots(x, columns, count, distinct, runs, out, err));
    for (uint32_t i = 0; i < count; i++) {
        og_array *spread;
        og_status status = og_take_u32(out[i], places, row_count, &spread, err);
        if (status != OG_OK) {
            unref_all(out, count);
            return status;
        }
        og_array_unref(out[i]);
        out[i] = spread;
    }
    return OG_OK;
}

static og_status gather_var(og_exec *x, og_exec__rows *rows, uint32_t var, const uint32_t *columns,
                            uint32_t count, og_array **arrays, og_error *err)
{
    OG_TRY(og_exec__ensure_slots(x, rows, var, err));
    const uint32_t *slots = rows->slots[var];
    if (has_long_runs(slots, rows->count))
        OG_TRY(gather_runs(x, columns, count, slots, rows->count, arrays, err));
    else
        OG_TRY(og_exec__gather_slots(x, columns, count, slots, rows->count, arrays, err));
    for (uint32_t i = 0; i < count; i++)
        rows->columns[columns[i]] = arrays[i];
    return OG_OK;
}

static bool is_listed(const uint32_t *list, uint32_t count, uint32_t column)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == column)
            return true;
    }
    return false;
}

og_status og_exec__gather(og_exec *x, og_exec__rows *rows, const uint32_t *columns, uint32_t count,
                          og_error *err)
{
    uint32_t missing[OG_EXEC_GATHER_MAX];
    og_array *arrays[OG_EXEC_GATHER_MAX];
    for (uint32_t first = 0; first < count; first++) {
        if (rows->columns[columns[first]] != NULL)
            continue;
        uint32_t var = x->plan->columns[columns[first]].var;
        uint32_t n = 0;
        for (uint32_t i = first; i < count && n < OG_EXEC_GATHER_MAX; i++) {
            if (x->plan->columns[columns[i]].var == var && rows->columns[columns[i]] == NULL &&
                !is_listed(missing, n, columns[i]))
                missing[n++] = columns[i];
        }
        OG_TRY(gather_var(x, rows, var, missing, n, arrays, err));
    }
    return OG_OK;
}
