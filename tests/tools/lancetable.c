/* lancetable dump ROOT PATH VERSION      a version as JSON: rows with ids and lineage, counters
 * lancetable versions ROOT PATH          all versions
 * lancetable write ROOT PATH SCRIPT      apply the operations of a JSON script, one version each
 *
 * Developer's tool, driven by tests/interop. A script is an array of
 *   {"op": "create" | "append" | "update" | "delete" | "overwrite" | "restore" | "config" |
 *          "compact" | "evolve" | "index",
 *    "fields": [{"name", "type" (see lance_text.h), "nullable", "blob", "key"}],
 *    "rows": [{..}], "keep": [row ids of the first rows; their old rows are deleted],
 *    "delete": [row ids], "version": N to restore, "fold": bool, "one_run": bool,
 *    "drop": [names], "rename": {from: to}, "retype": {name: field}, "add": [fields],
 *    "fill": [one object for each slot], "drop_index": [names],
 *    "target": rows of a fragment, "threshold": share of deleted rows, "as_update": bool,
 *    "on": N to build on that version above heads that nobody wants,
 *    "config", "metadata", "schema_metadata", "properties": {key: text or null}} */
#include "base/thread.h"
#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "lance/table/compact.h"
#include "lance/table/evolve.h"
#include "lance/table/indices.h"
#include "lance/table/write.h"
#include "lance_text.h"
#include "store/file.h"
#include "table_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static og_error error;

static void must(og_status status)
{
    if (status == OG_OK)
        return;
    fprintf(stderr, "lancetable: %s: %s\n", og_status_id(status), error.message);
    exit(1);
}

static void must_be(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "lancetable: %s\n", what);
    exit(1);
}

/* ---- dump --------------------------------------------------------------------------------- */

static void put_blobs(og_lance_table *table, uint32_t field, const uint32_t *slots,
                      const og_array *descriptors, og_buf *out)
{
    og_buf_byte(out, '[');
    for (int64_t row = 0; row < descriptors->length; row++) {
        og_buf_text(out, row > 0 ? "," : "");
        OG_AUTO(og_blob) blob = NULL;
        og_status status =
            og_lance_blob_read(table, field, slots[row], descriptors, row, &blob, &error);
        if (status == OG_UNSUPPORTED) {
            og_buf_text(out, "{\"uri\":");
            og_json_write_str(out, og_array_str(descriptors->children[4], row));
            og_buf_printf(out, ",\"position\":%" PRIu64 ",\"size\":%" PRIu64 "}",
                          og_array_u64(descriptors->children[1], row),
                          og_array_u64(descriptors->children[2], row));
            continue;
        }
        must(status);
        og_buf_text(out, blob == NULL ? "null" : "{\"hex\":\"");
        for (size_t i = 0; blob != NULL && i < blob->len; i++)
            og_buf_printf(out, "%02x", blob->ptr[i]);
        og_buf_text(out, blob == NULL ? "" : "\"}");
    }
    og_buf_byte(out, ']');
}

static uint32_t *all_slots(og_lance_table *table, size_t *out_count)
{
    uint32_t *slots = malloc((og_lance_table_slot_count(table) + 1) * sizeof *slots);
    size_t count = 0;
    OG_AUTO(og_lance_scan) scan = NULL;
    must(og_lance_scan_open(table, NULL, 0, 0, UINT32_MAX, &scan, &error));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *at;
        must(og_lance_scan_next(scan, &batch, &at, &error));
        if (batch.row_count == 0)
            break;
        memcpy(slots + count, at, (size_t)batch.row_count * sizeof *slots);
        count += (size_t)batch.row_count;
    }
    *out_count = count;
    return slots;
}

/* The column by a scan, which decodes ahead on other threads. */
static og_array *scan_column(og_lance_table *table, uint32_t field)
{
    OG_AUTO(og_pool) pool = og_pool_new(3);
    og_array **parts = NULL;
    size_t count = 0;
    OG_AUTO(og_lance_scan) scan = NULL;
    must(og_lance_scan_open(table, &field, 1, 0, UINT32_MAX, &scan, &error));
    og_lance_scan_use(scan, pool);
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *at;
        must(og_lance_scan_next(scan, &batch, &at, &error));
        if (batch.row_count == 0)
            break;
        must(og_array_validate(batch.columns[0], true, &error));
        parts = realloc(parts, (count + 1) * sizeof *parts);
        parts[count++] = og_array_ref(batch.columns[0]);
    }
    og_array *whole = NULL;
    if (count != 0)
        must(og_concat((const og_array *const *)parts, count, &whole, &error));
    for (size_t i = 0; i < count; i++)
        og_array_unref(parts[i]);
    free(parts);
    return whole;
}

