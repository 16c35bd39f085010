/* Diffs against a plain model: both states are exported and compared as dictionaries. */
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "fixture.h"

static const char schema[] = "node N {\n"
                             "  key: String @key\n"
                             "  a: I32?\n"
                             "  b: Blob?\n"
                             "  f: F64?\n"
                             "  l: [I32]?\n"
                             "  t: String?\n"
                             "  v: Vector(3)?\n"
                             "}\n"
                             "node M {\n  key: String @key\n}\n"
                             "edge E: N -> N {\n  w: I32?\n}\n"
                             "edge F: N -> M\n";

#define KEYS 25
#define MOMENTS 28

/* ---- states as dictionaries --------------------------------------------------------------- */

/* Records of a state: "N k1" -> index of the image. */
typedef struct dictionary {
    og_arena *arena;
    og_strmap *map;
    OG_VEC(og_json) images; /* properties; of edges src and dst before them */
} dictionary;

static void dictionary_deinit(dictionary *s)
{
    og_strmap_free(s->map);
    og_vec_deinit(&s->images);
    og_arena_free(s->arena);
}

/* The same members as a diff's image has. */
static og_json image_of(og_arena *arena, const og_json *record, bool is_edge)
{
    const og_json *data = og_json_get(record, "data");
    og_json image = {.kind = OG_JSON_OBJECT};
    image.keys = og_arena_array_of(arena, og_str, data->count + 2);
    image.items = og_arena_array_of(arena, og_json, data->count + 2);
    if (is_edge) {
        image.keys[0] = OG_STR("src");
        image.items[0] = *og_json_get(record, "from");
        image.keys[1] = OG_STR("dst");
        image.items[1] = *og_json_get(record, "to");
        image.count = 2;
    }
    for (uint32_t i = 0; i < data->count; i++) {
        if (og_str_is(data->keys[i], "id"))
            continue;
        image.keys[image.count] = data->keys[i];
        image.items[image.count++] = data->items[i];
    }
    return image;
}

static og_str name_of(og_arena *arena, og_str type, og_str id)
{
    return og_arena_printf(arena, "%.*s %.*s", OG_FMT(type), OG_FMT(id));
}

static void take_record(dictionary *s, og_str line)
{
    og_json record;
    assert_ok(og_json_parse(s->arena, line, &record, err));
    og_str edge = og_json_get_str(&record, "edge", OG_STR(""));
    og_str type = edge.len > 0 ? edge : og_json_get_str(&record, "type", OG_STR(""));
    og_str id = og_json_get_str(og_json_get(&record, "data"), "id", OG_STR(""));
    *og_strmap_put(s->map, name_of(s->arena, type, id), NULL) = s->images.len;
    assert_true(og_vec_push(&s->images, image_of(s->arena, &record, edge.len > 0)));
}

/* What the session sees. */
static dictionary read_state(fixture *f)
{
    dictionary s = {.arena = og_arena_new(0), .map = og_strmap_new(false)};
    OG_AUTO_BUF out = OG_BUF_INIT;
    assert_ok(og_export(f->session, NULL, 0, NULL, 0, sink_to_buf, &out, err));
    og_str rest = og_arena_str(s.arena, og_buf_view(&out));
    while (rest.len > 0) {
        size_t end = og_str_find(rest, OG_STR("\n"));
        take_record(&s, og_str_slice(rest, 0, end));
        rest = og_str_slice(rest, end + 1, rest.len);
    }
    return s;
}

static const og_json *find_image(const dictionary *s, og_str name)
{
    const uint64_t *at = og_strmap_get(s->map, name);
    return at != NULL ? &s->images.items[*at] : NULL;
}

static bool same_json(const og_json *a, const og_json *b)
{
    OG_AUTO_BUF x = OG_BUF_INIT, y = OG_BUF_INIT;
    assert_true(og_json_write(&x, a, false) && og_json_write(&y, b, false));
    return og_str_eq(og_buf_view(&x), og_buf_view(&y));
}

/* ---- comparing ---------------------------------------------------------------------------- */

typedef struct comparison {
    const dictionary *from, *to;
    og_arena *arena;
    uint64_t rows, inserts, updates, deletes;
    og_str last_type, last_id;
} comparison;

static void check_image(const comparison *c, og_text text, const og_json *expected)
{
    og_json image;
    assert_int_equal(text.len != 0, expected != NULL);
    if (expected == NULL)
        return;
    assert_ok(og_json_parse(c->arena, (og_str){text.ptr, text.len}, &image, err));
    assert_true(same_json(&image, expected));
}

