/* lance/table/proto_priv - protobuf messages that live in an arena.
 *
 * Messages are decoded into an arena and never freed one by one; they are packed into an og_buf.
 * Binary fields of a message being built may borrow from anywhere that outlives the packing. */
#ifndef OG_LANCE_TABLE_PROTO_PRIV_H
#define OG_LANCE_TABLE_PROTO_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "table.pb-c.h"

static inline og_str og_table__text(ProtobufCBinaryData data)
{
    return (og_str){data.len != 0 ? (const char *)data.data : "", data.len};
}
static inline og_bytes og_table__bytes(ProtobufCBinaryData data)
{
    return (og_bytes){data.data, data.len};
}
/* The message only reads through it. */
static inline ProtobufCBinaryData og_table__binary(const void *ptr, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)(uintptr_t)ptr};
}
static inline ProtobufCBinaryData og_table__binary_str(og_str text)
{
    return og_table__binary(text.ptr, text.len);
}

/* Set a field that has presence. */
#define OG_PB_SET(message, field, val) ((message)->has_##field = 1, (message)->field = (val))

/* Decode `bytes` into the arena. OG_CORRUPT "<what> does not parse"; OG_NOMEM. */
OG_NODISCARD og_status og_table__unpack(const ProtobufCMessageDescriptor *descriptor,
                                        og_arena *arena, og_bytes bytes, const char *what,
                                        void *out_message, og_error *err);
/* Append the packed message. */
OG_NODISCARD og_status og_table__pack(const void *message, og_buf *out, og_error *err);
/* Packed into the arena, as the value of a bytes field. */
OG_NODISCARD og_status og_table__pack_binary(const void *message, og_arena *arena,
                                             ProtobufCBinaryData *out, og_error *err);

/* A zeroed message of the given type in the arena; NULL when out of memory. */
#define OG_PB_NEW(arena, type, init)                                                               \
    ({                                                                                             \
        type *message_ = og_arena_alloc((arena), sizeof(type));                                    \
        if (message_ != NULL)                                                                      \
            init(message_);                                                                        \
        message_;                                                                                  \
    })

/* Value of a key among `count` pairs (the last one counts); ptr NULL when absent. */
og_str og_table__pairs_get(OgPb__Pair *const *pairs, size_t count, og_str key);

#endif
