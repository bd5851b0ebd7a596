/* Folders, as far as what happens to their files has to stay. */
#ifndef WEIR_BASE_FOLDER_H
#define WEIR_BASE_FOLDER_H

#include <stdbool.h>

/* Waits until it is on disk that the file at path has come, gone or been renamed: until then a power cut
 * takes that back. False with errno. */
bool folder_sync_of(const char *path);

#endif
