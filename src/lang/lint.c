/* The linter: every query of a file checked by itself, then rules over the whole file. The report
 * is the reference's (query/lint.rs and the printing in its CLI). */
#include "lang/lint.h"

#include <stdlib.h>

#include "base/json.h"
#include "lang/query_ast.h"

typedef struct query_result {
    og_str name;
    bool is_mutation;
    bool failed;
    og_str error;
    bool warns_no_params;
    struct query_result *next;
} query_result;

/* Which update queries there are for a node type, and what they set. */
typedef struct coverage {
    OG_VEC(og_str) query_names;
    og_strmap *assigned;
} coverage;

typedef struct report {
    og_arena *arena;
    const og_lint_input *input;
    const og_catalog *catalog;
    query_result *results;
    size_t processed, errors, warnings;
    og_str syntax_error; /* len 0 = none; then there is nothing else */
    coverage *coverages; /* by node type */
} report;

static const char no_params_warning[] =
    "mutation declares no params; hardcoded mutations are easy to miss";

/* ---- checking ----------------------------------------------------------------------------- */

static bool cover(report *r, const og_lang__query_decl *decl)
{
    for (const og_lang__mutation *m = decl->mutations; m != NULL; m = m->next) {
        if (m->kind != OG_MUT_UPDATE)
            continue;
        coverage *cov = &r->coverages[m->def->index];
        if (cov->assigned == NULL && (cov->assigned = og_strmap_new(true)) == NULL)
            return false;
        if (!og_vec_push(&cov->query_names, decl->name.text))
            return false;
        for (const og_lang__pair *p = m->assignments; p != NULL; p = p->next)
            if (og_strmap_put(cov->assigned, p->name.text, NULL) == NULL)
                return false;
    }
    return true;
}

/* Lowering is part of the check: it refuses what could never run. */
static og_status check_query(og_lang__compile *c, og_lang__query_decl *decl)
{
    og_ir_query query;
    OG_TRY(og_lang__check(c, decl));
    OG_TRY(og_lang__lower(c, decl, &query));
    if (query.refused.len > 0)
        return og_lang__fail(c, query.refused_span, "%.*s", OG_FMT(query.refused));
    return OG_OK;
}

static void tell(const report *r, const og_lang__compile *c)
{
    og_error error = {0};
    if (r->input->take_error == NULL)
        return;
    (void)og_lang__report(c, &error);
    r->input->take_error(r->input->take_context, &error);
}

static og_status lint_query(report *r, og_lang__compile *c, og_lang__query_decl *decl,
                            query_result **out, og_error *err)
{
    query_result *result = og_arena_new_of(r->arena, query_result);
    if (result == NULL)
        return og_error_nomem(err);
    og_status status = check_query(c, decl);
    if (status == OG_NOMEM)
        return og_error_nomem(err);
    *result = (query_result){
        .name = decl->name.text,
        .is_mutation = decl->mutations != NULL,
        .failed = status != OG_OK,
        .error = c->diag.message,
        .warns_no_params = decl->mutations != NULL && decl->params == NULL,
    };
    if (!result->failed && !cover(r, decl))
        return og_error_nomem(err);
    if (result->failed)
        tell(r, c);
    r->processed++;
    r->errors += result->failed;
    r->warnings += result->warns_no_params;
    *out = result;
    return OG_OK;
}

static og_status lint_file(report *r, og_lang__compile *c, og_error *err)
{
    og_lang__query_decl *first = NULL;
    og_status status = og_lang__parse(c, &first);
    if (status == OG_INVALID) {
        r->syntax_error = c->diag.message;
        r->errors = 1;
        return OG_OK;
    }
    if (status != OG_OK)
        return og_lang__report(c, err);
    query_result **tail = &r->results;
    for (og_lang__query_decl *decl = first; decl != NULL; decl = decl->next) {
        OG_TRY(lint_query(r, c, decl, tail, err));
        tail = &(*tail)->next;
    }
    return OG_OK;
}

/* L201: the type has update queries, and none of them sets this nullable property. */
static bool is_uncovered(const coverage *cov, const og_type_def *def, const og_property *property)
{
    if (cov->query_names.len == 0 || !property->type.nullable || property->embed_source.len > 0)
        return false;
    for (uint32_t i = 0; i < def->key.count; i++)
        if (og_str_eq(def->key.names[i], property->name))
            return false;
    return og_strmap_get(cov->assigned, property->name) == NULL;
}

