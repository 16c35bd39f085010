#include "lance/file/proto.h"

/* ---- nesting ------------------------------------------------------------------------------ */

/* A varint at *p; false when it is cut off or longer than ten bytes. */
static bool read_varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && *p < end; shift += 7) {
        uint8_t byte = *(*p)++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool skip(const uint8_t **p, const uint8_t *end, uint64_t len)
{
    if (len > (uint64_t)(end - *p))
        return false;
    *p += len;
    return true;
}

/* True when the wire format holds and messages nest at most `depth` deep. */
static bool nesting_ok(const ProtobufCMessageDescriptor *type, const uint8_t *p, const uint8_t *end,
                       unsigned depth)
{
    while (p < end) {
        uint64_t tag, value;
        if (!read_varint(&p, end, &tag))
            return false;
        const ProtobufCFieldDescriptor *field;
        switch (tag & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            if (!read_varint(&p, end, &value))
                return false;
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
            if (!skip(&p, end, 8))
                return false;
            break;
        case PROTOBUF_C_WIRE_TYPE_32BIT:
            if (!skip(&p, end, 4))
                return false;
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            if (!read_varint(&p, end, &value) || !skip(&p, end, value))
                return false;
            field = tag >> 3 <= UINT32_MAX
                        ? protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3))
                        : NULL;
            if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE &&
                (depth == 0 || !nesting_ok(field->descriptor, p - value, p, depth - 1)))
                return false;
            break;
        default:
            return false;
        }
    }
    return true;
}

/* ---- unpacking ---------------------------------------------------------------------------- */

static void *proto_alloc(void *failed, size_t size)
{
    void *p = og_malloc(size);
    if (p == NULL && failed != NULL)
        *(bool *)failed = true;
    return p;
}

static void proto_free(void *failed, void *p)
{
    (void)failed;
    og_free(p);
}

og_status og_lance_proto_unpack(const ProtobufCMessageDescriptor *type, og_bytes bytes,
                                const char *what, ProtobufCMessage **out, og_error *err)
{
    static const uint8_t nothing[1];
    if (bytes.ptr == NULL)
        bytes.ptr = nothing; /* so that pointers into it may be formed */
    if (!nesting_ok(type, bytes.ptr, bytes.ptr + bytes.len, OG_LANCE_PROTO_DEPTH))
        return og_error_set(err, OG_CORRUPT, "%s is malformed", what);
    bool out_of_memory = false;
    ProtobufCAllocator allocator = {proto_alloc, proto_free, &out_of_memory};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.ptr);
    if (message == NULL) {
        return out_of_memory ? og_error_nomem(err)
                             : og_error_set(err, OG_CORRUPT, "%s is malformed", what);
    }
    *out = message;
    return OG_OK;
}

void og_lance_proto_free(void *message)
{
    ProtobufCAllocator allocator = {proto_alloc, proto_free, NULL};
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, &allocator);
}
