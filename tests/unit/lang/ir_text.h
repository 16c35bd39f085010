/* ir_text - the IR of a query as text, so that a test can say what it expects in one line.
 *
 *     scan p:Person[name = $name]; p -Knows{1,3}> f; filter f.age > 3; not(f -Knows> p!)
 *
 * `<Knows-` reads an edge backwards, `<Knows>` both ways, `e:` before it is an edge variable, `!`
 * marks a destination that was bound before. */
#ifndef OG_TEST_IR_TEXT_H
#define OG_TEST_IR_TEXT_H

#include "base/buf.h"
#include "lang/ir.h"

/* The pipeline of a read; the statements of a mutation. */
void ir_text(const og_ir_query *query, og_buf *out);
/* "a.name as n, count(b); order n desc; limit 3" */
void ir_text_returns(const og_ir_query *query, og_buf *out);

#endif
