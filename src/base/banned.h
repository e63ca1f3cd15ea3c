/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before every source file by the Makefile: a use of one of these functions does not
 * compile. exit() is allowed in main.c only; `make lint` looks for it.
 */
#ifndef BANNED_H
#define BANNED_H

#define BANNED(instead) __attribute__((deprecated("banned, " instead)))

struct cJSON;
struct tm;
struct _IO_FILE;

char *strcpy(char *, const char *) BANNED("use a struct text");
char *strcat(char *, const char *) BANNED("use a struct text");
int sprintf(char *, const char *, ...) BANNED("use a struct text or snprintf");
int vsprintf(char *, const char *, __builtin_va_list) BANNED("use a struct text or vsnprintf");
char *strtok(char *, const char *) BANNED("it keeps hidden state");
int atoi(const char *) BANNED("it cannot fail");
long atol(const char *) BANNED("it cannot fail");
struct tm *gmtime(const long *) BANNED("use gmtime_r");
struct tm *localtime(const long *) BANNED("records are in UTC: use gmtime_r");
int system(const char *) BANNED("use process.h");
struct _IO_FILE *popen(const char *, const char *) BANNED("use process.h");
struct cJSON *cJSON_GetObjectItem(const struct cJSON *, const char *) BANNED("it ignores case");

#endif
