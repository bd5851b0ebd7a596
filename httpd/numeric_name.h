/* Addresses of clients are formatted without asking anyone. */
#ifndef WEIR_HTTPD_NUMERIC_NAME_H
#define WEIR_HTTPD_NUMERIC_NAME_H

/* Dies where libraries would still find the C library's getnameinfo. */
void numeric_name_check(void);

#endif
