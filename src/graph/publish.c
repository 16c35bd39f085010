#include "graph/publish.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "columnar/builder.h"
#include "graph/layout.h"

void og_graph__op_init(og_graph__op *op, const og_repo *repo, og_str actor, og_str kind)
{
    *op = (og_graph__op){.merged_branch_id = OG_STR(""),
                         .branch = OG_STR(""),
                         .branch_id = OG_STR(""),
                         .actor = actor,
                         .kind = kind,
                         .at_us = og_repo_now_us(repo)};
    og_ulid id = og_ulid_new(repo->clock, repo->random);
    og_ulid commit = og_ulid_new(repo->clock, repo->random);
    memcpy(op->id, id.text, sizeof op->id);
    memcpy(op->commit_id, commit.text, sizeof op->commit_id);
}

const og_lance_new_field *og_graph__manifest_fields(void)
{
    static const og_type utf8 = {.id = OG_TYPE_UTF8};
    static const og_type u64 = {.id = OG_TYPE_U64};
    static const og_field item = {.name = {"item", 4}, .type = &utf8, .nullable = true};
    static const og_type list = {.id = OG_TYPE_LIST, .child_count = 1, .children = &item};
#define FIELD(text, field_type, is_nullable)                                                       \
    {                                                                                              \
        .field = {.name = {text, sizeof text - 1}, .type = field_type, .nullable = is_nullable }   \
    }
    static og_lance_new_field fields[OG_GRAPH__COL_COUNT] = {
        [OG_GRAPH__COL_OBJECT_ID] = {.field = {.name = {"object_id", 9}, .type = &utf8},
                                     .is_primary_key = true},
        [OG_GRAPH__COL_OBJECT_TYPE] = FIELD("object_type", &utf8, false),
        [OG_GRAPH__COL_LOCATION] = FIELD("location", &utf8, true),
        [OG_GRAPH__COL_METADATA] = FIELD("metadata", &utf8, true),
        [OG_GRAPH__COL_BASE_OBJECTS] = FIELD("base_objects", &list, true),
        [OG_GRAPH__COL_TABLE_KEY] = FIELD("table_key", &utf8, false),
        [OG_GRAPH__COL_TABLE_VERSION] = FIELD("table_version", &u64, true),
        [OG_GRAPH__COL_TABLE_BRANCH] = FIELD("table_branch", &utf8, true),
        [OG_GRAPH__COL_ROW_COUNT] = FIELD("row_count", &u64, true),
    };
#undef FIELD
    return fields;
}

/* ---- rows --------------------------------------------------------------------------------- */

typedef struct row_builder {
    og_builder *columns[OG_GRAPH__COL_COUNT];
    bool failed;
} row_builder;

static void row_builder_deinit(row_builder *b)
{
    for (int i = 0; i < OG_GRAPH__COL_COUNT; i++)
        og_builder_free(b->columns[i]);
}

static og_status row_builder_init(row_builder *b, og_error *err)
{
    *b = (row_builder){0};
    for (int i = 0; i < OG_GRAPH__COL_COUNT; i++) {
        b->columns[i] = og_builder_new(og_graph__manifest_fields()[i].field.type);
        if (b->columns[i] == NULL) {
            row_builder_deinit(b);
            return og_error_nomem(err);
        }
    }
    return OG_OK;
}

static void put_text(row_builder *b, int column, og_str text)
{
    b->failed |= !(text.ptr != NULL ? og_builder_str(b->columns[column], text)
                                    : og_builder_null(b->columns[column]));
}

static void put_number(row_builder *b, int column, bool present, uint64_t value)
{
    b->failed |= !(present ? og_builder_u64(b->columns[column], value)
                           : og_builder_null(b->columns[column]));
}

static const og_str absent = {NULL, 0};

