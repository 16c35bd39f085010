/* Rows into data files: one file per fragment, cut at a number of rows. */
#include "columnar/kernels.h"
#include "lance/table/cache_priv.h"
#include "lance/table/write_priv.h"

og_status og_table__write_name(og_lance_write *write, const char *name, og_error *err)
{
    char *copy = og_strdup(name);
    if (copy == NULL || !og_vec_push(&write->names, copy)) {
        og_free(copy);
        return og_error_nomem(err);
    }
    return OG_OK;
}

static const og_random *random_of(const og_lance_write *write)
{
    return write->options.random != NULL ? write->options.random : &og_system_random;
}

og_status og_table__file_begin(og_lance_write *write, const og_lance_write_column *columns,
                               uint32_t column_count, og_bytes descriptor, const char **out_file,
                               og_lance_file_writer **out, og_error *err)
{
    char uuid[37];
    og_uuid_format(og_uuid_new(random_of(write)), uuid);
    const char *file = og_arena_printf(write->arena, "%s.lance", uuid).ptr;
    OG_AUTO_BUF name = OG_BUF_INIT;
    og_table__join(&name, write->options.path, "data/");
    if (file == NULL || !og_buf_text(&name, file))
        return og_error_nomem(err);
    OG_TRY(og_table__write_name(write, og_buf_cstr(&name), err));
    if (write->encoders == NULL)
        write->encoders = og_lance_encoders_new(og_table__env_encoding(write->env));
    if (write->encoders == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_file_writer_open(og_lance_env_store(write->env), og_buf_cstr(&name), columns,
                                     column_count, descriptor, out, err));
    og_lance_file_writer_use(*out, write->encoders);
    *out_file = file;
    return OG_OK;
}

og_status og_table__file_end(og_lance_write *write, og_lance_file_writer **writer,
                             uint64_t *out_bytes, og_error *err)
{
    OG_TRY(og_lance_file_writer_finish(*writer, out_bytes, err));
    size_t count;
    const char *const *extra = og_lance_file_writer_extra_names(*writer, &count);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_table__write_name(write, extra[i], err));
    og_lance_file_writer_close(*writer);
    *writer = NULL;
    return OG_OK;
}

static og_status begin_fragment(og_table__rows_out *out, og_error *err)
{
    og_lance_write *write = out->write;
    if (!og_vec_push(&out->fragments, (og_table__new_fragment){0}))
        return og_error_nomem(err);
    return og_table__file_begin(write, write->columns, write->field_count,
                                og_buf_bytes(&write->descriptor),
                                &og_vec_last(&out->fragments).file, &out->writer, err);
}

static og_status finish_ending(og_table__rows_out *out, og_error *err)
{
    if (out->ending == NULL)
        return OG_OK;
    og_lance_write *write = out->write;
    og_table__new_fragment *fragment = &out->fragments.items[out->ending_index];
    uint64_t bytes;
    OG_TRY(og_table__file_end(write, &out->ending, &bytes, err));
    return og_table__data_file_new(write->arena, write->fields, write->field_count, fragment->file,
                                   bytes, &fragment->message, err);
}

/* The open data file is the ending one now. */
static void let_end(og_table__rows_out *out)
{
    out->ending = OG_TAKE(out->writer);
    out->ending_index = out->fragments.len - 1;
}

/* The open data file is full. */
static og_status end_fragment(og_table__rows_out *out, og_error *err)
{
    OG_TRY(og_lance_file_writer_end(out->writer, err));
    OG_TRY(finish_ending(out, err));
    let_end(out);
    return OG_OK;
}

og_status og_table__rows_cut(og_table__rows_out *out, og_error *err)
{
    if (out->writer != NULL && out->ending != NULL)
        OG_TRY(end_fragment(out, err));
    else if (out->writer != NULL)
        let_end(out);
    return finish_ending(out, err);
}

void og_table__rows_deinit(og_table__rows_out *out)
{
    og_lance_file_writer_close(OG_TAKE(out->ending));
    og_lance_file_writer_close(OG_TAKE(out->writer));
    for (size_t i = 0; i < out->fragments.len; i++)
        og_table__row_facts_deinit(&out->fragments.items[i].facts);
    og_vec_deinit(&out->fragments);
}

