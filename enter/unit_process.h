/* Which of the processes a unit names: the argument of weir-enter. */
#ifndef WEIR_ENTER_UNIT_PROCESS_H
#define WEIR_ENTER_UNIT_PROCESS_H

/* The name of the process of exactly this name that has a unit: not the word itself, but one of ours. NULL
 * where there is none. */
const char *unit_process(const char *word);

#endif
