#include "graph/audit.h"

#include <inttypes.h>

#include "base/json.h"
#include "columnar/builder.h"
#include "graph/dag.h"
#include "graph/layout.h"

enum { COMMIT, KIND, FOR_ACTOR, OPERATION, WRITER_KIND, OUTCOMES, CREATED_AT, COLUMNS };

static const og_type utf8 = {.id = OG_TYPE_UTF8};
static const og_type timestamp = {.id = OG_TYPE_TIMESTAMP_US};

static const og_lance_new_field fields[COLUMNS] = {
    [COMMIT] = {.field = {{"graph_commit_id", 15}, &utf8, false}},
    [KIND] = {.field = {{"recovery_kind", 13}, &utf8, false}},
    [FOR_ACTOR] = {.field = {{"recovery_for_actor", 18}, &utf8, true}},
    [OPERATION] = {.field = {{"operation_id", 12}, &utf8, false}},
    [WRITER_KIND] = {.field = {{"sidecar_writer_kind", 19}, &utf8, false}},
    [OUTCOMES] = {.field = {{"per_table_outcomes_json", 23}, &utf8, false}},
    [CREATED_AT] = {.field = {{"created_at", 10}, &timestamp, false}},
};

static void write_outcomes(const og_graph__recovery *r, og_buf *out)
{
    og_buf_byte(out, '[');
    for (size_t i = 0; i < r->outcome_count; i++) {
        og_buf_text(out, i > 0 ? ",{\"table_key\":" : "{\"table_key\":");
        og_json_write_str(out, r->outcomes[i].table_key);
        og_buf_printf(out, ",\"from_version\":%" PRIu64 ",\"to_version\":%" PRIu64 "}",
                      r->outcomes[i].from_version, r->outcomes[i].to_version);
    }
    og_buf_byte(out, ']');
}

static bool put_row(og_builder **c, const og_graph__recovery *r, og_str outcomes, int64_t now_us)
{
    og_str kind = r->is_forward ? OG_STR("RolledForward") : OG_STR("RolledBack");
    return og_builder_str(c[COMMIT], r->commit_id) && og_builder_str(c[KIND], kind) &&
           (r->actor.len > 0 ? og_builder_str(c[FOR_ACTOR], r->actor)
                             : og_builder_null(c[FOR_ACTOR])) &&
           og_builder_str(c[OPERATION], r->operation_id) &&
           og_builder_str(c[WRITER_KIND], r->writer_kind) &&
           og_builder_str(c[OUTCOMES], outcomes) && og_builder_i64(c[CREATED_AT], now_us);
}

static og_status make_batch(const og_graph__recovery *r, int64_t now_us, og_batch *out,
                            og_error *err)
{
    og_builder *columns[COLUMNS] = {NULL};
    OG_AUTO_BUF outcomes = OG_BUF_INIT;
    bool ok = true;
    for (int i = 0; i < COLUMNS; i++)
        ok &= (columns[i] = og_builder_new(fields[i].field.type)) != NULL;
    write_outcomes(r, &outcomes);
    ok = ok && !outcomes.failed && put_row(columns, r, og_buf_view(&outcomes), now_us);
    og_status s = ok ? og_batch_init(out, COLUMNS, 1, err) : og_error_nomem(err);
    for (int i = 0; i < COLUMNS; i++) {
        if (s == OG_OK)
            s = og_builder_finish(columns[i], &out->columns[i], err);
        og_builder_free(columns[i]);
    }
    return s;
}

og_status og_graph__audit_append(og_repo *repo, const og_graph__recovery *recovery, og_error *err)
{
    OG_AUTO_BATCH batch = {0};
    og_graph__op op;
    og_graph__op_init(&op, repo, OG_STR(""), OG_STR("Recovery"));
    OG_TRY(make_batch(recovery, op.at_us, &batch, err));
    return og_graph__dag_append_beside(repo, OG_GRAPH__RECOVERIES, fields, COLUMNS, &batch, &op,
                                       err);
}
