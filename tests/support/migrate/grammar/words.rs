//! The vocabulary of the grammar. `requests.yaml` uses the same words.

/// Paths without a query.
pub const PATHS: [&str; 9] = [
    "/",
    "/api",
    "/api/v1",
    "/api/v1/orders",
    "/admin",
    "/admin/users",
    "/open",
    "/a.b",
    "/API",
];
/// Regular expressions for paths.
pub const REGEXES: [&str; 8] = [
    "/api/.*",
    "/api(/.*)?",
    "/api/v[0-9]+/[a-z]+",
    ".*",
    "/(open|admin)",
    "/admin/[^/]+",
    "/.*orders.*",
    "/a.b",
];
/// Templates, as Envoy writes them.
pub const TEMPLATES: [&str; 4] = ["/api/*", "/api/**", "/*/users", "/api/{version}/orders"];
/// Methods.
pub const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];
/// Hosts.
pub const HOSTS: [&str; 3] = ["api.example.com", "shop.example.com", "example.org"];
/// Headers of requests.
pub const HEADERS: [&str; 3] = ["x-a", "x-b", "x-tenant"];
/// Values of headers and claims.
pub const VALUES: [&str; 5] = ["one", "two", "north", "One", "on"];
/// Networks, in Envoy's two parts.
pub const NETWORKS: [(&str, u8); 5] = [
    ("10.0.0.0", 8),
    ("10.1.2.0", 24),
    ("127.0.0.0", 8),
    ("127.0.0.8", 29),
    ("0.0.0.0", 0),
];
/// Claims with texts.
pub const CLAIMS: [&str; 4] = ["role", "roles", "sub", "tenant"];
/// Issuers, each with the name of its key.
pub const ISSUERS: [(&str, &str); 2] = [
    ("https://one.example.com", "es256"),
    ("https://two.example.com", "rs256"),
];
/// Audiences.
pub const AUDIENCES: [&str; 3] = ["orders", "billing", "other"];