/* Taking backwards and in a stride must agree with the scan, again and again (by way of the
 * cache of decoded columns too). */
static void check_takes(og_lance_table *table, uint32_t field, const uint32_t *slots, size_t count,
                        const og_array *whole)
{
    uint32_t *asked = malloc((count + 1) * sizeof *asked);
    size_t *rows = malloc((count + 1) * sizeof *rows);
    for (int round = 0; round < 3; round++) {
        size_t n = 0, stride = round == 0 ? 1 : round == 1 ? 37 : 5;
        for (size_t i = 0; i < count; i += stride) {
            rows[n] = round == 1 ? i : (i * 7919 + 13) % count;
            asked[n] = slots[rows[n]];
            n++;
        }
        OG_AUTO_BATCH taken = {0};
        must(og_lance_take(table, &field, 1, asked, n, &taken, &error));
        must_be(taken.row_count == (int64_t)n, "take returned another number of rows");
        for (size_t i = 0; i < n; i++)
            must_be(og_rows_equal(taken.columns[0], (int64_t)i, whole, (int64_t)rows[i]),
                    "take and scan differ");
    }
    free(asked);
    free(rows);
}

static void put_u64s(og_buf *out, const char *name, const uint64_t *values, size_t count)
{
    og_buf_printf(out, "%s:[", name);
    for (size_t i = 0; i < count; i++)
        og_buf_printf(out, "%s%" PRIu64, i > 0 ? "," : "", values[i]);
    og_buf_byte(out, ']');
}

static void put_system_columns(og_lance_table *table, const uint32_t *slots, size_t count,
                               og_buf *out)
{
    uint64_t *ids = malloc((count + 1) * sizeof *ids);
    uint64_t *updated = malloc((count + 1) * sizeof *ids);
    uint64_t *created = malloc((count + 1) * sizeof *ids);
    uint32_t *back = malloc((count + 1) * sizeof *back);
    must(og_lance_row_ids(table, slots, count, ids, &error));
    must(og_lance_row_versions(table, slots, count, updated, created, &error));
    must(og_lance_slots_of(table, ids, count, back, &error));
    for (size_t i = 0; i < count; i++)
        must_be(back[i] == slots[i], "row id does not lead back to its slot");
    put_u64s(out, "\"_rowid\"", ids, count);
    put_u64s(out, ",\"_row_last_updated_at_version\"", updated, count);
    put_u64s(out, ",\"_row_created_at_version\"", created, count);
    uint32_t fragment_count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &fragment_count);
    uint32_t f = 0;
    for (size_t i = 0; i < count; i++) {
        while (slots[i] - fragments[f].first_slot >= fragments[f].physical_rows)
            f++;
        ids[i] = fragments[f].id << 32 | (slots[i] - fragments[f].first_slot);
    }
    put_u64s(out, ",\"_rowaddr\"", ids, count);
    free(ids);
    free(updated);
    free(created);
    free(back);
}

static void dump(og_lance_env *env, const char *path, uint64_t version)
{
    OG_AUTO(og_lance_table) table = NULL;
    must(og_lance_table_open(env, path, version, 0, &table, &error));
    size_t count;
    uint32_t *slots = all_slots(table, &count);
    must_be(count == og_lance_table_row_count(table), "scan and row count differ");
    uint32_t field_count, fragment_count;
    const og_lance_field *fields = og_lance_table_fields(table, &field_count);
    og_lance_table_fragments(table, &fragment_count);
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_buf_printf(&out,
                  "{\"version\":%" PRIu64
                  ",\"count_rows\":%zu,\"fragments\":%u,\"next_row_id\":%" PRIu64
                  ",\"max_fragment_id\":%" PRId64 ",\"columns\":{",
                  og_lance_table_version(table), count, fragment_count,
                  og_lance_table_next_row_id(table), og_lance_table_max_fragment_id(table));
    for (uint32_t i = 0; i < field_count; i++) {
        og_json_write_str(&out, fields[i].field.name);
        og_buf_byte(&out, ':');
        OG_AUTO(og_array) column = scan_column(table, i);
        if (column == NULL) {
            og_buf_text(&out, "[],");
            continue;
        }
        check_takes(table, i, slots, count, column);
        if (fields[i].is_blob)
            put_blobs(table, i, slots, column, &out);
        else
            lance_text_array(column, &out);
        og_buf_byte(&out, ',');
    }
    put_system_columns(table, slots, count, &out);
    og_buf_text(&out, "}}");
    must_be(!out.failed, "out of memory");
    puts(og_buf_cstr(&out));
    free(slots);
}

