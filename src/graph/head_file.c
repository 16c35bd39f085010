#include "graph/head_file.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/map.h"

/* {"sum":"<16 digits>", and the rest, whose XXH3-64 that is: a file that lost a bit is no head
 * file. */
#define HEAD_START "{\"format\":2,\"sum\":\""
#define HEAD_START_BYTES (sizeof HEAD_START - 1)
#define HEAD_SUM_DIGITS 16

static void head_sum(og_str rest, char dst[HEAD_SUM_DIGITS + 1])
{
    snprintf(dst, HEAD_SUM_DIGITS + 1, "%016" PRIx64, og_hash64(rest.ptr, rest.len));
}

static bool head_is_whole(og_str head)
{
    char sum[HEAD_SUM_DIGITS + 1];
    size_t before = HEAD_START_BYTES + HEAD_SUM_DIGITS;
    if (head.len < before || !og_str_starts(head, OG_STR(HEAD_START)))
        return false;
    head_sum((og_str){head.ptr + before, head.len - before}, sum);
    return memcmp(head.ptr + HEAD_START_BYTES, sum, HEAD_SUM_DIGITS) == 0;
}

static uint64_t number_of(const og_json *head, const char *key)
{
    const og_json *member = og_json_get(head, key);
    uint64_t value = 0;
    if (member == NULL || member->kind != OG_JSON_NUMBER || !og_json_to_u64(member, &value))
        return 0;
    return value;
}

og_graph__hints og_graph__head_hints(og_store *store, const char *name, og_buf *out_bytes)
{
    OG_AUTO(og_blob) blob = NULL;
    og_graph__hints hints = {0};
    if (store->ops->get(store, name, &blob, NULL) != OG_OK ||
        !og_buf_append(out_bytes, blob->ptr, blob->len))
        return hints;
    if (!head_is_whole(og_buf_view(out_bytes))) {
        og_buf_clear(out_bytes);
        return hints;
    }
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    og_json head;
    if (scratch == NULL || og_json_parse(scratch, og_buf_view(out_bytes), &head, NULL) != OG_OK)
        return hints;
    hints.manifest = number_of(&head, "manifest_version");
    hints.commits = number_of(&head, "commits_version");
    hints.actors = number_of(&head, "actors_version");
    return hints;
}

static bool read_op(const og_json *item, og_graph__pin *out)
{
    if (item->kind != OG_JSON_STRING || item->text.len >= sizeof out->op)
        return false;
    memcpy(out->op, item->text.ptr, item->text.len);
    return true;
}

/* One table of a head file: [key, path, branch, version, manifest_bytes, row_count, operation]; the
 * last may be absent. */
static bool read_head_table(og_arena *arena, const og_json *item, og_graph__pin *out)
{
    if (item->kind != OG_JSON_ARRAY || item->count < 6 || item->count > 7)
        return false;
    *out = (og_graph__pin){0};
    if (item->count == 7 && !read_op(&item->items[6], out))
        return false;
    for (int i = 0; i < 6; i++)
        if (item->items[i].kind != (i < 3 ? OG_JSON_STRING : OG_JSON_NUMBER))
            return false;
    out->table_key = og_arena_str(arena, item->items[0].text);
    out->table_path = og_arena_str(arena, item->items[1].text);
    out->table_branch = og_arena_str(arena, item->items[2].text);
    return out->table_key.ptr != NULL && out->table_path.ptr != NULL &&
           out->table_branch.ptr != NULL && og_json_to_u64(&item->items[3], &out->version) &&
           og_json_to_u64(&item->items[4], &out->manifest_bytes) &&
           og_json_to_u64(&item->items[5], &out->row_count);
}

static bool head_agrees(const og_json *head, const og_lance_table *manifest)
{
    if (number_of(head, "manifest_version") != og_lance_table_version(manifest))
        return false;
    og_str uuid = og_lance_table_transaction_uuid(manifest);
    return uuid.len > 0 && og_str_eq(uuid, og_json_get_str(head, "transaction", OG_STR("")));
}

static bool fill_from_head(og_graph__state *state, const og_json *head)
{
    const og_json *tables = og_json_get(head, "tables");
    if (tables == NULL || tables->kind != OG_JSON_ARRAY)
        return false;
    og_graph__pin *pins =
        og_arena_array_of(state->arena, og_graph__pin, tables->count > 0 ? tables->count : 1);
    if (pins == NULL)
        return false;
    for (uint32_t i = 0; i < tables->count; i++)
        if (!read_head_table(state->arena, &tables->items[i], &pins[i]))
            return false;
    og_graph__state_set_pins(state, pins, tables->count);
    state->commit_id = og_arena_str(state->arena, og_json_get_str(head, "commit", OG_STR("")));
    state->from_head_file = true;
    state->commit_version = number_of(head, "commit_version");
    state->horizon_ms = number_of(head, "horizon_ms");
    return state->commit_id.ptr != NULL;
}

og_status og_graph__state_from_head(og_str head, og_lance_table *manifest, og_graph__state **out,
                                    og_error *err)
{
    *out = NULL;
    if (head.len == 0)
        return OG_OK;
    OG_TRY(og_graph__stamp_check(manifest, err));
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    OG_AUTO(og_graph__state) state = og_graph__state_new(og_lance_table_version(manifest));
    if (scratch == NULL || state == NULL)
        return og_error_nomem(err);
    og_json json;
    if (og_json_parse(scratch, head, &json, NULL) == OG_OK && head_agrees(&json, manifest) &&
        fill_from_head(state, &json))
        *out = OG_TAKE(state);
    return OG_OK;
}

void og_graph__head_write(og_store *store, const char *name, const og_graph__state *state,
                          og_str transaction_uuid, const og_graph__hints *hints)
{
    OG_AUTO_BUF json = OG_BUF_INIT;
    OG_AUTO_BUF file = OG_BUF_INIT;
    char sum[HEAD_SUM_DIGITS + 1];
    og_buf_printf(&json,
                  "\",\"manifest_version\":%" PRIu64 ",\"transaction\":", state->manifest_version);
    og_json_write_str(&json, transaction_uuid);
    og_buf_text(&json, ",\"commit\":");
    og_json_write_str(&json, state->commit_id);
    og_buf_printf(&json,
                  ",\"commit_version\":%" PRIu64 ",\"horizon_ms\":%" PRIu64
                  ",\"commits_version\":%" PRIu64 ",\"actors_version\":%" PRIu64 ",\"tables\":[",
                  state->commit_version, state->horizon_ms, hints->commits, hints->actors);
    for (size_t i = 0; i < state->pin_count; i++) {
        const og_graph__pin *pin = &state->pins[i];
        og_buf_text(&json, i > 0 ? ",\n[" : "\n[");
        og_json_write_str(&json, pin->table_key);
        og_buf_byte(&json, ',');
        og_json_write_str(&json, pin->table_path);
        og_buf_byte(&json, ',');
        og_json_write_str(&json, pin->table_branch);
        og_buf_printf(&json, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, pin->version, pin->manifest_bytes,
                      pin->row_count);
        if (pin->op[0] != '\0')
            og_buf_byte(&json, ',');
        if (pin->op[0] != '\0')
            og_json_write_str(&json, og_str_of(pin->op));
        og_buf_byte(&json, ']');
    }
    og_buf_text(&json, "]}\n");
    head_sum(og_buf_view(&json), sum);
    og_buf_printf(&file, HEAD_START "%s", sum);
    og_buf_str(&file, og_buf_view(&json));
    if (!json.failed && !file.failed)
        (void)!og_store_put_summed(store, name, og_buf_bytes(&file), NULL);
}
