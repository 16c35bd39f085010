/* lancetool - Lance tables on the command line. */
#include "base/std.h"
#include "lancetool/tool.h"

static int exit_code_of(og_status status)
{
    switch (status) {
    case OG_OK:
        return 0;
    case OG_INVALID:
        return 2;
    case OG_UNSUPPORTED:
        return 3;
    default:
        return 1;
    }
}

static void print_error(const og_error *err)
{
    tool_complain("error: ", err->message);
    if (err->detail[0] != '\0')
        tool_complain("  ", err->detail);
    if (err->hint[0] != '\0')
        tool_complain("hint: ", err->hint);
}

int main(int argc, char **argv)
{
    static og_error err;
    tool_call call;
    int exit_code;
    og_std_reserve();
    if (!tool_parse(argc, argv, &call, &exit_code)) {
        if (og_std_flush(&err) == OG_OK)
            return exit_code;
        print_error(&err);
        return exit_code_of(OG_IO);
    }
    OG_AUTO(og_arena) arena = og_arena_new(0);
    call.arena = arena;
    og_status status = arena != NULL ? call.verb->run(&call, &err) : og_error_nomem(&err);
    if (status != OG_OK)
        print_error(&err);
    else if ((status = og_std_flush(&err)) != OG_OK) /* what was printed may be cut short */
        print_error(&err);
    return exit_code_of(status);
}
