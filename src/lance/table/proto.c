#include "lance/table/proto_priv.h"

typedef struct arena_source {
    og_arena *arena;
    bool failed;
} arena_source;

static void *source_alloc(void *data, size_t size)
{
    arena_source *source = data;
    void *p = og_arena_alloc(source->arena, size);
    if (p == NULL)
        source->failed = true;
    return p;
}

static void source_free(void *data, void *ptr)
{
    (void)data;
    (void)ptr;
}

og_status og_table__unpack(const ProtobufCMessageDescriptor *descriptor, og_arena *arena,
                           og_bytes bytes, const char *what, void *out_message, og_error *err)
{
    arena_source source = {arena, false};
    ProtobufCAllocator allocator = {source_alloc, source_free, &source};
    /* An empty message is a valid one, but must not be a NULL pointer. */
    const uint8_t *ptr = bytes.len != 0 ? bytes.ptr : (const uint8_t *)"";
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, bytes.len, ptr);
    if (message != NULL) {
        *(ProtobufCMessage **)out_message = message;
        return OG_OK;
    }
    if (source.failed)
        return og_error_nomem(err);
    return og_error_set(err, OG_CORRUPT, "%s does not parse", what);
}

og_status og_table__pack(const void *message, og_buf *out, og_error *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    if (!og_buf_reserve(out, size))
        return og_error_nomem(err);
    out->len += protobuf_c_message_pack(message, out->ptr + out->len);
    return OG_OK;
}

og_status og_table__pack_binary(const void *message, og_arena *arena, ProtobufCBinaryData *out,
                                og_error *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *ptr = og_arena_alloc(arena, size);
    if (ptr == NULL)
        return og_error_nomem(err);
    protobuf_c_message_pack(message, ptr);
    *out = og_table__binary(ptr, size);
    return OG_OK;
}

og_str og_table__pairs_get(OgPb__Pair *const *pairs, size_t count, og_str key)
{
    for (size_t i = count; i-- > 0;)
        if (og_str_eq(og_table__text(pairs[i]->key), key))
            return og_table__text(pairs[i]->value);
    return (og_str){NULL, 0};
}
