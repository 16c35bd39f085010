#include "exec/groups_priv.h"

#include "base/map.h"
#include "columnar/kernels.h"

/* Text up to so many bytes is held by a short key as it is. */
#define SHORT_TEXT 16

og_status og_exec__groups_init(og_exec__groups *groups, og_exec *x, uint32_t key_count,
                               og_error *err)
{
    *groups = (og_exec__groups){.x = x, .key_count = key_count};
    groups->hashes = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *groups->hashes);
    groups->new_rows = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *groups->new_rows);
    if (groups->hashes == NULL || groups->new_rows == NULL)
        return og_error_nomem(err);
    if (key_count > 1)
        return OG_OK;
    groups->keys = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *groups->keys);
    return groups->keys != NULL ? OG_OK : og_error_nomem(err);
}

void og_exec__groups_deinit(og_exec__groups *groups)
{
    for (size_t i = 0; i < groups->pieces.len; i++)
        og_array_unref(groups->pieces.items[i]);
    og_vec_deinit(&groups->pieces);
    og_vec_deinit(&groups->items);
    og_free(groups->table);
}

/* ---- short keys --------------------------------------------------------------------------- */

/* Words that tell texts of one length up to 16 bytes apart; they overlap, so nothing beyond is
 * read. */
static og_exec__short_key text_key(og_str text)
{
    og_exec__short_key key = {0, 0, text.len};
    const char *p = text.ptr;
    size_t n = text.len;
    if (n > SHORT_TEXT) {
        key.a = og_hash64(p, n);
    } else if (n >= 8) {
        key.a = og_load_u64(p);
        key.b = og_load_u64(p + n - 8);
    } else if (n >= 4) {
        key.a = og_load_u32(p);
        key.b = og_load_u32(p + n - 4);
    } else if (n > 0) {
        key.a =
            (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint64_t)(uint8_t)p[n - 1] << 16;
    }
    return key;
}

static bool fixed_keys(const og_array *column, og_exec__short_key *out)
{
    size_t width = og_type_width(column->type->id);
    const char *values = column->data;
    for (int64_t i = 0; i < column->length; i++) {
        switch (width) {
        case 8:
            out[i] = (og_exec__short_key){og_load_u64(values + i * 8), 0, 8};
            break;
        case 4:
            out[i] = (og_exec__short_key){og_load_u32(values + i * 4), 0, 4};
            break;
        default:
            return false;
        }
    }
    return true;
}

/* False: the type has no short keys. */
static bool short_keys(const og_array *column, og_exec__short_key *out)
{
    switch (column->type->id) {
    case OG_TYPE_UTF8:
        for (int64_t i = 0; i < column->length; i++)
            out[i] = text_key(og_array_str(column, i));
        break;
    case OG_TYPE_BOOL:
        for (int64_t i = 0; i < column->length; i++)
            out[i] = (og_exec__short_key){og_array_bool(column, i), 0, 1};
        break;
    default:
        if (!fixed_keys(column, out))
            return false;
    }
    for (int64_t i = 0; column->validity != NULL && i < column->length; i++) {
        if (!og_bit_get(column->validity, (size_t)i))
            out[i] = (og_exec__short_key){0, 0, UINT64_MAX};
    }
    return true;
}

