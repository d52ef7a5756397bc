#!/usr/bin/env python3
"""Prints `dashboard.json`, the Grafana dashboard: `envoy/monitoring/dashboard.py >envoy/monitoring/dashboard.json`.

The rows below are the contents. What follows them is the form that Grafana needs. It is written here and not with Grafana's
builder library, so that Python alone can print it. A test checks the result against the types of `@grafana/schema`.
"""

import json

ENVOY = 'instance=~"$instance"'
PROVIDER = f'{ENVOY}, countersign_provider=~"$provider"'
DECISION = f'{PROVIDER}, countersign_rule=~"$rule"'
# Not the requests of Prometheus and of probes, and in Istio not those that the application sends.
CLIENTS = f'{ENVOY}, envoy_http_conn_manager_prefix!~"admin|agent|stats|outbound_.*"'
WINDOW = "[$__rate_interval]"


def rate(metric, labels, by=()):
    """Events per second."""
    total = f"sum by ({', '.join(by)}) " if by else "sum"
    return f"{total}(rate({metric}{{{labels}}}{WINDOW}))"


def count(counter, labels, by=()):
    """Events in 5 minutes. The records of alerts.yaml also have the first event of a counter, which increase() misses."""
    total = f"sum by ({', '.join(by)}) " if by else "sum"
    return f"{total}(countersign:{counter}:increase5m{{{labels}}} or increase(countersign_{counter}{{{labels}}}[5m]))"


def denied(status, by=()):
    return count("denied", f'{DECISION}, countersign_status=~"{status}"', by)


def failed(counter):
    return count(counter, f'{PROVIDER}, countersign_result="failed"', ["countersign_provider"])


ALLOWED = f"sum(increase(countersign_allowed{{{ENVOY}}}[5m]))"


def configurations():
    """The number of configurations of each filter that are in use at the same time."""
    hashes = f'count_values by (countersign_plugin) ("hash", countersign_configuration_hash{{{ENVOY}}})'
    return f"count by (countersign_plugin) ({hashes})"


def percentile(share, histogram, labels, by=()):
    return f"histogram_quantile({share}, {rate(histogram + '_bucket', labels, ['le', *by])})"


def by_label(title, status, label):
    """The requests with a status, one line for each value of a label."""
    return graph(title, [(denied(status, [label]), f"{{{{{label}}}}}")], unit="none")


def rows():
    """The rows of the dashboard, with the panels of each."""
    yield "Now, in 5 minutes", [
        number("Allowed", ALLOWED, "none"),
        number("401", denied("401|407"), "none", warn_from=1),
        number("403", denied("403"), "none", warn_from=1),
        number("503", denied("503"), "none", alarm_from=1, text="A valid caller can be among these."),
        number(
            "Cache hit rate",
            rate("countersign_token_cache", f'{ENVOY}, countersign_result="hit"') + " / " + rate("countersign_token_cache", ENVOY),
            "percentunit",
            text="Tokens and passwords whose result was in the cache.",
        ),
        number(
            "Configurations in use",
            f"max({configurations()})",
            "none",
            warn_from=2,
            text="The most configurations of one filter at the same time. More than 1: the Envoys differ.",
        ),
    ]
    yield "Decisions, in 5 minutes", [
        graph(
            "Allowed and denied",
            [
                (ALLOWED, "allowed"),
                (count("denied", DECISION, ["countersign_status"]), "{{countersign_status}}"),
            ],
            unit="none",
            width=12,
            colors={"allowed": "green", "401": "orange", "403": "red", "429": "blue", "503": "purple"},
        ),
        graph(
            "Shadow mode: requests that would be denied",
            [
                (
                    count("shadow_denied", DECISION, ["countersign_status", "countersign_reason"]),
                    "{{countersign_status}} {{countersign_reason}}",
                )
            ],
            unit="none",
            width=12,
        ),
    ]
    yield "401: not authenticated, in 5 minutes", [
        by_label("401 by reason", "401|407", "countersign_reason"),
        by_label("401 by rule", "401|407", "countersign_rule"),
        by_label("401 by provider", "401|407", "countersign_provider"),
    ]
    yield "403: not permitted, in 5 minutes", [
        by_label("403 by reason", "403", "countersign_reason"),
        by_label("403 by rule", "403", "countersign_rule"),
        by_label("403 by provider", "403", "countersign_provider"),
    ]
    yield "503 and 429, in 5 minutes", [
        by_label("503 by reason", "503", "countersign_reason"),
        by_label("429 by rule", "429", "countersign_rule"),
        graph(
            "Failed conditions and computed hashes per second",
            [
                (rate("countersign_cel_failed", ENVOY), "failed conditions"),
                (rate("countersign_hashes", ENVOY), "password hashes"),
            ],
            unit="ops",
        ),
    ]
    yield "Keys, lists and authorization servers", [
        graph(
            "Age of keys and lists",
            [
                (f"max by (countersign_provider) (countersign_jwks_age{{{PROVIDER}}})", "keys of {{countersign_provider}}"),
                (f"max by (countersign_provider) (countersign_lists_age{{{PROVIDER}}})", "list of {{countersign_provider}}"),
            ],
            unit="s",
            text="Seconds since the last successful fetch. Alerts: CountersignKeysStale, CountersignListsStale.",
        ),
        graph(
            "Keys and list entries",
            [
                (f"min by (countersign_provider) (countersign_jwks_keys{{{PROVIDER}}})", "keys of {{countersign_provider}}"),
                (f"min by (countersign_provider) (countersign_lists_entries{{{PROVIDER}}})", "list of {{countersign_provider}}"),
            ],
            unit="none",
        ),
        graph(
            "Failed fetches in 5 minutes",
            [
                (failed("jwks"), "keys of {{countersign_provider}}"),
                (failed("lists"), "list of {{countersign_provider}}"),
                (failed("introspection"), "introspection of {{countersign_provider}}"),
            ],
            unit="none",
        ),
    ]
    yield "Envoy and the filter", [
        graph(
            "Latency",
            [
                (percentile(0.99, "envoy_http_downstream_rq_time", CLIENTS), "99 % with Envoy"),
                (percentile(0.5, "envoy_http_downstream_rq_time", CLIENTS), "50 % with Envoy"),
                (
                    percentile(0.99, "envoy_cluster_upstream_rq_time", ENVOY, ["envoy_cluster_name"]),
                    "99 % of {{envoy_cluster_name}}",
                ),
            ],
            unit="ms",
            width=12,
            text="Envoy does not measure its filters. The difference between a request with Envoy and at its upstream is the "
            "time in Envoy, with all filters. The calls of the filter to issuers are requests to upstreams, too.",
        ),
        graph(
            "Requests and decisions in 5 minutes",
            [
                (f"sum(increase(envoy_http_downstream_rq_completed{{{CLIENTS}}}[5m]))", "requests"),
                (
                    f"{ALLOWED} + ({count('denied', ENVOY)} or vector(0)) + ({count('shadow_denied', ENVOY)} or vector(0))",
                    "decisions",
                ),
            ],
            unit="none",
            width=12,
            text="Answered preflights and metadata are requests without a decision. Alert: CountersignNoDecisions.",
        ),
        graph(
            "Configurations in use by filter",
            [(configurations(), "{{countersign_plugin}}")],
            unit="none",
        ),
        graph(
            "Rejected configurations",
            [(f"sum by (countersign_plugin) (countersign_configuration_rejected{{{ENVOY}}})", "{{countersign_plugin}}")],
            unit="none",
            text="Since Envoy started.",
        ),
        graph(
            "Crashes",
            [
                (
                    f'sum by (instance) ({{__name__=~"envoy_wasm_.+_vm_reload_(success|failure|backoff)", {ENVOY}}})',
                    "{{instance}}",
                )
            ],
            unit="none",
            text="How often Envoy loaded a module again, or waited to do so, since it started. Only with FAIL_RELOAD.",
        ),
    ]


