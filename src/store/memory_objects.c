#include "store/memory_objects.h"

static void clear_object(og_store__object *o)
{
    og_free(o->name);
    og_blob_unref(o->live);
    og_blob_unref(o->durable);
    og_blob_unref(o->under);
}

void og_store__objects_deinit(og_store__objects *objects)
{
    for (size_t i = 0; i < objects->pages.len; i++) {
        og_store__page *page = objects->pages.items[i];
        for (size_t k = 0; k < page->len; k++)
            clear_object(&page->items[k]);
        og_free(page);
    }
    og_vec_deinit(&objects->pages);
}

/* ---- finding ------------------------------------------------------------------------------ */

/* The last page that begins at or before `name`; the first one when all begin behind it. */
static size_t page_of(const og_store__objects *objects, const char *name)
{
    size_t low = 0, high = objects->pages.len;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(objects->pages.items[middle]->items[0].name, name) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* `place`, or the beginning of the next page where it stands behind the last object of one. */
static og_store__place settled(const og_store__objects *objects, og_store__place place)
{
    if (place.page < objects->pages.len && place.index == objects->pages.items[place.page]->len)
        return (og_store__place){place.page + 1, 0};
    return place;
}

og_store__place og_store__objects_seek(const og_store__objects *objects, const char *name,
                                       bool *out_found)
{
    *out_found = false;
    if (objects->pages.len == 0)
        return (og_store__place){0, 0};
    size_t at = page_of(objects, name);
    const og_store__page *page = objects->pages.items[at];
    size_t low = 0, high = page->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(page->items[middle].name, name);
        *out_found = *out_found || order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return settled(objects, (og_store__place){at, low});
}

og_store__object *og_store__objects_at(const og_store__objects *objects, og_store__place place)
{
    return place.page < objects->pages.len ? &objects->pages.items[place.page]->items[place.index]
                                           : NULL;
}

og_store__place og_store__objects_next(const og_store__objects *objects, og_store__place place)
{
    place.index++;
    return settled(objects, place);
}

/* ---- changing ----------------------------------------------------------------------------- */

static bool add_page(og_store__objects *objects, size_t at)
{
    og_store__page *page = og_calloc(1, sizeof *page);
    if (page == NULL || !og_vec_push(&objects->pages, page)) {
        og_free(page);
        return false;
    }
    og_store__page **pages = objects->pages.items;
    memmove(&pages[at + 1], &pages[at], (objects->pages.len - 1 - at) * sizeof *pages);
    pages[at] = page;
    return true;
}

/* Moves the upper half of a full page to a new one behind it. */
static bool split(og_store__objects *objects, size_t at)
{
    if (!add_page(objects, at + 1))
        return false;
    og_store__page *page = objects->pages.items[at], *upper = objects->pages.items[at + 1];
    upper->len = page->len / 2;
    page->len -= upper->len;
    memcpy(upper->items, &page->items[page->len], upper->len * sizeof *upper->items);
    return true;
}

/* Where an object can be added at `place`, in a page with room; false when out of memory. */
static bool make_room(og_store__objects *objects, og_store__place *place)
{
    if (objects->pages.len == 0)
        return add_page(objects, 0);
    if (place->index == 0 && place->page > 0) { /* as well behind the page before */
        place->page--;
        place->index = objects->pages.items[place->page]->len;
    }
    if (objects->pages.items[place->page]->len < OG_STORE__PAGE)
        return true;
    if (!split(objects, place->page))
        return false;
    size_t kept = objects->pages.items[place->page]->len;
    if (place->index > kept)
        *place = (og_store__place){place->page + 1, place->index - kept};
    return true;
}

og_store__object *og_store__objects_insert(og_store__objects *objects, og_store__place place,
                                           const char *name)
{
    char *copy = og_strdup(name);
    if (copy == NULL || !make_room(objects, &place)) {
        og_free(copy);
        return NULL;
    }
    og_store__page *page = objects->pages.items[place.page];
    og_store__object *o = &page->items[place.index];
    memmove(o + 1, o, (page->len - place.index) * sizeof *o);
    page->len++;
    *o = (og_store__object){.name = copy};
    return o;
}

og_store__place og_store__objects_remove(og_store__objects *objects, og_store__place place)
{
    og_store__page *page = objects->pages.items[place.page];
    og_store__object *o = &page->items[place.index];
    clear_object(o);
    page->len--;
    memmove(o, o + 1, (page->len - place.index) * sizeof *o);
    if (page->len > 0)
        return settled(objects, place);
    og_store__page **pages = objects->pages.items;
    og_free(page);
    objects->pages.len--;
    memmove(&pages[place.page], &pages[place.page + 1],
            (objects->pages.len - place.page) * sizeof *pages);
    return (og_store__place){place.page, 0};
}
