/* fsck: everything a graph has, and what does not agree. relocate: its places after a move. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/progress.h"

typedef struct report {
    bool json;
    uint64_t told;
} report;

static void put_text(og_buf *out, const char *key, og_text text)
{
    og_buf_printf(out, ",\n      \"%s\": ", key);
    if (text.len > 0)
        og_json_write_str(out, (og_str){text.ptr, text.len});
    else
        og_buf_text(out, "null");
}

static const char *level_of(const og_problem *p)
{
    return p->is_damage ? "damage" : p->is_note ? "note" : "leftover";
}

static void put_json(og_buf *out, const og_problem *p, bool is_first)
{
    og_buf_printf(out,
                  "%s\n    {\n      \"kind\": \"%s\",\n      \"level\": \"%s\",\n"
                  "      \"damage\": %s",
                  is_first ? "" : ",", p->kind, level_of(p), p->is_damage ? "true" : "false");
    put_text(out, "branch", p->branch);
    put_text(out, "table_key", p->table_key);
    put_text(out, "message", (og_text){p->message, strlen(p->message)});
    put_text(out, "advice", (og_text){p->advice, strlen(p->advice)});
    og_buf_printf(out, ",\n      \"repaired\": %s\n    }", p->repaired ? "true" : "false");
}

/* "damage duplicate-id node:Person on main: id 'ana' stands in 2 rows. Delete what ..." */
static void put_line(og_buf *out, const og_problem *p)
{
    og_buf_printf(out, "%s %s", p->repaired ? "repaired" : level_of(p), p->kind);
    if (p->table_key.len > 0)
        og_buf_printf(out, " %.*s", OG_FMT(p->table_key));
    if (p->branch.len > 0)
        og_buf_printf(out, " on %.*s", OG_FMT(p->branch));
    og_buf_printf(out, ": %s.", p->message);
    if (!p->repaired)
        og_buf_printf(out, " %s", p->advice);
    og_buf_byte(out, '\n');
}

static og_status tell(void *context, const og_problem *p, og_error *err)
{
    report *r = context;
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (r->json)
        put_json(&out, p, r->told == 0);
    else
        put_line(&out, p);
    r->told++;
    cli_progress_pause();
    og_status s = cli_print_buf(&out, err);
    cli_progress_resume();
    return s;
}

static int show_progress(void *context, const char *phase, uint64_t done, uint64_t total)
{
    (void)context, (void)phase, (void)total;
    cli_progress_update(done);
    return 0;
}

static og_status print_end(const report *r, const og_fsck_result *done, og_error *err)
{
    uint64_t left = done->problems - done->repaired;
    if (r->json)
        return cli_print(err,
                         "%s],\n  \"clean\": %s,\n  \"repaired\": %" PRIu64
                         ",\n  \"branches\": %" PRIu64 ",\n  \"tables\": %" PRIu64
                         ",\n  \"rows\": %" PRIu64 "\n}\n",
                         r->told > 0 ? "\n  " : "", left == 0 ? "true" : "false", done->repaired,
                         done->branches, done->tables, done->rows);
    if (done->problems == 0)
        return cli_print(err,
                         "clean: %" PRIu64 " rows in %" PRIu64 " versions of tables, %" PRIu64
                         " branches\n",
                         done->rows, done->tables, done->branches);
    return cli_print(err, "%" PRIu64 " finding%s, %" PRIu64 " repaired\n", done->problems,
                     done->problems == 1 ? "" : "s", done->repaired);
}

og_status cli_run_fsck(cli *c, og_error *err)
{
    og_fsck_options options = OG_FSCK_OPTIONS_INIT;
    og_fsck_result done;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_resolve(c, NULL, err));
    options.repair = cli_has(&c->args, CLI_REPAIR);
    options.progress = show_progress;
    report r = {.json = cli_has(&c->args, CLI_JSON)};
    if (r.json)
        OG_TRY(cli_print(err, "{\n  \"findings\": ["));
    else
        cli_progress_count("checking", "rows");
    og_status s = og_fsck(c->uri, &options, tell, &r, &done, err);
    cli_progress_stop();
    OG_TRY(s);
    c->exit_code = done.problems > done.repaired ? 1 : 0;
    return print_end(&r, &done, err);
}

/* ---- relocate ----------------------------------------------------------------------------- */

og_status cli_run_relocate(cli *c, og_error *err)
{
    og_relocate_result done;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    OG_TRY(og_relocate(c->session, &done, err));
    c->has_changed = true;
    if (cli_has(&c->args, CLI_JSON))
        return cli_print(err,
                         "{\n  \"branches_relocated\": %" PRIu64
                         ",\n  \"tables_relocated\": %" PRIu64 "\n}\n",
                         done.branches, done.tables);
    if (done.branches == 0)
        return cli_print(err, "all places are right\n");
    return cli_print(err, "relocated %" PRIu64 " tables on %" PRIu64 " branches\n", done.tables,
                     done.branches);
}
