/* The commands of lancetool, in the order help lists them. */
#include "lancetool/verbs.h"

const tool_verb *const tool_verbs[] = {
    &tool_inspect,       &tool_cat,          &tool_verify,  &tool_index,       &tool_import,
    &tool_append,        &tool_delete,       &tool_restore, &tool_compact,     &tool_cleanup,
    &tool_config,        &tool_branch,       &tool_tag,     &tool_add_columns, &tool_rename_column,
    &tool_retype_column, &tool_drop_columns, NULL,
};
