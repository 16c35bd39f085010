/* lancewrite STORE NAME COLUMNS.json - write a Lance data file from JSON, for check_writer.py.
 *
 * COLUMNS.json: {"rows": n, "batch_rows": n, "columns": [{"name", "type", "nullable", "values":
 * [...]}]}. Types are written as Arrow prints them ("int64", "list<utf8>",
 * "fixed_size_list<float32,4>", "struct<a:int64,b:utf8>") and "blob"; binary values and blob data
 * are hexadecimal text, a blob value is
 * {"data": ..., "uri": ...}. Prints the names of the blob files. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "base/number.h"
#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "lance/file/writer.h"
#include "store/file.h"

static og_arena *arena;

static void die(const char *what, const og_error *err)
{
    fprintf(stderr, "lancewrite: %s: %s\n", what, err != NULL ? err->message : "");
    exit(1);
}

static const struct {
    const char *name;
    og_type_id id;
} scalars[] = {
    {"bool", OG_TYPE_BOOL},
    {"int8", OG_TYPE_I8},
    {"uint8", OG_TYPE_U8},
    {"int16", OG_TYPE_I16},
    {"uint16", OG_TYPE_U16},
    {"int32", OG_TYPE_I32},
    {"uint32", OG_TYPE_U32},
    {"int64", OG_TYPE_I64},
    {"uint64", OG_TYPE_U64},
    {"float32", OG_TYPE_F32},
    {"float64", OG_TYPE_F64},
    {"date32", OG_TYPE_DATE32},
    {"date64", OG_TYPE_DATE64},
    {"utf8", OG_TYPE_UTF8},
    {"binary", OG_TYPE_BINARY},
    {"large_utf8", OG_TYPE_LARGE_UTF8},
    {"large_binary", OG_TYPE_LARGE_BINARY},
};

static const og_type *parse_type(const char **text);

static og_field *parse_children(const char **text, uint32_t *out_count)
{
    og_field *fields = og_arena_array_of(arena, og_field, 16);
    *out_count = 0;
    do {
        const char *start = *text;
        og_field *field = &fields[(*out_count)++];
        while (**text != ':')
            (*text)++;
        field->name = og_arena_str(arena, (og_str){start, (size_t)(*text - start)});
        field->nullable = true;
        (*text)++;
        field->type = parse_type(text);
    } while (*(*text)++ == ',');
    return fields;
}

static const og_type *parse_type(const char **text)
{
    og_type *type = og_arena_new_of(arena, og_type);
    og_str rest = og_str_of(*text);
    static const struct {
        const char *prefix;
        og_type_id id;
    } nested[] = {{"list<", OG_TYPE_LIST},
                  {"large_list<", OG_TYPE_LARGE_LIST},
                  {"fixed_size_list<", OG_TYPE_FIXED_SIZE_LIST},
                  {"struct<", OG_TYPE_STRUCT}};
    for (size_t i = 0; i < sizeof nested / sizeof *nested; i++) {
        if (!og_str_starts(rest, og_str_of(nested[i].prefix)))
            continue;
        *text += strlen(nested[i].prefix);
        type->id = nested[i].id;
        if (type->id == OG_TYPE_STRUCT) {
            type->children = parse_children(text, &type->child_count);
            return type;
        }
        og_field *item = og_arena_new_of(arena, og_field);
        *item = (og_field){OG_STR("item"), parse_type(text), true};
        if (type->id == OG_TYPE_FIXED_SIZE_LIST) {
            type->list_size = (int32_t)strtol(*text + 1, NULL, 10);
            *text = strchr(*text, '>');
        }
        (*text)++;
        type->children = item;
        type->child_count = 1;
        return type;
    }
    size_t len = strcspn(*text, "<>,");
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        if (!og_str_is((og_str){*text, len}, scalars[i].name))
            continue;
        *text += len;
        return og_type_of(scalars[i].id);
    }
    die("unknown type", NULL);
    return NULL;
}

static bool append_hex(og_builder *builder, og_str hex)
{
    char *bytes = og_arena_alloc(arena, hex.len / 2 + 1);
    for (size_t i = 0; i < hex.len / 2; i++) {
        char digits[3] = {hex.ptr[2 * i], hex.ptr[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return og_builder_str(builder, (og_str){bytes, hex.len / 2});
}

static bool append_float(og_builder *builder, const og_json *value)
{
    double number = 0;
    if (value->kind == OG_JSON_STRING)
        number = strtod(value->text.ptr, NULL); /* "nan", "inf", "-inf" */
    else
        og_json_to_f64(value, &number);
    return og_builder_f64(builder, number);
}

