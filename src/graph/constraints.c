#include "graph/constraints_priv.h"

#include <inttypes.h>

/* ---- making ------------------------------------------------------------------------------- */

static og_status make_types(const og_type_def *defs, uint32_t count, og_graph__type_checks **out,
                            og_error *err)
{
    og_graph__type_checks *types = *out = og_calloc((size_t)count + 1, sizeof *types);
    if (types == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        types[i].def = &defs[i];
    for (uint32_t i = 0; i < count; i++)
        OG_TRY(og_graph__uniques_init(&types[i], err));
    return OG_OK;
}

og_status og_graph__checks_new(const og_catalog *catalog, og_graph__checks **out, og_error *err)
{
    OG_AUTO(og_graph__checks) checks = og_calloc(1, sizeof *checks);
    if (checks == NULL)
        return og_error_nomem(err);
    checks->catalog = catalog;
    OG_TRY(make_types(catalog->nodes, catalog->node_count, &checks->nodes, err));
    OG_TRY(make_types(catalog->edges, catalog->edge_count, &checks->edges, err));
    *out = OG_TAKE(checks);
    return OG_OK;
}

static void free_types(og_graph__type_checks *types, uint32_t count)
{
    for (uint32_t i = 0; types != NULL && i < count; i++) {
        og_strmap_free(types[i].ids);
        og_vec_deinit(&types[i].states);
        og_vec_deinit(&types[i].ends);
        og_vec_deinit(&types[i].degrees);
        og_graph__uniques_deinit(&types[i]);
    }
    og_free(types);
}

void og_graph__checks_free(og_graph__checks *checks)
{
    if (checks == NULL)
        return;
    free_types(checks->nodes, checks->catalog->node_count);
    free_types(checks->edges, checks->catalog->edge_count);
    og_buf_deinit(&checks->scratch);
    og_free(checks);
}

/* ---- ids ---------------------------------------------------------------------------------- */

/* Index of an id, made as NAMED when it is new. */
static og_status intern(og_graph__type_checks *t, og_str id, uint32_t *out, bool *out_new,
                        og_error *err)
{
    if (t->ids == NULL && (t->ids = og_strmap_new(false)) == NULL)
        return og_error_nomem(err);
    /* Room first: a map that knows an id without a state would be wrong. */
    if (!og_vec_reserve(&t->states, 1))
        return og_error_nomem(err);
    uint64_t *index = og_strmap_put(t->ids, id, out_new);
    if (index == NULL)
        return og_error_nomem(err);
    if (*out_new) {
        *index = t->states.len;
        t->states.items[t->states.len++] = OG_GRAPH__NAMED;
    }
    *out = (uint32_t)*index;
    return OG_OK;
}

static og_status written_twice(const og_graph__written *w, uint32_t state, og_error *err)
{
    const og_type_def *def = w->def;
    uint64_t first = (uint64_t)(state - OG_GRAPH__FIRST_WRITTEN) + 1, second = (uint64_t)w->row + 1;
    if (def->key.count > 0)
        return og_error_set_at(
            err, OG_INVALID, w->line, 0,
            "@unique violation on %.*s.%.*s: value '%.*s' appears in rows %" PRIu64 " and %" PRIu64,
            OG_FMT(def->name), OG_FMT(def->key.names[0]), OG_FMT(w->id), first, second);
    return og_error_set_at(err, OG_INVALID, w->line, 0,
                           "duplicate id '%.*s' in %.*s: rows %" PRIu64 " and %" PRIu64,
                           OG_FMT(w->id), OG_FMT(def->name), first, second);
}

static og_status write_id(og_graph__type_checks *t, const og_graph__written *w, og_error *err)
{
    uint32_t index;
    bool is_new;
    OG_TRY(intern(t, w->id, &index, &is_new, err));
    uint32_t *state = &t->states.items[index];
    if (*state >= OG_GRAPH__FIRST_WRITTEN)
        return written_twice(w, *state, err);
    bool fits = w->row < UINT32_MAX - OG_GRAPH__FIRST_WRITTEN;
    *state = fits ? w->row + OG_GRAPH__FIRST_WRITTEN : UINT32_MAX;
    return OG_OK;
}

bool og_graph__checks_has_written(const og_graph__checks *checks, const og_type_def *def, og_str id)
{
    return og_graph__id_state(og_graph__checks_of(checks, def), id) >= OG_GRAPH__FIRST_WRITTEN;
}

og_status og_graph__checks_remove(og_graph__checks *checks, const og_type_def *def, og_str id,
                                  og_error *err)
{
    og_graph__type_checks *t = og_graph__checks_of(checks, def);
    uint32_t index;
    bool is_new;
    OG_TRY(intern(t, id, &index, &is_new, err));
    t->states.items[index] = OG_GRAPH__REMOVED;
    return OG_OK;
}

bool og_graph__checks_asks_removed(const og_type_def *def)
{
    return !def->is_edge || def->unique_count > 0 || og_graph__has_card(def);
}

void og_graph__checks_replace(og_graph__checks *checks, const og_type_def *def)
{
    og_graph__checks_of(checks, def)->replaced = true;
}

/* ---- edges -------------------------------------------------------------------------------- */

/* Note the end of an edge: who named an id first is who is blamed when it does not exist. */
static og_status name_end(og_graph__type_checks *node, og_str id, const og_graph__end *end,
                          uint32_t *out_index, og_error *err)
{
    bool is_new;
    OG_TRY(intern(node, id, out_index, &is_new, err));
    if (!is_new && node->states.items[*out_index] != OG_GRAPH__REMOVED)
        return OG_OK;
    if (!og_vec_push(&node->ends, *end))
        return og_error_nomem(err);
    og_vec_last(&node->ends).id = *out_index;
    return OG_OK;
}

/* The degree of a source; indices are dense, so the places between are made too. */
static og_graph__degree *degree_of(og_graph__type_checks *edge, uint32_t source)
{
    if (source >= edge->degrees.len) {
        size_t extra = (size_t)source + 1 - edge->degrees.len;
        if (!og_vec_reserve(&edge->degrees, extra))
            return NULL;
        memset(edge->degrees.items + edge->degrees.len, 0, extra * sizeof *edge->degrees.items);
        edge->degrees.len += extra;
    }
    edge->degrees.items[source].touched = true;
    return &edge->degrees.items[source];
}

static og_status write_edge(og_graph__checks *checks, og_graph__type_checks *t,
                            const og_graph__written *w, og_error *err)
{
    og_graph__end end = {.edge_type = w->def->index, .row = w->row, .line = w->line};
    uint32_t source, target;
    OG_TRY(name_end(&checks->nodes[w->def->from_type], w->src, &end, &source, err));
    end.edge_type |= OG_GRAPH__IS_DST;
    OG_TRY(name_end(&checks->nodes[w->def->to_type], w->dst, &end, &target, err));
    if (!og_graph__has_card(w->def))
        return OG_OK;
    og_graph__degree *degree = degree_of(t, source);
    if (degree == NULL)
        return og_error_nomem(err);
    degree->count++;
    degree->line = w->line;
    return OG_OK;
}

og_status og_graph__checks_write(og_graph__checks *checks, const og_graph__written *written,
                                 og_error *err)
{
    og_graph__type_checks *t = og_graph__checks_of(checks, written->def);
    if (!written->id_is_new)
        OG_TRY(write_id(t, written, err));
    return written->def->is_edge ? write_edge(checks, t, written, err) : OG_OK;
}

og_status og_graph__checks_lost(og_graph__checks *checks, const og_type_def *edge, og_str src,
                                og_error *err)
{
    if (!og_graph__has_card(edge))
        return OG_OK;
    uint32_t index;
    bool is_new;
    OG_TRY(intern(&checks->nodes[edge->from_type], src, &index, &is_new, err));
    return degree_of(og_graph__checks_of(checks, edge), index) != NULL ? OG_OK
                                                                       : og_error_nomem(err);
}
