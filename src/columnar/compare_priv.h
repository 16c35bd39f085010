/* columnar/compare_priv - what compare.c and compare_number.c share. */
#ifndef OG_COLUMNAR_COMPARE_PRIV_H
#define OG_COLUMNAR_COMPARE_PRIV_H

#include "columnar/compare.h"

/* Values of one class compare with each other. */
typedef enum og_columnar__class {
    OG_CLASS_NULL,
    OG_CLASS_BOOL,
    OG_CLASS_NUMBER,
    OG_CLASS_DATE,
    OG_CLASS_TEXT,
    OG_CLASS_NESTED,
} og_columnar__class;

og_columnar__class og_columnar__class_of(og_type_id id);

/* The three that are computed; the others are one of them negated (all orders here are total). */
typedef enum og_columnar__relation { OG_REL_EQ, OG_REL_LT, OG_REL_LE } og_columnar__relation;

/* Set bit i to `column[i] relation value`; bits of null rows may have any value.
 * False when this pair of types has no loop of its own. Defined in compare_number.c. */
bool og_columnar__number_scalar(const og_array *column, og_columnar__relation relation,
                                const og_datum *value, uint64_t *bits);
bool og_columnar__number_columns(const og_array *left, og_columnar__relation relation,
                                 const og_array *right, uint64_t *bits);

#endif