static bool append(og_builder *builder, const og_type *type, const og_json *value)
{
    int64_t i64 = 0;
    uint64_t u64 = 0;
    if (value == NULL || value->kind == OG_JSON_NULL)
        return og_builder_null(builder);
    switch (type->id) {
    case OG_TYPE_BOOL:
        return og_builder_bool(builder, value->boolean);
    case OG_TYPE_U8:
    case OG_TYPE_U16:
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        return og_json_to_u64(value, &u64) && og_builder_u64(builder, u64);
    case OG_TYPE_F32:
    case OG_TYPE_F64:
        return append_float(builder, value);
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
        return og_builder_str(builder, value->text);
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_BINARY:
        return append_hex(builder, value->text);
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        for (uint32_t i = 0; i < value->count; i++) {
            if (!append(og_builder_child(builder, 0), type->children[0].type, &value->items[i]))
                return false;
        }
        return og_builder_end_row(builder);
    case OG_TYPE_STRUCT:
        for (uint32_t i = 0; i < type->child_count; i++) {
            const og_field *child = &type->children[i];
            if (!append(og_builder_child(builder, i), child->type,
                        og_json_get(value, child->name.ptr)))
                return false;
        }
        return og_builder_end_row(builder);
    default:
        return og_json_to_i64(value, &i64) && og_builder_i64(builder, i64);
    }
}

static og_array *build_column(const og_type *type, const og_json *values)
{
    og_error err = {0};
    og_builder *builder = og_builder_new(type);
    for (uint32_t i = 0; i < values->count; i++) {
        if (!append(builder, type, &values->items[i]))
            die("value does not fit", NULL);
    }
    og_array *array = NULL;
    if (og_builder_finish(builder, &array, &err) != OG_OK)
        die("finish", &err);
    og_builder_free(builder);
    return array;
}

static og_str read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    OG_AUTO_BUF buf = OG_BUF_INIT;
    char block[1 << 16];
    size_t len;
    while (file != NULL && (len = fread(block, 1, sizeof block, file)) > 0)
        og_buf_append(&buf, block, len);
    if (file == NULL || buf.len == 0)
        die(path, NULL);
    fclose(file);
    return og_arena_str(arena, og_buf_view(&buf));
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: lancewrite STORE NAME COLUMNS.json", NULL);
    og_error err = {0};
    arena = og_arena_new(0);
    og_json input;
    if (og_json_parse(arena, read_all(argv[3]), &input, &err) != OG_OK)
        die(argv[3], &err);
    const og_json *columns = og_json_get(&input, "columns");
    int64_t rows = 0, batch_rows = OG_BATCH_ROWS;
    og_json_to_i64(og_json_get(&input, "rows"), &rows);
    if (og_json_get(&input, "batch_rows") != NULL)
        og_json_to_i64(og_json_get(&input, "batch_rows"), &batch_rows);

    og_lance_write_column *targets = og_arena_array_of(arena, og_lance_write_column, 64);
    og_array *arrays[64];
    for (uint32_t i = 0; i < columns->count; i++) {
        const og_json *column = &columns->items[i];
        const char *name = og_arena_str(arena, og_json_get_str(column, "type", OG_STR(""))).ptr;
        targets[i].is_blob = strcmp(name, "blob") == 0;
        if (targets[i].is_blob)
            name = "struct<data:large_binary,uri:utf8>";
        og_field *field = og_arena_new_of(arena, og_field);
        *field = (og_field){og_json_get(column, "name")->text, parse_type(&name), true};
        targets[i].field = field;
        arrays[i] = build_column(field->type, og_json_get(column, "values"));
    }

    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_file_writer) writer = NULL;
    if (og_store_open_file(argv[1], true, &store, &err) != OG_OK ||
        og_lance_file_writer_open(store, argv[2], targets, columns->count, (og_bytes){0}, &writer,
                                  &err) != OG_OK)
        die("open", &err);
    struct timespec t0, t1;
    double seconds = 0;
    uint64_t bytes;
    for (int64_t at = 0; at < rows; at += batch_rows) {
        int64_t count = rows - at < batch_rows ? rows - at : batch_rows;
        OG_AUTO_BATCH batch = {0};
        if (og_batch_init(&batch, columns->count, count, &err) != OG_OK)
            die("batch", &err);
        for (uint32_t i = 0; i < columns->count; i++) {
            if (og_slice(arrays[i], at, count, &batch.columns[i], &err) != OG_OK)
                die("slice", &err);
        }
        clock_gettime(CLOCK_MONOTONIC, &t0);
        if (og_lance_file_writer_write(writer, &batch, &err) != OG_OK)
            die("write", &err);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        seconds += (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
    }
    clock_gettime(CLOCK_MONOTONIC, &t0);
    if (og_lance_file_writer_finish(writer, &bytes, &err) != OG_OK)
        die("finish", &err);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    seconds += (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
    size_t names;
    const char *const *extra = og_lance_file_writer_extra_names(writer, &names);
    for (size_t i = 0; i < names; i++)
        printf("%s\n", extra[i]);
    fprintf(stderr, "%llu bytes in %.1f ms\n", (unsigned long long)bytes, seconds * 1e3);
    for (uint32_t i = 0; i < columns->count; i++)
        og_array_unref(arrays[i]);
    og_arena_free(arena);
    return 0;
}
