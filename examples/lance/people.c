/* Make a table of two columns in a folder, add rows to it, and print the sum of a column.
 *
 *     cc people.c $(pkg-config --cflags --libs --static og-lance) -o people && ./people FOLDER */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lance/lance.h"

/* Rows (name, age), the ages from `first` on, as one version of the table:
 * its first one when `base` is NULL. */
static og_status put(og_lance_env *env, og_lance_table *base, int64_t first, og_error *err)
{
    const og_lance_new_field fields[] = {
        {.field = {OG_STR("name"), og_type_of(OG_TYPE_UTF8), false}},
        {.field = {OG_STR("age"), og_type_of(OG_TYPE_I64), true}},
    };
    const og_lance_write_options options = {.op = base == NULL ? OG_LANCE_CREATE : OG_LANCE_APPEND,
                                            .path = "people.lance",
                                            .fields = fields,
                                            .field_count = 2,
                                            .min_max_fragment_id = -1,
                                            .now_us = (int64_t)time(NULL) * 1000000};
    OG_AUTO(og_lance_write) write = NULL;
    OG_AUTO(og_builder) name = og_builder_new(fields[0].field.type);
    OG_AUTO(og_builder) age = og_builder_new(fields[1].field.type);
    if (name == NULL || age == NULL)
        return og_error_nomem(err);
    for (int64_t i = 0; i < 3; i++) {
        (void)og_builder_str(name,
                             og_str_of(i == 1 ? "ben" : "ana")); /* finish tells of failures */
        (void)og_builder_i64(age, first + i);
    }
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, 2, 3, err));
    OG_TRY(og_builder_finish(name, &batch.columns[0], err));
    OG_TRY(og_builder_finish(age, &batch.columns[1], err));
    OG_TRY(og_lance_write_new(env, base, &options, &write, err));
    OG_TRY(og_lance_write_rows(write, &batch, NULL, err));
    return og_lance_write_commit(write, true, NULL, err);
}

static og_status print_sum(og_lance_table *table, const char *column, og_error *err)
{
    int32_t found = og_lance_table_find_field(table, og_str_of(column));
    if (found < 0)
        return og_error_set(err, OG_INVALID, "no column %s", column);
    uint32_t field = (uint32_t)found;
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, &field, 1, 0, UINT32_MAX, &scan, err));
    int64_t total = 0;
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            break;
        for (int64_t i = 0; i < batch.row_count; i++)
            total += og_array_is_null(batch.columns[0], i) ? 0 : og_array_i64(batch.columns[0], i);
    }
    printf("version %" PRIu64 ", %" PRIu64 " rows, sum of %s %" PRId64 "\n",
           og_lance_table_version(table), og_lance_table_row_count(table), column, total);
    return OG_OK;
}

static og_status run(const char *folder, og_error *err)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_env) env = NULL;
    OG_AUTO(og_lance_table) table = NULL;
    OG_TRY(og_store_open_file(folder, true, &store, err));
    OG_TRY(og_lance_env_new(store, 64 << 20, &env, err));
    og_status s = og_lance_table_open(env, "people.lance", 0, 0, &table, err);
    if (s == OG_OK || s == OG_NOT_FOUND) /* the newest version, or the first one */
        s = put(env, table, 30, err);
    OG_TRY(s);
    og_lance_table_unref(OG_TAKE(table));
    OG_TRY(og_lance_table_open(env, "people.lance", 0, 0, &table, err));
    return print_sum(table, "age", err);
}

int main(int argc, char **argv)
{
    static og_error err;
    if (run(argc > 1 ? argv[1] : ".", &err) == OG_OK)
        return 0;
    fprintf(stderr, "people: %s\n", err.message);
    return 1;
}
