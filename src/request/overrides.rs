//! Headers and query parameters that make an upstream serve another method, path or host than the one in the request
//! line.
//!
//! Frameworks read them for browsers, whose forms send only GET and POST, and for proxies that rewrite paths and hosts.
//! Beside each name is the software that reads or documents it. A form can also carry an override in its content, which
//! the filter does not see.

use super::FieldNames;

/// The overrides of one part of a request: its method, its path or its host.
#[derive(Debug)]
pub struct Overrides {
    fields: &'static [&'static str],
    beginnings: &'static [&'static str],
    endings: &'static [&'static str],
    /// Query parameters.
    pub parameters: &'static [&'static str],
}

impl Overrides {
    /// The headers, in every spelling.
    pub fn fields(&self) -> FieldNames {
        let mut fields = FieldNames::of(self.fields.iter().copied());
        self.beginnings
            .iter()
            .for_each(|beginning| fields.insert_beginning(beginning));
        self.endings
            .iter()
            .for_each(|ending| fields.insert_ending(ending));
        fields
    }

    /// Whether a header or a parameter of that name is an override.
    pub fn have(&self, name: &str) -> bool {
        self.fields().have(name.as_bytes()) || self.parameters.contains(&name)
    }

    /// The names of the headers and the parameters. Families, which have only a prefix or a suffix, have no name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let parameters = self.parameters.iter();
        let others = parameters.filter(|name| !self.fields.contains(name));
        self.fields.iter().chain(others).copied()
    }
}

/// All overrides.
pub const ALL: [&Overrides; 3] = [&METHOD, &PATH, &HOST];

/// Overrides of the method.
pub const METHOD: Overrides = Overrides {
    fields: &[
        "x-http-method-override", // Rack, Symfony, ASP.NET Core, Express, Ktor, gorilla, Jersey
        "x-http-method",          // OData, Express
        "x-method-override",      // Express
        "x-rest-method",          // servlet filters, PHP
        "x-forwarded-method",     // Traefik ForwardAuth
        "x-original-method",      // nginx `auth_request`, Authelia
    ],
    beginnings: &[],
    endings: &[],
    parameters: &[
        "_method",                // Symfony, Laravel, Rack, Express, WordPress, Jersey
        "_method_override",       // wai-extra
        "x-tunneled-method",      // Catalyst, Plack
        "x-http-method-override", // ASP.NET MVC
        "_httpmethod",            // Salesforce
    ],
};

