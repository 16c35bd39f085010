#include "lang/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/id.h"
#include "lang/schema_ast.h"

/* What is larger was not written by hand, nor for anyone to read. */
#define MAX_SOURCE_BYTES ((size_t)4 << 20)

og_status og_lang__schema_fail(const og_lang__schema *schema, og_span span, og_error *err,
                               const char *fmt, ...)
{
    char message[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    og_error_set(err, OG_INVALID, "%s%s", schema->error_kind, message);
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

/* ---- compiling ---------------------------------------------------------------------------- */

og_status og_lang__schema_read(og_lang__schema *schema, og_str source, og_arena *arena,
                               og_error *err)
{
    OG_TRY(og_text_check(source, MAX_SOURCE_BYTES, "schema", err));
    /* Said twice of all but syntax errors, as the reference does. */
    *schema = (og_lang__schema){.source = og_arena_str(arena, source),
                                .arena = arena,
                                .error_kind = "parse error: parse error: "};
    if (schema->source.ptr == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lang__schema_parse(schema, err));
    OG_TRY(og_lang__schema_decode(schema, err));
    OG_TRY(og_lang__schema_check(schema, err));
    schema->error_kind = "catalog error: ";
    return og_lang__schema_canonical(schema, err);
}

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

og_status og_schema_compile_ir(og_str source, og_catalog **out, og_buf *out_ir, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_catalog *catalog = arena != NULL ? og_arena_new_of(arena, og_catalog) : NULL;
    if (catalog == NULL)
        return og_error_nomem(err);
    og_lang__schema schema;
    OG_TRY(og_lang__schema_read(&schema, source, arena, err));
    OG_TRY(og_lang__schema_catalog(&schema, catalog, err));
    OG_TRY(hash_ir(&schema, catalog, err));
    if (out_ir != NULL && !og_lang__schema_write_ir(&schema, true, out_ir))
        return og_error_nomem(err);
    catalog->refs = 1;
    catalog->arena = OG_TAKE(arena);
    *out = catalog;
    return OG_OK;
}

og_status og_schema_compile(og_str source, og_catalog **out, og_error *err)
{
    return og_schema_compile_ir(source, out, NULL, err);
}
