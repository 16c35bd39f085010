/* Schemas: what compiles must compile again to the same IR, be canonical in its catalog, and pass
 * or be refused by the strict check; what does not must say why and where. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "lang/schema.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_error(og_status status, const og_error *err, size_t size)
{
    check(err->status == status && err->message[0] != '\0');
    check(err->line <= size + 1 && err->column <= size + 1);
    check(status != OG_INVALID || (err->line > 0 && err->column > 0));
}

/* Every name is found where it stands. */
static void check_def(const og_catalog *catalog, const og_type_def *def)
{
    check(og_catalog_table(catalog, def->table_key) == def);
    uint32_t first = og_type_def_first_property(def);
    check(def->table_schema->field_count == first + def->property_count);
    for (uint32_t i = 0; i < def->property_count; i++) {
        check(og_type_def_property(def, def->properties[i].name) == (int32_t)i);
        check(og_str_eq(def->table_schema->fields[first + i].name, def->properties[i].name));
    }
}

static void check_catalog(const og_catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->node_count; i++)
        check_def(catalog, &catalog->nodes[i]);
    for (uint32_t i = 0; i < catalog->edge_count; i++) {
        const og_type_def *edge = &catalog->edges[i];
        check_def(catalog, edge);
        check(edge->from_type < catalog->node_count && edge->to_type < catalog->node_count);
        check(edge->card_min <= edge->card_max);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    og_str source = {(const char *)data, size};
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO(og_catalog) again = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF ir = OG_BUF_INIT;
    og_json tree;
    og_error err;
    og_status status = og_schema_compile_ir(source, &catalog, &ir, &err);
    if (status != OG_OK) {
        check(status == OG_INVALID || status == OG_LIMIT);
        check_error(status, &err, size);
        return 0;
    }
    check_catalog(catalog);
    check(og_json_parse(arena, og_buf_view(&ir), &tree, NULL) == OG_OK);
    check(og_schema_compile(source, &again, NULL) == OG_OK);
    check(strcmp(catalog->schema_hash, again->schema_hash) == 0);
    status = og_schema_check_strict(source, &err);
    if (status != OG_OK) {
        /* Patterns may also be too large, or have no library. */
        check(status == OG_INVALID || status == OG_NOMEM || status == OG_UNSUPPORTED);
        check_error(status, &err, size);
    }
    return 0;
}
