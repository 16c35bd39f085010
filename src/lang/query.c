/* A query file compiled for one of its queries: parse, find, check, lower. */
#include "lang/query.h"

#include "lang/query_ast.h"

/* What the tree and the IR of one file may take; hostile text stops here. */
#define MAX_ARENA_BYTES ((size_t)4 << 30)

struct og_program {
    og_arena *arena;
    og_catalog *catalog;
    og_ir_query query;
};

void og_program_free(og_program *program)
{
    if (program == NULL)
        return;
    og_arena_free(program->arena);
    og_catalog_unref(program->catalog);
    og_free(program);
}

const og_ir_query *og_program_query(const og_program *program)
{
    return &program->query;
}

static og_status find_named(og_lang__compile *c, og_lang__query_decl *first, og_str name,
                            og_lang__query_decl **out)
{
    og_nearest nearest = og_nearest_to(name);
    for (og_lang__query_decl *decl = first; decl != NULL; decl = decl->next) {
        if (og_str_eq(decl->name.text, name)) {
            *out = decl;
            return OG_OK;
        }
        og_nearest_offer(&nearest, decl->name.text);
    }
    og_status status = og_lang__fail(c, (og_span){0, 0}, "query '%.*s' not found", OG_FMT(name));
    og_lang__suggest(c, "", nearest.best);
    c->diag.has_place = false;
    return status;
}

static og_status find_query(og_lang__compile *c, og_lang__query_decl *first, const char *name,
                            og_lang__query_decl **out)
{
    if (name != NULL)
        return find_named(c, first, og_str_of(name), out);
    if (first != NULL && first->next == NULL) {
        *out = first;
        return OG_OK;
    }
    /* The reference says so of an empty file, too. */
    og_status status =
        og_lang__fail(c, (og_span){0, 0}, "query file contains multiple queries; pass --name");
    c->diag.has_place = false;
    if (first == NULL)
        c->diag.hint = OG_STR("There is no query in the text; one is `query name() { ... }`.");
    return status;
}

static og_status compile(og_lang__compile *c, const char *name, og_ir_query *out)
{
    og_lang__query_decl *first = NULL, *decl = NULL;
    OG_TRY(og_lang__parse(c, &first));
    OG_TRY(find_query(c, first, name, &decl));
    OG_TRY(og_lang__check(c, decl));
    return og_lang__lower(c, decl, out);
}

og_status og_program_compile(og_str source, const char *name, og_catalog *catalog, og_program **out,
                             og_error *err)
{
    OG_AUTO(og_program) program = og_calloc(1, sizeof *program);
    if (program == NULL)
        return og_error_nomem(err);
    program->catalog = og_catalog_ref(catalog);
    program->arena = og_arena_new(MAX_ARENA_BYTES);
    if (program->arena == NULL)
        return og_error_nomem(err);
    /* Names and texts of the IR point into the source. */
    og_lang__compile c = {
        .arena = program->arena,
        .source = og_arena_str(program->arena, source),
        .catalog = catalog,
    };
    if (c.source.ptr == NULL)
        return og_error_nomem(err);
    og_status status = compile(&c, name, &program->query);
    if (status != OG_OK)
        status = og_lang__report(&c, err);
    og_lang__compile_deinit(&c);
    if (status == OG_OK)
        *out = OG_TAKE(program);
    return status;
}

og_status og_query_names(og_str source, og_arena *arena, const og_str **out_names,
                         size_t *out_count, og_error *err)
{
    og_lang__compile c = {.arena = arena, .source = og_arena_str(arena, source)};
    if (c.source.ptr == NULL)
        return og_error_nomem(err);
    og_lang__query_decl *first;
    if (og_lang__parse(&c, &first) != OG_OK)
        return og_lang__report(&c, err);
    size_t count = 0;
    for (const og_lang__query_decl *decl = first; decl != NULL; decl = decl->next)
        count++;
    og_str *names = og_arena_array_of(arena, og_str, count);
    if (names == NULL)
        return og_error_nomem(err);
    count = 0;
    for (const og_lang__query_decl *decl = first; decl != NULL; decl = decl->next)
        names[count++] = decl->name.text;
    *out_names = names;
    *out_count = count;
    return OG_OK;
}
