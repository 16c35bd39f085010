/* branch and tag: names of lines of versions, and of single ones. */
#include "lance/table/branch.h"
#include "lance/table/cleanup.h"
#include "lance/table/tag.h"
#include "lancetool/change.h"
#include "lancetool/verbs.h"

#include <inttypes.h>

static og_status unknown_action(const tool_call *call, og_error *err)
{
    return og_error_set(err, OG_INVALID, "'%s' is none of create, list, delete",
                        call->arguments[0]);
}

/* The place of the table, which is the second argument. */
static og_status open_place(const tool_call *call, tool_place *out, og_error *err)
{
    return tool_place_open(call, call->arguments[1], false, out, err);
}

/* The same, to change it. */
static og_status open_to_write(const tool_call *call, tool_place *out, og_error *err)
{
    return tool_place_open_to_write(call, call->arguments[1], false, out, err);
}

static og_status need_name(const tool_call *call, og_str *out, og_error *err)
{
    if (call->argument_count < 3)
        return og_error_set(err, OG_INVALID, "%s needs a name", call->arguments[0]);
    *out = og_str_of(call->arguments[2]);
    return OG_OK;
}

/* The branch that a place is of; "" = main. */
static og_str branch_of(const tool_place *place)
{
    size_t skip = strlen(place->dataset) + strlen("/tree/");
    og_str path = og_str_of(place->path);
    return path.len > skip ? og_str_slice(path, skip, path.len) : OG_STR("");
}

/* ---- branch --------------------------------------------------------------------------------- */

static og_status make_ref(const tool_call *call, const tool_place *place, og_lance_table *from,
                          og_buf *out, og_error *err)
{
    og_lance_ref ref = {.parent = branch_of(place)};
    if (ref.parent.len > 0)
        OG_TRY(
            og_lance_branch_read(place->store, place->dataset, ref.parent, call->arena, &ref, err));
    og_lance_fork *forks = og_arena_array_of(call->arena, og_lance_fork, ref.fork_count + 1);
    char uuid[37], id[33];
    og_uuid_format(og_uuid_new(&og_system_random), uuid);
    size_t n = 0;
    for (const char *c = uuid; *c != '\0'; c++)
        if (*c != '-')
            id[n++] = *c;
    og_str kept = og_arena_str(call->arena, (og_str){id, n});
    if (forks == NULL || kept.ptr == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < ref.fork_count; i++)
        forks[i] = ref.forks[i];
    ref.parent = branch_of(place);
    ref.parent_version = og_lance_table_version(from);
    forks[ref.fork_count++] = (og_lance_fork){ref.parent_version, kept};
    ref.forks = forks;
    ref.created_s = tool_write_options(OG_LANCE_CLONE).now_us / 1000000;
    ref.manifest_bytes = og_lance_table_manifest_bytes(from);
    return og_lance_branch_encode_ref(out, &ref) ? OG_OK : og_error_nomem(err);
}

static og_status branch_exists(og_str branch, og_error *err)
{
    return og_error_set(err, OG_INVALID, "branch '%.*s' exists", OG_FMT(branch));
}

static og_status check_is_new(const tool_place *place, og_str branch, og_error *err)
{
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place->env, place->dataset, &refs, err));
    bool exists = og_lance_refs_branch(&refs, branch) != NULL;
    og_lance_refs_deinit(&refs);
    return exists ? branch_exists(branch, err) : OG_OK;
}

static og_status create_branch(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) from = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    OG_AUTO_BUF ref = OG_BUF_INIT;
    OG_AUTO_BUF name = OG_BUF_INIT;
    og_str branch;
    OG_TRY(need_name(call, &branch, err));
    OG_TRY(og_lance_branch_check_name(branch, err));
    if (og_str_is(branch, "main")) /* which is how the table itself is called */
        return branch_exists(branch, err);
    OG_TRY(open_to_write(call, &place, err));
    OG_TRY(tool_table_open(call, &place, &from, err));
    OG_TRY(check_is_new(&place, branch, err));
    OG_TRY(make_ref(call, &place, from, &ref, err));
    if (!og_lance_branch_ref_name(&name, place.dataset, branch))
        return og_error_nomem(err);
    og_lance_write_options options = tool_write_options(OG_LANCE_CLONE);
    options.branch = branch;
    options.version = og_lance_table_version(from);
    OG_TRY(og_lance_write_new(place.env, from, &options, &write, err));
    OG_TRY(tool_commit(write, false, err));
    const char *object = og_buf_cstr(&name);
    og_status s =
        place.store->ops->put_if_absent(place.store, object, og_buf_bytes(&ref), true, err);
    if (s == OG_EXISTS)
        return branch_exists(branch, err);
    OG_TRY(s);
    return place.store->ops->sync(place.store, &object, 1, err);
}

