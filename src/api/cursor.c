#include "api/handles_priv.h"
#include "columnar/kernels.h"

#include <inttypes.h>
#include <stdio.h>

og_status og_api__flush(og_buf *buf, og_sink_fn sink, void *context, og_error *err)
{
    if (buf->failed)
        return og_error_nomem(err);
    og_status s = buf->len > 0 ? sink(context, buf->ptr, buf->len, err) : OG_OK;
    og_buf_clear(buf);
    return s;
}

/* ---- opening ------------------------------------------------------------------------------ */

static og_status copy_column_names(og_cursor *c, og_error *err)
{
    c->columns = og_plan_columns(c->query->plan, &c->column_count);
    c->column_names = og_calloc(c->column_count, sizeof *c->column_names);
    if (c->column_names == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < c->column_count; i++) {
        og_str name = c->columns[i].name;
        if ((c->column_names[i] = og_malloc(name.len + 1)) == NULL)
            return og_error_nomem(err);
        memcpy(c->column_names[i], name.ptr, name.len);
        c->column_names[i][name.len] = '\0';
    }
    return OG_OK;
}

/* What results say of where they come from. */
static og_status name_snapshot(og_cursor *c, const og_session *session, og_error *err)
{
    if (session->target.kind == OG_TARGET_BRANCH) {
        c->branch = og_strdup(session->branch);
    } else {
        const char *commit = og_snapshot_commit(c->snapshot);
        char version[32];
        snprintf(version, sizeof version, "%" PRIu64, c->snapshot->manifest_version);
        c->moment = og_strdup(commit[0] != '\0' ? commit : version);
    }
    return c->branch != NULL || c->moment != NULL ? OG_OK : og_error_nomem(err);
}

static og_status start(og_cursor *c, og_session *session, const og_params *params, bool analyze,
                       og_error *err)
{
    og_repo *repo = session->graph->repo;
    c->arena = og_arena_new(0);
    c->row_arena = og_arena_new(0);
    if (c->arena == NULL || c->row_arena == NULL)
        return og_error_nomem(err);
    c->budget.limit = session->memory_bytes;
    og_literal *literals;
    OG_TRY(og_api__bind(c->query, params, session->lenient, c->arena, &literals, err));
    OG_TRY(copy_column_names(c, err));
    OG_TRY(og_api__snapshot(session, &c->snapshot, err));
    OG_TRY(name_snapshot(c, session, err));
    og_exec_options options = {
        .budget = session->memory_bytes > 0 ? &c->budget : NULL,
        .deadline_ns = og_api__deadline(session),
        .cancel = &session->cancelled,
        .now_ms = og_repo_now_us(repo) / 1000,
        .analyze = analyze,
    };
    og_status s = og_exec_open(c->query->plan, literals, c->snapshot, &options, &c->exec, err);
    return og_repo_read_outcome(c->snapshot, s, err);
}

og_status og_api__open_cursor(og_session *session, const og_query *query, const og_params *params,
                              bool analyze, og_cursor **out, og_error *err)
{
    if (query->ir->is_mutation)
        return og_error_set(err, OG_INVALID, "query '%s' is a mutation; run it with mutate",
                            query->name);
    if (query->plan == NULL) {
        if (err != NULL)
            *err = query->plan_error;
        return query->plan_status;
    }
    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    og_cursor *c = og_calloc(1, sizeof *c);
    if (c == NULL)
        return og_error_nomem(err);
    c->query = query;
    c->row = -1;
    og_status s = start(c, session, params, analyze, err);
    if (s != OG_OK) {
        og_cursor_close(c);
        return s;
    }
    *out = c;
    return OG_OK;
}

og_status og_query_run(og_session *session, const og_query *query, const og_params *params,
                       og_cursor **out, og_error *err)
{
    return og_api__open_cursor(session, query, params, false, out, err);
}

void og_cursor_close(og_cursor *c)
{
    if (c == NULL)
        return;
    og_exec_close(c->exec);
    og_batch_deinit(&c->batch);
    og_snapshot_unref(c->snapshot);
    og_arena_free(c->arena);
    og_arena_free(c->row_arena);
    for (uint32_t i = 0; c->column_names != NULL && i < c->column_count; i++)
        og_free(c->column_names[i]);
    og_free(c->column_names);
    og_free(c->branch);
    og_free(c->moment);
    og_free(c);
}

size_t og_cursor_column_count(const og_cursor *cursor)
{
    return cursor->column_count;
}

const char *og_cursor_column_name(const og_cursor *cursor, size_t column)
{
    return column < cursor->column_count ? cursor->column_names[column] : NULL;
}