og_status og_table__rows_join(og_table__rows_out *out, og_table__rows_out *from, og_error *err)
{
    if (!og_vec_reserve(&out->fragments, from->fragments.len))
        return og_error_nomem(err);
    for (size_t i = 0; i < from->fragments.len; i++)
        out->fragments.items[out->fragments.len++] = from->fragments.items[i];
    from->fragments.len = 0;
    return OG_OK;
}

/* The part of a run [first, first + count) inside rows [start, end): its first row and length. */
static uint32_t overlap(uint32_t first, uint32_t count, uint32_t start, uint32_t end,
                        uint32_t *out_low)
{
    uint32_t low = first > start ? first : start;
    uint32_t high = first + count < end ? first + count : end;
    *out_low = low;
    return low < high ? high - low : 0;
}

static bool add_versions(og_table__version_runs *to, uint32_t at,
                         const og_table__version_runs *runs, uint32_t start, uint32_t end)
{
    for (size_t i = 0; i < runs->len; i++) {
        const og_table__version_run *run = &runs->items[i];
        uint32_t low, n = overlap(run->first_slot, run->count, start, end, &low);
        if (n != 0 && !og_table__version_runs_add(to, at + (low - start), n, run->version))
            return false;
    }
    return true;
}

/* What is said of rows [start, end) of a batch, as rows from `at` on. */
static bool add_facts(og_table__row_facts *to, uint32_t at, const og_table__row_facts *facts,
                      uint32_t start, uint32_t end)
{
    for (size_t i = 0; i < facts->ids.len; i++) {
        const og_table__id_run *run = &facts->ids.items[i];
        uint32_t low, n = overlap(run->first_slot, run->count, start, end, &low);
        if (n != 0 && !og_table__id_runs_add(&to->ids, at + (low - start), n,
                                             run->first_id + (low - run->first_slot)))
            return false;
    }
    if (facts->kept_rows > start)
        to->kept_rows += (facts->kept_rows < end ? facts->kept_rows : end) - start;
    return add_versions(&to->updated, at, &facts->updated, start, end) &&
           add_versions(&to->created, at, &facts->created, start, end);
}

void og_table__row_facts_deinit(og_table__row_facts *facts)
{
    og_vec_deinit(&facts->ids);
    og_vec_deinit(&facts->updated);
    og_vec_deinit(&facts->created);
}

static og_status slice_batch(const og_batch *batch, uint32_t start, uint32_t count, og_batch *out,
                             og_error *err)
{
    OG_AUTO_BATCH piece = {0};
    OG_TRY(og_batch_init(&piece, batch->column_count, count, err));
    bool whole = start == 0 && count == (uint64_t)batch->row_count;
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (whole)
            piece.columns[i] = og_array_ref(batch->columns[i]);
        else
            OG_TRY(og_slice(batch->columns[i], start, count, &piece.columns[i], err));
    }
    *out = piece;
    piece = (og_batch){0};
    return OG_OK;
}

og_status og_table__rows_add(og_table__rows_out *out, const og_batch *batch,
                             const og_table__row_facts *facts, og_error *err)
{
    uint32_t total = (uint32_t)batch->row_count;
    uint32_t most = out->max_rows != 0 ? out->max_rows : OG_TABLE__FRAGMENT_ROWS;
    for (uint32_t start = 0; start < total;) {
        if (out->writer == NULL)
            OG_TRY(begin_fragment(out, err));
        og_table__new_fragment *fragment = &og_vec_last(&out->fragments);
        uint32_t room = most - fragment->rows;
        uint32_t count = total - start < room ? total - start : room;
        OG_AUTO_BATCH piece = {0};
        OG_TRY(slice_batch(batch, start, count, &piece, err));
        OG_TRY(og_lance_file_writer_write(out->writer, &piece, err));
        if (!add_facts(&fragment->facts, fragment->rows, facts, start, start + count))
            return og_error_nomem(err);
        fragment->rows += count;
        start += count;
        if (fragment->rows == most)
            OG_TRY(end_fragment(out, err));
    }
    return OG_OK;
}
