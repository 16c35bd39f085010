/* first - a graph in fifty lines of C: make one, load records, ask, change, ask again.
 *
 *   cc first.c $(pkg-config --cflags --libs omnigraph) -o first && ./first friends.omni
 *
 * The folder must not hold a graph yet. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omnigraph.h>

#define TEXT(literal) ((og_text){literal, sizeof literal - 1})
/* Leave the function with the status of a call that failed; `err` says why. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        og_status try_status = (call);                                                             \
        if (try_status != OG_OK)                                                                   \
            return try_status;                                                                     \
    } while (0)

static const og_text schema = TEXT("node Person {\n"
                                   "    name: String @key\n"
                                   "    born: I32?\n"
                                   "}\n"
                                   "edge Knows: Person -> Person\n");

static const og_text records =
    TEXT("{\"type\":\"Person\",\"data\":{\"name\":\"Ada\",\"born\":1815}}\n"
         "{\"type\":\"Person\",\"data\":{\"name\":\"Mary\"}}\n"
         "{\"edge\":\"Knows\",\"from\":\"Ada\",\"to\":\"Mary\"}\n");

static const og_text queries = TEXT("query friends($who: String) {\n"
                                    "    match { $p: Person { name: $who }  $p knows $f }\n"
                                    "    return { $f.name as name, $f.born as born }\n"
                                    "}\n"
                                    "query set_born($who: String, $year: I32) {\n"
                                    "    update Person set { born: $year } where name = $who\n"
                                    "}\n");

/* An og_source_fn over a text in memory; context is the rest of it. */
static og_status read_text(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    og_text *rest = context;
    (void)err;
    *out_len = rest->len < cap ? rest->len : cap;
    memcpy(dst, rest->ptr, *out_len);
    rest->ptr += *out_len;
    rest->len -= *out_len;
    return OG_OK;
}

static og_status load(og_session *session, og_error *err)
{
    og_load_options options = OG_LOAD_OPTIONS_INIT;
    og_text rest = records;
    og_write_result result;
    TRY(og_load(session, &options, read_text, &rest, &result, err));
    printf("loaded %" PRIu64 " nodes and %" PRIu64 " edges, commit %s\n", result.node_rows,
           result.edge_rows, result.commit_id);
    return OG_OK;
}

/* Values are borrowed until the next step of the cursor; null is a kind of its own. */
static og_status print_rows(og_cursor *cursor, og_error *err)
{
    for (;;) {
        bool has_row;
        TRY(og_cursor_next(cursor, &has_row, err));
        if (!has_row)
            return OG_OK;
        og_value name, born;
        TRY(og_cursor_value(cursor, 0, &name, err));
        TRY(og_cursor_value(cursor, 1, &born, err));
        printf("  %.*s", (int)name.text.len, name.text.ptr);
        if (born.kind == OG_VALUE_NULL)
            printf(", born in a year unknown\n");
        else
            printf(", born in %" PRId64 "\n", born.as.i64);
    }
}

static og_status ask(og_session *session, const og_query *query, const og_params *params,
                     og_error *err)
{
    og_cursor *cursor;
    TRY(og_query_run(session, query, params, &cursor, err));
    og_status status = print_rows(cursor, err);
    og_cursor_close(cursor);
    return status;
}

/* Run one query of the text, prepared and with parameters given as JSON. */
static og_status run(og_graph *graph, og_session *session, const char *name, og_text json,
                     og_error *err)
{
    og_query *query = NULL;
    og_params *params = NULL;
    og_write_result result;
    og_status status = og_query_prepare(graph, queries, name, &query, err);
    if (status == OG_OK)
        status = og_params_new(query, &params, err);
    if (status == OG_OK)
        status = og_params_set_json(params, json, err);
    if (status == OG_OK)
        status = og_query_is_mutation(query) ? og_mutate(session, query, params, &result, err)
                                             : ask(session, query, params, err);
    og_params_free(params);
    og_query_free(query);
    return status;
}

static og_status use(og_graph *graph, og_session *session, og_error *err)
{
    TRY(load(session, err));
    TRY(run(graph, session, "friends", TEXT("{\"who\": \"Ada\"}"), err));
    TRY(run(graph, session, "set_born", TEXT("{\"who\": \"Mary\", \"year\": 1797}"), err));
    return run(graph, session, "friends", TEXT("{\"who\": \"Ada\"}"), err);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "friends.omni";
    og_session_options options = OG_SESSION_OPTIONS_INIT;
    og_graph *graph = NULL;
    og_session *session = NULL;
    og_error err;

    options.actor = "first";
    og_status status = og_graph_init(folder, schema, false, &err);
    if (status == OG_OK)
        status = og_graph_open(folder, NULL, &graph, &err);
    if (status == OG_OK)
        status = og_session_open(graph, &options, &session, &err);
    if (status == OG_OK)
        status = use(graph, session, &err);
    if (status != OG_OK)
        fprintf(stderr, "first: %s (%s)\n", err.message, og_status_id(status));
    og_session_close(session);
    og_graph_close(graph);
    return og_status_exit_code(status);
}
