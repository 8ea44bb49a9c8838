/* SPDX-License-Identifier: BSD-3-Clause */
/* weft random: the numbers of an item's random stream. */
#ifndef CLI_RANDOM_H
#define CLI_RANDOM_H

#include "command.h"

extern const command random_command;

#endif
