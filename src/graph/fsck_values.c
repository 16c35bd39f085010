/* Values of stored rows against the rules that the schema has for single values. */
#include <inttypes.h>

#include "graph/fsck_priv.h"
#include "graph/value_check.h"

/* One column of a table, of one property; or its ids, with keys or without. */
typedef struct column {
    og_graph__fsck *f;
    const og_type_def *def;
    uint32_t property;
    const char *name; /* of a column that may not be null: "id" */
    uint64_t found;
    og_buf scratch;
    og_status told; /* what became of telling */
    og_error *err;
} column;

static og_status tell(column *c, og_str id, const char *message, og_error *err)
{
    if (++c->found > OG_GRAPH__MAX_TOLD)
        return OG_OK;
    id = og_graph__fsck_shown(id);
    c->told = og_graph__fsck_tell(c->f, OG_FINDING_VALUE, c->def->table_key, c->err,
                                  "row '%.*s': %s", OG_FMT(id), message);
    return c->told == OG_OK ? OG_OK : og_error_set(err, OG_CANCELLED, "not told");
}

/* Columns: id, the property. A rowset gathers what it checks, so each batch has its own. */
static og_status check_property_batch(void *context, const og_batch *batch, og_error *err)
{
    column *c = context;
    OG_AUTO(og_graph__rowset) rows = NULL;
    OG_TRY(og_graph__rowset_new(c->def, NULL, &rows, err));
    for (int64_t row = 0; row < batch->row_count; row++) {
        og_error why;
        og_status s = og_graph__value_check(rows, c->property, batch->columns[1], row, &why);
        if (s == OG_INVALID)
            OG_TRY(tell(c, og_array_str(batch->columns[0], row), why.message, err));
        else if (s != OG_OK)
            return og_error_set(err, s, "%s", why.message);
    }
    return OG_OK;
}

/* Columns: id, the key. */
static og_status check_key_batch(void *context, const og_batch *batch, og_error *err)
{
    column *c = context;
    for (int64_t row = 0; row < batch->row_count; row++) {
        og_str id = og_array_str(batch->columns[0], row);
        if (!og_graph__is_key_text(c->def, batch->columns[1], row, id, &c->scratch))
            OG_TRY(tell(c, id, "its id is not its @key", err));
    }
    return OG_OK;
}

/* Columns: id, one that every row has. */
static og_status check_null_batch(void *context, const og_batch *batch, og_error *err)
{
    column *c = context;
    og_buf_clear(&c->scratch);
    if (!og_buf_printf(&c->scratch, "it has no %s", c->name))
        return og_error_nomem(err);
    const char *message = og_buf_cstr(&c->scratch);
    for (int64_t row = 0; row < batch->row_count; row++)
        if (og_array_is_null(batch->columns[1], row))
            OG_TRY(tell(c,
                        og_array_is_null(batch->columns[0], row)
                            ? OG_STR("")
                            : og_array_str(batch->columns[0], row),
                        message, err));
    return OG_OK;
}

/* Go through the ids and the column with this name. */
static og_status check_column(column *c, og_lance_table *table, og_str name,
                              og_graph__batch_fn check, og_error *err)
{
    int32_t id = og_lance_table_find_field(table, OG_STR("id"));
    int32_t field = og_lance_table_find_field(table, name);
    if (id < 0 || field < 0)
        return OG_OK;
    const uint32_t fields[2] = {(uint32_t)id, (uint32_t)field};
    og_error problem;
    c->err = err;
    c->found = 0;
    og_status s = og_graph__each_batch(c->f, table, fields, 2, check, c, &problem);
    OG_TRY(c->told);
    if (s != OG_OK)
        return og_graph__fsck_judge(c->f, s, OG_FINDING_CONTENT, c->def->table_key, &problem, err);
    if (c->found <= OG_GRAPH__MAX_TOLD)
        return OG_OK;
    return og_graph__fsck_tell(c->f, OG_FINDING_VALUE, c->def->table_key, err,
                               "%" PRIu64 " more rows like this", c->found - OG_GRAPH__MAX_TOLD);
}

static og_status check_all(column *c, og_lance_table *table, og_error *err)
{
    static const char *const always[] = {"id", "src", "dst"};
    const og_type_def *def = c->def;
    for (uint32_t i = 0; i < og_type_def_first_property(def); i++) {
        c->name = always[i];
        OG_TRY(check_column(c, table, og_str_of(always[i]), check_null_batch, err));
    }
    if (!def->is_edge && def->key_property >= 0)
        OG_TRY(
            check_column(c, table, def->properties[def->key_property].name, check_key_batch, err));
    for (c->property = 0; c->property < def->property_count; c->property++)
        if (og_graph__is_constrained(def, c->property))
            OG_TRY(check_column(c, table, def->properties[c->property].name, check_property_batch,
                                err));
    return OG_OK;
}

og_status og_graph__fsck_values(og_graph__fsck *f, const og_type_def *def, og_lance_table *table,
                                og_error *err)
{
    column c = {.f = f, .def = def, .scratch = OG_BUF_INIT};
    og_status s = check_all(&c, table, err);
    og_buf_deinit(&c.scratch);
    return s;
}
