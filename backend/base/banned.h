/* banned: functions that have a safer twin here become compile errors; every .c file of ours
 * includes this last through the compiler's command line (-include), foreign headers excepted.
 * Threads, ownership: none. */
#ifndef BACKEND_BASE_BANNED_H
#define BACKEND_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof asctime ctime

#endif
