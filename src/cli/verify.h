/* SPDX-License-Identifier: BSD-3-Clause */
/* weft verify: whether a result's bytes are those that were computed. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "command.h"

extern const command verify_command;

#endif
