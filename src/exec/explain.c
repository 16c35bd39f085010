/* What a plan does and why: a text tree or JSON (src/exec/README.md).
 *
 * The tree is read from the result down to where rows start; an anti join shows its inner
 * pipeline below it, indented. Counts are shown once the query has run. */
#include "exec/run_priv.h"

#include <inttypes.h>

#include "base/json.h"

/* ---- words -------------------------------------------------------------------------------- */

static void describe_literal(const og_literal *value, og_buf *out)
{
    switch (value->kind) {
    case OG_LIT_NULL:
        og_buf_text(out, "null");
        break;
    case OG_LIT_BOOL:
        og_buf_text(out, value->boolean ? "true" : "false");
        break;
    case OG_LIT_INTEGER:
        if (value->is_unsigned)
            og_buf_printf(out, "%" PRIu64, (uint64_t)value->integer);
        else
            og_buf_printf(out, "%" PRId64, value->integer);
        break;
    case OG_LIT_FLOAT:
        og_buf_printf(out, "%g", value->real);
        break;
    case OG_LIT_LIST:
        og_buf_printf(out, "[%" PRIu32 " items]", value->count);
        break;
    default:
        og_buf_printf(out, "\"%.*s\"", OG_FMT(value->text));
        break;
    }
}

static void describe_operand(const og_plan *plan, og_exec__operand operand, og_buf *out)
{
    if (operand.kind == OG_OPERAND_COLUMN) {
        const og_exec__column *c = &plan->columns[operand.index];
        og_buf_printf(out, "$%.*s.%.*s", OG_FMT(og_exec__var_name(plan, c->var)), OG_FMT(c->name));
        return;
    }
    const og_ir_expr *expr = plan->constants[operand.index];
    if (expr->kind == OG_EXPR_PARAM)
        og_buf_printf(out, "$%.*s", OG_FMT(plan->query->params[expr->param].name));
    else if (expr->kind == OG_EXPR_NOW)
        og_buf_text(out, "now()");
    else
        describe_literal(&expr->literal, out);
}

void og_exec__describe_predicate(const og_plan *plan, const og_exec__predicate *p, og_buf *out)
{
    describe_operand(plan, p->left, out);
    og_buf_printf(out, " %s ", og_cmp_op_text(p->op));
    describe_operand(plan, p->right, out);
}

static void describe_outputs(const og_plan *plan, og_buf *out)
{
    for (uint32_t i = 0; i < plan->output_count; i++)
        og_buf_printf(out, "%s%.*s", i > 0 ? ", " : "", OG_FMT(plan->results[i].name));
    for (uint32_t i = 0; i < plan->order_count; i++) {
        const og_exec__order *o = &plan->orders[i];
        og_buf_text(out, i > 0 ? ", " : "; order ");
        if (o->by_output)
            og_buf_printf(out, "%.*s", OG_FMT(plan->results[o->index].name));
        else
            describe_operand(plan, (og_exec__operand){OG_OPERAND_COLUMN, o->index}, out);
        og_buf_text(out, o->descending ? " desc" : "");
    }
    if (plan->has_limit)
        og_buf_printf(out, "; limit %" PRIu64, plan->limit);
}

/* ---- counts ------------------------------------------------------------------------------- */

og_exec__cost og_exec__cost_now(const og_exec *x)
{
    og_exec__cost now = {.time_ns = og_monotonic_ns()};
    if (x->snapshot->store == NULL)
        return now;
    const og_store_stats *stats = &x->snapshot->store->stats;
    now.calls = stats->gets + stats->heads + stats->lists;
    now.bytes = stats->bytes_read;
    return now;
}

void og_exec__cost_add(const og_exec *x, const og_exec__cost *start, og_exec__cost *total)
{
    og_exec__cost now = og_exec__cost_now(x);
    total->time_ns += now.time_ns - start->time_ns;
    total->calls += now.calls - start->calls;
    total->bytes += now.bytes - start->bytes;
}

/* What an operator took without its input (NULL = none). */
static og_exec__cost own_cost(const og_exec__cost *all, const og_exec__op *input)
{
    og_exec__cost own = *all;
    if (input == NULL)
        return own;
    const og_exec__cost *below = &input->cost;
    own.time_ns -= below->time_ns < own.time_ns ? below->time_ns : own.time_ns;
    own.calls -= below->calls < own.calls ? below->calls : own.calls;
    own.bytes -= below->bytes < own.bytes ? below->bytes : own.bytes;
    return own;
}

static og_exec__cost whole_cost(const og_exec *x)
{
    const og_exec__cost *rows = &x->sink->cost;
    return (og_exec__cost){.time_ns = x->opening.time_ns + rows->time_ns,
                           .calls = x->opening.calls + rows->calls,
                           .bytes = x->opening.bytes + rows->bytes};
}

/* ---- text --------------------------------------------------------------------------------- */

static void text_line(const og_exec *x, unsigned depth, const char *name, uint64_t rows,
                      uint64_t batches, og_exec__cost cost, og_str detail, og_buf *out)
{
    og_buf_fill(out, ' ', (size_t)depth * 2);
    og_buf_text(out, name);
    if (detail.len > 0)
        og_buf_printf(out, " %.*s", OG_FMT(detail));
    if (x->options.analyze)
        og_buf_printf(out,
                      "  [rows %" PRIu64 ", batches %" PRIu64 ", calls %" PRIu64 ", bytes %" PRIu64
                      ", %.3f ms]",
                      rows, batches, cost.calls, cost.bytes, (double)cost.time_ns / 1e6);
    og_buf_byte(out, '\n');
}

