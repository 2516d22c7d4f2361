/* xml: reads the small XML documents of the queue and blob services, element by element.
 * A document with a DOCTYPE, deeper than JSON_DEPTH_MAX, or not in UTF-8 is refused (B39): nothing
 * is ever expanded. Knows XML (expat); not what the elements mean. Ownership: path and text are
 * borrowed for the length of the callback. Threads: any; each document has its own parser. */
#ifndef BACKEND_STORAGE_XML_H
#define BACKEND_STORAGE_XML_H

#include "backend/base/buf.h"
#include "backend/base/call.h"

/* Called at each end tag, so children come before their parents. path: names from the root, joined
 * by '/' ("EnumerationResults/Blobs/Blob/Name"); text: the characters directly inside the element,
 * unescaped, and percent-decoded if it had the attribute Encoded="true". Anything but OK ends the
 * reading with that error. */
typedef enum err (*xml_element)(void *ctx, struct str path, struct str text);

/* ERR_BROKEN with a sentence for anything that is not such a document. */
MUST_CHECK enum err xml_read(struct call *call, struct str document, xml_element emit, void *ctx);

#endif
