#include "lance/file/assemble_priv.h"

#include <inttypes.h>

/* ---- the path to a leaf ------------------------------------------------------------------- */

static bool is_list(const og_type *type)
{
    return type->id == OG_TYPE_LIST || type->id == OG_TYPE_LARGE_LIST;
}

/* A fixed-size list that is a layer of its own; those of numbers are values. */
static bool is_spread(const og_type *type)
{
    return type->id == OG_TYPE_FIXED_SIZE_LIST && type->children[0].type->id == OG_TYPE_STRUCT;
}

/* One column for it: a value, or a packed struct. */
static bool is_leaf(const og_type *type, uint64_t packed)
{
    return (packed & 1) != 0 || (type->id != OG_TYPE_STRUCT && !is_list(type) && !is_spread(type));
}

/* Types of the tree, this one included. */
static uint32_t type_count(const og_type *type)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < type->child_count; i++)
        count += type_count(type->children[i].type);
    return count;
}

/* `packed` counted from the type that comes `count` later. */
static uint64_t packed_after(uint64_t packed, uint32_t count)
{
    return count < 64 ? packed >> count : 0;
}

uint32_t og_lance__leaf_count(const og_type *type, uint64_t packed)
{
    if (is_leaf(type, packed))
        return 1;
    uint32_t count = 0;
    packed >>= 1;
    for (uint32_t i = 0; i < type->child_count; i++) {
        const og_type *child = type->children[i].type;
        count += og_lance__leaf_count(child, packed);
        packed = packed != 0 ? packed_after(packed, type_count(child)) : 0;
    }
    return count;
}

/* The rows below a fixed-size list of structs. Inside of lists,
 * the format would have to say what stands for an empty one. */
static og_status spread_rows(og_lance__assembly *a, const og_type *type, og_error *err)
{
    for (uint32_t i = 0; i < a->depth; i++)
        if (is_list(a->nodes[i].type))
            return og_error_set(err, OG_UNSUPPORTED, "fixed-size lists of structs inside of lists");
    if (type->list_size <= 0 || og_mul_overflow(a->spread, (uint64_t)type->list_size, &a->spread) ||
        a->spread > OG_LANCE__MAX_ROWS)
        return og_error_set(err, OG_UNSUPPORTED, "fixed-size lists of %d structs", type->list_size);
    return OG_OK;
}

static og_status add_node(og_lance__assembly *a, const og_type *type, og_error *err)
{
    if (a->depth == OG_LANCE__MAX_LAYERS)
        return og_error_set(err, OG_UNSUPPORTED, "lists and structs nested more than %d deep",
                            OG_LANCE__MAX_LAYERS);
    og_lance__node *node = &a->nodes[a->depth++];
    *node = (og_lance__node){.type = type};
    og_lance__sink_init_fixed(&node->offsets, 64);
    return OG_OK;
}

og_status og_lance__assembly_init(og_lance__assembly *a, const og_type *type, uint64_t packed,
                                  uint32_t leaf, og_error *err)
{
    /* Not all of it is cleared: the nodes are many and a lookup of one row uses one. */
    a->depth = 0;
    a->spread = 1;
    a->leaf.values = (og_lance__sink){0};
    og_lance__sink_init_fixed(&a->leaf.rep, 16);
    og_lance__sink_init_fixed(&a->leaf.def, 16);
    og_lance__sink_init_fixed(&a->marks, 16);
    OG_TRY(add_node(a, type, err));
    while (!is_leaf(type, packed)) {
        uint32_t child = 0;
        packed >>= 1;
        if (is_spread(type))
            OG_TRY(spread_rows(a, type, err));
        for (; child < type->child_count; child++) {
            uint32_t leaves = og_lance__leaf_count(type->children[child].type, packed);
            if (leaf < leaves)
                break;
            leaf -= leaves;
            if (packed != 0)
                packed = packed_after(packed, type_count(type->children[child].type));
        }
        if (child == type->child_count)
            return og_error_set(err, OG_INVALID, "a struct without fields has no column");
        a->nodes[a->depth - 1].child = child;
        type = type->children[child].type;
        OG_TRY(add_node(a, type, err));
    }
    a->is_packed = (packed & 1) != 0;
    return og_lance__sink_init(&a->leaf.values, type, err);
}

