/* Counters of what has occurred: a run that never met a form has not tested it. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MAX_COUNTERS = 128 };
static uint64_t (*counters)[MAX_COUNTERS];

void cover_init(void)
{
    size_t size = sizeof(uint64_t) * G_COUNT * MAX_COUNTERS;
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        abort();
    counters = shared;
}

void cover(counter_group group, int index, uint64_t times)
{
    if (times > 0)
        __atomic_fetch_add(&counters[group][index], times, __ATOMIC_RELAXED);
}

/* ---- what operations show ----------------------------------------------------------------- */

static void cover_value(const prop *p, const value *v)
{
    if (v->kind == V_NULL)
        cover(G_TYPE_NULL, p->type, 1);
    else if (p->list)
        cover(p->nullable ? G_LIST_NULLABLE : G_LIST_REQUIRED, p->type, 1);
    else
        cover(p->nullable ? G_TYPE_NULLABLE : G_TYPE_REQUIRED, p->type, 1);
}

static bool is_in(const table *t, const row *r)
{
    for (int i = 0; i < t->count; i++)
        if (t->rows[i] == r)
            return true;
    return false;
}

/* Rows that the operation wrote: their values, and the constraints that they passed. */
static void cover_written(const type *def, const table *before, const table *after)
{
    for (int i = 0; i < after->count; i++) {
        const row *r = after->rows[i];
        if (is_in(before, r))
            continue;
        for (int k = 0; k < def->prop_count; k++) {
            const prop *p = &def->props[k];
            cover_value(p, &r->values[k]);
            cover(G_CONSTRAINT, N_RANGE, p->has_low || p->has_high);
            cover(G_CONSTRAINT, N_CHECK, p->check >= 0);
            cover(G_CONSTRAINT, N_ENUM, p->type == S_ENUM);
            cover(G_CONSTRAINT, N_INDEX, p->index);
            cover(G_CONSTRAINT, N_DEFAULT,
                  p->has_default && value_same(&p->default_value, &r->values[k]));
        }
        for (int u = 0; u < def->unique_count; u++) {
            bool ends = def->uniques[u].columns[0] < 0;
            cover(G_CONSTRAINT,
                  ends                        ? N_UNIQUE_ENDS
                  : def->uniques[u].count > 1 ? N_UNIQUE_TUPLE
                                              : N_UNIQUE,
                  1);
        }
        cover(G_CONSTRAINT, N_CARD_MIN, def->card_min > 0);
        cover(G_CONSTRAINT, N_CARD_MAX, def->is_edge && def->card_max >= 0);
        if (!def->is_edge)
            cover(G_KEY,
                  def->key < 0                                   ? K_NONE
                  : scalar_is_integer(def->props[def->key].type) ? K_NUMERIC
                                                                 : K_STRING,
                  1);
    }
}

static void cover_rows(const schema *s, const state *before, const state *after)
{
    for (int i = 0; i < s->type_count; i++)
        cover_written(&s->types[i], &before->tables[i], &after->tables[i]);
}

void cover_load(const schema *s, const op *o, const state *before, const state *after,
                const outcome *result)
{
    if (result->refused != R_NONE) {
        cover(G_REFUSED_LOAD, result->refused, 1);
        return;
    }
    cover_rows(s, before, after);
    cover(G_LOAD, LO_EMPTY, o->record_count == 0);
    cover(G_LOAD, LO_NODES_AND_EDGES, result->node_rows > 0 && result->edge_rows > 0);
    for (int i = 0; i < o->record_count; i++) {
        const record *rec = &o->records[i];
        text id = rec->has_id ? rec->id : (text){0};
        int key = s->types[rec->type].key;
        for (int k = 0; k < rec->field_count && key >= 0; k++)
            if (rec->fields[k].prop == key && rec->fields[k].value.kind == V_TEXT)
                id = rec->fields[k].value.t;
        bool old = id.ptr != NULL && table_find(&before->tables[rec->type], id) != NULL;
        if (o->mode == L_OVERWRITE)
            cover(G_LOAD, old ? LO_OVERWRITE_OLD : LO_OVERWRITE_NEW, 1);
        else if (o->mode == L_MERGE)
            cover(G_LOAD, old ? LO_MERGE_OLD : LO_MERGE_NEW, 1);
        else
            cover(G_LOAD, LO_APPEND_NEW, 1);
    }
}

