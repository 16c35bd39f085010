/* fixture - a small graph in a temporary folder, for tests of the public API. */
#ifndef OG_TEST_API_FIXTURE_H
#define OG_TEST_API_FIXTURE_H

#include "og_test.h"

#include "base/buf.h"

typedef struct fixture {
    char folder[64];
    og_graph *graph;
    og_session *session;
} fixture;

/* A graph of the schema, loaded with the records. */
void fixture_init(fixture *f, const char *schema, const char *records);
void fixture_deinit(fixture *f);
/* Replace the session by one with these options. */
void fixture_session(fixture *f, const og_session_options *options);
/* Load records; the status and the error. */
og_status fixture_load(fixture *f, const char *records, og_load_mode mode, og_write_result *out,
                       og_error *err);

/* Run a query of one text and print it; `params` is JSON or NULL. The text lives in *out. */
void fixture_print(fixture *f, const char *query, const char *params,
                   const og_format_options *options, og_buf *out);
/* A cursor on a query; the query is freed with fixture_end. */
typedef struct running {
    og_query *query;
    og_cursor *cursor;
} running;
running fixture_run(fixture *f, const char *query, const char *params);
void fixture_end(running *r);

/* An og_sink_fn that appends to the og_buf that is its context. */
og_status sink_to_buf(void *context, const uint8_t *bytes, size_t len, og_error *err);

#endif