void og_lance__assembly_deinit(og_lance__assembly *a)
{
    for (uint32_t i = 0; i < a->depth; i++) {
        og_lance__validity_deinit(&a->nodes[i].validity);
        og_lance__sink_deinit(&a->nodes[i].offsets);
    }
    og_lance__sink_deinit(&a->leaf.values);
    og_lance__sink_deinit(&a->leaf.rep);
    og_lance__sink_deinit(&a->leaf.def);
    og_lance__sink_deinit(&a->marks);
}

/* ---- unravelling -------------------------------------------------------------------------- */

/* The levels of a page on their way outwards: after each list layer only the entries that start
 * a list are left. They are compacted in place in the leaf's sinks. */
typedef struct unravel {
    const og_lance__layers *layers;
    uint16_t *rep, *def; /* def NULL: the page has none, all is valid */
    uint64_t count;      /* entries left */
    uint64_t slots;      /* values, structs or lists of the layer below */
    uint16_t valid;      /* def levels up to this are valid so far */
    uint16_t lists;      /* list layers passed */
} unravel;

/* The highest def level whose entries still have a slot after `lists` list layers: those of all
 * layers before the next list. */
static uint16_t visible_def(const og_lance__layers *layers, uint16_t lists)
{
    uint16_t def = 0, seen = 0;
    for (uint32_t i = 0; i < layers->count; i++) {
        if (og_lance__layer_is_list(layers->kinds[i]) && seen++ == lists)
            break;
        def = (uint16_t)(def + og_lance__layer_defs(layers->kinds[i]));
    }
    return def;
}

static og_status bad_levels(og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "the levels do not fit the values");
}

static og_status item_layer(unravel *u, og_lance__node *node, uint8_t kind, og_lance__sink *marks,
                            og_error *err)
{
    const uint16_t valid = u->valid;
    u->valid = (uint16_t)(u->valid + og_lance__layer_defs(kind));
    if (kind == OG_LANCE__ALL_VALID_ITEM || u->def == NULL)
        return og_lance__validity_fill(&node->validity, true, u->slots, err);
    if (u->layers->max_rep == 0) {
        if (u->count != u->slots)
            return bad_levels(err);
        return og_lance__validity_levels(&node->validity, u->def, u->count, valid, err);
    }
    const uint16_t visible = visible_def(u->layers, u->lists);
    uint8_t *dst;
    og_lance__sink_clear(marks);
    OG_TRY(og_lance__sink_numbers(marks, 16, u->count, "levels", &dst, err));
    uint16_t *shown = (uint16_t *)dst;
    uint64_t n = 0;
    for (uint64_t i = 0; i < u->count; i++) {
        shown[n] = u->def[i];
        n += u->def[i] <= visible;
    }
    if (n != u->slots)
        return bad_levels(err);
    return og_lance__validity_levels(&node->validity, shown, n, valid, err);
}

/* Fixed-size lists: each of their `size` items has the list's levels, and one of them goes on. */
static og_status spread_layer(unravel *u, og_lance__node *node, uint8_t kind, og_error *err)
{
    const uint16_t valid = u->valid;
    const uint64_t size = (uint64_t)node->type->list_size;
    u->valid = (uint16_t)(u->valid + og_lance__layer_defs(kind));
    if (u->slots % size != 0 || ((u->rep != NULL || u->def != NULL) && u->count != u->slots))
        return bad_levels(err);
    u->slots /= size;
    for (uint64_t i = 0; u->rep != NULL && i < u->slots; i++)
        u->rep[i] = u->rep[i * size];
    for (uint64_t i = 0; u->def != NULL && i < u->slots; i++)
        u->def[i] = u->def[i * size];
    u->count = u->count != 0 ? u->slots : 0;
    if (kind == OG_LANCE__ALL_VALID_ITEM || u->def == NULL)
        return og_lance__validity_fill(&node->validity, true, u->slots, err);
    return og_lance__validity_levels(&node->validity, u->def, u->slots, valid, err);
}

/* The meaning of def levels at a list layer. */
typedef struct list_defs {
    uint16_t null, empty; /* 0 = the layer has none */
    uint16_t upper;       /* above: a struct around the list is null, so the list is too */
    uint16_t visible;     /* above: an outer list is null or empty; there is no list here */
} list_defs;

