/* What serves each route: routes.c names them. */
#ifndef WEIR_HTTPD_API_H
#define WEIR_HTTPD_API_H

struct request;

/* api_session.c */
void api_setup_state(struct request *r);
void api_setup(struct request *r);
void api_login(struct request *r);
void api_second_factor(struct request *r);
void api_logout(struct request *r);

/* api_oidc.c */
void api_providers(struct request *r);
void api_oidc_start(struct request *r);
void api_oidc_end(struct request *r);
void api_oidc_callback(struct request *r);
void api_oidc_backchannel(struct request *r);

/* api_admin.c */
void api_admin(struct request *r);
void api_me(struct request *r);

/* api_traffic.c */
void api_interfaces(struct request *r);
void api_hosts(struct request *r);
void api_devices(struct request *r);
void api_host(struct request *r);
void api_flows(struct request *r);
void api_top_flows(struct request *r);
void api_flow(struct request *r);
void api_filter(struct request *r); /* api_filter.c */
void api_applications(struct request *r);
void api_timeseries(struct request *r);
void api_timeseries_subjects(struct request *r);
void api_totals(struct request *r);

/* api_series_lists.c */
void api_networks(struct request *r);
void api_as(struct request *r);
void api_countries(struct request *r);
void api_categories(struct request *r);

/* api_search.c */
void api_search(struct request *r);

/* api_alerts.c */
void api_alerts(struct request *r);

/* api_health.c */
void api_version(struct request *r);
void api_health(struct request *r);
void api_openapi(struct request *r);

/* metrics.c */
void api_metrics(struct request *r);

/* live.c */
void api_live(struct request *r);

/* live_flows.c */
void api_flows_live(struct request *r);
void api_alerts_live(struct request *r);

#endif
