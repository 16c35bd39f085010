/* lancetool/verbs - the verbs, each defined in the file of its name. */
#ifndef OG_LANCETOOL_VERBS_H
#define OG_LANCETOOL_VERBS_H

#include "lancetool/tool.h"

extern const tool_verb tool_cat, tool_index, tool_inspect, tool_verify;

#endif
