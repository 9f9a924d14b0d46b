/* lowbit/rates.h - the extension "rates/1" of plugin_abi.h: how many requests a minute a job may make at an endpoint.
 *
 * The host gives every job a share of what an endpoint allows, as its `resources: {rate: {NAME: n}}` asks, and starts
 * no more jobs than the shares add up to. Who asks that endpoint keeps to its share by spacing requests, repeated ones
 * included: n a minute means that one begins no earlier than 60/n seconds after the one before. A name that is not
 * among the shares is not limited. */
#pragma once
#include <lowbit/plugin_abi.h>

#define LB_RATES "rates/1"

typedef struct lb_rates {
  uint32_t size;
  lb_str shares; /* JSON object: {"openai": 60} */
} lb_rates;
