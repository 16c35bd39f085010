/* omnigraph.yaml: anything that YAML can say, and what it can't. What is read can be looked
 * through. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static size_t length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static void look_through(const cli_config *c)
{
    for (size_t i = 0; i < c->graph_count; i++) {
        check(length(c->graphs[i].uri) <= SIZE_MAX / 2);
        check(cli_config_graph(c, c->graphs[i].name) != NULL);
    }
    for (size_t i = 0; i < c->alias_count; i++) {
        const cli_alias *a = &c->aliases[i];
        check(a->query != NULL && cli_config_alias(c, a->name) != NULL);
        for (size_t k = 0; k < a->arg_count; k++)
            check(a->args[k] != NULL);
    }
    for (size_t i = 0; i < c->root_count; i++)
        check(c->roots[i] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    cli_config config = {.format = -1};
    og_error err;
    og_status s =
        cli_config_parse(arena, (og_str){(const char *)data, size}, "x.yaml", &config, &err);
    check(s == OG_OK || (s == OG_INVALID && err.message[0] != '\0') || s == OG_LIMIT);
    if (s == OG_OK)
        look_through(&config);
    return 0;
}
