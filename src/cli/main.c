/* omnigraph - the command line of omnigraph.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/std.h"
#include "cli/cli.h"
#include "cli/progress.h"

/* Commands that had other names: say so, and make the line what it should be. `argv` is changed in
 * place; returns the new argc. */
static int replace_old_names(int argc, char **argv)
{
    static char lint[] = "lint";
    const char *first = argc > 1 ? argv[1] : "", *second = argc > 2 ? argv[2] : "";
    if (strcmp(first, "query") == 0 &&
        (strcmp(second, "lint") == 0 || strcmp(second, "check") == 0)) {
        cli_warn("`omnigraph query %s` is deprecated; use `omnigraph lint` instead", second);
        argv[1] = lint;
        for (int i = 2; i < argc; i++)
            argv[i] = argv[i + 1]; /* the NULL behind the last, too */
        return argc - 1;
    }
    static const char *const names[][2] = {
        {"read", "query"}, {"change", "mutate"}, {"check", "lint"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(first, names[i][0]) == 0)
            cli_warn("`omnigraph %s` is deprecated; use `omnigraph %s` instead", first,
                     names[i][1]);
    return argc;
}

int main(int argc, char **argv)
{
    static cli c;
    static og_error err;
    int exit_code = 0;
    og_std_reserve();
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is an error of write, like a full disk */
    argc = replace_old_names(argc, argv);
    if (cli_parse(argc, argv, &c.args, &exit_code)) {
        c.arena = og_arena_new(0);
        og_status s = c.arena != NULL ? c.args.verb->run(&c, &err) : og_error_nomem(&err);
        cli_progress_stop();
        exit_code = s != OG_OK ? og_status_exit_code(s) : c.exit_code;
        if (s != OG_OK && c.has_changed)
            og_error_context(&err, s, "done, but the answer is lost");
        if (s != OG_OK)
            cli_print_error(&err);
        cli_close(&c);
        og_arena_free(c.arena);
    }
    if (exit_code == 0 && og_std_flush(&err) != OG_OK) {
        cli_print_error(&err);
        exit_code = 1;
    }
    cli_args_deinit(&c.args);
    return exit_code;
}
