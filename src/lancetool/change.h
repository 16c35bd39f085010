/* lancetool/change - what the verbs that write share: options of a write, its commit, rows from
 * files. */
#ifndef OG_LANCETOOL_CHANGE_H
#define OG_LANCETOOL_CHANGE_H

#include "base/json.h"
#include "columnar/builder.h"
#include "lance/table/write.h"
#include "lancetool/tool.h"

/* The options of a write of kind `op`, made now. */
og_lance_write_options tool_write_options(og_lance_op op);
/* An option of each verb that writes. */
#define TOOL_FORCE                                                                                 \
    {                                                                                              \
        "force", NULL, "change a table of a graph, too"                                            \
    }
/* tool_place_open for a verb that writes: OG_INVALID for a table that belongs to a graph,
 * whose versions go by the graph's `__manifest`, unless --force is given. */
OG_NODISCARD og_status tool_place_open_to_write(const tool_call *call, const char *argument,
                                                bool create, tool_place *out, og_error *err);
/* The same check for a place that is open already. */
OG_NODISCARD og_status tool_check_no_graph(const tool_call *call, const tool_place *place,
                                           og_error *err);
/* og_lance_write_commit; then say "version N: R rows". */
OG_NODISCARD og_status tool_commit(og_lance_write *write, bool may_go_behind, og_error *err);
/* Turn OG_NOT_FOUND and OG_EXISTS into OG_INVALID, keeping the message: the command line names
 * something that is not there, or a name that is taken. Other statuses are returned as they are. */
og_status tool_named(og_status status, og_error *err);
/* Turn OG_INVALID into OG_CORRUPT: the command line was right,
 * but the rows in a given file do not fit. */
og_status tool_given(og_status status, og_error *err);
/* Open the newest version of the table that the call names first, and begin a write of it;
 * with the options of tool_write_options, or these. */
OG_NODISCARD og_status tool_begin(const tool_call *call, og_lance_op op, tool_place *place,
                                  og_lance_table **out_table, og_lance_write **out, og_error *err);
OG_NODISCARD og_status tool_begin_with(const tool_call *call, const og_lance_write_options *options,
                                       tool_place *place, og_lance_table **out_table,
                                       og_lance_write **out, og_error *err);

/* ---- schemas as text (schema_text.c) -------------------------------------------------------- */

/* "id: utf8!, n: int64, tags: list<utf8>, v: fixed_size_list<float32, 4>, p: struct<x: int32>,
 * body: blob": fields of a table; '!' = never null; a name may stand in double quotes. In the
 * call's arena. OG_INVALID with the place. */
OG_NODISCARD og_status tool_schema(const tool_call *call, const char *text,
                                   og_lance_new_field **out, uint32_t *out_count, og_error *err);

/* ---- rows from a file (rows_in.c) ----------------------------------------------------------- */

/* JSON objects, one a row, or an Arrow IPC stream, told apart by their first bytes; "-" is standard
 * input. */
typedef struct tool_rows tool_rows;
OG_NODISCARD og_status tool_rows_open(const char *path, tool_rows **out, og_error *err);
void tool_rows_close(tool_rows *rows);
OG_DEFINE_AUTO(tool_rows, tool_rows_close)
/* Fields of an Arrow stream, borrowed; 0 for JSON, which does not say. */
uint32_t tool_rows_fields(const tool_rows *rows, const og_field **out);
/* The next rows with these columns, found by name: absent ones are null, unknown ones OG_INVALID;
 * row_count 0 at the end. JSON as cat prints it; blobs as text or {"hex": ..} or {"uri": ..}. */
OG_NODISCARD og_status tool_rows_next(tool_rows *rows, const og_lance_field *fields,
                                      uint32_t field_count, og_batch *out, og_error *err);
/* Append a JSON value, in the form that cat prints, as the builder's next row.
 * OG_INVALID when it is not a value of the type. */
OG_NODISCARD og_status tool_put_json(og_builder *builder, const og_type *type, const og_json *value,
                                     og_error *err);

#endif
