/* A cursor as an Arrow stream: batch by batch, buffers shared. */
#include "api/handles_priv.h"
#include "columnar/arrow_export.h"

#include <errno.h>

typedef struct stream {
    og_cursor *cursor;
    og_error error; /* of the last call */
} stream;

/* Arrow's streams report errno values. */
static int errno_of(og_status status)
{
    switch (status) {
    case OG_OK:
        return 0;
    case OG_NOMEM:
        return ENOMEM;
    case OG_CANCELLED:
        return ECANCELED;
    case OG_TIMEOUT:
        return ETIMEDOUT;
    case OG_INVALID:
    case OG_UNSUPPORTED:
        return EINVAL;
    default:
        return EIO;
    }
}

static og_status export_columns(const og_cursor *c, struct ArrowSchema *out, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_field *fields =
        arena != NULL ? og_arena_array_of(arena, og_field, c->column_count + 1) : NULL;
    if (fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < c->column_count; i++)
        fields[i] = (og_field){c->columns[i].name, c->columns[i].array_type, true};
    const og_schema schema = {.fields = fields, .field_count = c->column_count};
    return og_arrow_export_schema(&schema, out, err);
}

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    stream *s = self->private_data;
    s->error.message[0] = '\0';
    return errno_of(export_columns(s->cursor, out, &s->error));
}

static og_status next_array(og_cursor *c, struct ArrowArray *out, og_error *err)
{
    OG_TRY(og_api__rest_of_batch(c, err));
    while (c->batch.row_count == 0 && !c->is_done)
        OG_TRY(og_api__next_batch(c, err));
    *out = (struct ArrowArray){0};
    if (c->is_done)
        return OG_OK;
    OG_TRY(og_arrow_export_batch(&c->batch, out, err));
    og_batch_deinit(&c->batch);
    c->batch = (og_batch){0};
    return OG_OK;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    stream *s = self->private_data;
    s->error.message[0] = '\0';
    return errno_of(next_array(s->cursor, out, &s->error));
}

static const char *get_last_error(struct ArrowArrayStream *self)
{
    const stream *s = self->private_data;
    return s->error.message[0] != '\0' ? s->error.message : NULL;
}

static void release(struct ArrowArrayStream *self)
{
    stream *s = self->private_data;
    og_cursor_close(s->cursor);
    og_free(s);
    self->release = NULL;
}

og_status og_cursor_to_arrow(og_cursor *cursor, struct ArrowArrayStream *out, og_error *err)
{
    stream *s = og_calloc(1, sizeof *s);
    if (s == NULL)
        return og_error_nomem(err);
    s->cursor = cursor;
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = s};
    return OG_OK;
}
