/* What `__manifest` says. After the first byte, 'r': its rows, one a line, columns parted by tabs,
 * those of numbers empty for null; 'h': a head file behind its sum, "@" standing for the
 * transaction's uuid. A state that is read can be asked for each of its pins, in order. */
#include <stdint.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/number.h"
#include "columnar/builder.h"
#include "graph/head_file.h"
#include "graph/layout.h"
#include "graph/publish.h"
#include "graph/state.h"
#include "store/memory.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static og_str cut(og_str *rest, char end)
{
    const char *at = memchr(rest->ptr, end, rest->len);
    size_t len = at != NULL ? (size_t)(at - rest->ptr) : rest->len,
           skip = at != NULL ? len + 1 : len;
    og_str part = {rest->ptr, len};
    *rest = (og_str){rest->ptr + skip, rest->len - skip};
    return part;
}

static void put_value(og_builder *b, const og_lance_new_field *field, og_str text)
{
    uint64_t number;
    if (field->field.type->id == OG_TYPE_UTF8)
        check(text.len == 0 && field->field.nullable ? og_builder_null(b)
                                                     : og_builder_str(b, text));
    else if (field->field.type->id == OG_TYPE_U64 && og_parse_u64(text, &number))
        check(og_builder_u64(b, number));
    else
        check(og_builder_null(b));
}

static og_batch rows_of(og_str text)
{
    og_builder *columns[OG_GRAPH__COL_COUNT];
    og_batch batch = {0};
    int64_t rows = 0;
    for (int i = 0; i < OG_GRAPH__COL_COUNT; i++)
        check((columns[i] = og_builder_new(og_graph__manifest_fields()[i].field.type)) != NULL);
    for (; text.len > 0; rows++) {
        og_str line = cut(&text, '\n');
        for (int i = 0; i < OG_GRAPH__COL_COUNT; i++)
            put_value(columns[i], &og_graph__manifest_fields()[i], cut(&line, '\t'));
    }
    check(og_batch_init(&batch, OG_GRAPH__COL_COUNT, rows, NULL) == OG_OK);
    for (int i = 0; i < OG_GRAPH__COL_COUNT; i++) {
        check(og_builder_finish(columns[i], &batch.columns[i], NULL) == OG_OK);
        og_builder_free(columns[i]);
    }
    return batch;
}

static og_lance_table *manifest_of(og_lance_env *env, og_str text)
{
    const og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                            .path = OG_GRAPH__MANIFEST,
                                            .fields = og_graph__manifest_fields(),
                                            .field_count = OG_GRAPH__COL_COUNT,
                                            .min_max_fragment_id = -1};
    OG_AUTO(og_lance_write) write = NULL;
    OG_AUTO_BATCH batch = rows_of(text);
    const og_lance_staged *staged;
    og_lance_table *table;
    check(og_lance_write_new(env, NULL, &options, &write, NULL) == OG_OK);
    check(og_lance_write_rows(write, &batch, NULL, NULL) == OG_OK);
    check(og_lance_write_stage(write, &staged, NULL) == OG_OK);
    check(og_lance_staged_commit(write, false, NULL) == OG_OK);
    check(og_lance_write_table(write, &table, NULL) == OG_OK);
    return table;
}

static void use(const og_graph__state *state)
{
    for (size_t i = 0; i < state->pin_count; i++) {
        const og_graph__pin *pin = &state->pins[i];
        check(og_graph__state_pin(state, pin->table_key) != NULL);
        check(i == 0 || og_str_cmp(state->pins[i - 1].table_key, pin->table_key) <= 0);
    }
}

static void read_rows(og_lance_env *env, og_str text)
{
    OG_AUTO(og_lance_table) manifest = manifest_of(env, text);
    OG_AUTO(og_graph__state) state = NULL;
    og_graph__op_fate fate;
    og_status s = og_graph__state_read(manifest, &state, NULL);
    check(s == OG_OK || s == OG_CORRUPT);
    if (s == OG_OK)
        use(state);
    s = og_graph__op_fate_of(manifest, OG_STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &fate, NULL);
    check(s == OG_OK || s == OG_CORRUPT); /* text that is no UTF-8 is damage */
}

static void read_head(og_store *store, og_lance_env *env, og_str text)
{
    OG_AUTO(og_lance_table) manifest = manifest_of(env, OG_STR(""));
    OG_AUTO(og_graph__state) state = NULL;
    OG_AUTO_BUF rest = OG_BUF_INIT;
    OG_AUTO_BUF file = OG_BUF_INIT;
    OG_AUTO_BUF read = OG_BUF_INIT;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '@')
            og_buf_str(&rest, og_lance_table_transaction_uuid(manifest));
        else
            og_buf_byte(&rest, text.ptr[i]);
    }
    og_buf_printf(&file, "{\"format\":2,\"sum\":\"%016llx",
                  (unsigned long long)og_hash64(rest.ptr, rest.len));
    og_buf_str(&file, og_buf_view(&rest));
    const char *name = OG_GRAPH__HEAD_PREFIX "main.json";
    check(store->ops->put(store, name, og_buf_bytes(&file), NULL) == OG_OK);
    og_graph__head_hints(store, name, &read);
    check(og_graph__state_from_head(og_buf_view(&read), manifest, &state, NULL) == OG_OK);
    if (state != NULL)
        use(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_env) env = NULL;
    if (size == 0)
        return 0;
    check(og_store_open_memory(&store, NULL) == OG_OK);
    check(og_lance_env_new(store, 1 << 20, &env, NULL) == OG_OK);
    og_str text = {(const char *)data + 1, size - 1};
    if (data[0] == 'h')
        read_head(store, env, text);
    else
        read_rows(env, text);
    return 0;
}