typedef struct finding {
    const og_type_def *def;
    const og_property *property;
} finding;

/* The next uncovered property behind *at; they come sorted by type and property. */
static bool next_finding(const report *r, finding *at)
{
    uint32_t type = at->def != NULL ? at->def->index : 0;
    uint32_t next = at->def != NULL ? (uint32_t)(at->property - at->def->properties) + 1 : 0;
    for (; type < r->catalog->node_count; type++, next = 0) {
        const og_type_def *def = &r->catalog->nodes[type];
        for (; next < def->property_count; next++) {
            if (is_uncovered(&r->coverages[type], def, &def->properties[next])) {
                *at = (finding){def, &def->properties[next]};
                return true;
            }
        }
    }
    return false;
}

static void write_finding_message(og_buf *out, const finding *f)
{
    og_buf_printf(out, "%.*s.%.*s exists in schema but no update query sets it",
                  OG_FMT(f->def->name), OG_FMT(f->property->name));
}

/* ---- text --------------------------------------------------------------------------------- */

static void write_text_line(og_buf *out, const char *prefix, og_str name, const char *middle,
                            og_str rest)
{
    og_buf_printf(out, "%s query `%.*s`%s", prefix, OG_FMT(name), middle);
    og_buf_str(out, rest);
    og_buf_byte(out, '\n');
}