static void list_versions(og_lance_env *env, const char *path)
{
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    must(og_lance_list_versions(env, path, &versions, &count, &error));
    for (size_t i = 0; i < count; i++)
        printf("%" PRIu64 "\n", versions[i]);
    for (size_t i = 0; i < count; i++) { /* whatever the hint, the same answer */
        uint64_t latest;
        must(og_lance_latest_version(env, path, versions[i], &latest, &error));
        must_be(latest == versions[count - 1], "probing found another latest version");
    }
}

/* ---- write -------------------------------------------------------------------------------- */

static og_lance_op op_of(og_str name)
{
    static const struct {
        const char *name;
        og_lance_op op;
    } ops[] = {
        {"create", OG_LANCE_CREATE},       {"append", OG_LANCE_APPEND},
        {"update", OG_LANCE_UPDATE},       {"delete", OG_LANCE_DELETE},
        {"overwrite", OG_LANCE_OVERWRITE}, {"restore", OG_LANCE_RESTORE},
        {"config", OG_LANCE_CONFIG},       {"compact", OG_LANCE_COMPACT},
        {"evolve", OG_LANCE_EVOLVE},       {"index", OG_LANCE_INDEX},
    };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (og_str_is(name, ops[i].name))
            return ops[i].op;
    must_be(false, "unknown op");
    return OG_LANCE_CREATE;
}

static const og_lance_kv *kvs_of(og_arena *arena, const og_json *object, uint32_t *out_count)
{
    *out_count = object != NULL ? object->count : 0;
    og_lance_kv *kvs = og_arena_array_of(arena, og_lance_kv, *out_count + 1);
    for (uint32_t i = 0; i < *out_count; i++) {
        kvs[i].key = object->keys[i];
        if (object->items[i].kind == OG_JSON_STRING)
            kvs[i].value = object->items[i].text;
    }
    return kvs;
}

static const og_lance_new_field *fields_of(og_arena *arena, const og_json *list,
                                           uint32_t *out_count)
{
    *out_count = list != NULL ? list->count : 0;
    if (list == NULL)
        return NULL;
    og_lance_new_field *fields = og_arena_array_of(arena, og_lance_new_field, list->count + 1);
    for (uint32_t i = 0; i < list->count; i++) {
        const og_json *item = &list->items[i];
        const og_json *nullable = og_json_get(item, "nullable"), *blob = og_json_get(item, "blob");
        const og_json *key = og_json_get(item, "key");
        char type[256];
        snprintf(type, sizeof type, "%.*s", OG_FMT(og_json_get_str(item, "type", OG_STR(""))));
        fields[i].is_blob = blob != NULL && blob->boolean;
        fields[i].is_primary_key = key != NULL && key->boolean;
        fields[i].field.name = og_json_get_str(item, "name", OG_STR(""));
        fields[i].field.nullable = nullable == NULL || nullable->boolean;
        fields[i].field.type =
            lance_text_type(arena, fields[i].is_blob ? "struct<data:large_binary,uri:utf8>" : type);
        must_be(fields[i].field.type != NULL, "bad type");
    }
    return fields;
}

static uint64_t *ids_of(const og_json *list, size_t *out_count)
{
    *out_count = list != NULL ? list->count : 0;
    uint64_t *ids = malloc((*out_count + 1) * sizeof *ids);
    for (size_t i = 0; i < *out_count; i++)
        must_be(og_json_to_u64(&list->items[i], &ids[i]), "bad row id");
    return ids;
}

static void delete_ids(og_lance_write *write, og_lance_table *base, const uint64_t *ids,
                       size_t count)
{
    uint32_t *slots = malloc((count + 1) * sizeof *slots);
    must(og_lance_slots_of(base, ids, count, slots, &error));
    must(og_lance_write_delete(write, slots, count, &error));
    free(slots);
}