static list_defs list_meaning(const unravel *u, uint8_t kind)
{
    list_defs d = {0};
    uint16_t next = u->valid;
    if (kind == OG_LANCE__NULLABLE_LIST || kind == OG_LANCE__NULL_AND_EMPTY_LIST)
        d.null = ++next;
    if (kind == OG_LANCE__EMPTYABLE_LIST || kind == OG_LANCE__NULL_AND_EMPTY_LIST)
        d.empty = ++next;
    d.upper = next;
    d.visible = visible_def(u->layers, (uint16_t)(u->lists + 1));
    return d;
}

/* Offsets and marks of the lists among the entries. */
typedef struct list_output {
    int64_t *offsets;
    uint16_t *marks;
    uint64_t count, items;
} list_output;

static void walk_lists(unravel *u, const list_defs *d, int64_t base, list_output *out)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < u->count; i++) {
        const uint16_t rep = u->rep[i], def = u->def != NULL ? u->def[i] : 0;
        if (rep == 0) {
            out->items++;
            continue;
        }
        u->rep[kept] = (uint16_t)(rep - 1);
        if (u->def != NULL)
            u->def[kept] = def;
        kept++;
        if (def > d->visible)
            continue;
        bool null = (def != 0 && def == d->null) || def > d->upper;
        bool empty = def != 0 && def == d->empty;
        out->offsets[out->count] = base + (int64_t)out->items;
        out->marks[out->count] = null;
        out->count++;
        out->items += !null && !empty;
    }
    u->count = kept;
}

static og_status list_layer(unravel *u, og_lance__node *node, uint8_t kind, og_lance__sink *marks,
                            uint64_t child_before, og_error *err)
{
    if (u->rep == NULL)
        return bad_levels(err);
    list_defs d = list_meaning(u, kind);
    list_output out = {0};
    uint64_t before = node->offsets.count;
    uint8_t *offsets, *mark_bytes;
    og_lance__sink_clear(marks);
    OG_TRY(og_lance__sink_numbers(marks, 16, u->count, "levels", &mark_bytes, err));
    OG_TRY(og_lance__sink_numbers(&node->offsets, 64, u->count, "offsets", &offsets, err));
    out.offsets = (int64_t *)offsets;
    out.marks = (uint16_t *)mark_bytes;
    walk_lists(u, &d, (int64_t)child_before, &out);
    if (out.items != u->slots)
        return bad_levels(err);
    node->offsets.count = before + out.count;
    u->slots = out.count;
    u->valid = d.upper;
    u->lists++;
    return og_lance__validity_levels(&node->validity, out.marks, out.count, 0, err);
}

/* The layers of a page must be those of the path: kind by kind, and one more for the fields of a
 * packed struct. */
static og_status match_layers(const og_lance__assembly *a, const og_lance__layers *layers,
                              uint32_t *out_extra, og_error *err)
{
    uint32_t extra = a->is_packed && layers->count == a->depth + 1 ? 1 : 0;
    if (layers->count != a->depth + extra)
        return og_error_set(err, OG_CORRUPT, "%" PRIu32 " layers, the column's type has %" PRIu32,
                            layers->count, a->depth);
    for (uint32_t i = 0; i < layers->count; i++) {
        bool list = i >= extra && is_list(a->nodes[a->depth - 1 - (i - extra)].type);
        if (og_lance__layer_is_list(layers->kinds[i]) != list)
            return og_error_set(err, OG_CORRUPT, "layer %" PRIu32 " does not fit the column's type",
                                i);
    }
    *out_extra = extra;
    return OG_OK;
}

