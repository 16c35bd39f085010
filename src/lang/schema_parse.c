/* The grammar of .pg (the reference's schema.pest): files and declarations. */
#include "lang/schema_parse_priv.h"

typedef og_lang__schema_parser parser;

static const char *const rule_names[] = {
#define RULE_NAME(id, name) [OG_SCHEMA_RULE_##id] = name,
    OG_LANG__SCHEMA_RULES(RULE_NAME)
#undef RULE_NAME
};

void *og_lang__schema_take_tail(parser *p, const void *items, size_t *len, size_t base,
                                size_t item_size)
{
    size_t count = *len - base;
    *len = base;
    if (count == 0)
        return NULL;
    void *copy = og_arena_copy(p->arena, (const char *)items + base * item_size, count * item_size);
    if (copy == NULL)
        p->out_of_memory = true;
    return copy;
}

/* ---- declarations ------------------------------------------------------------------------- */

/* interface_decl = { "interface" ~ type_name ~ "{" ~ prop_decl* ~ "}" } */
static bool interface_decl(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__decl decl = {.kind = OG_LANG__INTERFACE};
    bool ok = og_scan_text(&p->scan, "interface") && og_lang__schema_type_name(p, &decl.name) &&
              og_lang__schema_body(p, &decl);
    if (ok)
        OG_LANG__PUSH(p, decls, decl);
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_INTERFACE_DECL, ok);
}

/* implements_clause = { "implements" ~ type_name ~ ("," ~ type_name)* } */
static bool implements_clause(parser *p, og_lang__decl *decl)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    size_t base = p->names.len;
    bool ok = og_scan_text(&p->scan, "implements") &&
              og_lang__schema_name_list(p, OG_SCHEMA_RULE_TYPE_NAME, og_match_type_name);
    if (ok)
        OG_LANG__TAKE_TAIL(p, names, base, &decl->implements, &decl->implements_count);
    p->names.len = base;
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_IMPLEMENTS_CLAUSE, ok);
}

/* node_decl = { "node" ~ type_name ~ annotation* ~ implements_clause? ~ body } */
static bool node_decl(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__decl decl = {.kind = OG_LANG__NODE};
    bool ok = og_scan_text(&p->scan, "node") && og_lang__schema_type_name(p, &decl.name);
    if (ok) {
        og_lang__schema_annotations(p, &decl.annotations, &decl.annotation_count);
        implements_clause(p, &decl);
        ok = og_lang__schema_body(p, &decl);
    }
    if (ok)
        OG_LANG__PUSH(p, decls, decl);
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_NODE_DECL, ok);
}

/* cardinality = { "@card" ~ "(" ~ integer ~ ".." ~ integer? ~ ")" } */
static bool cardinality(parser *p, og_lang__decl *decl)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    bool ok = og_scan_text(s, "@card") && og_scan_text(s, "(") &&
              og_lang__schema_integer(p, &decl->card_min_span) && og_scan_text(s, "..");
    if (ok) {
        decl->has_card_max = og_lang__schema_integer(p, &decl->card_max_span);
        ok = og_scan_text(s, ")");
    }
    decl->has_card = ok;
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_CARDINALITY, ok);
}

/* edge_decl = { "edge" ~ type_name ~ ":" ~ type_name ~ "->" ~ type_name ~ cardinality?
 *               ~ annotation* ~ body? } */
static bool edge_decl(parser *p)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    og_lang__decl decl = {.kind = OG_LANG__EDGE};
    bool ok = og_scan_text(s, "edge") && og_lang__schema_type_name(p, &decl.name) &&
              og_scan_text(s, ":") && og_lang__schema_type_name(p, &decl.from) &&
              og_scan_text(s, "->") && og_lang__schema_type_name(p, &decl.to);
    if (ok) {
        cardinality(p, &decl);
        og_lang__schema_annotations(p, &decl.annotations, &decl.annotation_count);
        size_t behind = s->pos;
        if (!og_lang__schema_body(p, &decl))
            s->pos = behind;
        OG_LANG__PUSH(p, decls, decl);
    }
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_EDGE_DECL, ok);
}

/* schema_decl = { interface_decl | node_decl | edge_decl } */
static bool schema_decl(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = interface_decl(p) || node_decl(p) || edge_decl(p);
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_SCHEMA_DECL, ok);
}

/* schema_file = { SOI ~ schema_decl* ~ EOI } */
static bool schema_file(parser *p)
{
    og_scan_mark mark = og_scan_enter_here(&p->scan);
    while (!p->out_of_memory && schema_decl(p))
        ;
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_SCHEMA_FILE, og_scan_end(&p->scan));
}

/* ---- errors ------------------------------------------------------------------------------- */

/* A word that stands where a type or a declaration is wanted may be a misspelt one. */
static void hint_at_failure(const og_scan *scan, og_error *err)
{
    og_str rest = og_str_slice(scan->source, scan->furthest, scan->source.len);
    if (og_str_starts(rest, OG_STR("implements")) &&
        og_scan_expected(scan, OG_SCHEMA_RULE_ANNOTATION)) {
        og_error_hint(err, "Annotations of a node stand before 'implements'.");
        return;
    }
    size_t len = og_lang__schema_match_word(rest);
    og_nearest nearest = og_nearest_to(og_str_slice(rest, 0, len));
    if (og_scan_expected(scan, OG_SCHEMA_RULE_CORE_TYPE) ||
        og_scan_expected(scan, OG_SCHEMA_RULE_BASE_TYPE)) {
        for (size_t i = 0; og_lang__schema_scalars[i] != NULL; i++)
            og_nearest_offer(&nearest, og_str_of(og_lang__schema_scalars[i]));
    } else if (og_scan_expected(scan, OG_SCHEMA_RULE_SCHEMA_DECL) ||
               og_scan_expected(scan, OG_SCHEMA_RULE_SCHEMA_FILE)) {
        for (int kind = OG_LANG__INTERFACE; kind <= OG_LANG__EDGE; kind++)
            og_nearest_offer(&nearest, og_str_of(og_lang__decl_word((og_lang__decl_kind)kind)));
    } else if (og_scan_expected(scan, OG_SCHEMA_RULE_IMPLEMENTS_CLAUSE)) {
        og_nearest_offer(&nearest, OG_STR("implements"));
    }
    og_nearest_hint(&nearest, err);
}

og_status og_lang__schema_parse(og_lang__schema *schema, og_error *err)
{
    parser p = {.scan = og_scan_of(schema->source), .arena = schema->arena};
    bool ok = schema_file(&p);
    OG_LANG__TAKE_TAIL(&p, decls, 0, &schema->decls, &schema->decl_count);
    og_vec_deinit(&p.decls);
    og_vec_deinit(&p.props);
    og_vec_deinit(&p.constraints);
    og_vec_deinit(&p.annotations);
    og_vec_deinit(&p.args);
    og_vec_deinit(&p.names);
    if (p.out_of_memory)
        return og_error_nomem(err);
    if (ok)
        return OG_OK;
    og_status status = og_scan_error(&p.scan, rule_names, err);
    if (status != OG_INVALID)
        return status;
    hint_at_failure(&p.scan, err);
    return og_error_context(err, status, "parse error");
}
