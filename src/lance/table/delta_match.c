/* Equal fragments of two versions (delta_priv.h). */
#include "lance/table/delta_priv.h"

#include "base/map.h"
#include "base/vec.h"

typedef OG_VEC(int32_t) leaf_ids;

/* Everything the two versions are compared by. */
typedef struct matching {
    const og_lance_table *from, *to;
    leaf_ids alien;   /* of columns that one has otherwise than the other, or alone */
    og_strmap *files; /* names of data files of `from` -> fragment */
    og_table__matches *out_from, *out_to;
} matching;

void og_table__matches_deinit(og_table__matches *matches)
{
    og_free(matches->partner);
    og_free(matches->is_alien);
    *matches = (og_table__matches){0};
}

/* ---- columns ------------------------------------------------------------------------------ */

static bool same_field(const og_lance_field *a, const og_lance_field *b)
{
    return a->leaf_count == b->leaf_count && og_type_eq(a->field.type, b->field.type) &&
           memcmp(a->leaf_ids, b->leaf_ids, a->leaf_count * sizeof *a->leaf_ids) == 0;
}

/* Leaves of columns of `table` that are not the same in `other`. */
static bool find_aliens(const og_lance_table *table, const og_lance_table *other, leaf_ids *out)
{
    for (uint32_t i = 0; i < table->field_count; i++) {
        const og_lance_field *field = &table->fields[i];
        int32_t at = og_lance_table_find_field(other, field->field.name);
        if (at >= 0 && same_field(field, &other->fields[at]))
            continue;
        for (uint32_t k = 0; k < field->leaf_count; k++)
            if (!og_vec_push(out, field->leaf_ids[k]))
                return false;
    }
    return true;
}

static bool file_holds(const OgPb__DataFile *file, const leaf_ids *leaves)
{
    for (size_t i = 0; i < leaves->len; i++)
        for (size_t k = 0; k < file->n_fields; k++)
            if (file->fields[k] == leaves->items[i])
                return true;
    return false;
}

static void mark_aliens(const og_lance_table *table, const leaf_ids *alien, bool *out)
{
    for (uint32_t i = 0; alien->len != 0 && i < table->fragment_count; i++)
        for (uint32_t f = 0; f < table->parts[i].file_count; f++)
            out[i] = out[i] || file_holds(table->parts[i].files[f].message, alien);
}

/* ---- files -------------------------------------------------------------------------------- */

static bool same_file(const og_table__data_file *a, const og_table__data_file *b)
{
    return strcmp(a->name, b->name) == 0 && a->message->n_fields == b->message->n_fields &&
           (a->message->n_fields == 0 ||
            memcmp(a->message->fields, b->message->fields,
                   a->message->n_fields * sizeof *a->message->fields) == 0);
}

/* Rows keep their ids as long as they stay in their file,
 * so this holds for all but damaged tables. */
static bool same_row_ids(const OgPb__DataFragment *a, const OgPb__DataFragment *b)
{
    og_bytes x = og_table__bytes(a->inline_row_ids), y = og_table__bytes(b->inline_row_ids);
    return a->has_inline_row_ids == b->has_inline_row_ids && x.len == y.len &&
           (x.len == 0 || memcmp(x.ptr, y.ptr, x.len) == 0);
}

static bool same_fragment(const matching *m, uint32_t from, uint32_t to)
{
    const og_table__fragment *a = &m->from->parts[from], *b = &m->to->parts[to];
    uint32_t rows = m->from->fragments[from].physical_rows;
    if (a->file_count != b->file_count || rows != m->to->fragments[to].physical_rows ||
        !same_row_ids(a->message, b->message))
        return false;
    for (uint32_t f = 0; f < a->file_count; f++)
        if (!same_file(&a->files[f], &b->files[f]))
            return false;
    return true;
}

/* ---- matching ----------------------------------------------------------------------------- */

static bool new_matches(const og_lance_table *table, og_table__matches *out)
{
    size_t count = (size_t)table->fragment_count + 1;
    out->partner = og_malloc(count * sizeof *out->partner);
    out->is_alien = og_calloc(count, sizeof *out->is_alien);
    if (out->partner == NULL || out->is_alien == NULL)
        return false;
    for (uint32_t i = 0; i < table->fragment_count; i++)
        out->partner[i] = OG_TABLE__NO_MATCH;
    return true;
}

static bool index_files(matching *m)
{
    m->files = og_strmap_new(true);
    for (uint32_t i = 0; m->files != NULL && i < m->from->fragment_count; i++)
        for (uint32_t f = 0; f < m->from->parts[i].file_count; f++) {
            og_str name = og_str_of(m->from->parts[i].files[f].name);
            uint64_t *at = og_strmap_put(m->files, name, NULL);
            if (at == NULL)
                return false;
            *at = i;
        }
    return m->files != NULL;
}

/* A fragment that has only some files in common with another had columns written anew under its
 * rows, which need not show in their stamps. */
static void match_fragment(matching *m, uint32_t to)
{
    const og_table__fragment *part = &m->to->parts[to];
    og_table__matches *a = m->out_from, *b = m->out_to;
    for (uint32_t f = 0; f < part->file_count && b->partner[to] == OG_TABLE__NO_MATCH; f++) {
        const uint64_t *found = og_strmap_get(m->files, og_str_of(part->files[f].name));
        uint32_t from = found != NULL ? (uint32_t)*found : 0;
        if (found == NULL || a->partner[from] != OG_TABLE__NO_MATCH)
            continue; /* one file in two fragments of a version: damage, nothing is equal then */
        if (!a->is_alien[from] && !b->is_alien[to] && same_fragment(m, from, to)) {
            a->partner[from] = to;
            b->partner[to] = from;
        } else {
            a->is_alien[from] = b->is_alien[to] = true;
        }
    }
}

static og_status match(matching *m, og_error *err)
{
    if (!new_matches(m->from, m->out_from) || !new_matches(m->to, m->out_to) ||
        !find_aliens(m->from, m->to, &m->alien) || !find_aliens(m->to, m->from, &m->alien) ||
        !index_files(m))
        return og_error_nomem(err);
    mark_aliens(m->from, &m->alien, m->out_from->is_alien);
    mark_aliens(m->to, &m->alien, m->out_to->is_alien);
    for (uint32_t i = 0; i < m->to->fragment_count; i++)
        match_fragment(m, i);
    return OG_OK;
}

og_status og_table__match_fragments(const og_lance_table *from, const og_lance_table *to,
                                    og_table__matches *out_from, og_table__matches *out_to,
                                    og_error *err)
{
    matching m = {.from = from, .to = to, .out_from = out_from, .out_to = out_to};
    og_status status = match(&m, err);
    og_vec_deinit(&m.alien);
    og_strmap_free(m.files);
    return status;
}