static void write_rows(og_lance_write *write, const og_lance_field *fields, uint32_t field_count,
                       const og_json *rows, const uint64_t *keep, size_t keep_count)
{
    OG_AUTO_BATCH batch = {0};
    must_be(table_text_batch(fields, field_count, rows, &batch), "rows do not fit the fields");
    uint64_t *ids = malloc((rows->count + 1) * sizeof *ids);
    for (size_t i = 0; i < rows->count; i++)
        ids[i] = i < keep_count ? keep[i] : UINT64_MAX;
    must(og_lance_write_rows(write, &batch, ids, &error));
    free(ids);
}

static bool flag(const og_json *op, const char *key)
{
    const og_json *value = og_json_get(op, key);
    return value != NULL && value->boolean;
}

static og_lance_write *begin(og_lance_env *env, const char *path, og_arena *arena,
                             og_lance_table *base, const og_json *op)
{
    OG_AUTO(og_lance_table) restore = NULL;
    og_lance_write_options o = {.op = op_of(og_json_get_str(op, "op", OG_STR(""))),
                                .path = path,
                                .min_max_fragment_id = -1,
                                .fold = flag(op, "fold"),
                                .fold_one_run = flag(op, "one_run"),
                                .fold_all = flag(op, "fold_all"),
                                .compact_as_update = flag(op, "as_update"),
                                .now_us = og_system_clock.now_us(og_system_clock.context)};
    o.fields = fields_of(arena, og_json_get(op, "fields"), &o.field_count);
    o.config = kvs_of(arena, og_json_get(op, "config"), &o.config_count);
    o.metadata = kvs_of(arena, og_json_get(op, "metadata"), &o.metadata_count);
    o.schema_metadata = kvs_of(arena, og_json_get(op, "schema_metadata"), &o.schema_metadata_count);
    o.properties = kvs_of(arena, og_json_get(op, "properties"), &o.property_count);
    if (o.op == OG_LANCE_RESTORE) {
        uint64_t version = 0;
        must_be(og_json_to_u64(og_json_get(op, "version"), &version), "restore needs a version");
        must(og_lance_table_open(env, path, version, 0, &restore, &error));
        o.restore_from = restore;
    }
    OG_AUTO(og_lance_table) head = NULL;
    if (og_json_get(op, "on") != NULL) {
        must(og_lance_table_open(env, path, 0, 0, &head, &error));
        o.version = og_lance_table_version(head) + 1;
        o.min_next_row_id = og_lance_table_next_row_id(head);
        o.min_max_fragment_id = og_lance_table_max_fragment_id(head);
    }
    og_lance_write *write;
    must(og_lance_write_new(env, base, &o, &write, &error));
    return write;
}

/* The fields rows are written with: those of the operation, else of the table. */
static const og_lance_field *row_fields(og_arena *arena, const og_json *op, og_lance_table *base,
                                        uint32_t *out_count)
{
    const og_lance_new_field *fresh = fields_of(arena, og_json_get(op, "fields"), out_count);
    if (fresh == NULL)
        return og_lance_table_fields(base, out_count);
    og_lance_field *fields = og_arena_array_of(arena, og_lance_field, *out_count + 1);
    for (uint32_t i = 0; i < *out_count; i++)
        fields[i].field = fresh[i].field;
    return fields;
}

static void compact(og_lance_write *write, og_lance_table *base, const og_json *op)
{
    int64_t target = 0;
    double threshold = 0;
    const og_json *value = og_json_get(op, "target");
    must_be(value == NULL || og_json_to_i64(value, &target), "bad target");
    value = og_json_get(op, "threshold");
    must_be(value == NULL || og_json_to_f64(value, &threshold), "bad threshold");
    const og_lance_compact_options options = {(uint32_t)target, threshold};
    og_lance_compact_stats stats;
    uint32_t count;
    must(og_lance_compact_count(base, &options, &count, &error));
    must(og_lance_write_compact(write, &options, &stats, &error));
    must_be(count == stats.fragments_removed, "the plan of a compaction differs");
}

static const og_lance_new_field *field_of(og_arena *arena, const og_json *item)
{
    const og_json list = {.kind = OG_JSON_ARRAY, .count = 1, .items = (og_json *)(uintptr_t)item};
    uint32_t count;
    return fields_of(arena, &list, &count);
}

/* The columns of "retype" and "add", in order, from the rows of "fill". */
static void fill(og_lance_write *write, const og_lance_field *fields, uint32_t field_count,
                 const og_json *rows)
{
    OG_AUTO_BATCH batch = {0};
    must_be(table_text_batch(fields, field_count, rows, &batch), "rows do not fit the fields");
    must(og_lance_write_fill(write, &batch, &error));
}

