/* Nodes by the hash of a column.
 *
 * A bucket's entries stand together and in order of the nodes, so that a probe gives nodes in the
 * order of the cross product that it stands for. Equal hashes are enough: the FILTER behind tests
 * the predicate itself. */
#include "exec/run_priv.h"

#include "columnar/kernels.h"

/* Types of which equal values have equal hashes; with floats, -0.0 equals 0.0. */
static bool is_hashable(const og_type *type)
{
    return type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_BOOL || type->id == OG_TYPE_DATE32 ||
           type->id == OG_TYPE_DATE64 || (type->id >= OG_TYPE_I8 && type->id <= OG_TYPE_U64);
}

/* Is it `column of var = column of another variable`? Then these columns, in this order. */
static bool is_join(const og_plan *plan, const og_exec__predicate *p, uint32_t var,
                    uint32_t *out_node, uint32_t *out_row)
{
    if (p->op != OG_CMP_EQ || p->left.kind != OG_OPERAND_COLUMN ||
        p->right.kind != OG_OPERAND_COLUMN)
        return false;
    bool left_is_node = plan->columns[p->left.index].var == var;
    *out_node = left_is_node ? p->left.index : p->right.index;
    *out_row = left_is_node ? p->right.index : p->left.index;
    const og_exec__column *node = &plan->columns[*out_node], *row = &plan->columns[*out_row];
    return node->var == var && row->var != var && og_type_eq(node->arrow, row->arrow) &&
           is_hashable(node->arrow) && node->type.scalar != OG_SCALAR_BLOB;
}

bool og_exec__find_join(const og_plan *plan, const og_exec__step *scan, uint32_t step_count,
                        og_exec__join *out)
{
    for (uint32_t i = 1; i < step_count && scan[i].kind == OG_STEP_FILTER; i++)
        for (uint32_t k = 0; k < scan[i].predicate_count; k++)
            if (is_join(plan, &scan[i].predicates[k], scan->var, &out->node_column,
                        &out->row_column)) {
                out->predicate = &scan[i].predicates[k];
                return true;
            }
    return false;
}

/* ---- the nodes ---------------------------------------------------------------------------- */

/* Hashes of all nodes; is_null marks those that equal nothing. */
static og_status hash_nodes(og_exec *x, const og_exec__join *join, const uint32_t *slots,
                            uint32_t count, uint64_t *hashes, uint8_t *is_null, og_error *err)
{
    for (uint32_t at = 0; at < count; at += OG_BATCH_ROWS) {
        uint32_t n = count - at < OG_BATCH_ROWS ? count - at : OG_BATCH_ROWS;
        og_array *values;
        OG_TRY(og_exec__check(x, err));
        OG_TRY(og_exec__gather_slots(x, &join->node_column, 1, slots + at, n, &values, err));
        og_hash_column(values, hashes + at);
        for (uint32_t i = 0; i < n; i++)
            is_null[at + i] = og_array_is_null(values, i);
        og_array_unref(values);
    }
    return OG_OK;
}

/* Counting sort by bucket: stable, so nodes stay in order. */
static void fill_buckets(og_exec__join *join, const uint64_t *hashes, const uint8_t *is_null,
                         uint32_t count)
{
    uint32_t *starts = join->starts;
    for (uint32_t i = 0; i < count; i++)
        starts[(hashes[i] & join->mask) + 1] += !is_null[i];
    for (uint64_t b = 0; b <= join->mask; b++)
        starts[b + 1] += starts[b];
    for (uint32_t i = 0; i < count; i++) {
        if (is_null[i])
            continue;
        uint32_t at = starts[hashes[i] & join->mask]++;
        join->entries[at] = i;
        join->hashes[at] = hashes[i];
    }
    /* Each start now stands where the next one began. */
    for (uint64_t b = join->mask + 1; b > 0; b--)
        starts[b] = starts[b - 1];
    starts[0] = 0;
}

og_status og_exec__join_build(og_exec__join *join, og_exec *x, const uint32_t *slots,
                              uint32_t count, og_error *err)
{
    uint64_t buckets = 16;
    while (buckets < count)
        buckets *= 2;
    OG_TRY(og_exec__reserve(x, "join", (size_t)count * 21 + (size_t)buckets * 4, err));
    OG_AUTO_FREE uint64_t *hashes = og_calloc((size_t)count + 1, sizeof *hashes);
    OG_AUTO_FREE uint8_t *is_null = og_calloc((size_t)count + 1, 1);
    join->mask = buckets - 1;
    join->starts = og_calloc((size_t)buckets + 1, sizeof *join->starts);
    join->entries = og_malloc(((size_t)count + 1) * sizeof *join->entries);
    join->hashes = og_malloc(((size_t)count + 1) * sizeof *join->hashes);
    join->row_hashes = og_malloc(OG_BATCH_ROWS * sizeof *join->row_hashes);
    if (hashes == NULL || is_null == NULL || join->starts == NULL || join->entries == NULL ||
        join->hashes == NULL || join->row_hashes == NULL)
        return og_error_nomem(err);
    OG_TRY(hash_nodes(x, join, slots, count, hashes, is_null, err));
    fill_buckets(join, hashes, is_null, count);
    return OG_OK;
}

void og_exec__join_deinit(og_exec__join *join)
{
    og_free(join->starts);
    og_free(join->entries);
    og_free(join->hashes);
    og_free(join->row_hashes);
}

/* ---- the rows ----------------------------------------------------------------------------- */

og_status og_exec__join_rows(og_exec__join *join, og_exec *x, og_exec__rows *rows, og_error *err)
{
    OG_TRY(og_exec__gather(x, rows, &join->row_column, 1, err));
    memset(join->row_hashes, 0, rows->count * sizeof *join->row_hashes);
    og_hash_column(rows->columns[join->row_column], join->row_hashes);
    join->row_values = rows->columns[join->row_column];
    return OG_OK;
}

uint32_t og_exec__join_probe(const og_exec__join *join, uint32_t row, uint32_t *place,
                             uint32_t *out, uint32_t capacity)
{
    uint64_t hash = join->row_hashes[row], bucket = hash & join->mask;
    uint32_t at = join->starts[bucket] + *place, end = join->starts[bucket + 1], count = 0;
    if (og_array_is_null(join->row_values, row))
        at = end;
    for (; at < end && count < capacity; at++) {
        out[count] = join->entries[at];
        count += join->hashes[at] == hash;
    }
    *place = at < end ? at - join->starts[bucket] : OG_JOIN_DONE;
    return count;
}
