/* lancetool/verbs - the verbs, each defined in the file of its name. */
#ifndef OG_LANCETOOL_VERBS_H
#define OG_LANCETOOL_VERBS_H

#include "lancetool/tool.h"

extern const tool_verb tool_cat, tool_index, tool_inspect, tool_verify;
/* Those that write: verb_rows.c, verb_upkeep.c, verb_refs.c, verb_retype.c. */
extern const tool_verb tool_import, tool_append, tool_delete, tool_restore, tool_compact,
    tool_cleanup, tool_config, tool_branch, tool_tag, tool_add_columns, tool_rename_column,
    tool_retype_column, tool_drop_columns;

#endif