# The form that Grafana needs.

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def targets(queries):
    return [
        {"refId": chr(ord("A") + at), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend, "range": True}
        for at, (expr, legend) in enumerate(queries)
    ]


def number(title, expr, unit, warn_from=None, alarm_from=None, text=""):
    """A panel with the present value."""
    steps = [{"color": "green", "value": None}]
    steps += [{"color": "orange", "value": warn_from}] if warn_from is not None else []
    steps += [{"color": "red", "value": alarm_from}] if alarm_from is not None else []
    return {
        "type": "stat",
        "title": title,
        "description": text,
        "datasource": DATASOURCE,
        "targets": targets([(expr, title)]),
        "gridPos": {"w": 4, "h": 4, "x": 0, "y": 0},
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "decimals": 0 if unit == "none" else 1,
                "noValue": "0" if unit == "none" else "-",
                "color": {"mode": "thresholds"},
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showPercentChange": False,
            "textMode": "auto",
            "wideLayout": True,
        },
    }


def graph(title, queries, unit, width=8, text="", colors={}):
    """A panel with lines over time."""
    return {
        "type": "timeseries",
        "title": title,
        "description": text,
        "datasource": DATASOURCE,
        "targets": targets(queries),
        "gridPos": {"w": width, "h": 8, "x": 0, "y": 0},
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "color": {"mode": "palette-classic"},
                "custom": {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 10, "showPoints": "never"},
            },
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": name},
                    "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
                }
                for name, color in colors.items()
            ],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def laid_out(rows):
    """All panels with their places: each row below its title, from left to right."""
    panels, y = [], 0
    for title, contents in rows:
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": []})
        panels[-1]["gridPos"] = {"w": 24, "h": 1, "x": 0, "y": y}
        x, y = 0, y + 1
        for panel in contents:
            place = panel["gridPos"]
            if x + place["w"] > 24:
                x, y = 0, y + place["h"]
            place["x"], place["y"] = x, y
            x += place["w"]
            panels.append(panel)
        y += place["h"]
    return [{"id": at + 1, **panel} for at, panel in enumerate(panels)]


def label_values(name, query):
    """A variable with the values of a label; at first all."""
    return {
        "type": "query",
        "name": name,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def dashboard():
    return {
        "uid": "countersign",
        "title": "Countersign",
        "description": "Decisions of the authentication filter, its keys, and the Envoys that it runs in.",
        "tags": ["envoy", "authentication"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {"type": "datasource", "name": "datasource", "label": "data source", "query": "prometheus", "refresh": 1},
                label_values("instance", "label_values(countersign_allowed, instance)"),
                label_values("rule", 'label_values(countersign_denied{instance=~"$instance"}, countersign_rule)'),
                label_values("provider", 'label_values({__name__=~"countersign_.+", instance=~"$instance"}, countersign_provider)'),
            ]
        },
        "panels": laid_out(rows()),
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
