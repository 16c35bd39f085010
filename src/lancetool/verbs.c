/* The commands of lancetool, in the order help lists them. */
#include "lancetool/verbs.h"

const tool_verb *const tool_verbs[] = {
    &tool_inspect,
    &tool_cat,
    &tool_verify,
    &tool_index,
    NULL,
};
