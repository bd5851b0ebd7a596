/* libmaxminddb opens files by name alone; within a sandbox there are none. Its calls of open and sprintf are
 * led here (see CMakeLists.txt), where one name stands for a descriptor that is open already. */
#ifndef WEIR_ENGINE_GEO_OPEN_H
#define WEIR_ENGINE_GEO_OPEN_H

#define GEO_OPEN_NAME "memory handed over by the launcher"

/* The next open of GEO_OPEN_NAME gives fd, once; -1: nothing. */
void geo_open_next(int fd);

#endif
