/* A seed's program, and the same as a shell script. */
#include "model.h"

#include <string.h>

static bool generate_op(rng *r, const schema *s, const state *st, bool first, op *out)
{
    int which = first ? 0 : rng_below(r, 100);
    if (which < 20)
        return generate_load(r, s, st, first, out);
    if (which < 55)
        return generate_mutation(r, s, st, out);
    if (which < 95)
        return generate_query(r, s, st, out);
    out->kind = which < 99 ? OP_REOPEN : OP_ROUND_TRIP;
    return true;
}

/* Apply it to the model; false when another should be tried. */
static bool accept(rng *r, const schema *s, state *st, const op *o)
{
    outcome result = {0};
    state next = *st;
    if (o->kind == OP_LOAD)
        result = model_load(s, o, &next);
    else if (o->kind == OP_MUTATE)
        result = model_mutate(s, o, &next);
    if (result.unclear || (result.refused != R_NONE && rng_chance(r, 50)))
        return false;
    *st = next;
    return true;
}

program *generate_program(uint64_t seed, int op_count)
{
    rng r = {seed * 0x9e3779b97f4a7c15u + 1};
    program *p = model_alloc(sizeof(*p));
    generate_schema(&r, &p->schema);
    p->schema_text = schema_print(&p->schema);
    p->ops = model_alloc(sizeof(op *) * (size_t)op_count);
    state st = {0};
    for (int tries = 0; p->op_count < op_count && tries < 20 * op_count; tries++) {
        op *o = model_alloc(sizeof(*o));
        bool first = p->op_count == 0 && tries < 6;
        if (generate_op(&r, &p->schema, &st, first, o) && accept(&r, &p->schema, &st, o))
            p->ops[p->op_count++] = o;
    }
    return p;
}

/* ---- script ------------------------------------------------------------------------------- */

static void print_file(buf *b, const char *name, text content)
{
    buf_printf(b, "cat > %s <<'END'\n", name);
    buf_text(b, content);
    if (content.len == 0 || content.ptr[content.len - 1] != '\n')
        buf_str(b, "\n");
    buf_str(b, "END\n");
}

static void print_params(buf *b, const op *o)
{
    if (o->params_json.len == 0)
        return;
    print_file(b, "params.json", o->params_json);
}

static void print_op(buf *b, const op *o)
{
    static const char *const modes[] = {"overwrite", "append", "merge"};
    switch (o->kind) {
    case OP_LOAD:
        print_file(b, "data.jsonl", o->input);
        buf_printf(b, "$omnigraph load --mode %s --data data.jsonl graph\n", modes[o->mode]);
        return;
    case OP_MUTATE:
    case OP_QUERY:
        print_file(b, "q.gq", o->input);
        print_params(b, o);
        buf_printf(b, "$omnigraph %s --query q.gq --params-file params.json graph\n",
                   o->kind == OP_MUTATE ? "mutate" : "query");
        return;
    case OP_REOPEN:
        buf_str(b, "# reopen\n");
        return;
    case OP_ROUND_TRIP:
        buf_str(
            b,
            "rm -rf copy; $omnigraph init --schema s.pg copy && $omnigraph export graph > x.jsonl\n"
            "$omnigraph load --data x.jsonl copy && $omnigraph export copy | cmp - x.jsonl\n");
        return;
    }
}

text program_script(const program *p, int op_count)
{
    buf b = {0};
    buf_str(&b, "#!/bin/sh\nomnigraph=${OMNIGRAPH:-omnigraph}\n");
    print_file(&b, "s.pg", p->schema_text);
    buf_str(&b, "rm -rf graph; $omnigraph init --schema s.pg graph\n");
    for (int i = 0; i < op_count && i < p->op_count; i++) {
        buf_printf(&b, "\n# operation %d\n", i);
        print_op(&b, p->ops[i]);
    }
    buf_str(&b, "$omnigraph export graph\n");
    return buf_view(&b);
}