void cover_mutation(const schema *s, const op *o, const state *before, const state *after,
                    const outcome *result)
{
    if (result->refused != R_NONE) {
        cover(G_REFUSED_MUTATION, result->refused, 1);
        return;
    }
    cover_rows(s, before, after);
    cover(G_MUTATION, M_NO_ROW, !result->committed);
    bool kinds[3] = {false};
    for (int i = 0; i < o->statement_count; i++) {
        const statement *st = &o->statements[i];
        const type *def = &s->types[st->type];
        kinds[st->kind] = true;
        if (st->kind == ST_INSERT)
            cover(G_MUTATION, def->is_edge ? M_INSERT_EDGE : M_INSERT_NODE, 1);
        else if (st->kind == ST_UPDATE)
            cover(G_MUTATION, M_UPDATE, result->committed);
        else
            cover(G_MUTATION, def->is_edge ? M_DELETE_EDGE : M_DELETE_NODE, result->committed);
        bool alone = o->statement_count == 1 && !def->is_edge;
        cover(G_MUTATION, M_CASCADE, alone && st->kind == ST_DELETE && result->edge_rows > 0);
        cover(G_MUTATION, M_REPLACE,
              alone && st->kind == ST_INSERT &&
                  after->tables[st->type].count == before->tables[st->type].count);
    }
    cover(G_MUTATION, M_MIXED, kinds[ST_DELETE] && (kinds[ST_INSERT] || kinds[ST_UPDATE]));
}

static const prop *prop_of(const schema *s, const query *q, const expr *e)
{
    return e->kind == E_PROP ? &s->types[q->vars[e->var].type].props[e->prop] : NULL;
}

static void cover_filter(const schema *s, const op *o, const clause *c)
{
    const query *q = o->query;
    const prop *left = prop_of(s, q, &c->lhs), *right = prop_of(s, q, &c->rhs);
    const prop *p = left != NULL ? left : right;
    const expr *other = left != NULL ? &c->rhs : &c->lhs;
    if (p == NULL)
        return;
    if (p->list)
        cover(G_FILTER_TYPE, p->type, 1);
    else
        cover(G_FILTER, c->op * S_COUNT + (int)p->type, 1);
    cover(G_QUERY, Q_PROP_PROP, left != NULL && right != NULL);
    cover(G_QUERY, Q_NOW, other->kind == E_NOW);
    if (other->kind != E_LITERAL && other->kind != E_PARAM)
        return;
    const value *v = expr_constant(o, other);
    cover(G_QUERY, Q_FRACTION, scalar_is_integer(p->type) && v->kind == V_FLOAT);
    cover(G_QUERY, Q_NULL_LITERAL, other->kind == E_LITERAL && v->kind == V_NULL);
    cover(G_QUERY, Q_NULL_VALUE, p->nullable);
}

static void cover_hop(const schema *s, const query *q, const clause *c, bool inside_not)
{
    const type *edge = &s->types[c->edge];
    bool equal = edge->from == edge->to;
    cover(G_QUERY, equal ? Q_HOP_EQUAL : c->reversed ? Q_HOP_IN : Q_HOP_OUT, 1);
    cover(G_QUERY, Q_BOUNDS_12, c->has_bounds && c->min == 1 && c->max == 2);
    cover(G_QUERY, Q_BOUNDS_22, c->has_bounds && c->min == 2 && c->max == 2);
    cover(G_QUERY, Q_BOUNDS_13, c->has_bounds && c->min == 1 && c->max == 3);
    cover(G_QUERY, Q_NOT_BOUNDS, inside_not && c->has_bounds);
    cover(G_QUERY, Q_EDGE_VAR, c->edge_var >= 0);
    cover(G_QUERY, Q_UNDIRECTED, c->undirected);
    cover(G_QUERY, Q_UNDIRECTED_BOUNDS, c->undirected && c->has_bounds);
    cover(G_QUERY, Q_UNDIRECTED_VAR, c->undirected && c->edge_var >= 0);
    cover(G_QUERY, Q_ANONYMOUS,
          q->vars[c->left].name.ptr[0] == '_' || q->vars[c->right].name.ptr[0] == '_');
}

static void cover_clause(const schema *s, const op *o, const clause *c, int depth)
{
    const query *q = o->query;
    switch (c->kind) {
    case CL_BIND:
        for (int i = 0; i < c->pair_count; i++) {
            const type *def = &s->types[q->vars[c->var].type];
            bool key = c->pairs[i].prop == def->key, param = c->pairs[i].expr.kind == E_PARAM;
            cover(G_QUERY, def->props[c->pairs[i].prop].list ? Q_PAIR_LIST : Q_PAIR, 1);
            cover(G_QUERY, param ? Q_POINT_PARAM : Q_POINT, key);
        }
        return;
    case CL_HOP:
        cover_hop(s, q, c, depth > 0);
        return;
    case CL_FILTER:
        cover_filter(s, o, c);
        cover(G_QUERY, Q_NOT_FILTER, depth > 0);
        return;
    case CL_NOT:
        cover(G_QUERY, depth > 0 ? Q_NOT_NESTED : Q_NOT, 1);
        for (int i = 0; i < c->inner_count; i++)
            cover_clause(s, o, &c->inner[i], depth + 1);
        return;
    }
}