static void text_chain(const og_exec *x, const og_exec__op *op, unsigned depth, og_buf *out)
{
    for (; op != NULL; op = op->input, depth++) {
        OG_AUTO_BUF detail = OG_BUF_INIT;
        if (op->ops->describe != NULL)
            op->ops->describe(op, &detail);
        out->failed |= detail.failed;
        text_line(x, depth, op->ops->name, op->row_count, op->batch_count,
                  own_cost(&op->cost, op->input), og_buf_view(&detail), out);
        if (op->inner != NULL)
            text_chain(x, op->inner, depth + 2, out);
    }
}

static void explain_text(const og_exec *x, og_buf *out)
{
    OG_AUTO_BUF detail = OG_BUF_INIT;
    const og_exec__sink *sink = x->sink;
    og_buf_printf(out, "snapshot: branch %s, version %" PRIu64 "\n", x->snapshot->branch,
                  x->snapshot->manifest_version);
    describe_outputs(x->plan, &detail);
    text_line(x, 0, sink->ops->name, sink->row_count, sink->batch_count,
              own_cost(&sink->cost, x->chain), og_buf_view(&detail), out);
    text_chain(x, x->chain, 1, out);
    for (size_t i = 0; i < x->choices.len; i++) {
        const og_exec__choice *c = &x->choices.items[i];
        og_buf_printf(out, "%.*s: %.*s, because %.*s\n", OG_FMT(c->what), OG_FMT(c->method),
                      OG_FMT(c->because));
    }
    if (x->options.analyze) {
        og_exec__cost whole = whole_cost(x);
        og_buf_printf(out, "opening  [calls %" PRIu64 ", bytes %" PRIu64 ", %.3f ms]\n",
                      x->opening.calls, x->opening.bytes, (double)x->opening.time_ns / 1e6);
        og_buf_printf(out, "store: %" PRIu64 " calls, %" PRIu64 " bytes; total %.3f ms\n",
                      whole.calls, whole.bytes, (double)whole.time_ns / 1e6);
    }
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void json_text(og_buf *out, const char *key, og_str value)
{
    og_buf_printf(out, "\"%s\":", key);
    og_json_write_str(out, value);
}

static void json_cost(const og_exec__cost *cost, og_buf *out)
{
    og_buf_printf(out, "\"calls\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"time_us\":%" PRIu64,
                  cost->calls, cost->bytes, cost->time_ns / 1000);
}

static void json_node(const og_exec *x, const char *name, uint64_t rows, uint64_t batches,
                      og_exec__cost cost, og_str detail, og_buf *out)
{
    og_buf_byte(out, '{');
    json_text(out, "operator", og_str_of(name));
    if (detail.len > 0) {
        og_buf_byte(out, ',');
        json_text(out, "detail", detail);
    }
    if (!x->options.analyze)
        return;
    og_buf_printf(out, ",\"rows\":%" PRIu64 ",\"batches\":%" PRIu64 ",", rows, batches);
    json_cost(&cost, out);
}

/* The chain from its end; each operator holds its input. */
static void json_chain(const og_exec *x, const og_exec__op *op, og_buf *out)
{
    unsigned depth = 0;
    for (; op != NULL; op = op->input, depth++) {
        OG_AUTO_BUF detail = OG_BUF_INIT;
        if (op->ops->describe != NULL)
            op->ops->describe(op, &detail);
        out->failed |= detail.failed;
        json_node(x, op->ops->name, op->row_count, op->batch_count, own_cost(&op->cost, op->input),
                  og_buf_view(&detail), out);
        if (op->inner != NULL) {
            og_buf_text(out, ",\"inner\":");
            json_chain(x, op->inner, out);
        }
        if (op->input != NULL)
            og_buf_text(out, ",\"input\":");
    }
    og_buf_fill(out, '}', depth);
}

static void json_choices(const og_exec *x, og_buf *out)
{
    og_buf_text(out, ",\"choices\":[");
    for (size_t i = 0; i < x->choices.len; i++) {
        const og_exec__choice *c = &x->choices.items[i];
        og_buf_text(out, i > 0 ? ",{" : "{");
        json_text(out, "hop", c->what);
        og_buf_byte(out, ',');
        json_text(out, "method", c->method);
        og_buf_byte(out, ',');
        json_text(out, "because", c->because);
        og_buf_byte(out, '}');
    }
    og_buf_byte(out, ']');
}

static void explain_json(const og_exec *x, og_buf *out)
{
    OG_AUTO_BUF detail = OG_BUF_INIT;
    const og_exec__sink *sink = x->sink;
    describe_outputs(x->plan, &detail);
    og_buf_text(out, "{\"plan\":");
    json_node(x, sink->ops->name, sink->row_count, sink->batch_count,
              own_cost(&sink->cost, x->chain), og_buf_view(&detail), out);
    og_buf_text(out, ",\"input\":");
    json_chain(x, x->chain, out);
    og_buf_text(out, "},\"snapshot\":{");
    json_text(out, "branch", og_str_of(x->snapshot->branch));
    og_buf_printf(out, ",\"version\":%" PRIu64 "}", x->snapshot->manifest_version);
    json_choices(x, out);
    if (x->options.analyze) {
        og_exec__cost whole = whole_cost(x);
        og_buf_text(out, ",\"opening\":{");
        json_cost(&x->opening, out);
        og_buf_printf(
            out, "},\"store\":{\"calls\":%" PRIu64 ",\"bytes\":%" PRIu64 "},\"time_us\":%" PRIu64,
            whole.calls, whole.bytes, whole.time_ns / 1000);
    }
    og_buf_text(out, "}\n");
}

og_status og_exec_explain(const og_exec *exec, bool json, og_buf *out, og_error *err)
{
    if (json)
        explain_json(exec, out);
    else
        explain_text(exec, out);
    return out->failed ? og_error_nomem(err) : OG_OK;
}
