/* Random loads: records, right and wrong. */
#include "model.h"

#include <string.h>

text random_stored_id(rng *r, const state *st, int type)
{
    const table *t = &st->tables[type];
    if (t->count == 0)
        return (text){0};
    return t->rows[rng_below(r, t->count)]->id; /* unknown ids stay unknown */
}

static void fill_fields(rng *r, const type *def, record *rec)
{
    for (int i = 0; i < def->prop_count; i++) {
        const prop *p = &def->props[i];
        if (p->key)
            continue;
        if ((p->nullable || p->has_default) && rng_chance(r, 25))
            continue;
        field *f = &rec->fields[rec->field_count++];
        f->prop = i;
        f->name = text_of(p->name);
        f->value = random_value(r, p, true);
        f->input = random_input(r, p, &f->value);
    }
}

static void make_node(rng *r, const schema *s, const state *st, int type_index, record *rec)
{
    const type *def = &s->types[type_index];
    rec->type = type_index;
    if (def->key >= 0) {
        field *f = &rec->fields[rec->field_count++];
        f->prop = def->key;
        f->name = text_of(def->props[def->key].name);
        text id = random_key(r, def, &f->value);
        f->input = random_input(r, &def->props[def->key], &f->value);
        rec->has_id = rng_chance(r, 10);
        rec->id = id;
    } else if (rng_chance(r, 75)) {
        rec->has_id = true;
        rec->id = rng_chance(r, 30) ? random_stored_id(r, st, type_index) : (text){0};
        if (rec->id.ptr == NULL)
            rec->id = text_printf("n%d", rng_below(r, s->large ? 250 : 14));
    }
    fill_fields(r, def, rec);
}

/* The id of a node that is there after the records so far; the file's own nodes in an overwrite. */
static text pick_end(rng *r, const op *o, const schema *s, const state *st, int type_index)
{
    text choices[MAX_LARGE_RECORDS];
    int count = 0;
    bool occurs = false;
    for (int i = 0; i < o->record_count; i++) {
        const record *rec = &o->records[i];
        if (rec->type != type_index)
            continue;
        occurs = true;
        text id = rec->has_id ? rec->id : (text){0};
        int key = s->types[type_index].key;
        if (key >= 0) {
            const value *v = &rec->fields[0].value;
            buf b = {0};
            if (v->kind == V_INT)
                print_int(&b, v->i);
            id = v->kind == V_INT ? buf_view(&b) : v->t;
        }
        if (id.ptr != NULL)
            choices[count++] = id;
    }
    if (o->record_count < MAX_RECORDS && rng_chance(r, 3))
        return text_of("nobody");
    bool from_file = count > 0 && (rng_chance(r, 50) || (o->mode == L_OVERWRITE && occurs));
    text id = from_file ? choices[rng_below(r, count)] : random_stored_id(r, st, type_index);
    return id;
}

static bool make_edge(rng *r, const schema *s, const state *st, const op *o, int type_index,
                      record *rec)
{
    const type *def = &s->types[type_index];
    rec->type = type_index;
    rec->from = pick_end(r, o, s, st, def->from);
    rec->to = pick_end(r, o, s, st, def->to);
    if (rec->from.ptr == NULL || rec->to.ptr == NULL)
        return false;
    if (rng_chance(r, 60)) {
        rec->has_id = true;
        rec->id = rng_chance(r, 25) ? random_stored_id(r, st, type_index) : (text){0};
        if (rec->id.ptr == NULL)
            rec->id = text_printf("e%d", rng_below(r, s->large ? 10000000 : 60));
    }
    fill_fields(r, def, rec);
    return true;
}

/* ---- what must be refused ----------------------------------------------------------------- */

static void spoil_field(rng *r, const schema *s, record *rec)
{
    if (rec->field_count == 0)
        return;
    const type *def = &s->types[rec->type];
    field *f = &rec->fields[rng_below(r, rec->field_count)];
    const prop *p = &def->props[f->prop];
    if (p->key && rec->field_count > 1)
        f = &rec->fields[1 + rng_below(r, rec->field_count - 1)];
    p = &def->props[f->prop];
    if (rng_chance(r, 20) && !p->nullable) {
        f->input = text_of("null");
        f->value = (value){.kind = V_NULL};
        f->refused = R_NULL_REQUIRED;
        return;
    }
    f->input = wrong_input(r, p, false, &f->refused);
}

