/* SPDX-License-Identifier: BSD-3-Clause */
/* weft plan: how long a job takes on other layouts. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "command.h"

extern const command plan_command;

#endif