static void cover_returns(const schema *s, const query *q)
{
    bool groups = false;
    for (int i = 0; i < q->return_count; i++) {
        const projection *p = &q->returns[i];
        static const int kinds[] = {0, Q_COUNT_AGG, Q_SUM, Q_AVG, Q_MIN, Q_MAX};
        const prop *of = prop_of(s, q, &p->expr);
        if (p->aggregate != A_NONE) {
            cover(G_QUERY, kinds[p->aggregate], 1);
            continue;
        }
        groups = true;
        cover(G_QUERY, Q_RETURN_ID, of == NULL);
        if (of == NULL)
            continue;
        cover(G_QUERY, Q_RETURN_LIST, of->list);
        cover(G_QUERY, Q_RETURN_VECTOR, of->type == S_VECTOR);
        cover(G_QUERY, Q_RETURN_BLOB, of->type == S_BLOB);
        cover(G_QUERY, Q_RETURN_EDGE_PROP, s->types[q->vars[p->expr.var].type].is_edge);
    }
    if (q->aggregates)
        cover(G_QUERY, groups ? Q_GROUPS : Q_NO_GROUPS, 1);
}

void cover_query(const schema *s, const op *o, const result *r)
{
    const query *q = o->query;
    int binds = 0, hops = 0;
    for (int i = 0; i < q->clause_count; i++) {
        cover_clause(s, o, &q->clauses[i], 0);
        binds += q->clauses[i].kind == CL_BIND;
        hops += q->clauses[i].kind == CL_HOP;
    }
    cover(G_QUERY, Q_CROSS, binds == 2 && hops == 0);
    cover_returns(s, q);
    for (int i = 0; i < q->order_count; i++) {
        cover(G_QUERY, q->order[i].descending ? Q_ORDER_DESC : Q_ORDER_ASC, 1);
        cover(G_QUERY, Q_ORDER_PROP, q->order[i].projection < 0);
        for (int k = 0; k < r->count; k++)
            cover(G_QUERY, Q_ORDER_NULLS, r->rows[k].order[i].kind == V_NULL);
    }
    cover(G_QUERY, Q_LIMIT, q->limit >= 0);
    for (int i = 0; i < o->param_count; i++)
        cover(G_QUERY, Q_OMITTED, o->params[i].omitted);
    cover(G_QUERY, r->count > 0 ? Q_ROWS : Q_NO_ROWS, 1);
    cover(G_QUERY, Q_MANY_ROWS, r->count > 100);
}

/* ---- names, and which must occur ---------------------------------------------------------- */

static const char *const op_names[] = {"load", "mutation", "query", "reopen", "round trip"};
static const char *const key_names[] = {"String", "numeric", "none"};
static const char *const constraint_names[] = {
    "@unique",       "@unique(a, b)", "@unique(src, dst)", "@range", "@check",
    "@card minimum", "@card maximum", "@default",          "enum",   "@index"};
static const char *const load_names[] = {"overwrite, new", "overwrite, stored", "append",
                                         "merge, new",     "merge, stored",     "empty",
                                         "nodes and edges"};
static const char *const mutation_names[] = {"insert node", "insert edge",  "replace by key",
                                             "update",      "delete nodes", "delete edges",
                                             "cascade",     "mixed",        "no row"};
static const char *const query_names[Q_COUNT] = {"key literal",
                                                 "key parameter",
                                                 "pair",
                                                 "pair on list",
                                                 "cross product",
                                                 "hop out",
                                                 "hop in",
                                                 "hop between equal types",
                                                 "{1,2}",
                                                 "{2,2}",
                                                 "{1,3}",
                                                 "edge variable",
                                                 "both ways",
                                                 "both ways with bounds",
                                                 "both ways with edge variable",
                                                 "$_",
                                                 "not",
                                                 "nested not",
                                                 "bounds in not",
                                                 "filter in not",
                                                 "count",
                                                 "sum",
                                                 "avg",
                                                 "min",
                                                 "max",
                                                 "groups",
                                                 "no groups",
                                                 "order asc",
                                                 "order desc",
                                                 "order by null",
                                                 "order by property",
                                                 "limit",
                                                 "omitted parameter",
                                                 "integer with fraction",
                                                 "null literal",
                                                 "nullable property",
                                                 "two properties",
                                                 "now()",
                                                 "rows",
                                                 "no rows",
                                                 "return id",
                                                 "return list",
                                                 "return vector",
                                                 "return blob",
                                                 "return edge property",
                                                 "more than 100 rows",
                                                 "explain"};

