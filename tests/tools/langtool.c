/* langtool - the languages without a graph, for development and for comparing with recorded
 * answers:
 *     langtool lint --schema FILE --query FILE [--json]
 * prints the lint report as `omnigraph lint` does, and ends with its exit code;
 *     langtool ir --schema FILE
 * prints the text of `_schema.ir.json`, a newline and the schema's hash, or why `omnigraph init`
 * would refuse the schema. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lang/lint.h"
#include "lang/schema.h"

static bool read_file(const char *path, og_buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    char chunk[8192];
    size_t len;
    while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
        og_buf_append(out, chunk, len);
    fclose(file);
    return !out->failed;
}

static void print_error(const og_error *err)
{
    fprintf(stderr, "Error: %s\n", err->message);
    if (err->detail[0] != '\0')
        fprintf(stderr, "%s\n", err->detail);
    if (err->hint[0] != '\0')
        fprintf(stderr, "%s\n", err->hint);
}

static int lint(const char *schema_path, const char *query_path, bool json)
{
    OG_AUTO_BUF schema = OG_BUF_INIT;
    OG_AUTO_BUF query = OG_BUF_INIT;
    OG_AUTO_BUF report = OG_BUF_INIT;
    OG_AUTO(og_catalog) catalog = NULL;
    og_error err = {0};
    if (!read_file(schema_path, &schema) || !read_file(query_path, &query))
        return 1;
    og_lint_input input = {
        .query_path = og_str_of(query_path),
        .query_source = og_buf_view(&query),
        .schema_path = og_str_of(schema_path),
    };
    bool failed = true;
    og_status status = og_schema_compile(og_buf_view(&schema), &catalog, &err);
    if (status == OG_OK)
        status = og_lint(catalog, &input, json, &report, &failed, &err);
    if (status != OG_OK) {
        print_error(&err);
        return 1;
    }
    fwrite(report.ptr, 1, report.len, stdout);
    return failed ? 1 : 0;
}

static int ir(const char *schema_path)
{
    OG_AUTO_BUF schema = OG_BUF_INIT;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_AUTO(og_catalog) catalog = NULL;
    og_error err = {0};
    if (!read_file(schema_path, &schema))
        return 1;
    og_status status = og_schema_compile_ir(og_buf_view(&schema), &catalog, &text, &err);
    if (status == OG_OK)
        status = og_schema_check_strict(og_buf_view(&schema), &err);
    if (status != OG_OK) {
        print_error(&err);
        return 1;
    }
    fwrite(text.ptr, 1, text.len, stdout);
    printf("\n%s", catalog->schema_hash);
    return 0;
}

int main(int argc, char **argv)
{
    const char *schema_path = NULL, *query_path = NULL;
    bool json = false;
    bool is_ir = argc > 1 && strcmp(argv[1], "ir") == 0;
    bool known = is_ir || (argc > 1 && strcmp(argv[1], "lint") == 0);
    for (int i = 2; i < argc && known; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--schema") == 0 && i + 1 < argc)
            schema_path = argv[++i];
        else if (strcmp(argv[i], "--query") == 0 && i + 1 < argc)
            query_path = argv[++i];
        else
            known = false;
    }
    if (!known || schema_path == NULL || (query_path == NULL) != is_ir) {
        fprintf(stderr, "usage: langtool lint --schema FILE --query FILE [--json]\n"
                        "       langtool ir --schema FILE\n");
        return 2;
    }
    if (is_ir)
        return ir(schema_path);
    return lint(schema_path, query_path, json);
}
