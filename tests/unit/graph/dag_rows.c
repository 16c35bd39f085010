#include "dag_rows.h"

#include <stdlib.h>

#include "columnar/builder.h"
#include "graph/layout.h"
#include "lance/table/write.h"
#include "og_test.h"

#define MAX_COLUMNS 6

/* The next word of the line; "-" is none. */
static const char *take_word(char **line)
{
    char *word = strsep(line, " ");
    assert_non_null(word);
    return strcmp(word, "-") == 0 ? NULL : word;
}

static bool put_word(og_builder *column, const og_type *type, const char *word)
{
    if (word == NULL)
        return og_builder_null(column);
    if (type->id == OG_TYPE_UTF8)
        return og_builder_str(column, og_str_of(word));
    if (type->id == OG_TYPE_U64)
        return og_builder_u64(column, strtoull(word, NULL, 10));
    return og_builder_i64(column, strtoll(word, NULL, 10));
}

/* `order`: which word of a line is which field. */
static void append_rows(og_repo *repo, const char *path, const uint32_t *order, const char *lines)
{
    OG_AUTO(og_lance_table) base = NULL;
    assert_ok(og_lance_table_open(og_repo_env(repo), path, 0, 0, &base, err));
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(base, &count);
    og_builder *columns[MAX_COLUMNS];
    for (uint32_t i = 0; i < count; i++)
        columns[i] = og_builder_new(fields[i].field.type);
    char *text = strdup(lines), *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0')
        for (uint32_t i = 0; i < count; i++) {
            uint32_t at = order[i];
            assert_true(put_word(columns[at], fields[at].field.type, take_word(&line)));
        }
    free(text);
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_batch_init(&batch, count, og_builder_length(columns[0]), err));
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(og_builder_finish(columns[i], &batch.columns[i], err));
        og_builder_free(columns[i]);
    }
    og_lance_write_options options = {.op = OG_LANCE_APPEND, .min_max_fragment_id = -1};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    assert_ok(og_lance_write_new(og_repo_env(repo), base, &options, &write, err));
    assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, false, err));
}

void dag_rows_append(og_repo *repo, const char *lines)
{
    /* id, version, time, parent, merged, branch */
    static const uint32_t order[] = {0, 2, 5, 3, 4, 1};
    append_rows(repo, OG_GRAPH__COMMITS, order, lines);
}

void dag_rows_append_actors(og_repo *repo, const char *lines)
{
    OG_AUTO_BUF timed = OG_BUF_INIT;
    static const uint32_t order[] = {0, 1, 2};
    for (const char *at = lines; *at != '\0'; at++)
        og_buf_text(&timed, *at == '\n' ? " 1\n" : (const char[]){*at, '\0'});
    append_rows(repo, OG_GRAPH__ACTORS, order, og_buf_cstr(&timed));
}
