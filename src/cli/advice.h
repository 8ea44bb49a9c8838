/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of advice: which layout to take, and from where on more of it gains nothing. */
#ifndef CLI_ADVICE_H
#define CLI_ADVICE_H

#include "forecast.h"

/* Fills f->advice from its rows. */
void advice_give(forecast *f);

#endif