static void write_text(const report *r, og_buf *out)
{
    for (const query_result *q = r->results; q != NULL; q = q->next) {
        if (q->failed)
            write_text_line(out, "ERROR", q->name, ": ", q->error);
        else
            write_text_line(out, "OK   ", q->name, q->is_mutation ? " (mutation)" : " (read)",
                            OG_STR(""));
        if (q->warns_no_params)
            write_text_line(out, "WARN ", q->name, ": ", og_str_of(no_params_warning));
    }
    if (r->syntax_error.len > 0) {
        og_buf_text(out, "ERROR ");
        og_buf_str(out, r->syntax_error);
        og_buf_byte(out, '\n');
    }
    for (finding f = {0}; next_finding(r, &f);) {
        og_buf_text(out, "WARN  ");
        write_finding_message(out, &f);
        og_buf_byte(out, '\n');
    }
    og_buf_printf(out,
                  "INFO  Lint complete: %zu queries processed (%zu error(s), %zu warning(s), 0 "
                  "info item(s))\n",
                  r->processed, r->errors, r->warnings);
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* A line of an object: indent, "key": value, and a comma unless it is the last. */
static void write_member(og_buf *out, int indent, const char *key, og_str value, bool last)
{
    og_buf_printf(out, "%*s\"%s\": ", indent, "", key);
    og_json_write_str(out, value);
    og_buf_text(out, last ? "\n" : ",\n");
}

static void write_count(og_buf *out, const char *key, size_t value)
{
    og_buf_printf(out, "  \"%s\": %zu,\n", key, value);
}

static void write_result_json(og_buf *out, const query_result *q)
{
    og_buf_text(out, "    {\n");
    write_member(out, 6, "name", q->name, false);
    write_member(out, 6, "kind", og_str_of(q->is_mutation ? "mutation" : "read"), false);
    write_member(out, 6, "status", og_str_of(q->failed ? "error" : "ok"),
                 !q->warns_no_params && !q->failed);
    if (q->warns_no_params) {
        og_buf_text(out, "      \"warnings\": [\n        ");
        og_json_write_str(out, og_str_of(no_params_warning));
        og_buf_text(out, q->failed ? "\n      ],\n" : "\n      ]\n");
    }
    if (q->failed)
        write_member(out, 6, "error", q->error, true);
    og_buf_text(out, q->next != NULL ? "    },\n" : "    }\n");
}

static int by_bytes(const void *a, const void *b)
{
    return og_str_cmp(*(const og_str *)a, *(const og_str *)b);
}

/* Sorted, each once. */
static void write_query_names(og_buf *out, coverage *cov)
{
    qsort(cov->query_names.items, cov->query_names.len, sizeof *cov->query_names.items, by_bytes);
    og_buf_text(out, "      \"query_names\": [");
    og_str last = {NULL, 0};
    for (size_t i = 0; i < cov->query_names.len; i++) {
        og_str name = cov->query_names.items[i];
        if (last.ptr != NULL && og_str_eq(last, name))
            continue;
        og_buf_text(out, last.ptr != NULL ? ",\n        " : "\n        ");
        og_json_write_str(out, name);
        last = name;
    }
    og_buf_text(out, "\n      ]\n");
}

static void write_finding_json(const report *r, const finding *f, og_buf *out)
{
    OG_AUTO_BUF message = OG_BUF_INIT;
    write_finding_message(&message, f);
    out->failed |= message.failed;
    og_buf_text(out, "    {\n");
    write_member(out, 6, "severity", OG_STR("warning"), false);
    write_member(out, 6, "code", OG_STR("L201"), false);
    write_member(out, 6, "message", og_buf_view(&message), false);
    write_member(out, 6, "type_name", f->def->name, false);
    write_member(out, 6, "property", f->property->name, false);
    write_query_names(out, &r->coverages[f->def->index]);
    og_buf_text(out, "    }");
}

static void write_findings_json(const report *r, og_buf *out)
{
    og_buf_text(out, "  \"findings\": [");
    bool any = false;
    if (r->syntax_error.len > 0) {
        og_buf_text(out, "\n    {\n");
        write_member(out, 6, "severity", OG_STR("error"), false);
        write_member(out, 6, "code", OG_STR("Q000"), false);
        write_member(out, 6, "message", r->syntax_error, true);
        og_buf_text(out, "    }");
        any = true;
    }
    for (finding f = {0}; next_finding(r, &f); any = true) {
        og_buf_text(out, any ? ",\n" : "\n");
        write_finding_json(r, &f, out);
    }
    og_buf_text(out, any ? "\n  ]\n" : "]\n");
}

static void write_json(const report *r, og_buf *out)
{
    const og_lint_input *input = r->input;
    bool graph = input->schema_from_graph;
    og_buf_text(out, "{\n");
    write_member(out, 2, "status", og_str_of(r->errors > 0 ? "error" : "ok"), false);
    og_buf_text(out, "  \"schema_source\": {\n");
    write_member(out, 4, "kind", og_str_of(graph ? "graph" : "file"), false);
    write_member(out, 4, graph ? "uri" : "path", input->schema_path, true);
    og_buf_text(out, "  },\n");
    write_member(out, 2, "query_path", input->query_path, false);
    write_count(out, "queries_processed", r->processed);
    write_count(out, "errors", r->errors);
    write_count(out, "warnings", r->warnings);
    write_count(out, "infos", 0);
    og_buf_text(out, r->results != NULL ? "  \"results\": [\n" : "  \"results\": [");
    for (const query_result *q = r->results; q != NULL; q = q->next)
        write_result_json(out, q);
    og_buf_text(out, r->results != NULL ? "  ],\n" : "],\n");
    write_findings_json(r, out);
    og_buf_text(out, "}\n");
}

/* ---- the whole ---------------------------------------------------------------------------- */

static og_status run(report *r, bool json, og_buf *out, og_error *err)
{
    og_lang__compile c = {
        .arena = r->arena,
        .source = r->input->query_source,
        .catalog = r->catalog,
    };
    og_status status = lint_file(r, &c, err);
    og_lang__compile_deinit(&c);
    OG_TRY(status);
    for (finding f = {0}; next_finding(r, &f);)
        r->warnings++;
    if (json)
        write_json(r, out);
    else
        write_text(r, out);
    return out->failed ? og_error_nomem(err) : OG_OK;
}

og_status og_lint(const og_catalog *catalog, const og_lint_input *input, bool json, og_buf *out,
                  bool *out_failed, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    report r = {.arena = arena, .input = input, .catalog = catalog};
    if (arena != NULL)
        r.coverages = og_arena_array_of(arena, coverage, catalog->node_count);
    if (r.coverages == NULL)
        return og_error_nomem(err);
    og_status status = run(&r, json, out, err);
    for (uint32_t i = 0; i < catalog->node_count; i++) {
        og_vec_deinit(&r.coverages[i].query_names);
        og_strmap_free(r.coverages[i].assigned);
    }
    if (status == OG_OK)
        *out_failed = r.errors > 0;
    return status;
}
