#include "lang/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/id.h"
#include "base/json.h"
#include "base/number.h"
#include "base/regex.h"
#include "lang/query.h"
#include "lang/schema_ast.h"

/* A schema above this is no schema. */
#define MAX_SOURCE_BYTES ((size_t)16 << 20)

const char *og_lang__decl_word(og_lang__decl_kind kind)
{
    static const char *const words[] = {
        [OG_LANG__INTERFACE] = "interface", [OG_LANG__NODE] = "node", [OG_LANG__EDGE] = "edge"};
    return words[kind];
}

og_status og_lang__schema_fail(const og_lang__schema *schema, og_span span, og_error *err,
                               const char *fmt, ...)
{
    char message[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    og_error_set(err, OG_INVALID, "%s", message);
    og_error_place(err, schema->source, span);
    return OG_INVALID;
}

const og_lang__annotation *og_lang__annotation_find(const og_lang__annotation *annotations,
                                                    uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (og_str_is(annotations[i].name.text, name))
            return &annotations[i];
    return NULL;
}

bool og_lang__annotation_is(const og_lang__annotation *annotation, const char *name)
{
    return og_str_is(annotation->name.text, name);
}

/* The text of @default(...) is what stood there: a decoded string, a number or a word. */
og_status og_lang__default_value(const og_prop_type *type, og_str text, og_arena *arena,
                                 og_literal *out, og_error *err)
{
    og_json value = {.kind = OG_JSON_STRING, .text = text};
    double number;
    if (og_scalar_is_numeric(type->scalar) && og_parse_f64(text, &number)) {
        int64_t integer;
        uint64_t natural;
        value.kind = OG_JSON_NUMBER;
        value.is_integer = og_parse_i64(text, &integer) || og_parse_u64(text, &natural);
    } else if (type->scalar == OG_SCALAR_BOOL &&
               (og_str_is(text, "true") || og_str_is(text, "false"))) {
        value.kind = OG_JSON_BOOL;
        value.boolean = og_str_is(text, "true");
    }
    return og_literal_from_json(type, &value, OG_STR("@default"), arena, out, err);
}

/* ---- compiling ------------------------------------------------------------------------------- */

static og_status hash_ir(const og_lang__schema *schema, og_catalog *catalog, og_error *err)
{
    OG_AUTO_BUF compact = OG_BUF_INIT;
    if (!og_lang__schema_write_ir(schema, false, &compact))
        return og_error_nomem(err);
    char digits[65];
    og_sha256_hex(og_buf_bytes(&compact), digits);
    snprintf(catalog->schema_hash, sizeof catalog->schema_hash, "sha256:%s", digits);
    return OG_OK;
}

static og_status compile(og_str source, og_arena *arena, og_buf *out_ir, og_catalog **out,
                         og_error *err)
{
    OG_TRY(og_text_check(source, MAX_SOURCE_BYTES, "schema", err));
    og_lang__schema schema = {.source = og_arena_str(arena, source), .arena = arena};
    og_catalog *catalog = og_arena_new_of(arena, og_catalog);
    if (schema.source.ptr == NULL || catalog == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lang__schema_parse(&schema, err));
    OG_TRY(og_lang__schema_decode(&schema, err));
    OG_TRY(og_lang__schema_check(&schema, err));
    OG_TRY(og_lang__schema_canonical(&schema, err));
    OG_TRY(og_lang__schema_catalog(&schema, catalog, err));
    OG_TRY(hash_ir(&schema, catalog, err));
    if (out_ir != NULL && !og_lang__schema_write_ir(&schema, true, out_ir))
        return og_error_nomem(err);
    catalog->refs = 1;
    catalog->arena = arena;
    *out = catalog;
    return OG_OK;
}

og_status og_schema_compile_ir(og_str source, og_catalog **out, og_buf *out_ir, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(compile(source, arena, out_ir, out, err));
    (void)OG_TAKE(arena); /* the catalog owns it now */
    return OG_OK;
}

og_status og_schema_compile(og_str source, og_catalog **out, og_error *err)
{
    return og_schema_compile_ir(source, out, NULL, err);
}

/* ---- what is refused at init ------------------------------------------------------------------- */

static og_status check_patterns(const og_type_def *def, og_error *err)
{
    for (uint32_t i = 0; i < def->check_count; i++) {
        OG_AUTO(og_regex) regex = NULL;
        og_status s = og_regex_new(def->checks[i].pattern, &regex, err);
        if (s != OG_OK)
            return og_error_context(err, s, "@check on %.*s.%.*s", OG_FMT(def->name),
                                    OG_FMT(def->properties[def->checks[i].property].name));
    }
    return OG_OK;
}

og_status og_schema_check_strict(const og_catalog *catalog, og_error *err)
{
    for (uint32_t i = 0; i < catalog->node_count; i++)
        OG_TRY(check_patterns(&catalog->nodes[i], err));
    if (catalog->bad_default.ptr != NULL)
        return og_error_set(err, OG_INVALID, "%.*s", OG_FMT(catalog->bad_default));
    return OG_OK;
}
