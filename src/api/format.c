/* The five output formats of read queries, byte for byte the reference's (omnigraph-cli
 * read_format.rs; serde_json's compact and pretty forms).
 *
 * All but CSV say the number of rows before the first, and a table the widest cell, so the batches
 * are held, counted against the query's memory, before anything is written; then text goes out in
 * pieces of OUT_BYTES. Of columns with equal names every format shows the last one's values: JSON
 * once, where the first stands, the others in every place. */
#include "api/handles_priv.h"
#include "base/vec.h"

#include <inttypes.h>

#define OUT_BYTES ((size_t)64 * 1024)
#define DEFAULT_COLUMN_WIDTH 80
#define MIN_COLUMN_WIDTH 8

/* One column as it is shown. */
typedef struct shown {
    uint32_t source; /* column of the batch: the last one of this name */
    bool is_repeat;  /* a name that stood before: JSON leaves it out */
    bool is_null;    /* blobs are shown as null */
    og_str name;
    og_str key;       /* name as JSON */
    size_t width;     /* table */
    og_buf cell;      /* table: what is left of the cell being written */
    size_t cell_done; /* bytes of it that have been */
} shown;

typedef struct printer {
    og_cursor *cursor;
    const og_format_options *options;
    og_sink_fn sink;
    void *sink_context;
    og_arena *arena;
    og_buf buf;
    shown *columns;
    uint32_t column_count;
    OG_VEC(og_batch) batches;
    uint64_t charged; /* bytes of held batches */
    uint64_t row_count;
    uint64_t written;
} printer;

typedef void (*row_fn)(printer *p, const og_batch *batch, int64_t row);

static void printer_deinit(printer *p)
{
    for (size_t i = 0; i < p->batches.len; i++)
        og_batch_deinit(&p->batches.items[i]);
    og_vec_deinit(&p->batches);
    og_budget_release(&p->cursor->budget, p->charged);
    for (uint32_t i = 0; p->columns != NULL && i < p->column_count; i++)
        og_buf_deinit(&p->columns[i].cell);
    og_buf_deinit(&p->buf);
    og_arena_free(p->arena);
}

static og_status printer_init(printer *p, og_error *err)
{
    const og_cursor *c = p->cursor;
    p->arena = og_arena_new(0);
    if (p->arena == NULL)
        return og_error_nomem(err);
    p->columns = og_arena_array_of(p->arena, shown, c->column_count + 1);
    if (p->columns == NULL)
        return og_error_nomem(err);
    p->column_count = c->column_count;
    for (uint32_t i = 0; i < c->column_count; i++) {
        shown *s = &p->columns[i];
        s->name = c->columns[i].name;
        for (uint32_t k = 0; k < c->column_count; k++) {
            if (!og_str_eq(c->columns[k].name, s->name))
                continue;
            s->source = k;
            s->is_repeat |= k < i;
        }
        s->is_null = c->columns[s->source].type.scalar == OG_SCALAR_BLOB;
        OG_AUTO_BUF key = OG_BUF_INIT;
        og_json_write_str(&key, s->name);
        s->key = og_arena_str(p->arena, og_buf_view(&key));
        if (key.failed || s->key.ptr == NULL)
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

static og_status flush(printer *p, og_error *err)
{
    return og_api__flush(&p->buf, p->sink, p->sink_context, err);
}

static og_status write_batch(printer *p, const og_batch *batch, row_fn write_row, og_error *err)
{
    for (int64_t row = 0; row < batch->row_count; row++) {
        write_row(p, batch, row);
        p->written++;
        if (p->buf.len >= OUT_BYTES || p->buf.failed)
            OG_TRY(flush(p, err));
    }
    return OG_OK;
}

static og_status hold(printer *p, og_batch *batch, og_error *err)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch->column_count; i++)
        bytes += og_array_bytes(batch->columns[i]);
    if (!og_budget_try_add(&p->cursor->budget, bytes))
        return og_error_set(err, OG_NOMEM, "memory limit: output needs %" PRIu64 " of %" PRIu64,
                            og_budget_used(&p->cursor->budget) + bytes, p->cursor->budget.limit);
    p->charged += bytes;
    if (!og_vec_push(&p->batches, *batch))
        return og_error_nomem(err);
    p->row_count += (uint64_t)batch->row_count;
    *batch = (og_batch){0};
    return OG_OK;
}