static og_status unravel_page(og_lance__assembly *a, const og_lance__layers *layers,
                              uint64_t values, uint64_t rows, og_error *err)
{
    uint32_t extra = 0;
    OG_TRY(match_layers(a, layers, &extra, err));
    og_lance__sink *rep = &a->leaf.rep, *def = &a->leaf.def;
    if (rep->count > 0 && def->count > 0 && rep->count != def->count)
        return bad_levels(err);
    unravel u = {
        .layers = layers,
        .rep = layers->max_rep > 0 ? (uint16_t *)rep->data : NULL,
        .def = def->count > 0 ? (uint16_t *)def->data : NULL,
        .count = layers->max_rep > 0 ? rep->count : def->count,
        .slots = values,
    };
    for (uint32_t i = 0; i < extra; i++)
        u.valid = (uint16_t)(u.valid + og_lance__layer_defs(layers->kinds[i]));
    uint64_t child_before = 0;
    for (uint32_t i = extra; i < layers->count; i++) {
        og_lance__node *node = &a->nodes[a->depth - 1 - (i - extra)];
        uint64_t before = node->validity.count;
        if (is_list(node->type))
            OG_TRY(list_layer(&u, node, layers->kinds[i], &a->marks, child_before, err));
        else if (is_spread(node->type))
            OG_TRY(spread_layer(&u, node, layers->kinds[i], err));
        else
            OG_TRY(item_layer(&u, node, layers->kinds[i], &a->marks, err));
        child_before = before;
    }
    return u.slots == rows ? OG_OK : bad_levels(err);
}

og_status og_lance__assembly_read(og_lance__assembly *a, const og_lance__page *page,
                                  const og_lance__rows *rows, og_error *err)
{
    uint64_t before = a->leaf.values.count;
    og_lance__sink_clear(&a->leaf.rep);
    og_lance__sink_clear(&a->leaf.def);
    OG_TRY(page->ops->read(page, rows, &a->leaf, err));
    return unravel_page(a, &page->layers, a->leaf.values.count - before, rows->count / a->spread,
                        err);
}

/* ---- arrays ------------------------------------------------------------------------------- */

/* Close the offsets with the child's length; narrow them for a list of i32 offsets. */
static og_status finish_offsets(og_lance__node *node, int64_t child_length, og_array *array,
                                og_error *err)
{
    uint8_t *last;
    OG_TRY(og_lance__sink_numbers(&node->offsets, 64, 1, "offsets", &last, err));
    memcpy(last, &child_length, sizeof child_length);
    if (node->type->id == OG_TYPE_LIST) {
        if (child_length > INT32_MAX)
            return og_error_set(err, OG_LIMIT, "more than 2^31 list items in one batch");
        const int64_t *wide = (const int64_t *)node->offsets.data;
        int32_t *narrow = (int32_t *)node->offsets.data;
        for (uint64_t i = 0; i < node->offsets.count; i++)
            narrow[i] = (int32_t)wide[i];
    }
    array->offsets = array->owned[1] = OG_TAKE(node->offsets.data);
    return OG_OK;
}

og_status og_lance__assembly_finish(og_lance__assembly *a, og_array **out, og_error *err)
{
    og_lance__node *leaf = &a->nodes[a->depth - 1];
    OG_AUTO(og_array) array = NULL;
    OG_TRY(og_lance__sink_array(&a->leaf.values, leaf->type, &array, err));
    /* A struct without fields is stored as nulls to count its rows; it can't be null. */
    if (leaf->type->id != OG_TYPE_STRUCT || leaf->type->child_count != 0)
        og_lance__validity_move(&leaf->validity, array);
    for (uint32_t i = a->depth - 1; i-- > 0;) {
        og_lance__node *node = &a->nodes[i];
        OG_AUTO(og_array) parent = og_array_new(node->type, (int64_t)node->validity.count);
        if (parent == NULL)
            return og_error_nomem(err);
        if (is_list(node->type))
            OG_TRY(finish_offsets(node, array->length, parent, err));
        og_lance__validity_move(&node->validity, parent);
        parent->children[node->child] = OG_TAKE(array);
        array = OG_TAKE(parent);
    }
    *out = OG_TAKE(array);
    return OG_OK;
}

static bool same_lists(const og_array *a, const og_array *b)
{
    size_t width = a->type->id == OG_TYPE_LIST ? 4 : 8;
    return memcmp(a->offsets, b->offsets, (size_t)(a->length + 1) * width) == 0;
}

og_status og_lance__merge_leaves(og_array *into, og_array *from, og_error *err)
{
    if (into->length != from->length || (is_list(into->type) && !same_lists(into, from)))
        return og_error_set(err, OG_CORRUPT, "the columns of a nested field disagree about lists");
    for (uint32_t i = 0; i < into->child_count; i++) {
        if (from->children[i] == NULL)
            continue;
        if (into->children[i] == NULL)
            into->children[i] = OG_TAKE(from->children[i]);
        else
            OG_TRY(og_lance__merge_leaves(into->children[i], from->children[i], err));
    }
    return OG_OK;
}
