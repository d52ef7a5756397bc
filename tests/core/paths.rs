//! Paths against the servers that read them, and the index of rules against one rule after the other: what `fuzz/` does
//! for minutes, for a moment.

use crate::fuzz::paths::{self, Outcome, Policies};
use crate::fuzz::random::Random;
use crate::fuzz::rules;
use crate::fuzz::upstreams::{Served, agree, recorded};

/// A route, its parameter, and the servers that served it.
type ServedBy = (&'static str, &'static str, &'static [&'static str]);

/// What the Node and Python servers of `tests/upstreams` served for a target. All others of them served nothing.
const SERVED: [(&str, &[ServedBy]); 12] = [
    (
        "/Admin/x",
        &[(
            "admin",
            "",
            &[
                "express 4",
                "express 5",
                "fastify 5, lenient router",
                "koa",
                "polka 1",
            ],
        )],
    ),
    (
        "/users/bob;x/y",
        &[(
            "user",
            "bob",
            &[
                "fastify 4",
                "fastify 5, lenient router",
                "restify 11",
                "restify 11, paths sanitized",
            ],
        )],
    ),
    ("/users/bob%3f/x", &[("user", "bob", &["h3 1", "nitro"])]),
    (
        "//x/admin",
        &[("admin", "", &["node http, new URL with a base", "cherrypy"])],
    ),
    (
        "//u@h/admin/x",
        &[(
            "admin",
            "",
            &[
                "restify 11",
                "node http, url.parse",
                "node http, new URL with a base",
                "cherrypy",
            ],
        )],
    ),
    ("//u@h;admin/x", &[("admin", "", &["restify 11"])]),
    (
        "//admin/x",
        &[(
            "admin",
            "",
            &[
                "fastify 5, lenient router",
                "restify 11, paths sanitized",
                "flask, gunicorn",
                "flask, waitress",
                "falcon, gunicorn",
                "falcon, uvicorn",
                "quart, hypercorn",
                "bottle, wsgiref",
            ],
        )],
    ),
    (
        "/%2fadmin/x",
        &[(
            "admin",
            "",
            &[
                "flask, gunicorn",
                "flask, waitress",
                "falcon, gunicorn",
                "falcon, uvicorn",
                "quart, hypercorn",
            ],
        )],
    ),
    (
        "/admin%0a",
        &[(
            "admin",
            "",
            &[
                "django, gunicorn",
                "django, daphne",
                "starlette, uvicorn",
                "starlette, hypercorn",
                "fastapi, gunicorn",
            ],
        )],
    ),
    (
        "/users/",
        &[(
            "user",
            "",
            &[
                "fastify 4",
                "fastify 5",
                "restify 11",
                "falcon, gunicorn",
                "falcon, uvicorn",
            ],
        )],
    ),
    (
        "/users//orders",
        &[
            (
                "orders",
                "",
                &[
                    "fastify 4",
                    "fastify 5",
                    "restify 11",
                    "h3 1",
                    "nitro",
                    "polka",
                    "falcon, gunicorn",
                    "falcon, uvicorn",
                ],
            ),
            (
                "user",
                "orders",
                &[
                    "fastify 5, lenient router",
                    "restify 11, paths sanitized",
                    "cherrypy",
                ],
            ),
        ],
    ),
    (
        "/users/b%ffx/orders",
        &[
            (
                "orders",
                "b%ffx",
                &[
                    "koa", "h3 1", "nitro", "polka", "polka 1", "hono", "aiohttp",
                ],
            ),
            (
                "orders",
                "b\u{fffd}x",
                &[
                    "flask, gunicorn",
                    "flask, waitress",
                    "django, daphne",
                    "starlette, uvicorn",
                    "starlette, hypercorn",
                    "fastapi, gunicorn",
                    "falcon, gunicorn",
                    "falcon, uvicorn",
                    "quart, hypercorn",
                    "wsgi, gunicorn",
                    "sanic",
                ],
            ),
            ("orders", "b%FFx", &["django, gunicorn"]),
            ("orders", "bx", &["bottle, wsgiref"]),
            ("orders", "b\u{ff}x", &["cherrypy"]),
        ],
    ),
];

#[test]
fn the_models_predict_what_servers_served() {
    for (target, served) in SERVED {
        for (name, model) in recorded() {
            let found = served.iter().find(|(_, _, names)| names.contains(&name));
            let found = found.map(|(route, id, _)| Served {
                route: (*route).to_owned(),
                id: (*id).to_owned(),
            });
            assert_eq!(agree(model, target, found.as_ref()), Ok(()), "{name}");
            if found.is_none() {
                let predicted = model(target).and_then(|reading| reading.served());
                assert_eq!(predicted, None, "{name}: {target}");
            }
        }
    }
}

/// Paths that were once let through.
const FOUND: &str = include_str!("../upstreams/finds.txt");

#[test]
fn what_was_found_stays_found() {
    let policies = Policies::new();
    for path in FOUND.lines().filter(|line| line.starts_with('/')) {
        assert!(
            matches!(paths::check(&policies, path), Ok(Outcome::Denied)),
            "{path}"
        );
    }
}

/// no server reads as another rule's what is let through under one.
#[test]
fn no_server_reads_a_path_as_what_another_rule_is_for() {
    let policies = Policies::new();
    let (mut refused, mut plain, mut others) = (0, 0, 0);
    for seed in 0..12_000 {
        let path = paths::random_path(&mut Random::new(seed));
        match paths::check(&policies, &path) {
            Ok(Outcome::Denied) => refused += 1,
            Ok(Outcome::Forwarded { is_plain: true }) => plain += 1,
            Ok(Outcome::Forwarded { is_plain: false }) => others += 1,
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    eprintln!("{refused} paths refused, {plain} plain, {others} let through though they are not");
    assert!(refused > 500 && plain > 500 && others > 500);
}

#[test]
fn no_server_that_keeps_encoded_slashes_in_parameters_reads_a_path_as_what_another_rule_is_for() {
    let policies = Policies::new();
    let mut kept = 0;
    for seed in 0..30_000 {
        let path = paths::random_path(&mut Random::new(seed));
        match paths::check_segments(&policies, &path) {
            Ok(Outcome::Denied) => {}
            Ok(Outcome::Forwarded { .. }) => kept += 1,
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    assert!(kept > 200, "{kept}");
}

#[test]
fn the_index_finds_what_a_search_finds() {
    let mut fitted = 0;
    for seed in 0..10_000 {
        let mut random = Random::new(seed);
        let policy = rules::random_policy(&mut random);
        for _ in 0..4 {
            match rules::check(&policy, &mut random) {
                Ok(fits) => fitted += usize::from(fits),
                Err(difference) => panic!("seed {seed}: {difference}"),
            }
        }
        if let Err(difference) = rules::check_covering(&policy, &mut random) {
            panic!("seed {seed}: {difference}");
        }
    }
    assert!(fitted > 5_000, "{fitted}");
}
