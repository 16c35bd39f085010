/* cli/config_yaml - a YAML document as a JSON tree, by libyaml's events; the only file that knows
 * libyaml.
 *
 * Mappings become objects, sequences arrays, scalars text; a plain empty scalar, `~` or `null` is
 * null. Tags are ignored, an alias stands for the node of its anchor. */
#ifndef OG_CLI_CONFIG_YAML_H
#define OG_CLI_CONFIG_YAML_H

#include "base/json.h"

/* The first document of `text`; null when there is none. OG_INVALID with line and column. */
OG_NODISCARD og_status cli_yaml_parse(og_arena *arena, og_str text, og_json *out, og_error *err);

#endif
