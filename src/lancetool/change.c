#include "lancetool/change.h"

#include "base/timeval.h"
#include "lance/table/commit.h"

#include <inttypes.h>
#include <unistd.h>

og_lance_write_options tool_write_options(og_lance_op op)
{
    return (og_lance_write_options){.op = op,
                                    .min_max_fragment_id = -1,
                                    .now_us = og_system_clock.now_us(og_system_clock.context)};
}

/* ---- tables of graphs ----------------------------------------------------------------------- */

static bool is_graph(const tool_call *call, og_str folder)
{
    og_str manifest = og_arena_printf(call->arena, "%.*s/__manifest", OG_FMT(folder));
    return manifest.ptr == NULL || access(manifest.ptr, F_OK) == 0; /* no memory: better refused */
}

/* Tables that stand in the graph's own folder, beside `__manifest` or being it. */
static bool is_own_table(const char *dataset)
{
    static const char *const names[] = {"__manifest", "_graph_commits.lance",
                                        "_graph_commit_actors.lance",
                                        "_graph_commit_recoveries.lance"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(dataset, names[i]) == 0)
            return true;
    return false;
}

/* Folder of the graph that the table is of: the one around "nodes" or "edges", or around the table.
 * Empty when there is none. */
static og_str graph_of(const tool_call *call, const tool_place *place)
{
    og_str folder = og_str_of(place->folder);
    if (is_own_table(place->dataset))
        return is_graph(call, folder) ? folder : OG_STR("");
    if (!og_str_ends(folder, OG_STR("/nodes")) && !og_str_ends(folder, OG_STR("/edges")))
        return OG_STR("");
    folder.len -= strlen("/nodes");
    return is_graph(call, folder) ? folder : OG_STR("");
}

og_status tool_check_no_graph(const tool_call *call, const tool_place *place, og_error *err)
{
    og_str graph = graph_of(call, place);
    if (graph.len == 0 || tool_has(call, "force"))
        return OG_OK;
    og_error_set(err, OG_INVALID, "'%s' belongs to the graph '%.*s'", place->dataset,
                 OG_FMT(graph));
    og_error_hint(err,
                  "The graph says which versions of its tables count, and would not know of this "
                  "one: change it with omnigraph, or with --force when that is meant.");
    return OG_INVALID;
}

og_status tool_place_open_to_write(const tool_call *call, const char *argument, bool create,
                                   tool_place *out, og_error *err)
{
    OG_TRY(tool_place_open(call, argument, create, out, err));
    return tool_check_no_graph(call, out, err);
}

/* ---- whose fault it is ---------------------------------------------------------------------- */

static og_status say_instead(og_status status, og_error *err)
{
    if (err != NULL)
        err->status = status;
    return status;
}

og_status tool_named(og_status status, og_error *err)
{
    return status == OG_NOT_FOUND || status == OG_EXISTS ? say_instead(OG_INVALID, err) : status;
}

og_status tool_given(og_status status, og_error *err)
{
    return status == OG_INVALID ? say_instead(OG_CORRUPT, err) : status;
}

/* ---- writes --------------------------------------------------------------------------------- */

og_status tool_commit(og_lance_write *write, bool may_go_behind, og_error *err)
{
    const og_lance_staged *staged;
    OG_TRY(og_lance_write_commit(write, may_go_behind, &staged, err));
    printf("version %" PRIu64 ": %" PRIu64 " rows\n", staged->version, staged->row_count);
    return OG_OK;
}

og_status tool_begin_with(const tool_call *call, const og_lance_write_options *options,
                          tool_place *place, og_lance_table **out_table, og_lance_write **out,
                          og_error *err)
{
    if (tool_has(call, "version"))
        return og_error_set(err, OG_INVALID, "a change goes by the newest version, not --version");
    OG_TRY(tool_place_open_to_write(call, call->arguments[0], false, place, err));
    og_status s = og_lance_table_open(place->env, place->path, 0, 0, out_table, err);
    if (s == OG_NOT_FOUND)
        return tool_no_table(call, place, err);
    OG_TRY(s);
    return og_lance_write_new(place->env, *out_table, options, out, err);
}

og_status tool_begin(const tool_call *call, og_lance_op op, tool_place *place,
                     og_lance_table **out_table, og_lance_write **out, og_error *err)
{
    const og_lance_write_options options = tool_write_options(op);
    return tool_begin_with(call, &options, place, out_table, out, err);
}
