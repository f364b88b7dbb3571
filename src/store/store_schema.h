/* store/store_schema - the tables, and how an older file becomes a newer one.
 *
 * user_version counts the steps that a file has had. A step, once released, is never changed. */
#ifndef STORE_STORE_SCHEMA_H
#define STORE_STORE_SCHEMA_H

#include <sqlite3.h>

/* Brings the file up to DB_VERSION in one transaction. Returns SQLITE_OK, an error code, or
 * SQLITE_MISMATCH where the file is newer than this program. */
int schema_migrate(sqlite3 *sqlite);

#endif