static void spoil_record(rng *r, const schema *s, record *rec)
{
    const type *def = &s->types[rec->type];
    int which = rng_below(r, 10);
    if (which == 0) {
        field *f = &rec->fields[rec->field_count++];
        *f = (field){.prop = -1, .name = text_of("nope"), .input = text_of("1")};
        f->refused = R_UNKNOWN_PROPERTY;
    } else if (which == 1) {
        rec->type = -1;
        rec->refused = R_UNKNOWN_TYPE;
    } else if (which == 2 && def->key >= 0) {
        rec->has_id = true;
        rec->id = text_of("other id");
        rec->refused = R_ID_NOT_KEY;
    } else if (which == 3) {
        for (int i = 0; i < rec->field_count; i++) {
            const prop *p = &def->props[rec->fields[i].prop];
            if (p->nullable || p->has_default)
                continue;
            rec->fields[i] = rec->fields[--rec->field_count];
            rec->refused = R_MISSING_REQUIRED;
            return;
        }
    } else if (which == 4 && def->is_edge) {
        rec->to = (text){0};
        rec->refused = R_MISSING_ENDPOINT;
    } else {
        spoil_field(r, s, rec);
    }
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_record(rng *r, const schema *s, const record *rec, buf *b)
{
    bool is_edge = rec->from.ptr != NULL;
    const char *name = rec->type >= 0 ? s->types[rec->type].name : "Nowhere";
    const char *space = rng_chance(r, 20) ? " " : "";
    buf_printf(b, "{%s\"%s\":%s\"%s\"", space, is_edge ? "edge" : "type", space, name);
    if (is_edge) {
        buf_str(b, ",\"from\":");
        print_json_text(b, rec->from);
    }
    if (is_edge && rec->to.ptr != NULL) {
        buf_str(b, ",\"to\":");
        print_json_text(b, rec->to);
    }
    if (rng_chance(r, 5))
        buf_str(b, ",\"comment\":[1,{\"a\":null}]"); /* beside the known keys: ignored */
    buf_str(b, rng_chance(r, 5) ? ",\n \"data\":{" : ",\"data\":{");
    bool first = true;
    if (rec->has_id) {
        buf_str(b, "\"id\":");
        print_json_text(b, rec->id);
        first = false;
    }
    for (int i = 0; i < rec->field_count; i++) {
        buf_str(b, first ? "" : ",");
        first = false;
        print_json_text(b, rec->fields[i].name);
        buf_printf(b, ":%s", space);
        buf_text(b, rec->fields[i].input);
    }
    buf_str(b, "}}");
    buf_str(b, rng_chance(r, 80) ? "\n" : rng_chance(r, 50) ? "\r\n" : " ");
}

static void print_records(rng *r, const schema *s, op *o)
{
    static const char *const broken[] = {"{\"type\":",
                                         "{\"type\" \"Alpha\"}",
                                         "{]",
                                         "nul",
                                         "{\"type\":\"Alpha\",\"data\":{\"a\":NaN}}",
                                         "[1]"};
    buf b = {0};
    if (rng_chance(r, 4))
        buf_str(&b, "\xef\xbb\xbf");
    int spoil_at = o->refused != R_NONE ? rng_below(r, o->record_count + 1) : -1;
    for (int i = 0; i <= o->record_count; i++) {
        if (i == spoil_at && o->refused == R_BAD_JSON)
            buf_printf(&b, "%s\n", broken[rng_below(r, 6)]);
        if (i == spoil_at && o->refused == R_BAD_UTF8)
            buf_printf(&b, "{\"type\":\"%s\",\"data\":{\"id\":\"\xc3(\"}}\n", s->types[0].name);
        if (i < o->record_count)
            print_record(r, s, &o->records[i], &b);
    }
    o->input = buf_view(&b);
}

static void add_nodes(rng *r, const schema *s, const state *st, int count, op *o)
{
    int only = rng_chance(r, 40) ? rng_below(r, s->node_count) : -1;
    for (int i = 0; i < count; i++) {
        record *rec = &o->records[o->record_count];
        *rec = (record){0};
        make_node(r, s, st, only >= 0 ? only : rng_below(r, s->node_count), rec);
        /* Two records of one key are wrong; seldom on purpose. */
        bool twice = false;
        for (int k = 0; k < o->record_count; k++) {
            const record *other = &o->records[k];
            bool same_id = rec->has_id && other->has_id && text_eq(rec->id, other->id);
            bool same_key = s->types[rec->type].key >= 0 && other->type == rec->type &&
                            value_same(&rec->fields[0].value, &other->fields[0].value);
            twice = twice || (other->type == rec->type && (same_id || same_key));
        }
        o->record_count += !twice || (!s->large && rng_chance(r, 3));
    }
}

static void add_edges(rng *r, const schema *s, const state *st, int count, op *o)
{
    for (int i = 0; i < count && o->record_count < (s->large ? MAX_LARGE_RECORDS : MAX_RECORDS) - 2;
         i++) {
        int type_index = rng_range(r, s->node_count, s->type_count - 1);
        record first = {0};
        if (!make_edge(r, s, st, o, type_index, &first))
            continue;
        o->records[o->record_count++] = first;
        /* More from the same source, so that a minimum can be met. */
        for (int k = 1; k < s->types[type_index].card_min; k++) {
            record next = {0};
            if (make_edge(r, s, st, o, type_index, &next)) {
                next.from = first.from;
                o->records[o->record_count++] = next;
            }
        }
    }
}

bool generate_load(rng *r, const schema *s, const state *st, bool first, op *out)
{
    out->kind = OP_LOAD;
    static const load_mode modes[] = {L_MERGE, L_MERGE, L_APPEND, L_APPEND, L_OVERWRITE};
    out->mode = modes[rng_below(r, 5)];
    out->records = model_alloc(sizeof(record) * (s->large ? MAX_LARGE_RECORDS : MAX_RECORDS));
    if (first || rng_chance(r, 97)) {
        int nodes = first               ? rng_range(r, 6, 14) * (s->large ? 14 : 1)
                    : rng_chance(r, 75) ? rng_range(r, 1, 5)
                                        : 0;
        add_nodes(r, s, st, nodes, out);
        if (first || rng_chance(r, 65))
            add_edges(r, s, st,
                      first ? rng_range(r, 4, 12) * (s->large ? 24 : 1) : rng_range(r, 1, 4), out);
    }
    if (out->record_count > 1 && rng_chance(r, 20)) {
        int i = rng_below(r, out->record_count), k = rng_below(r, out->record_count);
        record swap = out->records[i];
        out->records[i] = out->records[k];
        out->records[k] = swap;
    }
    if (!first && rng_chance(r, 3))
        out->refused = rng_chance(r, 75) ? R_BAD_JSON : R_BAD_UTF8;
    else if (!first && out->record_count > 0 && rng_chance(r, 25))
        spoil_record(r, s, &out->records[rng_below(r, out->record_count)]);
    print_records(r, s, out);
    return true;
}
