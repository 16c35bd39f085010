#include "model.h"

#include <stdio.h>
#include <string.h>

const char *const sim_op_names[SIM_OP_KINDS] = {
    "load merge",    "load append",  "load overwrite", "mutate",  "read",    "branch create",
    "branch delete", "branch merge", "optimize",       "cleanup", "foreign", "index",
};

/* ---- random numbers ----------------------------------------------------------------------- */

uint64_t sim_next(sim_rng *r)
{
    /* splitmix64 (Steele, Lea, Flood 2014). */
    uint64_t z = (r->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

sim_rng sim_rng_of(uint64_t seed, uint64_t stream)
{
    sim_rng r = {seed * UINT64_C(0xD1342543DE82EF95) + stream};
    r.state = sim_next(&r);
    return r;
}

int sim_below(sim_rng *r, int bound)
{
    return (int)(sim_next(r) % (uint64_t)bound);
}

bool sim_chance(sim_rng *r, int n, int of)
{
    return sim_below(r, of) < n;
}

/* ---- schema ------------------------------------------------------------------------------- */

void sim_schema_random(sim_rng *r, sim_schema *s)
{
    *s = (sim_schema){.ids = SIM_IDS,
                      .node_types = 1 + sim_below(r, SIM_NODE_TYPES),
                      .edge_types = 1 + sim_below(r, SIM_EDGE_TYPES)};
    for (int i = 0; i < s->node_types; i++) {
        s->node[i].unique = sim_chance(r, 1, 3);
        s->node[i].list = sim_chance(r, 1, 4);
        s->node[i].vector = sim_chance(r, 1, 4);
        s->node[i].blob = sim_chance(r, 1, 6);
    }
    for (int i = 0; i < s->edge_types; i++) {
        s->edge[i].from = sim_below(r, s->node_types);
        s->edge[i].to = sim_below(r, s->node_types);
        s->edge[i].max_out = sim_chance(r, 1, 3) ? 1 + sim_below(r, 3) : 0;
    }
}

void sim_schema_print(const sim_schema *s, og_buf *out)
{
    for (int i = 0; i < s->node_types; i++)
        og_buf_printf(
            out, "node N%d {\n k: String @key\n v: I64?\n%s%s%s%s}\n", i,
            s->node[i].unique ? " u: I64? @unique\n" : "", s->node[i].list ? " l: [I32]?\n" : "",
            s->node[i].vector ? " e: Vector(2)?\n" : "", s->node[i].blob ? " b: Blob?\n" : "");
    for (int i = 0; i < s->edge_types; i++) {
        og_buf_printf(out, "edge E%d: N%d -> N%d", i, s->edge[i].from, s->edge[i].to);
        if (s->edge[i].max_out > 0)
            og_buf_printf(out, " @card(0..%d)", s->edge[i].max_out);
        og_buf_text(out, " {\n w: I64?\n}\n");
    }
}

/* ---- states ------------------------------------------------------------------------------- */

static bool row_eq(const sim_row *a, const sim_row *b)
{
    if (!a->present || !b->present)
        return a->present == b->present;
    return a->from == b->from && a->to == b->to && a->value == b->value && a->unique == b->unique &&
           a->blob == b->blob;
}

bool sim_type_eq(const sim_state *a, const sim_state *b, int type)
{
    for (int i = 0; i < SIM_IDS; i++)
        if (!row_eq(&a->rows[type][i], &b->rows[type][i]))
            return false;
    return true;
}

bool sim_state_eq(const sim_state *a, const sim_state *b)
{
    for (int t = 0; t < SIM_TYPES; t++)
        if (!sim_type_eq(a, b, t))
            return false;
    return true;
}

static void print_number(og_buf *out, const char *name, int value)
{
    og_buf_printf(out, value == SIM_NULL ? ",\"%s\":null" : ",\"%s\":%d", name, value);
}

static const char *const blobs[] = {",\"b\":null", ",\"b\":\"base64:ZXZlbg==\"",
                                    ",\"b\":\"base64:b2Rk\""};

/* Properties in the order of export. */
static void print_node(const sim_schema *s, int type, int id, const sim_row *row, og_buf *out)
{
    int v = row->value;
    og_buf_printf(out, "{\"type\":\"N%d\",\"data\":{\"id\":\"n%d\"", type, id);
    if (s->node[type].blob)
        og_buf_text(out, blobs[row->blob]);
    if (s->node[type].vector)
        og_buf_printf(out, v == SIM_NULL ? ",\"e\":null" : ",\"e\":[%d.0,0.5]", v);
    og_buf_printf(out, ",\"k\":\"n%d\"", id);
    if (s->node[type].list)
        og_buf_printf(out, v == SIM_NULL ? ",\"l\":null" : ",\"l\":[%d,7]", v);
    if (s->node[type].unique)
        print_number(out, "u", row->unique);
    print_number(out, "v", v);
    og_buf_text(out, "}}\n");
}

static void print_edge(int edge, int id, const sim_row *row, og_buf *out)
{
    og_buf_printf(out, "{\"edge\":\"E%d\",\"from\":\"n%d\",\"to\":\"n%d\",\"data\":{\"id\":\"e%d\"",
                  edge, row->from, row->to, id);
    print_number(out, "w", row->value);
    og_buf_text(out, "}}\n");
}

void sim_state_print(const sim_schema *s, const sim_state *state, og_buf *out)
{
    for (int e = 0; e < s->edge_types; e++)
        for (int i = 0; i < SIM_IDS; i++)
            if (state->rows[SIM_NODE_TYPES + e][i].present)
                print_edge(e, i, &state->rows[SIM_NODE_TYPES + e][i], out);
    for (int n = 0; n < s->node_types; n++)
        for (int i = 0; i < SIM_IDS; i++)
            if (state->rows[n][i].present)
                print_node(s, n, i, &state->rows[n][i], out);
}

/* ---- random operations -------------------------------------------------------------------- */

static void random_row(sim_rng *r, const sim_schema *s, sim_change *c)
{
    c->id = sim_below(r, s->ids);
    c->row = (sim_row){.present = true, .value = SIM_NULL, .unique = SIM_NULL};
    if (!sim_chance(r, 1, 6))
        c->row.value = (int16_t)sim_below(r, 100);
    if (sim_is_edge(c->type)) {
        c->row.from = (int8_t)sim_below(r, s->ids);
        c->row.to = (int8_t)sim_below(r, s->ids);
    } else if (s->node[c->type].unique && sim_chance(r, 2, 3)) {
        c->row.unique = (int16_t)sim_below(r, 40);
    }
}

static int random_type(sim_rng *r, const sim_schema *s, bool nodes_only)
{
    int pick = sim_below(r, nodes_only ? s->node_types : s->node_types + s->edge_types);
    return pick < s->node_types ? pick : SIM_NODE_TYPES + pick - s->node_types;
}

/* Records of a load name each row once. */
static bool is_repeated(const sim_op *op, const sim_change *c)
{
    for (int i = 0; i < op->change_count; i++)
        if (op->changes[i].type == c->type && op->changes[i].id == c->id)
            return true;
    return false;
}

static void add_record(sim_rng *r, const sim_schema *s, sim_op *op, int type)
{
    sim_change c = {.kind = SIM_PUT, .type = type};
    random_row(r, s, &c);
    if (!sim_is_edge(type) && s->node[type].blob)
        c.row.blob = (int8_t)sim_below(r, 3);
    if (!is_repeated(op, &c))
        op->changes[op->change_count++] = c;
}

/* Records, and, most times, the ends of edges among them, so that edges get in. */
static void random_records(sim_rng *r, const sim_schema *s, sim_op *op)
{
    int count = 1 + sim_below(r, SIM_CHANGES - 2);
    while (op->change_count < count)
        add_record(r, s, op, random_type(r, s, false));
    for (int i = 0; i < count && op->change_count < SIM_CHANGES; i++) {
        sim_change *c = &op->changes[i];
        if (!sim_is_edge(c->type) || !sim_chance(r, 3, 4))
            continue;
        int e = c->type - SIM_NODE_TYPES;
        for (int k = 0; k < op->change_count; k++) {
            if (op->changes[k].type == s->edge[e].from)
                c->row.from = (int8_t)op->changes[k].id;
            if (op->changes[k].type == s->edge[e].to)
                c->row.to = (int8_t)op->changes[k].id;
        }
    }
}

static void random_statement(sim_rng *r, const sim_schema *s, sim_op *op)
{
    sim_change c = {.type = random_type(r, s, true)};
    random_row(r, s, &c);
    int which = sim_below(r, 10);
    c.kind = which < 4   ? SIM_PUT
             : which < 6 ? SIM_SET
             : which < 7 ? SIM_SET_WHERE
             : which < 9 ? SIM_REMOVE
                         : SIM_REMOVE_FROM;
    if (c.kind == SIM_SET_WHERE)
        c.row.unique = (int16_t)sim_below(r, 100);
    if (c.kind == SIM_REMOVE_FROM)
        c.type = SIM_NODE_TYPES + sim_below(r, s->edge_types);
    op->changes[op->change_count++] = c;
}

void sim_op_random(sim_rng *r, const sim_schema *s, sim_op *op)
{
    op->change_count = 0;
    if (op->kind <= SIM_LOAD_OVERWRITE)
        random_records(r, s, op);
    for (int n = 1 + sim_below(r, 3); op->kind == SIM_MUTATE && n > 0; n--)
        random_statement(r, s, op);
}

/* ---- operations as text ------------------------------------------------------------------- */

static void print_statement(const sim_schema *s, const sim_change *c, og_buf *out)
{
    const sim_row *row = &c->row;
    char type[8];
    snprintf(type, sizeof type, sim_is_edge(c->type) ? "E%d" : "N%d", c->type % SIM_NODE_TYPES);
    switch (c->kind) {
    case SIM_PUT:
        og_buf_printf(out, "    insert %s { k: \"n%d\"", type, c->id);
        if (row->value != SIM_NULL) {
            og_buf_printf(out, ", v: %d", row->value);
            if (s->node[c->type].list)
                og_buf_printf(out, ", l: [%d, 7]", row->value);
            if (s->node[c->type].vector)
                og_buf_printf(out, ", e: [%d.0, 0.5]", row->value);
        }
        if (s->node[c->type].unique && row->unique != SIM_NULL)
            og_buf_printf(out, ", u: %d", row->unique);
        og_buf_text(out, " }\n");
        break;
    case SIM_SET:
    case SIM_SET_WHERE:
        og_buf_printf(out, "    update %s set { v: ", type);
        if (row->value == SIM_NULL) {
            og_buf_text(out, "null");
        } else {
            og_buf_printf(out, "%d", row->value);
        }
        if (s->node[c->type].list)
            og_buf_printf(out, row->value == SIM_NULL ? ", l: null" : ", l: [%d, 7]", row->value);
        if (s->node[c->type].vector)
            og_buf_printf(out, row->value == SIM_NULL ? ", e: null" : ", e: [%d.0, 0.5]",
                          row->value);
        if (c->kind == SIM_SET)
            og_buf_printf(out, " } where k = \"n%d\"\n", c->id);
        else
            og_buf_printf(out, " } where v >= %d\n", row->unique);
        break;
    case SIM_REMOVE:
        og_buf_printf(out, "    delete %s where k = \"n%d\"\n", type, c->id);
        break;
    case SIM_REMOVE_FROM:
        og_buf_printf(out, "    delete %s where from = \"n%d\"\n", type, c->id);
        break;
    }
}

void sim_op_input(const sim_schema *s, const sim_op *op, og_buf *out)
{
    if (op->kind == SIM_MUTATE)
        og_buf_text(out, "query m() {\n");
    for (int i = 0; i < op->change_count; i++) {
        const sim_change *c = &op->changes[i];
        if (op->kind == SIM_MUTATE)
            print_statement(s, c, out);
        else if (sim_is_edge(c->type))
            print_edge(c->type - SIM_NODE_TYPES, c->id, &c->row, out);
        else
            print_node(s, c->type, c->id, &c->row, out);
    }
    if (op->kind == SIM_MUTATE)
        og_buf_text(out, "}\n");
}

void sim_op_print(const sim_schema *s, const sim_op *op, og_buf *out)
{
    og_buf_printf(out, "process %d, branch b%d: %s", op->process, op->branch,
                  sim_op_names[op->kind]);
    if (op->kind == SIM_BRANCH_CREATE || op->kind == SIM_BRANCH_MERGE)
        og_buf_printf(out, " %s b%d", op->kind == SIM_BRANCH_CREATE ? "from" : "of", op->other);
    og_buf_text(out, "\n");
    sim_op_input(s, op, out);
}

/* ---- what operations do ------------------------------------------------------------------- */

/* Touched rows, in whose constraints the engine looks. */
typedef struct effect {
    sim_state *state;
    bool replaced[SIM_TYPES];
    bool written[SIM_TYPES][SIM_IDS];
    int affected;
} effect;

static void remove_edges_of(const sim_schema *s, effect *f, int node_type, int id)
{
    for (int e = 0; e < s->edge_types; e++)
        for (int i = 0; i < SIM_IDS; i++) {
            sim_row *row = &f->state->rows[SIM_NODE_TYPES + e][i];
            bool at_source = s->edge[e].from == node_type && row->from == id;
            bool at_target = s->edge[e].to == node_type && row->to == id;
            if (row->present && (at_source || at_target)) {
                row->present = false;
                f->written[SIM_NODE_TYPES + e][i] = false;
                f->affected++;
            }
        }
}

static void apply_change(const sim_schema *s, const sim_change *c, effect *f)
{
    sim_row *rows = f->state->rows[c->type];
    switch (c->kind) {
    case SIM_PUT:
        rows[c->id] = c->row;
        f->written[c->type][c->id] = true;
        f->affected++;
        break;
    case SIM_SET:
    case SIM_SET_WHERE:
        for (int i = 0; i < SIM_IDS; i++) {
            bool match = c->kind == SIM_SET
                             ? i == c->id
                             : rows[i].value != SIM_NULL && rows[i].value >= c->row.unique;
            if (!rows[i].present || !match)
                continue;
            rows[i].value = c->row.value;
            f->written[c->type][i] = true;
            f->affected++;
        }
        break;
    case SIM_REMOVE:
        if (!rows[c->id].present)
            break;
        rows[c->id].present = false;
        f->written[c->type][c->id] = false;
        f->affected++;
        remove_edges_of(s, f, c->type, c->id);
        break;
    case SIM_REMOVE_FROM:
        for (int i = 0; i < SIM_IDS; i++)
            if (rows[i].present && rows[i].from == c->id) {
                rows[i].present = false;
                f->affected++;
            }
        break;
    }
}

/* ---- constraints -------------------------------------------------------------------------- */

/* States in which a constraint may be broken already, up to a NULL.
 * What is broken there in the same way is not broken anew. */
typedef const sim_state *const *old_states;

static bool are_equal(const sim_state *state, int type, int a, int b)
{
    const sim_row *x = &state->rows[type][a], *y = &state->rows[type][b];
    return x->present && y->present && x->unique != SIM_NULL && x->unique == y->unique;
}

static bool were_equal(old_states old, int type, int a, int b)
{
    for (; *old != NULL; old++)
        if (are_equal(*old, type, a, b))
            return true;
    return false;
}

/* `written`: only these rows count; NULL = all. */
static bool breaks_unique(const sim_schema *s, const sim_state *state,
                          const bool written[SIM_TYPES][SIM_IDS], old_states old)
{
    for (int t = 0; t < s->node_types; t++)
        for (int i = 0; s->node[t].unique && i < SIM_IDS; i++)
            for (int k = 0; k < SIM_IDS; k++)
                if (i != k && (written == NULL || written[t][i]) && are_equal(state, t, i, k) &&
                    !were_equal(old, t, i, k))
                    return true;
    return false;
}

/* Which ends of an edge are missing: 1 = its source, 2 = its target. */
static int missing_ends(const sim_schema *s, const sim_state *state, int e, int id)
{
    const sim_row *row = &state->rows[SIM_NODE_TYPES + e][id];
    if (!row->present)
        return 0;
    return (state->rows[s->edge[e].from][row->from].present ? 0 : 1) |
           (state->rows[s->edge[e].to][row->to].present ? 0 : 2);
}

static bool was_dangling(const sim_schema *s, const sim_state *state, int e, int id, old_states old)
{
    const sim_row *now = &state->rows[SIM_NODE_TYPES + e][id];
    for (; *old != NULL; old++) {
        const sim_row *row = &(*old)->rows[SIM_NODE_TYPES + e][id];
        int missing = missing_ends(s, state, e, id);
        if (row->from == now->from && row->to == now->to &&
            (missing_ends(s, *old, e, id) & missing) == missing)
            return true;
    }
    return false;
}

static bool breaks_ends(const sim_schema *s, const sim_state *state, old_states old)
{
    for (int e = 0; e < s->edge_types; e++)
        for (int i = 0; i < SIM_IDS; i++)
            if (missing_ends(s, state, e, i) != 0 && !was_dangling(s, state, e, i, old))
                return true;
    return false;
}

static int out_degree(const sim_state *state, int e, int source)
{
    int count = 0;
    for (int i = 0; i < SIM_IDS; i++) {
        const sim_row *row = &state->rows[SIM_NODE_TYPES + e][i];
        count += row->present && row->from == source;
    }
    return count;
}

static bool breaks_card(const sim_schema *s, const sim_state *state, old_states old)
{
    for (int e = 0; e < s->edge_types; e++)
        for (int i = 0; s->edge[e].max_out > 0 && i < SIM_IDS; i++) {
            int degree = out_degree(state, e, i);
            bool is_new = degree > s->edge[e].max_out;
            for (old_states o = old; *o != NULL; o++)
                is_new &= out_degree(*o, e, i) < degree;
            if (is_new)
                return true;
        }
    return false;
}

sim_broken sim_broken_in(const sim_schema *s, const sim_state *state)
{
    const sim_state *const none[] = {NULL};
    return (sim_broken){.unique = breaks_unique(s, state, NULL, none),
                        .ends = breaks_ends(s, state, none),
                        .card = breaks_card(s, state, none)};
}

static bool breaks_any(const sim_schema *s, const effect *f, sim_view view, const sim_state *before,
                       const sim_state *beside)
{
    const sim_state *const old[] = {view == SIM_TOLERANT ? before : NULL, beside, NULL};
    return breaks_unique(s, f->state, f->written, old) || breaks_ends(s, f->state, old) ||
           breaks_card(s, f->state, old);
}

/* ---- outcomes ----------------------------------------------------------------------------- */

sim_outcome sim_apply(const sim_schema *s, const sim_op *op, sim_view view, sim_state *state)
{
    sim_state next = *state;
    effect f = {.state = &next};
    for (int i = 0; i < op->change_count; i++) {
        int type = op->changes[i].type;
        if (op->kind == SIM_LOAD_APPEND && state->rows[type][op->changes[i].id].present)
            return SIM_REFUSED;
        if (op->kind == SIM_LOAD_OVERWRITE && !f.replaced[type])
            memset(next.rows[type], 0, sizeof next.rows[type]);
        f.replaced[type] = true;
    }
    for (int i = 0; i < op->change_count; i++)
        apply_change(s, &op->changes[i], &f);
    if (breaks_any(s, &f, view, state, NULL))
        return SIM_REFUSED;
    if (f.affected == 0 && op->kind == SIM_MUTATE)
        return SIM_NOTHING;
    *state = next;
    return SIM_CHANGED;
}

sim_outcome sim_merge(const sim_schema *s, const sim_state *base, const sim_state *theirs,
                      sim_view view, sim_state *ours)
{
    sim_state next = *ours;
    effect f = {.state = &next};
    for (int t = 0; t < SIM_TYPES; t++)
        for (int i = 0; i < SIM_IDS; i++) {
            const sim_row *b = &base->rows[t][i], *h = &theirs->rows[t][i];
            sim_row *o = &next.rows[t][i];
            if (row_eq(b, h) || row_eq(o, h))
                continue;
            if (!row_eq(o, b))
                return SIM_REFUSED;
            *o = *h;
            f.written[t][i] = h->present;
        }
    if (breaks_any(s, &f, view, ours, theirs))
        return SIM_REFUSED;
    bool changed = !sim_state_eq(&next, ours);
    *ours = next;
    return changed ? SIM_CHANGED : SIM_NOTHING;
}
