/* Absolute paths that lead elsewhere, of all branches and tables: a graph that was moved or copied
 * has many, and one line says it. */
#include <inttypes.h>

#include "graph/fsck_priv.h"
#include "graph/place.h"

/* The folder of the graph of which the path speaks: what it has before the part that all places of
 * the graph end in. */
static og_str root_of(const og_graph__fsck *f, const og_graph__place *place)
{
    size_t root = strlen(f->repo->store->root);
    size_t below =
        place->real.len + 1 > root ? place->real.len + 1 - root : 0; /* its slash is off */
    og_str tail = og_str_slice(place->real, place->real.len - below, place->real.len);
    return og_str_ends(place->stored, tail)
               ? og_str_slice(place->stored, 0, place->stored.len - below)
               : place->stored;
}

og_status og_graph__fsck_rows_lead(og_graph__fsck *f, og_lance_table *manifest,
                                   const og_graph__state *state, og_error *err)
{
    og_graph__places places = {0};
    OG_TRY(og_graph__places_read(f->repo, manifest, state, &places, err));
    f->places += places.len;
    bool ok = true;
    if (places.len > 0 && f->old_root.len == 0) {
        og_str root = root_of(f, &places.items[0]);
        ok = og_buf_printf(&f->old_root, "/%.*s", OG_FMT(root));
    }
    og_graph__places_deinit(&places);
    return ok ? OG_OK : og_error_nomem(err);
}

void og_graph__fsck_bases_lead(og_graph__fsck *f, const og_lance_table *table)
{
    f->places += !og_graph__bases_are_right(f->repo, table, true);
}

og_status og_graph__fsck_places(og_graph__fsck *f, og_error *err)
{
    static const og_str no_table = {"", 0};
    if (f->places == 0)
        return OG_OK;
    const char *old = f->old_root.len > 0 ? og_buf_cstr(&f->old_root) : "another place";
    return og_graph__fsck_tell(f, OG_FINDING_PLACE, no_table, err,
                               "the graph was moved or copied: %" PRIu64
                               " paths in it lead to %s instead of %s",
                               f->places, old, f->repo->store->root);
}
