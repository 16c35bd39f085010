#include "omnigraph.h"

og_open_options header_open_options();
og_open_options header_open_options()
{
    og_open_options open = OG_OPEN_OPTIONS_INIT;
    og_load_options load = OG_LOAD_OPTIONS_INIT;
    og_format_options format = OG_FORMAT_OPTIONS_INIT;
    (void)load;
    (void)format;
    return open;
}
