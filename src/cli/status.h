/* SPDX-License-Identifier: BSD-3-Clause */
/* weft status: how far a result is, while its job runs and afterwards. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "command.h"

extern const command status_command;

#endif