static void evolve(og_lance_write *write, og_arena *arena, const og_json *op)
{
    static const og_json none = {.kind = OG_JSON_ARRAY};
    og_lance_field fields[16];
    uint32_t count = 0;
    const og_json *list = og_json_get(op, "drop");
    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        must(og_lance_write_drop_field(write, list->items[i].text, &error));
    list = og_json_get(op, "rename");
    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        must(og_lance_write_rename_field(write, list->keys[i], list->items[i].text, &error));
    list = og_json_get(op, "retype");
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const og_lance_new_field *field = field_of(arena, &list->items[i]);
        fields[count++].field = field->field;
        must(og_lance_write_retype_field(write, list->keys[i], field, &error));
    }
    list = og_json_get(op, "add");
    for (uint32_t i = 0; list != NULL && i < list->count && count < 16; i++) {
        const og_lance_new_field *field = field_of(arena, &list->items[i]);
        fields[count++].field = field->field;
        must(og_lance_write_add_field(write, field, &error));
    }
    const og_json *rows = og_json_get(op, "fill");
    if (rows != NULL)
        fill(write, fields, count, rows->count != 0 ? rows : &none);
    list = og_json_get(op, "drop_index");
    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        must(og_lance_write_drop_index(write, list->items[i].text, &error));
}

static void apply(og_lance_env *env, const char *path, og_arena *arena, const og_json *op)
{
    OG_AUTO(og_lance_table) base = NULL;
    uint64_t version = 0;
    if (og_json_get(op, "on") != NULL)
        must_be(og_json_to_u64(og_json_get(op, "on"), &version), "on needs a version");
    if (!og_str_is(og_json_get_str(op, "op", OG_STR("")), "create"))
        must(og_lance_table_open(env, path, version, 0, &base, &error));
    OG_AUTO(og_lance_write) write = begin(env, path, arena, base, op);
    size_t keep_count, delete_count;
    uint64_t *keep = ids_of(og_json_get(op, "keep"), &keep_count);
    uint64_t *deletes = ids_of(og_json_get(op, "delete"), &delete_count);
    if (keep_count != 0)
        delete_ids(write, base, keep, keep_count);
    if (delete_count != 0)
        delete_ids(write, base, deletes, delete_count);
    const og_json *rows = og_json_get(op, "rows");
    if (rows != NULL && rows->count != 0) {
        uint32_t field_count;
        const og_lance_field *fields = row_fields(arena, op, base, &field_count);
        write_rows(write, fields, field_count, rows, keep, keep_count);
    }
    if (og_str_is(og_json_get_str(op, "op", OG_STR("")), "compact"))
        compact(write, base, op);
    evolve(write, arena, op);
    const og_lance_staged *staged;
    must(og_lance_write_stage(write, &staged, &error));
    og_store *store = og_lance_env_store(env);
    must(store->ops->put(store, staged->transaction_name, og_buf_bytes(&staged->transaction),
                         &error));
    must(og_lance_staged_commit(write, false, &error));
    OG_AUTO(og_lance_table) after = NULL;
    must(og_lance_write_table(write, &after, &error));
    must_be(og_lance_table_row_count(after) == staged->row_count, "row count of the staged form");
    printf("%" PRIu64 "\n", og_lance_table_version(after));
    free(keep);
    free(deletes);
}

static void run_script(og_lance_env *env, const char *path, const char *file)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF text = OG_BUF_INIT;
    FILE *in = fopen(file, "rb");
    must_be(in != NULL, "no such script");
    char chunk[65536];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, in)) > 0;)
        og_buf_append(&text, chunk, n);
    fclose(in);
    og_json script;
    must(og_json_parse(arena, og_buf_view(&text), &script, &error));
    for (uint32_t i = 0; i < script.count; i++)
        apply(env, path, arena, &script.items[i]);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: lancetable dump|versions|write ROOT PATH [VERSION|SCRIPT]\n");
        return 2;
    }
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_env) env = NULL;
    must(og_store_open_file(argv[2], true, &store, &error));
    must(og_lance_env_new(store, (size_t)256 << 20, &env, &error));
    if (strcmp(argv[1], "dump") == 0)
        dump(env, argv[3], argc > 4 ? strtoull(argv[4], NULL, 10) : 0);
    else if (strcmp(argv[1], "versions") == 0)
        list_versions(env, argv[3]);
    else if (argc > 4)
        run_script(env, argv[3], argv[4]);
    return 0;
}