/* Batch by batch to the end of the cursor: given to `write_row`, or held when that is NULL. */
static og_status drain(printer *p, row_fn write_row, og_error *err)
{
    og_cursor *c = p->cursor;
    OG_TRY(og_api__rest_of_batch(c, err));
    while (!c->is_done) {
        if (c->batch.row_count > 0)
            OG_TRY(write_row != NULL ? write_batch(p, &c->batch, write_row, err)
                                     : hold(p, &c->batch, err));
        OG_TRY(og_api__next_batch(c, err));
    }
    return OG_OK;
}

static og_status write_held(printer *p, row_fn write_row, og_error *err)
{
    for (size_t i = 0; i < p->batches.len; i++)
        OG_TRY(write_batch(p, &p->batches.items[i], write_row, err));
    return OG_OK;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void write_json_value(printer *p, const shown *s, const og_batch *batch, int64_t row,
                             int indent)
{
    if (s->is_null)
        og_buf_append(&p->buf, "null", 4);
    else
        og_api__write_json(&p->buf, batch->columns[s->source], row, indent);
}

static void write_json_row(printer *p, const og_batch *batch, int64_t row)
{
    og_buf_text(&p->buf, p->written > 0 ? ",\n    {" : "\n    {");
    for (uint32_t i = 0; i < p->column_count; i++) {
        const shown *s = &p->columns[i];
        if (s->is_repeat)
            continue;
        og_buf_text(&p->buf, i > 0 ? ",\n      " : "\n      ");
        og_buf_str(&p->buf, s->key);
        og_buf_append(&p->buf, ": ", 2);
        write_json_value(p, s, batch, row, 6);
    }
    og_buf_text(&p->buf, "\n    }");
}

static void write_text_or_null(og_buf *out, const char *text)
{
    if (text != NULL)
        og_json_write_str(out, og_str_of(text));
    else
        og_buf_text(out, "null");
}

static og_status write_json(printer *p, og_error *err)
{
    OG_TRY(drain(p, NULL, err));
    og_buf *out = &p->buf;
    og_buf_text(out, "{\n  \"query_name\": ");
    og_json_write_str(out, og_str_of(p->cursor->query->name));
    og_buf_text(out, ",\n  \"target\": {\n    \"branch\": ");
    write_text_or_null(out, p->cursor->branch);
    og_buf_text(out, ",\n    \"snapshot\": ");
    write_text_or_null(out, p->cursor->moment);
    og_buf_printf(out, "\n  },\n  \"row_count\": %" PRIu64 ",\n  \"columns\": [", p->row_count);
    for (uint32_t i = 0; i < p->column_count; i++) {
        og_buf_text(out, i > 0 ? ",\n    " : "\n    ");
        og_buf_str(out, p->columns[i].key);
    }
    og_buf_text(out, "\n  ],\n  \"rows\": [");
    OG_TRY(write_held(p, write_json_row, err));
    og_buf_text(out, p->row_count > 0 ? "\n  ]\n}\n" : "]\n}\n");
    return OG_OK;
}

static void write_jsonl_row(printer *p, const og_batch *batch, int64_t row)
{
    og_buf_byte(&p->buf, '{');
    for (uint32_t i = 0; i < p->column_count; i++) {
        const shown *s = &p->columns[i];
        if (s->is_repeat)
            continue;
        if (i > 0)
            og_buf_byte(&p->buf, ',');
        og_buf_str(&p->buf, s->key);
        og_buf_byte(&p->buf, ':');
        write_json_value(p, s, batch, row, -1);
    }
    og_buf_append(&p->buf, "}\n", 2);
}

static og_status write_jsonl(printer *p, og_error *err)
{
    OG_TRY(drain(p, NULL, err));
    og_buf_text(&p->buf, "{\"kind\":\"metadata\",\"query_name\":");
    og_json_write_str(&p->buf, og_str_of(p->cursor->query->name));
    og_buf_text(&p->buf, ",\"target\":{\"branch\":");
    write_text_or_null(&p->buf, p->cursor->branch);
    og_buf_text(&p->buf, ",\"snapshot\":");
    write_text_or_null(&p->buf, p->cursor->moment);
    og_buf_printf(&p->buf, "},\"row_count\":%" PRIu64 "}\n", p->row_count);
    return write_held(p, write_jsonl_row, err);
}

/* ---- CSV and blocks ----------------------------------------------------------------------- */

/* Show what was appended since `start` with its control characters spelled out. */
static void escape_controls(og_buf *out, size_t start)
{
    OG_AUTO_BUF plain = OG_BUF_INIT;
    og_buf_visible(&plain, og_str_slice(og_buf_view(out), start, out->len), false);
    out->len = start;
    out->failed |= plain.failed;
    og_buf_str(out, og_buf_view(&plain));
}

static void write_cell(og_buf *out, const shown *s, const og_batch *batch, int64_t row)
{
    if (s->is_null)
        og_buf_append(out, "null", 4);
    else
        og_api__write_cell(out, batch->columns[s->source], row);
}

/* Put quotes around what was appended since `start` when it needs them. */
static void quote_csv(og_buf *out, size_t start)
{
    size_t len = out->len - start, quotes = 0;
    bool needs = false;
    for (size_t i = start; i < out->len; i++) {
        uint8_t c = out->ptr[i];
        quotes += c == '"';
        needs |= c == ',' || c == '"' || c == '\n' || c == '\r';
    }
    if (!needs || !og_buf_reserve(out, quotes + 2))
        return;
    uint8_t *to = out->ptr + start + len + quotes + 2;
    *--to = '"';
    for (size_t i = start + len; i-- > start;) {
        uint8_t c = out->ptr[i];
        *--to = c;
        if (c == '"')
            *--to = '"';
    }
    *--to = '"';
    out->len += quotes + 2;
}

static void write_csv_row(printer *p, const og_batch *batch, int64_t row)
{
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (i > 0)
            og_buf_byte(&p->buf, ',');
        size_t start = p->buf.len;
        write_cell(&p->buf, &p->columns[i], batch, row);
        quote_csv(&p->buf, start);
    }
    og_buf_byte(&p->buf, '\n');
}

