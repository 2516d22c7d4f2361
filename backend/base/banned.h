/* banned: calls of functions that have a safer twin become compile errors that name the twin.
 * The compiler includes this before every file of ours (-include in meson.build). The libc headers
 * come first, so that their declarations stay; only calls are caught, a field may be named ctime.
 * Threads, ownership: none. */
#ifndef BACKEND_BASE_BANNED_H
#define BACKEND_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* No bound, or no terminator. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef gets
#define strcpy(...)   strcpy_is_banned_use_str_or_buf
#define strcat(...)   strcat_is_banned_use_buf
#define strncpy(...)  strncpy_is_banned_use_str_or_buf
#define strncat(...)  strncat_is_banned_use_buf
#define sprintf(...)  sprintf_is_banned_use_buf_printf
#define vsprintf(...) vsprintf_is_banned_use_buf_printf
#define gets(...)     gets_is_banned

/* State that threads would share. */
#undef strtok
#undef asctime
#undef ctime
#define strtok(...)  strtok_is_banned_use_str_cut
#define asctime(...) asctime_is_banned_use_ticks_print
#define ctime(...)   ctime_is_banned_use_ticks_print

/* Nonsense becomes 0, and too large a number anything. */
#undef atoi
#undef atol
#undef atof
#define atoi(...) atoi_is_banned_use_str_to_i64
#define atol(...) atol_is_banned_use_str_to_i64
#define atof(...) atof_is_banned

#endif
