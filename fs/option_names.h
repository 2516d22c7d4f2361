/* option_names: finds the row of an option by its name or letter, and the name that was meant.
 * Ownership: rows and names are the table's. Threads: any. */
#ifndef FS_OPTION_NAMES_H
#define FS_OPTION_NAMES_H

#include "fs/options.h"

#define OPTION_NAME_MAX 48 /* bytes; longer ones are not compared, and cut when shown */

/* NULL = there is none. '_' and '-' are the same. */
const struct option_row *option_named(struct str name);
const struct option_row *option_lettered(char letter);

/* The nearest name of an option, or NULL if nothing is near. */
const char *option_nearest(const char *name);

#endif