static og_status write_csv(printer *p, og_error *err)
{
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (i > 0)
            og_buf_byte(&p->buf, ',');
        size_t start = p->buf.len;
        og_buf_str(&p->buf, p->columns[i].name);
        quote_csv(&p->buf, start);
    }
    og_buf_byte(&p->buf, '\n');
    return drain(p, write_csv_row, err);
}

static void write_summary(printer *p)
{
    const og_cursor *c = p->cursor;
    og_buf_printf(&p->buf, "%" PRIu64 " rows from %s %s via %s\n", p->row_count,
                  c->branch != NULL ? "branch" : "snapshot",
                  c->branch != NULL ? c->branch : c->moment, c->query->name);
}

static void write_kv_row(printer *p, const og_batch *batch, int64_t row)
{
    og_buf_printf(&p->buf, "%srow %" PRIu64 "\n", p->written > 0 ? "\n" : "", p->written + 1);
    for (uint32_t i = 0; i < p->column_count; i++) {
        og_buf_str(&p->buf, p->columns[i].name);
        og_buf_append(&p->buf, ": ", 2);
        size_t start = p->buf.len;
        write_cell(&p->buf, &p->columns[i], batch, row);
        if (p->options->for_terminal)
            escape_controls(&p->buf, start);
        og_buf_byte(&p->buf, '\n');
    }
}

static og_status write_kv(printer *p, og_error *err)
{
    OG_TRY(drain(p, NULL, err));
    write_summary(p);
    if (p->row_count == 0)
        og_buf_text(&p->buf, "(no rows)\n");
    return write_held(p, write_kv_row, err);
}

/* ---- table -------------------------------------------------------------------------------- */

/* The text of a cell on one line: a newline shows as "\n". */
static void fill_cell(const printer *p, shown *s, const og_batch *batch, int64_t row)
{
    og_buf_clear(&s->cell);
    s->cell_done = 0;
    write_cell(&s->cell, s, batch, row);
    if (p->options->for_terminal)
        escape_controls(&s->cell, 0);
    size_t newlines = 0;
    for (size_t i = 0; i < s->cell.len; i++)
        newlines += s->cell.ptr[i] == '\n';
    if (newlines == 0 || !og_buf_reserve(&s->cell, newlines))
        return;
    uint8_t *to = s->cell.ptr + s->cell.len + newlines;
    for (size_t i = s->cell.len; i-- > 0;) {
        uint8_t c = s->cell.ptr[i];
        *--to = c == '\n' ? 'n' : c;
        if (c == '\n')
            *--to = '\\';
    }
    s->cell.len += newlines;
}

static size_t width_of(const printer *p, og_str text)
{
    return p->options->for_terminal ? og_utf8_columns(text) : og_utf8_length(text);
}

static void widen(printer *p, const og_batch *batch, size_t max_width)
{
    for (uint32_t i = 0; i < p->column_count; i++) {
        shown *s = &p->columns[i];
        for (int64_t row = 0; row < batch->row_count && s->width < max_width; row++) {
            fill_cell(p, s, batch, row);
            size_t len = width_of(p, og_buf_view(&s->cell));
            len = len < max_width ? len : max_width;
            s->width = len > s->width ? len : s->width;
        }
    }
}

