/* lance/file/proto - protobuf messages from storage, unpacked safely.
 *
 * protobuf-c recurses once for each nested message and knows no limit, so a hostile message could
 * exhaust the stack. The nesting is walked first, along the message's own descriptor. */
#ifndef OG_LANCE_FILE_PROTO_H
#define OG_LANCE_FILE_PROTO_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

#include <protobuf-c/protobuf-c.h>

/* Messages inside messages; the deepest that Lance writes is about 10. */
#define OG_LANCE_PROTO_DEPTH 32

/* Unpack a message of this type. `what` names it in the error ("column metadata"). The message is
 * on the heap of base/alloc: og_lance_proto_free. OG_CORRUPT when malformed or too deep. */
OG_NODISCARD og_status og_lance_proto_unpack(const ProtobufCMessageDescriptor *type, og_bytes bytes,
                                             const char *what, ProtobufCMessage **out,
                                             og_error *err);
/* `message`: a generated struct, or NULL. */
void og_lance_proto_free(void *message);
static inline void og_lance_proto_auto_(void *p)
{
    og_lance_proto_free(*(void **)p);
}
/* OG_AUTO_PROTO Og__Lance__File__Page *page = NULL; */
#define OG_AUTO_PROTO __attribute__((cleanup(og_lance_proto_auto_)))

#endif
