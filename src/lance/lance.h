/* lance - Lance tables in C: read, change, verify, without a graph.
 *
 * One include for programs that use the library by itself. The parts, each with its contract:
 *
 *   store/       file.h memory.h           where tables lie
 *   lance/table/ table.h                   a version of a table: open, fields, scan, take, row ids
 *                write.h                   a change: create, append, update, delete, overwrite, ...
 *                upsert.h evolve.h compact.h indices.h branch.h tag.h cleanup.h
 *                                          other kinds of changes
 *                commit.h rebase.h         making a change visible, behind those who were first
 *                look.h verify.h refs.h delta.h
 *                                          what a table is made of, what is wrong, what differs
 *   lance/index/ btree.h                   the BTREE index of a column
 *   lance/file/  reader.h writer.h encoders.h look.h
 *                                          data files by themselves
 *   columnar/    array.h builder.h arrow_export.h arrow_ipc.h
 *                                          columns in memory, to and from Arrow
 *
 * Functions that can fail return og_status and fill `og_error *err`, their last argument
 * (base/error.h). An open table is immutable and may be read by several threads; a scan or a write
 * is for one thread at a time (large ones have threads of their own: og_lance_env_set_threads).
 * OG_AUTO and its kin release at the end of the block. Stored bytes are never trusted: what is
 * damaged is OG_CORRUPT with file and place, what is not known OG_UNSUPPORTED with its name. */
#ifndef OG_LANCE_LANCE_H
#define OG_LANCE_LANCE_H

#include "columnar/arrow_export.h"
#include "columnar/arrow_ipc.h"
#include "columnar/builder.h"
#include "lance/file/look.h"
#include "lance/file/writer.h"
#include "lance/index/btree.h"
#include "lance/table/branch.h"
#include "lance/table/cleanup.h"
#include "lance/table/commit.h"
#include "lance/table/compact.h"
#include "lance/table/delta.h"
#include "lance/table/evolve.h"
#include "lance/table/look.h"
#include "lance/table/rebase.h"
#include "lance/table/refs.h"
#include "lance/table/tag.h"
#include "lance/table/upsert.h"
#include "lance/table/verify.h"
#include "store/file.h"
#include "store/memory.h"

#endif
