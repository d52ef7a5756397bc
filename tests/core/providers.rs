//! Random providers, rules and credentials: the filter answers as a model of the decision table does.

#[path = "providers/model.rs"]
mod model;

use std::cell::RefCell;
use std::sync::LazyLock;

use base64ct::{Base64, Encoding as _};
use countersign::authenticate::introspection::Answer as Introspected;
use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::authenticate::{Method, ProviderId};
use countersign::config;
use countersign::evaluate::{Circumstances, Fetch, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::request::RequestView;
use countersign::response::reply;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::model::{Answer, Kind, Model, Part, Provider, Rule, Shown, Slot, Text};
use crate::fuzz::random::Random;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The most providers of a configuration.
const PROVIDERS: usize = 6;

/// How many configurations are drawn.
const CONFIGURATIONS: usize = 1_500;

/// How many requests are drawn for each.
const REQUESTS: usize = 8;

/// The kind of a method. A new kind does not compile here until the model has it.
fn kind_of(method: &Method) -> &'static str {
    match method {
        Method::Jwt(_) => "jwt",
        Method::Introspection(_) => "introspection",
        Method::ApiKey(_) => "api_key",
        Method::Basic(_) => "basic",
        Method::Digest(_) => "digest",
        Method::Mtls(_) => "mtls",
    }
}

/// The keys of the issuers, one for each provider, and one of an unknown issuer.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let keys = (0..=PROVIDERS).map(|_| SigningKey::generate(Algorithm::Hs256));
    keys.collect()
});

/// The tokens of each issuer: a valid one, and an expired one.
static TOKENS: LazyLock<Vec<[String; 2]>> = LazyLock::new(|| {
    let issuers = KEYS.iter().enumerate();
    let tokens = issuers.map(|(id, key)| {
        [600, -600].map(|seconds| {
            let expires = NOW.millis() / 1000 + seconds;
            let claims =
                json!({"iss": issuer(id), "aud": "api", "sub": subject(id), "exp": expires});
            let header = json!({"alg": "HS256"});
            key.sign(Algorithm::Hs256, &header, claims.to_string().as_bytes())
                .expect("a token")
        })
    });
    tokens.collect()
});

fn issuer(id: usize) -> String {
    format!("https://issuer-{id}.example.com")
}

fn subject(id: usize) -> String {
    format!("subject-{id}")
}

/// A credential as a request has it.
fn text(providers: &[Provider], text: Text) -> String {
    match text {
        Text::Of(id, is_valid) if providers[id].kind == Kind::Jwt => {
            TOKENS[id][usize::from(!is_valid)].clone()
        }
        Text::Of(id, is_valid) if providers[id].kind == Kind::Basic => {
            Base64::encode_string(format!("{}:{}", subject(id), password(id, is_valid)).as_bytes())
        }
        Text::Of(id, is_valid) => format!("opaque-{id}-{is_valid}-4f1c9a7e2b6d8053"),
        Text::Stranger => TOKENS[PROVIDERS][0].clone(),
        Text::Broken => "a b".to_owned(),
    }
}

fn password(id: usize, is_valid: bool) -> String {
    format!("password-{id}-{is_valid}-9e41")
}

fn from(slot: Slot) -> Value {
    match (slot.part(), slot.scheme()) {
        (Part::Header(name), Some(scheme)) => json!({"header": name, "scheme": scheme}),
        (Part::Header(name), None) => json!({"header": name}),
        (Part::Query(name), _) => json!({"query": name}),
        (Part::Cookie(name), _) => json!({"cookie": name}),
    }
}

fn provider(id: usize, own: &Provider, all: &[Provider]) -> Value {
    let from: Vec<Value> = own.from.iter().map(|slot| from(*slot)).collect();
    let name = format!("p{id}");
    match own.kind {
        Kind::Jwt => json!({"name": name, "jwt": {
            "issuer": issuer(id), "audiences": ["api"], "algorithms": ["HS256"], "from": from,
            "jwks": {"inline": {"keys": [KEYS[id].private_jwk()]}},
        }}),
        Kind::Introspection { accepts_jwt } => json!({"name": name, "introspection": {
            "uri": "http://127.0.0.1/introspect", "cluster": "login", "client_id": "gate",
            "client_secret": "client-secret-61a5", "accept_jwt": accepts_jwt, "from": from,
        }}),
        Kind::ApiKey => {
            let digest = Sha256::digest(text(all, Text::Of(id, true)));
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let keys = json!([{"id": subject(id), "sha256": digest}]);
            json!({"name": name, "api_key": {"from": from, "keys": keys}})
        }
        Kind::Basic => {
            let digest = Base64::encode_string(&Sha256::digest(password(id, true)));
            let users = json!([{"name": subject(id), "password": format!("{{SHA256}}{digest}")}]);
            json!({"name": name, "basic": {"users": users}})
        }
    }
}

