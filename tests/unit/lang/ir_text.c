#include "ir_text.h"

#include <inttypes.h>

static void write_literal(const og_literal *lit, og_buf *out)
{
    switch (lit->kind) {
    case OG_LIT_NULL:
        og_buf_text(out, "null");
        return;
    case OG_LIT_BOOL:
        og_buf_text(out, lit->boolean ? "true" : "false");
        return;
    case OG_LIT_INTEGER:
        if (lit->is_unsigned)
            og_buf_printf(out, "%" PRIu64 "u", (uint64_t)lit->integer);
        else
            og_buf_printf(out, "%" PRId64, lit->integer);
        return;
    case OG_LIT_FLOAT:
        og_buf_printf(out, "%gf", lit->real);
        return;
    case OG_LIT_STRING:
        og_buf_printf(out, "\"%.*s\"", OG_FMT(lit->text));
        return;
    case OG_LIT_DATE:
    case OG_LIT_DATETIME:
        og_buf_printf(out, "%s%" PRId64, lit->kind == OG_LIT_DATE ? "day " : "ms ", lit->integer);
        return;
    case OG_LIT_LIST:
        break;
    }
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < lit->count; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        write_literal(&lit->items[i], out);
    }
    og_buf_byte(out, ']');
}

static void write_expr(const og_ir_query *q, const og_ir_expr *e, og_buf *out)
{
    static const char *const calls[] = {
        [OG_EXPR_NEAREST] = "nearest",       [OG_EXPR_SEARCH] = "search",
        [OG_EXPR_FUZZY] = "fuzzy",           [OG_EXPR_BM25] = "bm25",
        [OG_EXPR_MATCH_TEXT] = "match_text", [OG_EXPR_RRF] = "rrf",
    };
    const og_ir_var *var = q->var_count > 0 ? &q->vars[e->var] : NULL;
    switch (e->kind) {
    case OG_EXPR_PROPERTY:
        og_buf_printf(out, "%.*s.%.*s", OG_FMT(var->name),
                      OG_FMT(var->def->properties[e->property].name));
        return;
    case OG_EXPR_VARIABLE:
        og_buf_str(out, var->name);
        return;
    case OG_EXPR_PARAM:
        og_buf_printf(out, "$%.*s", OG_FMT(q->params[e->param].name));
        return;
    case OG_EXPR_LITERAL:
        write_literal(&e->literal, out);
        return;
    case OG_EXPR_NOW:
        og_buf_text(out, "now()");
        return;
    case OG_EXPR_ALIAS:
        og_buf_printf(out, "#%u", e->column);
        return;
    default:
        break;
    }
    og_buf_text(out, e->kind == OG_EXPR_AGGREGATE ? og_agg_name(e->agg) : calls[e->kind]);
    og_buf_byte(out, '(');
    for (uint32_t i = 0; i < e->arg_count; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        write_expr(q, &e->args[i], out);
    }
    og_buf_byte(out, ')');
}

static void write_filter(const og_ir_query *q, const og_ir_filter *f, bool inside, og_buf *out)
{
    if (inside)
        og_buf_str(out, q->vars[f->left.var].def->properties[f->left.property].name);
    else
        write_expr(q, &f->left, out);
    if (f->is_call)
        return;
    og_buf_printf(out, " %s ", og_cmp_op_text(f->op));
    write_expr(q, &f->right, out);
}

static void write_filters(const og_ir_query *q, const og_ir_op *op, og_buf *out)
{
    for (uint32_t i = 0; i < op->filter_count; i++) {
        og_buf_text(out, i == 0 ? "[" : ", ");
        write_filter(q, &op->filters[i], true, out);
    }
    og_buf_text(out, op->filter_count > 0 ? "]" : "");
}

static void write_expand(const og_ir_query *q, const og_ir_op *op, og_buf *out)
{
    og_str src = q->vars[op->src_var].name, dst = q->vars[op->dst_var].name;
    og_buf_printf(out, "%.*s ", OG_FMT(src));
    if (op->edge_var >= 0)
        og_buf_printf(out, "%.*s:", OG_FMT(q->vars[op->edge_var].name));
    og_buf_printf(out, "%s%.*s", op->direction == OG_DIR_OUT ? "-" : "<", OG_FMT(op->edge->name));
    if (op->min_hops != 1 || op->max_hops != 1)
        og_buf_printf(out, "{%u,%u}", op->min_hops, op->max_hops);
    og_buf_printf(out, "%s %.*s%s", op->direction == OG_DIR_IN ? "-" : ">", OG_FMT(dst),
                  op->dst_bound ? "!" : "");
    write_filters(q, op, out);
}

static void write_ops(const og_ir_query *q, const og_ir_op *ops, uint32_t count, og_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const og_ir_op *op = &ops[i];
        og_buf_text(out, i > 0 ? "; " : "");
        switch (op->kind) {
        case OG_IR_NODE_SCAN:
            og_buf_printf(out, "scan %.*s:%.*s", OG_FMT(q->vars[op->var].name),
                          OG_FMT(q->vars[op->var].def->name));
            write_filters(q, op, out);
            break;
        case OG_IR_EXPAND:
            write_expand(q, op, out);
            break;
        case OG_IR_FILTER:
            og_buf_text(out, "filter ");
            write_filter(q, &op->filters[0], false, out);
            break;
        case OG_IR_ANTI_JOIN:
            og_buf_text(out, "not(");
            write_ops(q, op->inner, op->inner_count, out);
            og_buf_byte(out, ')');
            break;
        }
    }
}

static void write_mutation(const og_ir_query *q, const og_ir_mutation *m, og_buf *out)
{
    static const char *const words[] = {"insert", "update", "delete"};
    og_buf_printf(out, "%s %.*s", words[m->kind], OG_FMT(m->def->table_key));
    for (uint32_t i = 0; i < m->assignment_count; i++) {
        const og_ir_assignment *a = &m->assignments[i];
        og_buf_printf(out, "%s%.*s%s = ", i == 0 ? " " : ", ", OG_FMT(a->name),
                      a->is_from || a->is_to ? "@" : "");
        write_expr(q, &a->value, out);
    }
    if (m->kind == OG_MUT_INSERT)
        return;
    og_buf_printf(out, " where %.*s%s %s ", OG_FMT(m->predicate.name),
                  m->predicate.is_from || m->predicate.is_to ? "@" : "",
                  og_cmp_op_text(m->predicate.op));
    write_expr(q, &m->predicate.value, out);
}

void ir_text(const og_ir_query *query, og_buf *out)
{
    write_ops(query, query->ops, query->op_count, out);
    for (uint32_t i = 0; i < query->mutation_count; i++) {
        og_buf_text(out, i > 0 ? "; " : "");
        write_mutation(query, &query->mutations[i], out);
    }
}

void ir_text_returns(const og_ir_query *query, og_buf *out)
{
    for (uint32_t i = 0; i < query->return_count; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        write_expr(query, &query->returns[i].expr, out);
        og_buf_printf(out, " as %.*s", OG_FMT(query->returns[i].name));
    }
    for (uint32_t i = 0; i < query->ordering_count; i++) {
        og_buf_text(out, i > 0 ? ", " : "; order ");
        write_expr(query, &query->orderings[i].expr, out);
        og_buf_text(out, query->orderings[i].descending ? " desc" : "");
    }
    if (query->has_limit)
        og_buf_printf(out, "; limit %" PRIu64, query->limit);
}
