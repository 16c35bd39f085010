/* shared EXAMPLE - the main job through omnigraph.h alone, as a stranger's program would do it. */
#include "omnigraph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static og_error err;

static void check(og_status status, const char *what)
{
    if (status == OG_OK)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, err.message, og_status_id(status));
    exit(1);
}

static void expect(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "not true: %s\n", what);
    exit(1);
}

static og_status read_file(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *e)
{
    (void)e;
    *out_len = fread(dst, 1, cap, (FILE *)context);
    return OG_OK;
}

static FILE *open_example(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    expect(file != NULL, path);
    return file;
}

static og_text read_text(const char *folder, const char *name)
{
    FILE *file = open_example(folder, name);
    char *text = malloc(1 << 20);
    expect(text != NULL, "memory");
    size_t len = fread(text, 1, 1 << 20, file);
    fclose(file);
    return (og_text){text, len};
}

typedef struct counted {
    uint64_t bytes, lines;
} counted;

static og_status count(void *context, const uint8_t *bytes, size_t len, og_error *e)
{
    (void)e;
    counted *c = context;
    c->bytes += len;
    for (size_t i = 0; i < len; i++)
        c->lines += bytes[i] == '\n';
    return OG_OK;
}

static uint64_t load(og_session *session, const char *example)
{
    FILE *data = open_example(example, "data.jsonl");
    og_load_options options = OG_LOAD_OPTIONS_INIT;
    og_write_result loaded;
    check(og_load(session, &options, read_file, data, &loaded, &err), "load");
    fclose(data);
    expect(loaded.committed && strlen(loaded.commit_id) == 26, "a load is a commit");
    expect(loaded.node_types == 5 && loaded.edge_types == 9, "types of the example");
    return loaded.node_rows + loaded.edge_rows;
}

static void finish_task(og_graph *graph, og_session *session, og_text source)
{
    og_query *query;
    og_params *params;
    og_write_result done;
    check(og_query_prepare(graph, source, "finish", &query, &err), "prepare");
    expect(og_query_is_mutation(query) && og_query_param_count(query) == 2, "what finish is");
    check(og_params_new(query, &params, &err), "params");
    check(og_params_set_text(params, "task", (og_text){"task-009", 8}, &err), "task");
    check(og_params_set_text(params, "day", (og_text){"2024-03-01", 10}, &err), "day");
    check(og_mutate(session, query, params, &done, &err), "mutate");
    expect(done.committed && done.node_rows == 1, "one task is done");
    og_params_free(params);
    og_query_free(query);
}

static uint64_t count_people(og_graph *graph, og_session *session, og_text source)
{
    og_query *query;
    og_cursor *cursor;
    og_value value;
    uint64_t rows = 0, tasks = 0;
    bool has_row = true;
    check(og_query_prepare(graph, source, "workload", &query, &err), "prepare");
    check(og_query_run(session, query, NULL, &cursor, &err), "run");
    expect(strcmp(og_cursor_column_name(cursor, 2), "tasks") == 0, "name of a column");
    for (;; rows++) {
        check(og_cursor_next(cursor, &has_row, &err), "next");
        if (!has_row)
            break;
        check(og_cursor_value(cursor, 2, &value, &err), "value");
        expect(value.kind == OG_VALUE_I64, "a count is an integer");
        tasks += (uint64_t)value.as.i64;
    }
    expect(rows > 0 && tasks >= rows, "each person in the list has a task");
    og_cursor_close(cursor);
    og_query_free(query);
    return tasks;
}

int main(int argc, char **argv)
{
    expect(argc == 2, "usage: shared EXAMPLE");
    char folder[] = "/tmp/omnigraph-api-XXXXXX", remove[64];
    expect(mkdtemp(folder) != NULL, "a folder");
    og_text schema = read_text(argv[1], "schema.pg"), queries = read_text(argv[1], "queries.gq");
    og_graph *graph;
    og_session *session;
    check(og_graph_init(folder, schema, false, &err), "init");
    expect(og_graph_init(folder, schema, false, &err) == OG_EXISTS, "a second init is refused");
    check(og_graph_open(folder, NULL, &graph, &err), "open");
    check(og_session_open(graph, NULL, &session, &err), "session");

    uint64_t records = load(session, argv[1]);
    uint64_t before = count_people(graph, session, queries);
    finish_task(graph, session, queries);
    expect(count_people(graph, session, queries) == before - 1, "one task less");
    counted exported = {0, 0};
    check(og_export(session, NULL, 0, NULL, 0, count, &exported, &err), "export");
    expect(exported.lines == records, "all records come out");

    og_session_close(session);
    og_graph_close(graph);
    free((char *)schema.ptr);
    free((char *)queries.ptr);
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    return system(remove);
}