fn rule(number: usize, own: &Rule) -> Value {
    let names: Vec<String> = own.accepted.iter().map(|id| format!("p{id}")).collect();
    let key = if own.needs_each {
        "require_all"
    } else {
        "providers"
    };
    let mut rule = json!({
        "name": format!("r{number}"), "match": {"paths": [format!("/r{number}")]}, key: names,
    });
    if own.is_optional {
        rule["allow"] = json!("optional");
    }
    if own.ignores_others {
        rule["other_credentials"] = json!("ignore");
    }
    rule
}

fn document(providers: &[Provider], rules: &[Rule]) -> Value {
    let all = providers.iter().enumerate();
    let rules = rules.iter().enumerate();
    json!({
        "providers": all.map(|(id, own)| provider(id, own, providers)).collect::<Vec<_>>(),
        "rules": rules.map(|(number, own)| rule(number, own)).collect::<Vec<_>>(),
        "default": "deny",
        "identity": {"headers": {"x-auth-subject": "{subject}"}},
        "responses": {"error_description": false},
    })
}

/// Random members of a list, in random order.
fn some_of<T: Copy>(random: &mut Random, all: &[T], least: usize) -> Vec<T> {
    let mut rest = all.to_vec();
    let count = least + random.below(all.len() + 1 - least);
    (0..count)
        .map(|_| rest.remove(random.below(rest.len())))
        .collect()
}

fn random_provider(random: &mut Random) -> Provider {
    let accepts_jwt = random.below(2) == 0;
    let kinds = [
        Kind::Jwt,
        Kind::Jwt,
        Kind::Introspection { accepts_jwt },
        Kind::ApiKey,
        Kind::Basic,
    ];
    let kind = random.pick(&kinds);
    let slots = match kind {
        Kind::Jwt | Kind::Introspection { .. } => some_of(random, &Slot::OF_TOKENS, 1),
        Kind::ApiKey => some_of(random, &Slot::OF_KEYS, 1),
        Kind::Basic => vec![Slot::Basic],
    };
    let few = 1 + random.below(3);
    let from = slots.into_iter().take(few).collect();
    Provider { kind, from }
}

/// A rule; it may be one that the filter rejects.
fn random_rule(random: &mut Random, providers: usize) -> Rule {
    let ids: Vec<usize> = (0..providers).collect();
    let needs_each = providers > 1 && random.below(3) == 0;
    let mut accepted = some_of(random, &ids, if needs_each { 2 } else { 1 });
    if !needs_each {
        accepted.sort_unstable();
    }
    Rule {
        accepted,
        needs_each,
        is_optional: !needs_each && random.below(4) == 0,
        ignores_others: random.below(3) == 0,
        is_closed: false,
    }
}

/// Whether two of these providers accept the same credentials, which is a fault of a rule.
fn have_rivals(providers: &[Provider], accepted: &[usize]) -> bool {
    let is_rival = |one: usize, two: usize| {
        let (one, two) = (&providers[one], &providers[two]);
        let kind = |own: &Provider| std::mem::discriminant(&own.kind);
        one.kind != Kind::Jwt
            && kind(one) == kind(two)
            && one.from.iter().any(|slot| two.from.contains(slot))
    };
    let pairs = accepted
        .iter()
        .flat_map(|one| accepted.iter().map(move |two| (*one, *two)));
    pairs
        .into_iter()
        .any(|(one, two)| one < two && is_rival(one, two))
}

fn random_credentials(random: &mut Random, providers: &[Provider]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for _ in 0..random.below(4) {
        let id = random.below(providers.len());
        // Nearly always a slot of the provider of the credential.
        let slot = match random.below(6) {
            0 => random.pick(&Slot::OF_TOKENS),
            1 if random.below(3) == 0 => random.pick(&Slot::OF_KEYS),
            _ => random.pick(&providers[id].from),
        };
        let text = match random.below(12) {
            0 | 1 => Text::Of(id, false),
            2 => Text::Stranger,
            3 => Text::Broken,
            _ => Text::Of(id, true),
        };
        let is_doubled = random.below(20) == 0;
        if shown.iter().all(|other| other.slot.part() != slot.part()) {
            shown.push(Shown {
                slot,
                text,
                is_doubled,
            });
        }
    }
    shown
}