static void set_widths(printer *p)
{
    size_t max_width =
        p->options->max_column_width != 0 ? p->options->max_column_width : DEFAULT_COLUMN_WIDTH;
    for (uint32_t i = 0; i < p->column_count; i++)
        p->columns[i].width = width_of(p, p->columns[i].name);
    for (size_t i = 0; i < p->batches.len; i++)
        widen(p, &p->batches.items[i], max_width);
    size_t widest = max_width > MIN_COLUMN_WIDTH ? max_width : MIN_COLUMN_WIDTH;
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (p->columns[i].width > widest)
            p->columns[i].width = widest;
    }
}

/* The first `count` code points of text. */
static og_str take_chars(og_str text, size_t count)
{
    size_t at = 0;
    for (; count > 0 && at < text.len; count--)
        og_utf8_next(text, &at);
    return og_str_slice(text, 0, at);
}

/* As much of the text's start as fits into the width, but at least one character. */
static og_str take_width(const printer *p, og_str text, size_t width)
{
    if (!p->options->for_terminal)
        return take_chars(text, width);
    og_str taken = og_utf8_take_columns(text, width);
    return taken.len > 0 ? taken : take_chars(text, 1);
}

static void write_padded(printer *p, og_str text, size_t width)
{
    size_t len = width_of(p, text);
    og_buf_str(&p->buf, text);
    if (len < width)
        og_buf_fill(&p->buf, ' ', width - len);
}

/* The next line of a cell: all of it, or when it is too wide, its start with a mark, or by wrapping
 * its next piece. */
static void write_cell_line(printer *p, shown *s)
{
    og_str left = og_str_slice(og_buf_view(&s->cell), s->cell_done, s->cell.len);
    og_str line = left;
    bool is_cut = false;
    if (left.len > s->width && width_of(p, left) > s->width) {
        is_cut = !p->options->wrap_cells && s->width > 1;
        line = take_width(p, left, is_cut ? s->width - 1 : s->width);
    }
    s->cell_done = p->options->wrap_cells ? s->cell_done + line.len : s->cell.len;
    if (is_cut) {
        size_t used = width_of(p, line);
        og_buf_str(&p->buf, line);
        write_padded(p, OG_STR("…"), s->width > used ? s->width - used : 0);
    } else {
        write_padded(p, line, s->width);
    }
}

static void write_table_row(printer *p, const og_batch *batch, int64_t row)
{
    for (uint32_t i = 0; i < p->column_count; i++)
        fill_cell(p, &p->columns[i], batch, row);
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < p->column_count; i++) {
            shown *s = &p->columns[i];
            if (i > 0)
                og_buf_append(&p->buf, " | ", 3);
            write_cell_line(p, s);
            p->buf.failed |= s->cell.failed;
            more |= s->cell_done < s->cell.len;
        }
        og_buf_byte(&p->buf, '\n');
    }
}

static og_status write_table(printer *p, og_error *err)
{
    OG_TRY(drain(p, NULL, err));
    set_widths(p);
    write_summary(p);
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (i > 0)
            og_buf_append(&p->buf, " | ", 3);
        write_padded(p, p->columns[i].name, p->columns[i].width);
    }
    og_buf_byte(&p->buf, '\n');
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (i > 0)
            og_buf_append(&p->buf, "-+-", 3);
        og_buf_fill(&p->buf, '-', p->columns[i].width);
    }
    og_buf_byte(&p->buf, '\n');
    return write_held(p, write_table_row, err);
}

/* ---- all ---------------------------------------------------------------------------------- */

static og_status write_format(printer *p, og_error *err)
{
    OG_TRY(printer_init(p, err));
    switch (p->options->format) {
    case OG_FORMAT_JSON:
        OG_TRY(write_json(p, err));
        break;
    case OG_FORMAT_JSONL:
        OG_TRY(write_jsonl(p, err));
        break;
    case OG_FORMAT_CSV:
        OG_TRY(write_csv(p, err));
        break;
    case OG_FORMAT_KV:
        OG_TRY(write_kv(p, err));
        break;
    case OG_FORMAT_TABLE:
        OG_TRY(write_table(p, err));
        break;
    default:
        return og_error_set(err, OG_INVALID, "unknown output format %d", (int)p->options->format);
    }
    return flush(p, err);
}

og_status og_cursor_write(og_cursor *cursor, const og_format_options *options, og_sink_fn sink,
                          void *sink_context, og_error *err)
{
    og_format_options known = OG_FORMAT_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    printer p = {.cursor = cursor, .options = &known, .sink = sink, .sink_context = sink_context};
    og_status s = write_format(&p, err);
    printer_deinit(&p);
    return s;
}
