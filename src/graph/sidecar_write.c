/* What a writer of ours says in `__recovery/`. */
#include <inttypes.h>

#include "base/json.h"
#include "graph/sidecar.h"

static void write_tables(const char *root, const og_graph__move *moves, size_t count, bool is_armed,
                         og_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const og_graph__move *move = &moves[i];
        OG_AUTO_BUF path = OG_BUF_INIT;
        og_buf_printf(&path, "%s/%.*s", root, OG_FMT(move->pin.table_path));
        og_buf_text(out, i > 0 ? ",{\"table_key\":" : "{\"table_key\":");
        og_json_write_str(out, move->pin.table_key);
        og_buf_text(out, ",\"table_path\":");
        og_json_write_str(out, og_buf_view(&path));
        og_buf_printf(out, ",\"expected_version\":%" PRIu64 ",\"post_commit_pin\":%" PRIu64,
                      move->expected_version, move->pin.version + !is_armed);
        if (move->pin.table_branch.len > 0) {
            og_buf_text(out, ",\"table_branch\":");
            og_json_write_str(out, move->pin.table_branch);
        }
        og_buf_byte(out, '}');
    }
}

static void write_text_or_null(og_buf *out, og_str text)
{
    if (text.len > 0)
        og_json_write_str(out, text);
    else
        og_buf_text(out, "null");
}

bool og_graph__sidecar_encode(const og_graph__op *op, const char *root, const og_graph__move *moves,
                              size_t count, bool is_armed, og_buf *out)
{
    og_buf_printf(out,
                  "{\"schema_version\":1,\"operation_id\":\"%s\",\"started_at\":\"%" PRId64
                  "\",\"branch\":",
                  op->id, op->at_us);
    write_text_or_null(out, op->branch);
    og_buf_text(out, ",\"actor_id\":");
    write_text_or_null(out, op->actor);
    og_buf_printf(out, ",\"writer_kind\":\"%.*s\",\"tables\":[",
                  OG_FMT(og_str_is(op->kind, "Load") ? op->kind : OG_STR("Mutation")));
    write_tables(root, moves, count, is_armed, out);
    og_buf_printf(out, "],\"og\":{\"op\":\"%s\"}}", op->id);
    return !out->failed;
}