static void put_row(row_builder *b, og_str object_id, const char *object_type, og_str location,
                    og_str metadata, og_str table_key, const og_graph__pin *pin)
{
    put_text(b, OG_GRAPH__COL_OBJECT_ID, object_id);
    put_text(b, OG_GRAPH__COL_OBJECT_TYPE, og_str_of(object_type));
    put_text(b, OG_GRAPH__COL_LOCATION, location);
    put_text(b, OG_GRAPH__COL_METADATA, metadata);
    b->failed |= !og_builder_null(b->columns[OG_GRAPH__COL_BASE_OBJECTS]);
    put_text(b, OG_GRAPH__COL_TABLE_KEY, table_key);
    put_number(b, OG_GRAPH__COL_TABLE_VERSION, pin != NULL, pin != NULL ? pin->version : 0);
    put_text(b, OG_GRAPH__COL_TABLE_BRANCH,
             pin != NULL && pin->table_branch.len > 0 ? pin->table_branch : absent);
    put_number(b, OG_GRAPH__COL_ROW_COUNT, pin != NULL, pin != NULL ? pin->row_count : 0);
}

static void json_member(og_buf *out, const char *key, og_str value)
{
    og_buf_printf(out, ",\"%s\":", key);
    if (value.len > 0)
        og_json_write_str(out, value);
    else
        og_buf_text(out, "null");
}

/* The DAG truth of a commit: {"op":…,"commit":…,"parent":…,…}. Readers look for the text "og":{. */
static void write_og(og_buf *out, const og_graph__op *op, uint64_t manifest_version)
{
    og_buf_printf(out, "\"og\":{\"op\":\"%s\",\"commit\":\"%s\"", op->id, op->commit_id);
    json_member(out, "parent", og_str_of(op->parent_id));
    json_member(out, "merged_parent", og_str_of(op->merged_parent_id));
    if (op->merged_branch_id.len > 0)
        json_member(out, "merged_branch_id", op->merged_branch_id);
    json_member(out, "branch", op->branch);
    json_member(out, "actor", op->actor);
    og_buf_printf(out, ",\"at\":%" PRId64 ",\"v\":%" PRIu64 "}", op->at_us, manifest_version);
}

/* The reference opens a table by manifest_path: an object path, absolute,
 * without the leading slash. */
static void write_version_metadata(og_buf *out, const char *place, const og_graph__move *move,
                                   const og_graph__op *op, uint64_t manifest_version)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    og_buf_printf(&path, "%s/%s", place[0] == '/' ? place + 1 : place, move->manifest_name);
    og_buf_clear(out);
    og_buf_text(out, "{\"manifest_path\":");
    og_json_write_str(out, og_buf_view(&path));
    og_buf_printf(out, ",\"manifest_size\":%" PRIu64 ",\"e_tag\":null,\"naming_scheme\":\"V2\",",
                  move->pin.manifest_bytes);
    write_og(out, op, manifest_version);
    og_buf_byte(out, '}');
    out->failed |= path.failed;
}

static void put_move(row_builder *b, og_buf *text, const char *place, const og_graph__move *move,
                     const og_graph__op *op, uint64_t manifest_version)
{
    og_str key = move->pin.table_key;
    if (move->is_registration)
        put_row(b, key, OG_GRAPH__ROW_TABLE, move->pin.table_path, absent, key, NULL);
    OG_AUTO_BUF object_id = OG_BUF_INIT;
    b->failed |= !og_buf_printf(&object_id, "%.*s$%020" PRIu64, OG_FMT(key), move->pin.version);
    write_version_metadata(text, place, move, op, manifest_version);
    put_row(b, og_buf_view(&object_id), OG_GRAPH__ROW_VERSION, absent, og_buf_view(text), key,
            &move->pin);
    b->failed |= text->failed;
}

uint64_t og_graph__listed_version(const og_graph__op *op, size_t move_count, uint64_t published)
{
    bool is_empty_merge = move_count == 0 && op->merged_parent_id[0] != '\0';
    return is_empty_merge ? published - 1 : published;
}

/* A row that belongs to no table; its id names its type and what it is about. */
static void put_row_of(row_builder *b, const char *type, og_str name, og_str metadata)
{
    char object_id[128];
    snprintf(object_id, sizeof object_id, "og$%s$%.*s", type + strlen("og_"), OG_FMT(name));
    put_row(b, og_str_of(object_id), type, absent, metadata, OG_STR(""), NULL);
}