/// Overrides of the path, or of a part of it.
pub const PATH: Overrides = Overrides {
    fields: &[
        "x-original-url",          // IIS URL Rewrite, Symfony, Zend (CVE-2018-14773)
        "x-rewrite-url",           // ISAPI_Rewrite, Symfony, Zend, Yii
        "x-original-uri",          // nginx `auth_request`
        "x-original-path",         // Netlify, Vercel
        "x-original-request-uri",  // nginx `auth_request`
        "x-original-request-url",  // Alfresco
        "x-original-prefix",       // ASP.NET Core
        "x-envoy-original-path",   // Envoy (CVE-2023-27487)
        "x-envoy-original-url",    // Envoy
        "x-forwarded-uri",         // Traefik ForwardAuth, Caddy
        "x-forwarded-url",         // OpenWhisk
        "x-forwarded-prefix",      // Spring, Werkzeug, Symfony, ASP.NET Core, Gin
        "x-forwarded-path",        // Kong, Vercel
        "x-forwarded-request-uri", // WOVN
        "x-forwarded-base",        // OpenRasta
        "x-forwarded-context",     // Apache Knox, NiFi, Spark
        "x-proxycontextpath",      // Apache NiFi
        "x-replaced-path",         // Traefik ReplacePath
        "x-traversal-path",        // Plack, WSGIProxy
        "x-request-uri",           // NewLife
        "x-request-base",          // Mojolicious
        "x-ingress-path",          // Home Assistant
        "x-waws-unencoded-url",    // Azure App Service
        "x-ms-original-url",       // Azure Static Web Apps
        "x-nf-original-path",      // Netlify
        "x-matched-path",          // Next.js
        "x-now-route-matches",     // Next.js
        "x-middleware-invoke",     // Next.js
        "x-middleware-next",       // Next.js
        "x-middleware-redirect",   // Next.js
        "x-middleware-rewrite",    // Next.js
        "x-middleware-skip",       // Next.js
        "x-middleware-subrequest", // Next.js (CVE-2025-29927)
        "x-astro-path",            // Astro on Vercel (GHSA-mr6q-rp88-fx84)
        "x-rstudio-request",       // Posit Workbench
        "x-rsc-request",           // Posit Connect
        "x-sendfile-type",         // Rack, Plack (CVE-2025-61780)
        "x-accel-mapping",         // Rack, Plack
    ],
    beginnings: &["x-invoke-"], // Next.js
    endings: &[
        "script-name", // gunicorn, mod_wsgi, Plack, Radicale
        "scriptname",
        "root-path", // Daphne, Posit Workbench
        "rootpath",
        "path-info", // gunicorn
        "pathinfo",
        "base-path", // Sinatra
        "basepath",  // Cantaloupe
        "path-base",
        "pathbase", // ASP.NET Core, YARP
        "context-path",
        "contextpath",
    ],
    parameters: &[
        "x_astro_path", // Astro on Vercel
        "__pathname",   // SvelteKit on Vercel
    ],
};

/// Overrides of the host.
pub const HOST: Overrides = Overrides {
    fields: &[
        "forwarded",             // RFC 7239: Rack, Spring, Symfony, Jetty, actix-web, axum
        "x-forwarded-host",      // Rails, Django, Spring, Symfony, Express, ASP.NET Core
        "x-forwarded-hostname",  // Node.js
        "x-forwarded-server",    // Jetty, mod_wsgi, Paste, Ktor
        "x-host",                // mod_wsgi
        "x-http-host-override",  // PHP
        "x-original-host",       // Yii, ASP.NET Core, Azure Application Gateway
        "x-orig-host",           // Varnish
        "x-real-host",           // PHP
        "x-envoy-original-host", // Envoy
        "x-proxyhost",           // Apache NiFi
        "disguised-host",        // Azure App Service
        "was-default-hostname",  // Azure App Service
        "$wssn",                 // WebSphere
        // These hold a whole URL, so that they are overrides of the path too.
        "x-ms-original-url",
        "x-original-request-url",
        "x-request-base",
        "x-rstudio-request",
        "x-rsc-request",
    ],
    beginnings: &[],
    endings: &[],
    parameters: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_lower_case_and_unique() {
        for overrides in ALL {
            let names: Vec<&str> = overrides.names().collect();
            for (place, name) in names.iter().enumerate() {
                assert!(!names[..place].contains(name), "{name}");
                assert_eq!(*name, name.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn families_are_found_in_every_spelling() {
        let path = PATH.fields();
        for name in [
            "SCRIPT_NAME",
            "x-forwarded-script-name",
            "X_ScriptName",
            "Daphne-Root-Path",
            "X-RStudio-Root-Path",
            "path.info",
            "X-Forwarded-BasePath",
            "x-forwarded-path_base",
            "x-context-path",
            "X-Middleware-Subrequest",
            "x_accel_mapping",
            "x_invoke_output",
            "X-ProxyContextPath",
        ] {
            assert!(path.have(name.as_bytes()), "{name}");
        }
        for name in [
            "x-transcript-name",
            "x-path",
            "x-original-uris",
            "x-middleware-prefetch",
            "user-agent",
        ] {
            assert!(!path.have(name.as_bytes()), "{name}");
        }
        assert!(HOST.fields().have(b"X_Forwarded_Host") && HOST.fields().have(b"$WSSN"));
    }
}