static uint64_t mix(og_exec__short_key key)
{
    unsigned __int128 product = (unsigned __int128)(key.a ^ 0x9e3779b97f4a7c15u) *
                                (key.b ^ key.length ^ 0xe7037ed1a0b428dbu);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* ---- the table ---------------------------------------------------------------------------- */

static og_status grow_table(og_exec__groups *g, og_error *err)
{
    uint32_t size = g->table == NULL ? 64 : (g->mask + 1) * 2;
    if (size == 0)
        return og_error_set(err, OG_LIMIT, "more than 2^31 groups");
    OG_TRY(og_exec__reserve(g->x, "aggregate", size * sizeof *g->table / 2, err));
    uint32_t *table = og_calloc(size, sizeof *table);
    if (table == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < g->count; i++) {
        uint32_t at = (uint32_t)g->items.items[i].hash & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = i + 1;
    }
    og_free(g->table);
    g->table = table;
    g->mask = size - 1;
    return OG_OK;
}

/* The piece that the new groups of the batch at hand will be in; until then they are in the
 * batch. */
static uint32_t current_piece(const og_exec__groups *g)
{
    return (uint32_t)(g->pieces.len / g->key_count);
}

static bool same_values(const og_exec__groups *g, const og_exec__group *group,
                        og_array *const *columns, uint32_t row)
{
    bool is_new = group->piece == current_piece(g);
    for (uint32_t k = 0; k < g->key_count; k++) {
        const og_array *held =
            is_new ? columns[k] : g->pieces.items[group->piece * g->key_count + k];
        uint32_t held_row = is_new ? g->new_rows[group->row] : group->row;
        if (!og_rows_equal(held, held_row, columns[k], row))
            return false;
    }
    return true;
}

static bool same_key(const og_exec__groups *g, const og_exec__group *group,
                     og_array *const *columns, uint32_t row)
{
    const og_exec__short_key *a = &group->key, *b = &g->keys[row];
    if (a->a != b->a || a->b != b->b || a->length != b->length)
        return false;
    bool exact = a->length <= SHORT_TEXT || a->length == UINT64_MAX;
    return exact || same_values(g, group, columns, row);
}

static og_status add_group(og_exec__groups *g, uint32_t at, uint32_t row, bool is_short,
                           uint32_t *new_count, og_error *err)
{
    og_exec__group group = {.piece = current_piece(g), .row = *new_count, .hash = g->hashes[row]};
    if (is_short)
        group.key = g->keys[row];
    if (!og_vec_push(&g->items, group))
        return og_error_nomem(err);
    g->new_rows[(*new_count)++] = row;
    g->table[at] = ++g->count;
    return OG_OK;
}

static og_status find_rows(og_exec__groups *g, og_array *const *columns, uint32_t count,
                           bool is_short, uint32_t *out, uint32_t *out_new, og_error *err)
{
    *out_new = 0;
    for (uint32_t row = 0; row < count; row++) {
        if (g->table == NULL || g->count >= (g->mask + 1) / 2)
            OG_TRY(grow_table(g, err));
        uint64_t hash = g->hashes[row];
        uint32_t at = (uint32_t)hash & g->mask;
        while (g->table[at] != 0) {
            const og_exec__group *group = &g->items.items[g->table[at] - 1];
            if (group->hash == hash &&
                (is_short ? same_key(g, group, columns, row) : same_values(g, group, columns, row)))
                break;
            at = (at + 1) & g->mask;
        }
        if (g->table[at] == 0)
            OG_TRY(add_group(g, at, row, is_short, out_new, err));
        out[row] = g->table[at] - 1;
    }
    return OG_OK;
}

static og_status keep_new_groups(og_exec__groups *g, og_array *const *columns, uint32_t count,
                                 og_error *err)
{
    size_t bytes = count * sizeof(og_exec__group);
    if (count == 0)
        return OG_OK;
    for (uint32_t k = 0; k < g->key_count; k++) {
        og_array *piece;
        OG_TRY(og_take_u32(columns[k], g->new_rows, count, &piece, err));
        if (!og_vec_push(&g->pieces, piece)) {
            og_array_unref(piece);
            return og_error_nomem(err);
        }
        bytes += og_array_bytes(piece);
    }
    return og_exec__reserve(g->x, "aggregate", bytes, err);
}

og_status og_exec__groups_find(og_exec__groups *g, og_array *const *columns, uint32_t count,
                               uint32_t *out, og_error *err)
{
    bool is_short = g->keys != NULL && short_keys(columns[0], g->keys);
    if (is_short) {
        for (uint32_t i = 0; i < count; i++)
            g->hashes[i] = mix(g->keys[i]);
    } else {
        memset(g->hashes, 0, count * sizeof *g->hashes);
        for (uint32_t k = 0; k < g->key_count; k++)
            og_hash_column(columns[k], g->hashes);
    }
    uint32_t new_count;
    OG_TRY(find_rows(g, columns, count, is_short, out, &new_count, err));
    return keep_new_groups(g, columns, new_count, err);
}

og_status og_exec__groups_values(const og_exec__groups *g, uint32_t key, const og_type *type,
                                 og_array **out, og_error *err)
{
    size_t piece_count = g->pieces.len / g->key_count;
    if (piece_count == 0) {
        *out = og_array_new_null(type, 0);
        return *out != NULL ? OG_OK : og_error_nomem(err);
    }
    const og_array **pieces = og_malloc(piece_count * sizeof *pieces);
    if (pieces == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < piece_count; i++)
        pieces[i] = g->pieces.items[i * g->key_count + key];
    og_status status = og_concat(pieces, piece_count, out, err);
    og_free(pieces);
    return status;
}