static void put_marks(row_builder *b, og_buf *text, const og_graph__mark *mark,
                      const og_graph__op *op)
{
    if (mark->aborted_op.len > 0) {
        og_buf_clear(text);
        og_buf_printf(text, "{\"aborted\":{\"op\":\"%.*s\"}}", OG_FMT(mark->aborted_op));
        put_row_of(b, OG_GRAPH__ROW_ABORT, mark->aborted_op, og_buf_view(text));
    }
    if (mark->horizon_ms > 0) {
        og_buf_clear(text);
        og_buf_printf(text, "{\"gc\":{\"horizon\":%" PRIu64 "}}", mark->horizon_ms);
        put_row_of(b, OG_GRAPH__ROW_GC, og_str_of(op->id), og_buf_view(text));
    }
    b->failed |= text->failed;
}

/* A commit that changes no table. */
static void put_commit(row_builder *b, og_buf *text, const og_graph__op *op,
                       uint64_t manifest_version)
{
    og_buf_clear(text);
    og_buf_byte(text, '{');
    write_og(text, op, manifest_version);
    og_buf_byte(text, '}');
    put_row_of(b, OG_GRAPH__ROW_COMMIT, og_str_of(op->commit_id), og_buf_view(text));
    b->failed |= text->failed;
}

og_status og_graph__publish_rows(og_lance_write *write, const char *place,
                                 uint64_t manifest_version, const og_graph__op *op,
                                 const og_graph__move *moves, size_t move_count,
                                 const og_graph__mark *mark, og_error *err)
{
    row_builder b;
    OG_TRY(row_builder_init(&b, err));
    OG_AUTO_BUF text = OG_BUF_INIT;
    put_marks(&b, &text, mark, op);
    for (size_t i = 0; i < move_count; i++)
        put_move(&b, &text, place, &moves[i], op, manifest_version);
    if (move_count == 0 && !og_graph__is_mark(mark))
        put_commit(&b, &text, op, og_graph__listed_version(op, 0, manifest_version));

    OG_AUTO_BATCH batch = {0};
    int64_t rows = og_builder_length(b.columns[0]);
    og_status s =
        b.failed ? og_error_nomem(err) : og_batch_init(&batch, OG_GRAPH__COL_COUNT, rows, err);
    for (int i = 0; i < OG_GRAPH__COL_COUNT && s == OG_OK; i++)
        s = og_builder_finish(b.columns[i], &batch.columns[i], err);
    row_builder_deinit(&b);
    return s == OG_OK ? og_lance_write_rows(write, &batch, NULL, err) : s;
}

og_status og_graph__publish_stage(og_lance_env *env, og_lance_table *manifest, const char *place,
                                  const og_graph__op *op, const og_graph__move *moves,
                                  size_t move_count, const og_graph__mark *mark,
                                  const og_random *random, og_lance_write **out,
                                  const og_lance_staged **out_staged, og_error *err)
{
    const og_lance_kv properties[] = {
        {OG_STR("og.op"), og_str_of(op->id)},
        {OG_STR("og.kind"), op->kind},
        {OG_STR("og.branch_id"), op->branch_id},
    };
    og_lance_write_options options = {
        .op = OG_LANCE_APPEND,
        .min_max_fragment_id = -1,
        .properties = properties,
        .property_count = op->branch_id.len > 0 ? 3 : 2,
        .fold = true,
        .fold_all = op->fold_all,
        .fold_one_run = true,
        .now_us = op->at_us,
        .random = random,
    };
    OG_AUTO(og_lance_write) write = NULL;
    OG_TRY(og_lance_write_new(env, manifest, &options, &write, err));
    OG_TRY(og_graph__publish_rows(write, place, og_lance_table_version(manifest) + 1, op, moves,
                                  move_count, mark, err));
    OG_TRY(og_lance_write_stage(write, out_staged, err));
    *out = OG_TAKE(write);
    return OG_OK;
}
