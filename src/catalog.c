/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include <stddef.h>

const struct driver_row *const driver_rows[] = {
    &workload_command_row,

    &router_haproxy_row,
    &router_command_row,

    &check_http_row,
    &check_command_row,

    &metric_haproxy_row,
    &metric_scrape_row,
    &metric_prometheus_row,
    &metric_json_row,
    &metric_command_row,

    NULL,
};