const char *const refusal_names[R_COUNT] = {"none",
                                            "wrong type",
                                            "integer out of range",
                                            "fraction for an integer",
                                            "float overflow",
                                            "not a number",
                                            "bad date",
                                            "vector length",
                                            "vector item",
                                            "list item",
                                            "null for required",
                                            "missing required",
                                            "not in enum",
                                            "bad base64",
                                            "unknown property",
                                            "unknown type",
                                            "bad JSON",
                                            "bad UTF-8",
                                            "id is not the key",
                                            "update of key",
                                            "update of edge",
                                            "missing endpoint",
                                            "missing parameter",
                                            "bad query",
                                            "@range",
                                            "@check",
                                            "duplicate in file",
                                            "append of stored node",
                                            "append of stored edge",
                                            "@unique",
                                            "@unique tuple",
                                            "dangling edge",
                                            "overwrite leaves dangling",
                                            "@card maximum",
                                            "@card minimum"};

static const char *refusal_name(int index, bool mutation)
{
    static const bool load_only[R_COUNT] = {
        [R_BAD_JSON] = true,         [R_BAD_UTF8] = true,          [R_ID_NOT_KEY] = true,
        [R_APPEND_NODE] = true,      [R_APPEND_EDGE] = true,       [R_DUPLICATE_IN_FILE] = true,
        [R_MISSING_ENDPOINT] = true, [R_OVERWRITE_DANGLING] = true};
    static const bool mutation_only[R_COUNT] = {[R_KEY_UPDATE] = true,
                                                [R_EDGE_UPDATE] = true,
                                                [R_MISSING_PARAM] = true,
                                                [R_BAD_QUERY] = true};
    if (index == R_NONE || index >= R_COUNT || index == R_BAD_QUERY)
        return NULL;
    return (mutation ? load_only : mutation_only)[index] ? NULL : refusal_names[index];
}

static const char *filter_name(int index)
{
    int operation = index / S_COUNT, of = index % S_COUNT;
    if (operation > C_STARTS || of == S_VECTOR || of == S_BLOB)
        return NULL;
    if (operation >= C_CONTAINS && of != S_STRING && of != S_ENUM)
        return NULL;
    return text_printf("%s %s", scalar_names[of], compare_names[operation]).ptr;
}

static bool has_lists(int of)
{
    return of < S_COUNT && of != S_VECTOR && of != S_BLOB && of != S_ENUM;
}

static const char *listed(const char *const *names, int count, int index)
{
    return index < count ? names[index] : NULL;
}

/* NULL: there is no such counter. */
static const char *counter_name(counter_group group, int index)
{
    switch (group) {
    case G_OP:
        return listed(op_names, 5, index);
    case G_TYPE_REQUIRED:
    case G_TYPE_NULLABLE:
    case G_TYPE_NULL:
        return listed(scalar_names, S_COUNT, index);
    case G_LIST_REQUIRED:
    case G_LIST_NULLABLE:
    case G_FILTER_TYPE:
        return has_lists(index) ? scalar_names[index] : NULL;
    case G_KEY:
        return listed(key_names, 3, index);
    case G_CONSTRAINT:
        return listed(constraint_names, N_COUNT, index);
    case G_LOAD:
        return listed(load_names, LO_COUNT, index);
    case G_REFUSED_LOAD:
        return refusal_name(index, false);
    case G_REFUSED_MUTATION:
        return refusal_name(index, true);
    case G_MUTATION:
        return listed(mutation_names, M_COUNT, index);
    case G_FILTER:
        return filter_name(index);
    case G_QUERY:
        return listed(query_names, Q_COUNT, index);
    case G_COUNT:
        break;
    }
    return NULL;
}

int cover_print(void)
{
    static const char *const groups[G_COUNT] = {"operations",
                                                "values of required properties",
                                                "values of nullable properties",
                                                "nulls",
                                                "lists, required",
                                                "lists, nullable",
                                                "keys",
                                                "constraints kept",
                                                "loads",
                                                "loads refused",
                                                "mutations refused",
                                                "mutations",
                                                "filters",
                                                "contains in a list",
                                                "queries"};
    int missing = 0;
    for (int g = 0; g < G_COUNT; g++) {
        printf("%s:", groups[g]);
        for (int i = 0; i < MAX_COUNTERS; i++) {
            const char *name = counter_name((counter_group)g, i);
            if (name == NULL)
                continue;
            printf(" %s %llu%s", name, (unsigned long long)counters[g][i],
                   counters[g][i] == 0 ? " (!)" : "");
            missing += counters[g][i] == 0;
            printf(",");
        }
        printf("\n");
    }
    return missing;
}