static void check_changed(const og_diff_row *row, const og_json *before, const og_json *after)
{
    size_t n = 0;
    assert_int_equal(before->count, after->count);
    for (uint32_t i = 0; i < before->count; i++) {
        if (same_json(&before->items[i], &after->items[i]))
            continue;
        assert_true(n < row->changed_count);
        assert_true(og_str_eq((og_str){row->changed[n].ptr, row->changed[n].len}, before->keys[i]));
        n++;
    }
    assert_true(n > 0);
    assert_int_equal(n, row->changed_count);
}

static og_status check_row(void *context, const og_diff_row *row, og_error *err)
{
    (void)err;
    comparison *c = context;
    og_str type = {row->type_name.ptr, row->type_name.len}, id = {row->id.ptr, row->id.len};
    if (og_str_eq(type, c->last_type))
        assert_true(og_str_cmp(c->last_id, id) < 0);
    c->last_type = og_arena_str(c->arena, type);
    c->last_id = og_arena_str(c->arena, id);
    og_str name = name_of(c->arena, type, id);
    const og_json *before = find_image(c->from, name), *after = find_image(c->to, name);
    check_image(c, row->before, before);
    check_image(c, row->after, after);
    assert_int_equal(row->op, before == NULL  ? OG_DIFF_INSERT
                              : after == NULL ? OG_DIFF_DELETE
                                              : OG_DIFF_UPDATE);
    assert_int_equal(row->is_edge, og_str_is(type, "E") || og_str_is(type, "F"));
    if (before != NULL && after != NULL)
        check_changed(row, before, after);
    c->rows++;
    return OG_OK;
}

static void expect(comparison *c)
{
    for (size_t i = 0; i < og_strmap_len(c->from->map); i++) {
        uint64_t at;
        og_str name = og_strmap_at(c->from->map, i, &at);
        const og_json *after = find_image(c->to, name);
        c->deletes += after == NULL;
        c->updates += after != NULL && !same_json(&c->from->images.items[at], after);
    }
    for (size_t i = 0; i < og_strmap_len(c->to->map); i++) {
        uint64_t at;
        c->inserts += find_image(c->from, og_strmap_at(c->to->map, i, &at)) == NULL;
    }
}

static void check_pair(fixture *f, const char *from_name, const dictionary *from,
                       const char *to_name, const dictionary *to, bool may_be_full)
{
    comparison c = {.from = from, .to = to, .arena = og_arena_new(0)};
    og_diff_result result;
    expect(&c);
    assert_ok(og_diff(f->session, from_name, to_name, NULL, check_row, &c, &result, err));
    assert_int_equal(result.inserts, c.inserts);
    assert_int_equal(result.updates, c.updates);
    assert_int_equal(result.deletes, c.deletes);
    assert_int_equal(c.rows, c.inserts + c.updates + c.deletes);
    assert_true(may_be_full || !result.full);
    og_arena_free(c.arena);
}

/* ---- random histories --------------------------------------------------------------------- */

static uint64_t below(uint64_t *seed, uint64_t limit)
{
    return og_test_random(seed) % limit;
}

/* Values come from small sets, so that rows are often written again as they were. */
static void add_node(og_buf *out, uint64_t *seed, uint64_t key)
{
    static const char *const blobs[] = {"null", "\"base64:AAEC\"", "\"base64:AAED\"",
                                        "\"base64:\""};
    static const char *const floats[] = {"null", "0.0", "-0.0", "1.5"};
    static const char *const lists[] = {"null", "[]", "[1,null]", "[1,2,3]"};
    static const char *const texts[] = {"null", "\"\"", "\"x\"", "\"long text, long text\""};
    static const char *const vectors[] = {"null", "[0,0,0]", "[1,2,3]"};
    og_buf_printf(out,
                  "{\"type\":\"N\",\"data\":{\"key\":\"k%d\",\"a\":%d,\"b\":%s,\"f\":%s,\"l\":%s,"
                  "\"t\":%s,\"v\":%s}}\n",
                  (int)key, (int)below(seed, 2), blobs[below(seed, 4)], floats[below(seed, 4)],
                  lists[below(seed, 4)], texts[below(seed, 4)], vectors[below(seed, 3)]);
}

static void load_random(fixture *f, uint64_t *seed, og_load_mode mode, uint64_t most)
{
    OG_AUTO_BUF records = OG_BUF_INIT;
    bool written[KEYS] = {false};
    for (uint64_t i = 0; i < most; i++) {
        uint64_t key = below(seed, KEYS);
        if (!written[key])
            add_node(&records, seed, key);
        written[key] = true;
    }
    if (mode == OG_MODE_OVERWRITE) /* nothing may point to nodes that went */
        og_buf_text(&records, "{\"type\":\"M\",\"data\":{\"key\":\"m\"}}\n");
    for (uint64_t e = 0; e < 6; e++) {
        uint64_t source = below(seed, KEYS), target = below(seed, KEYS);
        if (written[source] && written[target])
            og_buf_printf(
                &records,
                "{\"edge\":\"E\",\"from\":\"k%d\",\"to\":\"k%d\",\"data\":{\"id\":\"e%d\","
                "\"w\":%d}}\n",
                (int)source, (int)target, (int)(e + 6 * below(seed, 3)), (int)below(seed, 2));
    }
    /* An overwrite may be refused for edges that it would leave without their nodes. */
    og_write_result result;
    og_error err;
    og_status status = fixture_load(f, og_buf_cstr(&records), mode, &result, &err);
    if (status != OG_OK && mode != OG_MODE_OVERWRITE)
        fail_msg("%s", err.message);
}