/// A request, with its fields in the order of the credentials.
fn fields(
    path: &str,
    providers: &[Provider],
    shown: &[Shown],
    in_lower_case: bool,
) -> Vec<[String; 2]> {
    let (mut query, mut cookies) = (Vec::new(), Vec::new());
    let mut headers = Vec::new();
    for one in shown {
        let text = text(providers, one.text);
        for _ in 0..=usize::from(one.is_doubled) {
            match one.slot.part() {
                Part::Header(name) => {
                    let value = match one.slot.scheme() {
                        Some(scheme) if in_lower_case => {
                            format!("{} {text}", scheme.to_lowercase())
                        }
                        Some(scheme) => format!("{scheme} {text}"),
                        None => text.clone(),
                    };
                    headers.push([name.to_owned(), value]);
                }
                Part::Query(name) => query.push(format!("{name}={}", text.replace(' ', "%20"))),
                Part::Cookie(name) => cookies.push(format!("{name}={text}")),
            }
        }
    }
    if !cookies.is_empty() {
        headers.insert(headers.len() / 2, ["cookie".to_owned(), cookies.join("; ")]);
    }
    let target = match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", query.join("&")),
    };
    let pseudo = [
        (":method", "GET"),
        (":authority", "api"),
        (":path", &target),
    ];
    let pseudo = pseudo.map(|(name, value)| [name.to_owned(), value.to_owned()]);
    pseudo.into_iter().chain(headers).collect()
}

/// What came back, or what reached the upstream.
#[derive(Debug, PartialEq, Eq)]
enum Observed {
    Passed {
        subject: Option<String>,
        /// What the upstream receives, in which no order matters.
        received: Vec<String>,
    },
    Denied {
        status: u16,
        error: &'static str,
        challenges: Vec<String>,
        body: String,
    },
}

struct Worker<'w> {
    plan: &'w Plan,
    providers: &'w [Provider],
    store: RefCell<Store>,
}

impl Worker<'_> {
    fn ask(&self, fields: &[[String; 2]]) -> Observed {
        let pairs = fields
            .iter()
            .map(|[name, value]| (name.as_bytes(), value.as_bytes()));
        let request = RequestView::new(pairs.collect());
        let mut store = self.store.borrow_mut();
        let mut settled = Vec::new();
        let (mut decision, effects) = loop {
            let circumstances = Circumstances {
                settled: &settled,
                ..Circumstances::new(&Pure, NOW)
            };
            match evaluate(self.plan, &request, &store, circumstances, &mut ()) {
                Outcome::Decided(decision, effects) => break (decision, effects),
                Outcome::Needs(Fetch::Introspection(asked), _) => {
                    let answer = self.introspect(asked.provider, &asked.token);
                    let until = Timestamp::from_millis(NOW.millis() + 30_000);
                    store.introspections.keep(asked.id, answer, NOW, until);
                    settled.push(Fetch::Introspection(asked));
                }
                Outcome::Needs(other, _) => panic!("nothing else is fetched: {other:?}"),
            }
        };
        decision.commit(effects, &mut store, (self.plan, &request), NOW);
        match reply(&decision, &self.plan.presentation, &request, NOW) {
            None => passed(&decision.forward, fields),
            Some(reply) => {
                let challenges = reply.headers.iter();
                let challenges = challenges.filter(|(name, _)| *name == "www-authenticate");
                Observed::Denied {
                    status: reply.status,
                    error: reply.error.expect("a code").name(),
                    challenges: challenges.map(|(_, value)| value.to_owned()).collect(),
                    body: reply.body,
                }
            }
        }
    }

    /// What the authorization server of a provider says: it knows only its own token.
    fn introspect(&self, provider: ProviderId, token: &[u8]) -> Introspected {
        let own = text(self.providers, Text::Of(provider.0, true));
        match own.as_bytes() == token {
            true => {
                let claims = json!({"active": true, "sub": subject(provider.0)});
                Introspected::Active(claims.to_string().into_bytes())
            }
            false => Introspected::Inactive,
        }
    }
}