/* ---- rows --------------------------------------------------------------------------------- */

og_status og_api__next_batch(og_cursor *c, og_error *err)
{
    og_batch_deinit(&c->batch);
    c->batch = (og_batch){0};
    c->row = -1;
    if (c->is_done)
        return OG_OK;
    og_status s = og_exec_next(c->exec, &c->batch, err);
    OG_TRY(og_repo_read_outcome(c->snapshot, s, err));
    c->is_done = c->batch.row_count == 0;
    return OG_OK;
}

og_status og_api__rest_of_batch(og_cursor *c, og_error *err)
{
    int64_t first = c->row + 1;
    if (first == 0 || c->batch.row_count == 0)
        return OG_OK;
    for (uint32_t i = 0; i < c->batch.column_count; i++) {
        og_array *rest;
        OG_TRY(og_slice(c->batch.columns[i], first, c->batch.row_count - first, &rest, err));
        og_array_unref(c->batch.columns[i]);
        c->batch.columns[i] = rest;
    }
    c->batch.row_count -= first;
    c->row = -1;
    return OG_OK;
}

og_status og_cursor_next(og_cursor *c, bool *out_has_row, og_error *err)
{
    c->row++;
    og_arena_reset(c->row_arena);
    if (c->row >= c->batch.row_count) {
        OG_TRY(og_api__next_batch(c, err));
        c->row = 0;
    }
    *out_has_row = !c->is_done;
    return OG_OK;
}

static void scalar_value(const og_array *a, int64_t row, og_value *out)
{
    switch (a->type->id) {
    case OG_TYPE_BOOL:
        out->kind = OG_VALUE_BOOL;
        out->as.boolean = og_array_bool(a, row);
        break;
    case OG_TYPE_I32:
        out->kind = OG_VALUE_I64;
        out->as.i64 = og_array_i32(a, row);
        break;
    case OG_TYPE_I64:
        out->kind = OG_VALUE_I64;
        out->as.i64 = og_array_i64(a, row);
        break;
    case OG_TYPE_U32:
        out->kind = OG_VALUE_U64;
        out->as.u64 = og_array_u32(a, row);
        break;
    case OG_TYPE_U64:
        out->kind = OG_VALUE_U64;
        out->as.u64 = og_array_u64(a, row);
        break;
    case OG_TYPE_F32:
        out->kind = OG_VALUE_F64;
        out->as.f64 = og_array_f32(a, row);
        break;
    case OG_TYPE_F64:
        out->kind = OG_VALUE_F64;
        out->as.f64 = og_array_f64(a, row);
        break;
    case OG_TYPE_DATE32:
        out->kind = OG_VALUE_DATE;
        out->as.i64 = og_array_i32(a, row);
        break;
    case OG_TYPE_DATE64:
        out->kind = OG_VALUE_DATETIME;
        out->as.i64 = og_array_i64(a, row);
        break;
    default: {
        og_str text = og_array_str(a, row);
        out->kind = OG_VALUE_TEXT;
        out->text = (og_text){text.ptr, text.len};
    }
    }
}

og_status og_cursor_value(og_cursor *c, size_t column, og_value *out, og_error *err)
{
    if (column >= c->column_count || c->row < 0 || c->row >= c->batch.row_count)
        return og_error_set(err, OG_INVALID, "the cursor has no value there");
    const og_array *a = c->batch.columns[column];
    *out = (og_value){.kind = OG_VALUE_NULL};
    if (a->type->id == OG_TYPE_NULL || og_array_is_null(a, c->row) ||
        c->columns[column].type.scalar == OG_SCALAR_BLOB)
        return OG_OK;
    if (a->type->child_count == 0) {
        scalar_value(a, c->row, out);
        return OG_OK;
    }
    OG_AUTO_BUF json = OG_BUF_INIT;
    if (!og_api__write_value(&json, &c->columns[column], a, c->row))
        return og_error_nomem(err);
    og_str text = og_arena_str(c->row_arena, og_buf_view(&json));
    if (text.ptr == NULL)
        return og_error_nomem(err);
    out->text = (og_text){text.ptr, text.len};
    out->kind = OG_VALUE_LIST;
    if (a->type->id == OG_TYPE_FIXED_SIZE_LIST && a->children[0]->type->id == OG_TYPE_F32) {
        out->kind = OG_VALUE_VECTOR;
        out->floats = (const float *)a->children[0]->data + c->row * a->type->list_size;
        out->float_count = (size_t)a->type->list_size;
    }
    return OG_OK;
}
