/* lancefile FILE TYPE@COLUMN[,COLUMN..] ...
 *
 * Developer's tool: prints each field, given by its type and the file columns of its leaves
 * ("utf8@0", "struct<a:i32,b:utf8>@3,4", "blob@5"), as one line of JSON. Also reads every field in
 * small ranges and by scattered rows, with and without mapping, and fails when that differs from
 * the whole. tests/tools/check_lance_files.py compares the output with another decoder. */
#include "columnar/kernels.h"
#include "lance/file/reader.h"
#include "lance_text.h"
#include "store/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const og_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    return 1;
}

/* "TYPE@1,2" */
static bool parse_column(og_arena *arena, char *spec, og_lance_column *out)
{
    char *at = strrchr(spec, '@');
    if (at == NULL)
        return false;
    *at = '\0';
    uint32_t *leaves = og_arena_array_of(arena, uint32_t, 64), n = 0;
    for (char *p = at + 1; n < 64; p++) {
        leaves[n++] = (uint32_t)strtoul(p, &p, 10);
        if (*p != ',')
            break;
    }
    og_field *field = og_arena_new_of(arena, og_field);
    *out = (og_lance_column){field, leaves, n, strcmp(spec, "blob") == 0};
    *field = (og_field){.name = OG_STR("field"), .nullable = true};
    field->type = out->is_blob ? og_lance_blob_type() : lance_text_type(arena, spec);
    return field->type != NULL;
}

static bool same_rows(const og_array *whole, const og_array *part, int64_t part_row, int64_t row)
{
    if (og_rows_equal(whole, row, part, part_row))
        return true;
    fprintf(stderr, "row %" PRId64 " differs\n", row);
    return false;
}

static int check_ranges(og_lance_file *file, const og_lance_column *column, const og_array *whole,
                        uint64_t step, og_error *err)
{
    for (uint64_t start = 0; start < og_lance_file_rows(file); start += step) {
        uint64_t left = og_lance_file_rows(file) - start, count = left < step ? left : step;
        OG_AUTO(og_array) part = NULL;
        if (og_lance_file_read(file, column, start, count, &part, err) != OG_OK ||
            og_array_validate(part, true, err) != OG_OK)
            return fail("range", err);
        for (uint64_t i = 0; i < count; i++) {
            if (!same_rows(whole, part, (int64_t)i, (int64_t)(start + i)))
                return 1;
        }
    }
    return 0;
}

/* Rows with gaps of 0 to `gap` in a fixed pseudo-random order; gap 0 repeats rows. */
static int check_take(og_lance_file *file, const og_lance_column *column, const og_array *whole,
                      uint32_t gap, og_error *err)
{
    uint64_t count = 0, state = 88172645463325252u;
    uint32_t *rows = malloc((2 * og_lance_file_rows(file) + 2) * sizeof *rows);
    for (uint64_t row = 0; row < og_lance_file_rows(file);) {
        rows[count++] = (uint32_t)row;
        state = state * 6364136223846793005u + 1442695040888963407u;
        if (state >> 61 == 0)
            rows[count++] = (uint32_t)row;
        row += 1 + (state >> 33) % gap;
    }
    int result = 0;
    OG_AUTO(og_array) part = NULL;
    if (og_lance_file_take(file, column, rows, count, &part, err) != OG_OK ||
        og_array_validate(part, true, err) != OG_OK)
        result = fail("take", err);
    for (uint64_t i = 0; result == 0 && i < count; i++)
        result = !same_rows(whole, part, (int64_t)i, (int64_t)rows[i]);
    free(rows);
    return result;
}

static int dump_column(og_lance_file *file, const og_lance_column *column, bool print,
                       og_error *err)
{
    OG_AUTO(og_array) whole = NULL;
    if (og_lance_file_read(file, column, 0, og_lance_file_rows(file), &whole, err) != OG_OK ||
        og_array_validate(whole, true, err) != OG_OK)
        return fail("read", err);
    if (print) {
        OG_AUTO_BUF text = OG_BUF_INIT;
        lance_text_array(whole, &text);
        puts(og_buf_cstr(&text));
    }
    const uint64_t steps[] = {13, 1000, 8192};
    for (size_t i = 0; i < 3; i++) {
        if (og_lance_file_rows(file) / steps[i] < 20000 &&
            check_ranges(file, column, whole, steps[i], err) != 0)
            return 1;
    }
    const uint32_t gaps[] = {1, 3, 500, 20000};
    for (size_t i = 0; i < 4; i++) {
        if (check_take(file, column, whole, gaps[i], err) != 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    og_error *err = calloc(1, sizeof *err);
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (argc < 3) {
        fprintf(stderr, "usage: lancefile FILE TYPE@COLUMN[,COLUMN..] ...\n");
        return 2;
    }
    if (og_store_open_file("/", false, &store, err) != OG_OK)
        return fail("store", err);
    char *path = realpath(argv[1], NULL);
    int result = path == NULL;
    for (int mapped = 1; mapped >= 0 && result == 0; mapped--) {
        store->maps_objects = mapped;
        OG_AUTO(og_lance_file) file = NULL;
        if (og_lance_file_open(store, path + 1, 0, &file, err) != OG_OK)
            return fail(argv[1], err);
        for (int i = 2; i < argc && result == 0; i++) {
            og_lance_column column;
            char *spec = strdup(argv[i]);
            if (!parse_column(arena, spec, &column)) {
                fprintf(stderr, "bad column %s\n", argv[i]);
                return 2;
            }
            result = dump_column(file, &column, mapped, err);
            free(spec);
        }
    }
    free(path);
    free(err);
    return result;
}
