/* Query files: each query of a file that parses is compiled and linted against a schema with every
 * kind of type. Refusals must be refusals (never a missing place, never an internal status), and
 * lint must agree with the compiler. */
#include <stdint.h>
#include <stdlib.h>

#include "lang/lint.h"
#include "lang/query.h"
#include "lang/schema.h"

static const char schema[] =
    "node Person { name: String @key age: I32? born: Date? seen: DateTime? tags: [String]?\n"
    "    mood: enum(calm, happy)? big: U64? ratio: F32? pic: Blob? face: Vector(2)? }\n"
    "node Company { name: String @key size: I64? open: Bool? sizes: [F64]? }\n"
    "edge Knows: Person -> Person { since: Date? note: String? }\n"
    "edge WorksAt: Person -> Company { role: String }\n";

static void check(bool holds)
{
    if (!holds)
        abort();
}

static og_catalog *catalog(void)
{
    static og_catalog *kept;
    if (kept == NULL)
        check(og_schema_compile(og_str_of(schema), &kept, NULL) == OG_OK);
    return kept;
}

static void check_error(og_status status, const og_error *err, size_t size)
{
    check(status == OG_INVALID || status == OG_LIMIT);
    check(err->status == status && err->message[0] != '\0');
    check(err->line <= size + 1 && err->column <= size + 1);
}

/* The first query of a name is the one that is compiled. */
static bool is_first(const og_str *names, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (og_str_eq(names[i], names[index]))
            return false;
    return true;
}

/* How many of the file's queries do not compile. */
static size_t compile_all(og_arena *arena, og_str source, const og_str *names, size_t count)
{
    size_t refused = 0;
    for (size_t i = 0; i < count; i++) {
        OG_AUTO(og_program) program = NULL;
        og_error err;
        if (!is_first(names, i))
            continue;
        og_str name = og_arena_str(arena, names[i]);
        og_status status = og_program_compile(source, name.ptr, catalog(), &program, &err);
        if (status != OG_OK) {
            check_error(status, &err, source.len);
            refused++;
        }
    }
    return refused;
}

static bool lint(og_str source, bool json)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    bool failed;
    og_lint_input input = {
        .query_path = OG_STR("q.gq"),
        .query_source = source,
        .schema_path = OG_STR("s.pg"),
    };
    check(og_lint(catalog(), &input, json, &out, &failed, NULL) == OG_OK);
    if (json) {
        OG_AUTO(og_arena) arena = og_arena_new(0);
        og_json report;
        check(og_json_parse(arena, og_buf_view(&out), &report, NULL) == OG_OK);
    }
    return failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    og_str source = {(const char *)data, size};
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_str *names;
    size_t count;
    og_error err;
    og_status status = og_query_names(source, arena, &names, &count, &err);
    if (status != OG_OK) {
        check_error(status, &err, size);
        if (status == OG_INVALID)
            check(lint(source, false) && lint(source, true));
        return 0;
    }
    bool failed = lint(source, false);
    check(lint(source, true) == failed);
    check(compile_all(arena, source, names, count) == 0 || failed);
    return 0;
}