fn passed(forward: &countersign::evaluate::Forward<'_>, fields: &[[String; 2]]) -> Observed {
    let set = forward.set.iter();
    let set = set.map(|(name, value)| [(*name).to_owned(), value.clone()]);
    let target = forward.target.iter();
    let target = target.map(|target| {
        let target = String::from_utf8_lossy(target).into_owned();
        [":path".to_owned(), target]
    });
    let changed: Vec<_> = set.chain(target).collect();
    let stays = |name: &String| {
        !forward.remove.contains(name) && changed.iter().all(|[other, _]| other != name)
    };
    let kept = fields.iter().filter(|[name, _]| stays(name));
    let mut received = Vec::new();
    let mut subject = None;
    for [name, value] in kept.chain(&changed) {
        match name.as_str() {
            "x-auth-subject" => subject = Some(value.clone()),
            "cookie" => received.extend(value.split("; ").map(|pair| format!("cookie {pair}"))),
            _ => received.push(format!("{name} {value}")),
        }
    }
    received.sort();
    Observed::Passed { subject, received }
}

/// What the upstream receives of a request that passes: no token of the query, and no cookie over which a header wins.
fn received(
    providers: &[Provider],
    path: &str,
    shown: &[Shown],
    removed: &[Slot],
    in_lower_case: bool,
) -> Vec<String> {
    let is_query = |slot: Slot| matches!(slot.part(), Part::Query(_));
    let is_known = |slot: Slot| providers.iter().any(|own| own.from.contains(&slot));
    let stays =
        |one: &&Shown| !(removed.contains(&one.slot) || is_query(one.slot) && is_known(one.slot));
    let kept: Vec<Shown> = shown.iter().filter(stays).copied().collect();
    let fields = fields(path, providers, &kept, in_lower_case);
    match passed(&countersign::evaluate::Forward::default(), &fields) {
        Observed::Passed { received, .. } => received,
        Observed::Denied { .. } => unreachable!("it passes"),
    }
}

