/* Graphs in memory that are loaded from text and exported to text. */
#ifndef LOAD_TEXT_H
#define LOAD_TEXT_H

#include "graph/load.h"
#include "graph_fixture.h"
#include "store/memory.h"
#include "store/wrap.h"

typedef struct text_graph {
    fixture_clock clock;
    og_store *memory;
    og_store *faulty; /* around memory, when there is a plan */
    og_store_fault_at plan;
    og_repo *repo;
} text_graph;

/* A new graph of this schema. */
void text_graph_init(text_graph *g, const char *schema);
void text_graph_deinit(text_graph *g);
/* Open it anew, so that nothing is remembered; through the plan's faults when `fault` is not
 * PASS. */
void text_graph_reopen(text_graph *g, og_store_fault fault);

/* Load a text; counts and lenient counts in *out when it is not NULL (to be deinited). */
og_status text_graph_try(text_graph *g, og_load_mode_kind mode, bool lenient, og_str text,
                         og_load_output *out, og_error *err);
/* One that must succeed. */
void text_graph_load(text_graph *g, og_load_mode_kind mode, const char *text);
/* One that must fail with a message that contains `message`, at this line, and changes nothing. */
void text_graph_refuses(text_graph *g, og_load_mode_kind mode, const char *text,
                        const char *message, uint32_t line);

/* The whole export, or only one type; to be deinited. */
og_buf text_graph_export(text_graph *g, const char *type);
/* Exactly this export of a type. */
void text_graph_is(text_graph *g, const char *type, const char *expected);

#endif
