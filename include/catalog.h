/* SPDX-License-Identifier: Apache-2.0
 *
 * Every driver's row: one declaration here, one line in src/catalog.c, one file in its room.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "field.h"

extern const struct driver_row workload_command_row;

extern const struct driver_row router_haproxy_row;
extern const struct driver_row router_command_row;

extern const struct driver_row check_http_row;
extern const struct driver_row check_command_row;

extern const struct driver_row metric_haproxy_row;
extern const struct driver_row metric_scrape_row;
extern const struct driver_row metric_prometheus_row;
extern const struct driver_row metric_json_row;
extern const struct driver_row metric_command_row;

#endif
