/* SPDX-License-Identifier: BSD-3-Clause */
/* The session's inside, for the public functions on maps. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/choice.h"
#include "base/error.h"
#include "comm/comm.h"
#include "engine/placement.h"

#include <stdbool.h>
#include <weft/session.h>

struct weft_session {
    comm *comm;
    const weft_program *program;
    choice choice;
    placement placement;
    int64_t deadline_ns; /* by the time limit; 0: there is none */
    char command[256];
    error error;
};

#endif
