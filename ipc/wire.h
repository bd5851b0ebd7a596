/*
 * Every structure that crosses a process boundary of one machine: host byte order, fixed size, no padding, no
 * pointers (flow export and files have their own formats). A receiver checks sizes by msg.def, then judges
 * the content. Numbers are unsigned unless they can be negative; times are int64 nanoseconds UTC; 0 of a time
 * means unknown.
 *
 * Each vocabulary has a header of its own; this one is all of them.
 */
#ifndef WEIR_IPC_WIRE_H
#define WEIR_IPC_WIRE_H

#include "ipc/wire_admin.h"
#include "ipc/wire_dial.h"
#include "ipc/wire_directory.h"
#include "ipc/wire_health.h"
#include "ipc/wire_key.h"
#include "ipc/wire_login.h"
#include "ipc/wire_oidc.h"
#include "ipc/wire_question.h"
#include "ipc/wire_record.h"
#include "ipc/wire_ring.h"

#endif