/// Whether an answer is the expected one.
fn is_right(
    observed: &Observed,
    expected: &Answer,
    received: impl Fn(&[Slot]) -> Vec<String>,
) -> bool {
    match (observed, expected) {
        (
            Observed::Passed {
                subject: own,
                received: got,
            },
            Answer::Passes(caller, removed),
        ) => *own == caller.map(subject) && *got == received(removed),
        (
            Observed::Denied {
                status,
                error,
                challenges,
                ..
            },
            Answer::Denied(expected, code, offered),
        ) => status == expected && error == code && challenges == offered,
        (
            Observed::Denied {
                status: 400,
                error: "invalid_request",
                challenges,
                ..
            },
            Answer::Malformed(schemes),
        ) => challenges.iter().all(|challenge| {
            let (scheme, rest) = challenge.split_once(' ').expect("a realm");
            let has_error = rest.ends_with(r#", error="invalid_request""#);
            schemes.contains(scheme) && has_error != ["ApiKey", "Basic"].contains(&scheme)
        }),
        _ => false,
    }
}

#[test]
fn random_providers_rules_and_credentials_are_decided_as_the_model_does() {
    let mut random = Random::new(15);
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..CONFIGURATIONS {
        // Small configurations first: their failures are the easiest to read.
        let most = 1 + number * PROVIDERS / CONFIGURATIONS;
        let providers: Vec<Provider> = (0..1 + random.below(most))
            .map(|_| random_provider(&mut random))
            .collect();
        let rules = (0..5).map(|_| random_rule(&mut random, providers.len()));
        let rules = rules.filter(|rule| {
            let faults = config::load_value(&document(&providers, std::slice::from_ref(rule)));
            let faults = faults.err().unwrap_or_default();
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let has = |text: &str| faults.iter().any(|fault| fault.contains(text));
            let are_rivals = have_rivals(&providers, &rule.accepted);
            assert_eq!(
                has("accept the same "),
                are_rivals,
                "{providers:#?} {rule:?}"
            );
            let is_known = |fault: &String| {
                fault.contains("accept the same ") || fault.contains("no request can have")
            };
            assert!(faults.iter().all(is_known), "{faults:?}");
            faults.is_empty()
        });
        let mut rules: Vec<Rule> = rules.collect();
        let loaded = config::load_value(&document(&providers, &rules)).expect("valid rules");
        let policy = loaded.plan.policy.as_ref().expect("a policy");
        for (own, compiled) in providers.iter().zip(&policy.providers) {
            let kind = match own.kind {
                Kind::Jwt => "jwt",
                Kind::Introspection { .. } => "introspection",
                Kind::ApiKey => "api_key",
                Kind::Basic => "basic",
            };
            assert_eq!(kind_of(&compiled.method), kind);
        }
        rules.push(Rule {
            accepted: (0..providers.len()).collect(),
            needs_each: false,
            is_optional: false,
            ignores_others: false,
            is_closed: true,
        });
        let worker = Worker {
            plan: &loaded.plan,
            providers: &providers,
            store: loaded.plan.empty_store().into(),
        };
        for _ in 0..REQUESTS {
            let shown = random_credentials(&mut random, &providers);
            for (number, rule) in rules.iter().enumerate() {
                let path = if rule.is_closed {
                    "/none".to_owned()
                } else {
                    format!("/r{number}")
                };
                let model = Model {
                    providers: &providers,
                    rule,
                };
                let expected = model.answers(&shown);
                let mut orders = vec![(shown.clone(), false), (shown.clone(), true)];
                let mut reversed = shown.clone();
                reversed.reverse();
                orders.push((reversed, false));
                let mut first: Option<Observed> = None;
                for (shown, in_lower_case) in orders {
                    let observed = worker.ask(&fields(&path, &providers, &shown, in_lower_case));
                    let is_expected = expected.iter().any(|answer| {
                        is_right(&observed, answer, |removed| {
                            received(&providers, &path, &shown, removed, in_lower_case)
                        })
                    });
                    assert!(
                        is_expected,
                        "configuration {number}\n{providers:#?}\n{rule:#?}\n{shown:?}\nobserved {observed:?}\nexpected {expected:?}"
                    );
                    if let (Some(first @ Observed::Denied { .. }), Observed::Denied { .. }) =
                        (&first, &observed)
                    {
                        assert_eq!(*first, observed, "{providers:#?}\n{rule:#?}\n{shown:?}");
                    }
                    let kind = match &observed {
                        Observed::Passed { subject: None, .. } => "anonymous",
                        Observed::Passed { .. } => "passed",
                        Observed::Denied { error, .. } => error,
                    };
                    *seen.entry((kind, rule.needs_each)).or_insert(0) += 1;
                    first = first.or(Some(observed));
                }
            }
        }
    }
    crate::support::say(&format!(
        "answers by kind, and whether the rule has `require_all`: {seen:?}"
    ));
    for kind in [
        "passed",
        "unauthorized",
        "invalid_token",
        "invalid_credentials",
        "invalid_request",
    ] {
        for needs_each in [false, true] {
            assert!(
                seen.get(&(kind, needs_each))
                    .is_some_and(|count| *count > 100),
                "{kind}"
            );
        }
    }
}

/// Two random providers that accept different credentials, perhaps with a third.
fn random_pair(random: &mut Random) -> Vec<Provider> {
    loop {
        let count = 2 + random.below(2);
        let drawn = (0..count).map(|_| random_provider(random));
        let providers: Vec<Provider> = drawn.collect();
        if !have_rivals(&providers, &[0, 1]) {
            return providers;
        }
    }
}

#[test]
fn require_all_accepts_two_providers_exactly_if_a_request_can_have_a_credential_of_each() {
    let mut random = Random::new(51);
    let mut counts = [0, 0];
    for _ in 0..CONFIGURATIONS {
        let providers = random_pair(&mut random);
        let mut both = Rule {
            accepted: vec![0, 1],
            needs_each: true,
            is_optional: false,
            ignores_others: false,
            is_closed: false,
        };
        let is_accepted =
            config::load_value(&document(&providers, std::slice::from_ref(&both))).is_ok();
        // The same rule for either provider, which permits only requests with a caller of each.
        both.needs_each = false;
        let mut either = document(&providers, &[both]);
        either["rules"][0]["require"] = json!({"cel": "'p0' in callers && 'p1' in callers"});
        let plan = config::load_value(&either)
            .expect("a valid configuration")
            .plan;
        let worker = Worker {
            plan: &plan,
            providers: &providers,
            store: plan.empty_store().into(),
        };
        let valid = |id: usize, slot: Slot| Shown {
            slot,
            text: Text::Of(id, true),
            is_doubled: false,
        };
        let pairs = providers[0].from.iter();
        let mut pairs = pairs.flat_map(|one| providers[1].from.iter().map(move |two| (*one, *two)));
        let passes = pairs.any(|(one, two)| {
            let shown = [valid(0, one), valid(1, two)];
            let observed = worker.ask(&fields("/r0", &providers, &shown, false));
            one.part() != two.part() && matches!(observed, Observed::Passed { .. })
        });
        assert_eq!(is_accepted, passes, "{providers:#?}");
        counts[usize::from(passes)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}
