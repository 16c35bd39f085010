/* Parameters: JSON against a query that declares one of every type, strict and lenient. Refusals
 * are refusals, and say why. */
#include <stdint.h>
#include <stdlib.h>

#include "lang/query.h"
#include "lang/schema.h"

static const char schema[] = "node N { name: String @key }\n";
static const char source[] =
    "query q($s: String?, $b: Bool?, $i: I32?, $l: I64?, $u: U32?, $w: U64?, $f: F32?, $d: F64?,\n"
    "        $y: Date?, $t: DateTime?, $v: Vector(3)?, $ls: [String]?, $li: [I32]?, $ly: [Date]?)\n"
    "{ match { $n: N } return { $n.name } }\n";

static void check(bool holds)
{
    if (!holds)
        abort();
}

static const og_ir_query *query(void)
{
    static og_program *program;
    static og_catalog *catalog;
    if (program == NULL) {
        check(og_schema_compile(og_str_of(schema), &catalog, NULL) == OG_OK);
        check(og_program_compile(og_str_of(source), "q", catalog, &program, NULL) == OG_OK);
    }
    return og_program_query(program);
}

static void read_params(og_arena *arena, const og_json *object, bool lenient)
{
    og_error err;
    og_literal *values;
    og_status status = og_params_from_json(query(), object, lenient, arena, &values, &err);
    check(status == OG_OK || status == OG_INVALID);
    check(status == OG_OK || (err.status == status && err.message[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json object;
    if (og_json_parse(arena, (og_str){(const char *)data, size}, &object, NULL) != OG_OK)
        return 0;
    if (object.kind != OG_JSON_OBJECT)
        return 0; /* refused before it comes here */
    read_params(arena, &object, false);
    read_params(arena, &object, true);
    return 0;
}
