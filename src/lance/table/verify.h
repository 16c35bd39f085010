/* lance/table/verify - read all of one version of a table, and report what does not agree.
 *
 * Lance files carry no checksums, so a flipped bit inside a plain value is a value like any other.
 * What can be found: bytes that are missing or have another size, structure that contradicts itself
 * (offsets, lengths, counts, indices into dictionaries, levels), compressed streams that do not
 * expand to what they claim, text that is no UTF-8, and counts that differ between manifest,
 * deletion files, row ids and data files. */
#ifndef OG_LANCE_VERIFY_H
#define OG_LANCE_VERIFY_H

#include "lance/table/table.h"

typedef struct og_lance_verified {
    uint64_t fragments, files, columns, pages;
    uint64_t rows; /* live */
    /* Bytes that were read and agree: manifest, deletion files, metadata, where rows are. */
    uint64_t structure_bytes;
    /* Bytes of pages that could be decoded; whether the values are right can't be told. */
    uint64_t value_bytes;
    uint64_t blob_bytes;   /* of blobs that are there, with the size they should have */
    uint64_t unread_bytes; /* columns that the table no longer has, padding */
    uint64_t problems;
    uint64_t unsupported; /* files and columns that this program can't read, right or wrong */
} og_lance_verified;

/* Called for each problem, and for what is OG_UNSUPPORTED; the message names file and place.
 * `problem` is borrowed for the call. */
typedef void (*og_lance_problem_fn)(void *context, const og_error *problem);

/* Verify the table. Problems are told and counted, not returned: OG_OK when everything could be
 * looked at, whatever was found. Cost: one full read of the table. */
OG_NODISCARD og_status og_lance_table_verify(og_lance_table *table, og_lance_problem_fn tell,
                                             void *context, og_lance_verified *out, og_error *err);

#endif
