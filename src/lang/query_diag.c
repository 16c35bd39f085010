/* Errors of a compile: recorded with a span, shown with line, column and an excerpt. */
#include <stdarg.h>
#include <stdio.h>

#include "lang/query_ast.h"

void og_lang__compile_deinit(og_lang__compile *c)
{
    og_strmap_free(c->param_index);
    og_strmap_free(c->var_index);
    og_strmap_free(c->alias_index);
    og_vec_deinit(&c->vars);
    *c = OG_LANG__COMPILE_INIT;
}

og_status og_lang__nomem(og_lang__compile *c)
{
    c->diag = (og_lang__diag){.status = OG_NOMEM};
    return OG_NOMEM;
}

og_status og_lang__fail(og_lang__compile *c, og_span span, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = og_arena_alloc(c->arena, (size_t)len + 1);
    if (text == NULL)
        return og_lang__nomem(c);
    va_start(args, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    c->diag = (og_lang__diag){
        .status = OG_INVALID,
        .message = {text, (size_t)len},
        .has_place = true,
        .span = span,
    };
    return OG_INVALID;
}

void og_lang__suggest(og_lang__compile *c, const char *sigil, og_str name)
{
    if (name.len == 0 || c->diag.status != OG_INVALID)
        return;
    /* Without memory for it the hint is left out. */
    og_str hint = og_arena_printf(c->arena, "Did you mean '%s%.*s'?", sigil, OG_FMT(name));
    if (hint.ptr != NULL)
        c->diag.hint = hint;
}

og_status og_lang__report(const og_lang__compile *c, og_error *err)
{
    const og_lang__diag *diag = &c->diag;
    if (diag->status == OG_NOMEM)
        return og_error_nomem(err);
    og_error_set(err, diag->status, "%.*s", OG_FMT(diag->message));
    if (diag->has_place)
        og_error_place(err, c->source, diag->span);
    if (diag->hint.len > 0)
        og_error_hint(err, "%.*s", OG_FMT(diag->hint));
    return diag->status;
}
