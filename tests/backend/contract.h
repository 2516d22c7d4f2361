/* contract: what every backend must keep, whatever it is made of. A program opens a hub that holds
 * nothing under the ids used here and runs these checks on it.
 * Ownership: the caller's hub. Threads: one. */
#ifndef TESTS_BACKEND_CONTRACT_H
#define TESTS_BACKEND_CONTRACT_H

#include "backend/hub.h"

/* Fails the running cmocka test at the first broken promise. No worker may be running. */
void contract_missing(struct hub *hub);    /* what is not there is ERR_NOT_FOUND everywhere */
void contract_start(struct hub *hub);      /* start, once per id, visible to get and list */
void contract_refusals(struct hub *hub);   /* bad ids, bodies, names; nothing sent */
void contract_unfinished(struct hub *hub); /* never purged */
void contract_list_order(
    struct hub *hub);                     /* blocks ascend, entities apart, changed_since narrows */
void contract_span(struct hub *hub);      /* many rows, as get gives each */
void contract_histories(struct hub *hub); /* many histories, up to a long one */

#endif