static void mutate(fixture *f, const char *text)
{
    og_query *query;
    og_write_result result;
    assert_ok(og_query_prepare(f->graph, (og_text){text, strlen(text)}, NULL, &query, err));
    assert_ok(og_mutate(f->session, query, NULL, &result, err));
    og_query_free(query);
}

static void step(fixture *f, uint64_t *seed, bool overwrites)
{
    char text[128];
    uint64_t dice = below(seed, 20), key = below(seed, KEYS);
    if (dice == 0 && overwrites) {
        load_random(f, seed, OG_MODE_OVERWRITE, 10);
    } else if (dice < 9) {
        load_random(f, seed, OG_MODE_MERGE, 1 + below(seed, 6));
    } else if (dice < 14) {
        snprintf(text, sizeof text, "query q() { delete N where key = \"k%d\" }", (int)key);
        mutate(f, text);
    } else {
        snprintf(text, sizeof text, "query q() { update N set { a: %d } where key = \"k%d\" }",
                 (int)below(seed, 2), (int)key);
        mutate(f, text);
    }
}

static unsigned version_of(fixture *f)
{
    unsigned version = 0;
    OG_AUTO_BUF out = OG_BUF_INIT;
    assert_ok(og_snapshot_print(f->session, false, sink_to_buf, &out, err));
    const char *at = strstr(og_buf_cstr(&out), "manifest_version: ");
    assert_non_null(at);
    sscanf(at, "manifest_version: %u", &version);
    return version;
}

/* A state and how it is called. */
typedef struct moment {
    char name[32];
    dictionary state;
} moment;

typedef struct history {
    fixture f;
    uint64_t seed;
    bool overwrites; /* without, no diff is full */
    const char *branches[4];
    unsigned branch_count;
    moment moments[MOMENTS];
    size_t count;
} history;

static void use_branch(history *h, const char *branch)
{
    og_session_options options = OG_SESSION_OPTIONS_INIT;
    options.branch = branch;
    fixture_session(&h->f, &options);
}

/* Change a branch, and remember what it is then. */
static void go_on(history *h, const char *branch)
{
    use_branch(h, branch);
    step(&h->f, &h->seed, h->overwrites);
    moment *m = &h->moments[h->count++];
    snprintf(m->name, sizeof m->name, "%s@v%u", branch, version_of(&h->f));
    m->state = read_state(&h->f);
}

static void fork_branch(history *h)
{
    static const char *const names[] = {"main", "b", "b/c", "d"};
    const char *name = names[h->branch_count];
    assert_ok(
        og_branch_create(h->f.graph, name, h->branches[below(&h->seed, h->branch_count)], err));
    h->branches[h->branch_count++] = name;
}

static void compare_some(history *h, int pairs)
{
    for (int i = 0; i < pairs; i++) {
        const moment *a = &h->moments[below(&h->seed, h->count)];
        const moment *b = &h->moments[below(&h->seed, h->count)];
        check_pair(&h->f, a->name, &a->state, b->name, &b->state, h->overwrites);
    }
}

/* `forks`: make other branches on the way. */
static void run_history(uint64_t seed, bool forks, bool overwrites)
{
    history h = {.seed = seed, .overwrites = overwrites, .branches = {"main"}, .branch_count = 1};
    fixture_init(&h.f, schema, "{\"type\":\"M\",\"data\":{\"key\":\"m\"}}");
    load_random(&h.f, &h.seed, OG_MODE_MERGE, 20);
    while (h.count < MOMENTS) {
        if (forks && h.count % 6 == 5 && h.branch_count < 4)
            fork_branch(&h);
        go_on(&h, h.branches[below(&h.seed, h.branch_count)]);
    }
    compare_some(&h, 200);
    for (size_t i = 0; i < h.count; i++)
        dictionary_deinit(&h.moments[i].state);
    fixture_deinit(&h.f);
}

TEST(test_diff__random_histories)
{
    run_history(1, false, true);
}

TEST(test_diff__random_histories_of_several_branches)
{
    run_history(2, true, true);
    run_history(3, true, false);
}
