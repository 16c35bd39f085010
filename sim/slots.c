/* Numbers that are never given twice: of rows and fragments of a table, also by versions that were
 * never published. Each version that is put is opened, without faults, and its counters compared
 * with those of the versions before it. */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lance/table/table.h"

typedef struct counters {
    char path[200];
    uint64_t version, next_row_id;
    int64_t max_fragment;
} counters;

struct sim_slots {
    counters items[128];
    int count;
};

static counters *find(sim_world *w, const char *path)
{
    if (w->slots == NULL)
        w->slots = calloc(1, sizeof *w->slots);
    if (w->slots == NULL)
        abort();
    struct sim_slots *s = w->slots;
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->items[i].path, path) == 0)
            return &s->items[i];
    if (s->count == (int)(sizeof s->items / sizeof *s->items) ||
        strlen(path) >= sizeof s->items->path)
        return NULL;
    counters *c = &s->items[s->count++];
    *c = (counters){.max_fragment = -1};
    strcpy(c->path, path);
    return c;
}

static void compare(sim_world *w, counters *c, const og_lance_table *table)
{
    uint64_t version = og_lance_table_version(table);
    uint64_t next_row_id = og_lance_table_next_row_id(table);
    int64_t max_fragment = og_lance_table_max_fragment_id(table);
    /* On a branch row ids are given that its parent gives, too: a clone begins anew. */
    bool begins = og_lance_table_transaction_property(table, OG_STR("og.fork")).ptr != NULL;
    /* In a slot that a cleanup had freed it can't be published, nor can what is built on it. */
    begins |= version <= c->version;
    if (!begins && next_row_id < c->next_row_id)
        sim_wrong(w, "%s: version %" PRIu64 " gives row id %" PRIu64 " again", c->path, version,
                  next_row_id);
    if (!begins && max_fragment < c->max_fragment)
        sim_wrong(w, "%s: version %" PRIu64 " gives fragment id %" PRId64 " again", c->path,
                  version, max_fragment + 1);
    c->version = version;
    c->next_row_id = next_row_id;
    c->max_fragment = max_fragment;
}

void sim_check_slot(sim_world *w, const char *name)
{
    char path[200];
    const char *end = strstr(name, "/_versions/");
    if (end == NULL || (size_t)(end - name) >= sizeof path)
        return;
    memcpy(path, name, (size_t)(end - name));
    path[end - name] = '\0';
    uint64_t version = UINT64_MAX - strtoull(end + strlen("/_versions/"), NULL, 10);
    OG_AUTO(og_lance_env) env = NULL;
    OG_AUTO(og_lance_table) table = NULL;
    og_error err = {0};
    counters *c = find(w, path);
    if (c == NULL || og_lance_env_new(w->store, 1 << 20, &env, &err) != OG_OK)
        return;
    og_status s = og_lance_table_open(env, path, version, 0, &table, &err);
    if (s == OG_OK)
        compare(w, c, table);
    else if (s != OG_NOT_FOUND) /* the call was never made, or its slot was freed at once */
        sim_wrong(w, "what was put as %s can't be read: %s", name, err.message);
}

void sim_forget_slots(sim_world *w)
{
    if (w->slots != NULL)
        w->slots->count = 0;
}
