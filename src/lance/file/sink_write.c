#include "lance/file/sink_write.h"

#include "base/bits.h"

#define ALIGNMENT 64

og_status og_lance__sink_append(og_lance__sink *sink, const void *bytes, size_t len, og_error *err)
{
    if (len == 0)
        return OG_OK;
    OG_TRY(sink->object->ops->append(sink->object, (og_bytes){bytes, len}, err));
    sink->position += len;
    return OG_OK;
}

/* Fill up to the next multiple of 64, where every buffer must start. */
static og_status align(og_lance__sink *sink, og_error *err)
{
    static const char filler[ALIGNMENT + 1] =
        "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH";
    uint64_t gap = og_align_up(sink->position, ALIGNMENT) - sink->position;
    return og_lance__sink_append(sink, filler, (size_t)gap, err);
}

og_status og_lance__sink_buffer(og_lance__sink *sink, const void *bytes, size_t len,
                                uint64_t *out_position, og_error *err)
{
    uint64_t position = sink->position;
    OG_TRY(og_lance__sink_append(sink, bytes, len, err));
    OG_TRY(align(sink, err));
    *out_position = position;
    return OG_OK;
}