static og_status list_branches(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_TRY(open_place(call, &place, err));
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place.env, place.dataset, &refs, err));
    for (uint32_t i = 0; i < refs.branch_count; i++) {
        const og_lance_branch *b = &refs.branches[i];
        og_str parent = b->parent.len > 0 ? b->parent : OG_STR("main");
        printf("%.*s of %.*s at version %" PRIu64 "\n", OG_FMT(b->name), OG_FMT(parent),
               b->parent_version);
    }
    og_lance_refs_deinit(&refs);
    return OG_OK;
}

/* A branch that another one came from is needed by that. */
static og_status check_childless(const tool_place *place, og_str branch, og_error *err)
{
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place->env, place->dataset, &refs, err));
    og_status s = OG_OK;
    if (og_lance_refs_branch(&refs, branch) == NULL)
        s = og_error_set(err, OG_INVALID, "no branch '%.*s'", OG_FMT(branch));
    for (uint32_t i = 0; i < refs.branch_count && s == OG_OK; i++)
        if (og_str_eq(refs.branches[i].parent, branch))
            s = og_error_set(err, OG_INVALID, "branch '%.*s' came from it",
                             OG_FMT(refs.branches[i].name));
    og_lance_refs_deinit(&refs);
    return s;
}

static og_status delete_branch(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    og_str branch;
    OG_TRY(need_name(call, &branch, err));
    OG_TRY(open_to_write(call, &place, err));
    OG_TRY(check_childless(&place, branch, err));
    return og_lance_cleanup_branch(place.env, place.dataset, branch, NULL, err);
}

static og_status run_branch(tool_call *call, og_error *err)
{
    const char *action = call->arguments[0];
    return strcmp(action, "create") == 0   ? create_branch(call, err)
           : strcmp(action, "list") == 0   ? list_branches(call, err)
           : strcmp(action, "delete") == 0 ? delete_branch(call, err)
                                           : unknown_action(call, err);
}

const tool_verb tool_branch = {
    .name = "branch",
    .arguments = "create|list|delete TABLE [NAME]",
    .min_arguments = 2,
    .max_arguments = 3,
    .summary = "Make, list and delete branches",
    .about =
        "A branch shares the files of the version it is made of. Deleting removes what it added.\n",
    .examples = "  lancetool branch create people.lance trial\n"
                "  lancetool branch create --version 3 people.lance older\n"
                "  lancetool branch delete people.lance trial\n",
    .options = (const tool_option[]){{"version", "VERSION", "create: of this version or tag"},
                                     {"branch", "BRANCH", "create: of this branch"},
                                     TOOL_FORCE,
                                     {0}},
    .run = run_branch,
};

/* ---- tag ------------------------------------------------------------------------------------ */

static og_status create_tag(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    og_str name;
    OG_TRY(need_name(call, &name, err));
    OG_TRY(open_to_write(call, &place, err));
    OG_TRY(tool_table_open(call, &place, &table, err));
    return tool_named(
        og_lance_tag_create(place.store, place.dataset, branch_of(&place), table, name, err), err);
}

static og_status list_tags(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_TRY(open_place(call, &place, err));
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place.env, place.dataset, &refs, err));
    for (uint32_t i = 0; i < refs.tag_count; i++) {
        const og_lance_tag *t = &refs.tags[i];
        printf("%.*s version %" PRIu64 "%s%.*s\n", OG_FMT(t->name), t->version,
               t->branch.len > 0 ? " of " : "", OG_FMT(t->branch));
    }
    og_lance_refs_deinit(&refs);
    return OG_OK;
}

static og_status delete_tag(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    og_str name;
    OG_TRY(need_name(call, &name, err));
    OG_TRY(open_to_write(call, &place, err));
    return tool_named(og_lance_tag_delete(place.store, place.dataset, name, err), err);
}

static og_status run_tag(tool_call *call, og_error *err)
{
    const char *action = call->arguments[0];
    return strcmp(action, "create") == 0   ? create_tag(call, err)
           : strcmp(action, "list") == 0   ? list_tags(call, err)
           : strcmp(action, "delete") == 0 ? delete_tag(call, err)
                                           : unknown_action(call, err);
}

const tool_verb tool_tag = {
    .name = "tag",
    .arguments = "create|list|delete TABLE [NAME]",
    .min_arguments = 2,
    .max_arguments = 3,
    .summary = "Make, list and delete tags",
    .about = "A tag names a version, which no cleanup removes then.\n",
    .examples = "  lancetool tag create people.lance released\n"
                "  lancetool tag create --version 3 people.lance before\n",
    .options =
        (const tool_option[]){{"version", "VERSION", "create: this version; else the newest"},
                              {"branch", "BRANCH", "create: of this branch"},
                              TOOL_FORCE,
                              {0}},
    .run = run_tag,
};
