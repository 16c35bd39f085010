/* columnar/arrow_ipc_priv - an Arrow IPC stream while it is read: arrow_ipc.c has its messages and
 * its schema, arrow_ipc_batch.c record batches and dictionaries. */
#ifndef OG_COLUMNAR_ARROW_IPC_PRIV_H
#define OG_COLUMNAR_ARROW_IPC_PRIV_H

#include "base/arena.h"
#include "base/vec.h"
#include "columnar/arrow_ipc.h"
#include "columnar/flatbuffer_priv.h"

/* Most bytes of a message's body, and of one buffer in it when expanded. */
#define OG_IPC__MAX_BODY ((uint64_t)2 << 30)

/* A field whose batches hold places in a dictionary. */
typedef struct og_columnar__ipc_encoded {
    const og_field *field;
    int64_t id;           /* of the dictionary; fields may share one */
    og_type_id index;     /* type of the places */
    og_array *dictionary; /* as of now; NULL: none yet */
} og_columnar__ipc_encoded;

struct og_ipc_reader {
    og_read_fn read;
    void *context;
    uint64_t offset; /* of the next byte in the stream */
    og_arena *arena; /* fields and types */
    og_field *fields;
    uint32_t field_count, all_fields; /* top level; with children */
    OG_VEC(og_columnar__ipc_encoded) encoded;
    og_buf metadata, body; /* of the last message */
    og_buf raw;            /* the buffer that was expanded last */
};

/* Kinds of messages: members of the union MessageHeader. */
enum { OG_IPC__END = 0, OG_IPC__SCHEMA = 1, OG_IPC__DICTIONARY = 2, OG_IPC__BATCH = 3 };

/* Read the next message: its kind, its metadata (borrowed until the next call) and the position of
 * its header therein; its body is in r->body. */
OG_NODISCARD og_status og_columnar__ipc_read_message(og_ipc_reader *r, og_bytes *out,
                                                     int64_t *out_kind, uint32_t *out_header,
                                                     og_error *err);
/* Returns OG_CORRUPT with the place in the stream and what is wrong there. */
og_status og_columnar__ipc_damaged(const og_ipc_reader *r, const char *what, og_error *err);

#endif
