#include "omnigraph.h"

/* What the header promises at compile time. */
_Static_assert(sizeof(((og_write_result *)0)->commit_id) == 27, "a ULID and its NUL");

og_session_options header_session_options(void);
og_session_options header_session_options(void)
{
    og_session_options session = OG_SESSION_OPTIONS_INIT;
    return session;
}
