//! Ordinary requests, each with the rule that it is for and what that binds.

use serde_json::{Map, Value};

use super::rules::{self, Rule, SITE};
use super::templates::ToldBy;
use super::texts::{Field, Texts};
use crate::fuzz::random::Random;

/// How often each template is filled in.
const TIMES: usize = 3;
/// What all other rules are asked for by.
const HOST: &str = "api.example.com";

/// An ordinary request.
pub struct Request {
    pub method: &'static str,
    pub target: String,
    pub host: String,
    pub fields: Vec<Field>,
    /// Where the token stands: in a cookie, or in `Authorization`.
    pub by_cookie: bool,
    /// The name of the rule that it is for.
    pub rule: String,
    /// What the rule binds.
    pub bound: Map<String, Value>,
}

/// The requests: every template and every path of the website, with each text of the lists at least once.
pub fn all(rules: &[Rule], texts: &Texts) -> Vec<Request> {
    let mut maker = Maker {
        rules,
        texts,
        next: Next::default(),
        random: Random::new(1),
    };
    let mut requests = Vec::new();
    for rule in rules.iter().filter(|rule| rule.name != "site") {
        for _ in 0..TIMES {
            let path = maker.filled(&rule.template);
            requests.push(maker.request(path, rule.told_by));
        }
    }
    for path in &texts.paths {
        requests.push(maker.request(path.clone(), ToldBy::Host(SITE, SITE)));
        // The same below a segment that is bound.
        let value = maker.value().clone();
        requests.push(maker.request(format!("/by/{value}{path}"), ToldBy::Nothing));
    }
    requests
}

/// How many of each list were taken.
#[derive(Default)]
struct Next {
    value: usize,
    query: usize,
    cookie: usize,
    client: usize,
    proxy: usize,
}

struct Maker<'a> {
    rules: &'a [Rule],
    texts: &'a Texts,
    next: Next,
    random: Random,
}

impl<'a> Maker<'a> {
    fn value(&mut self) -> &'a String {
        in_turn(&self.texts.values, &mut self.next.value)
    }

    fn filled(&mut self, template: &str) -> String {
        let segments: Vec<String> = template
            .split('/')
            .map(|segment| match segment {
                "**" => "and/more".to_owned(),
                _ if segment.starts_with('{') => self.value().clone(),
                _ => segment.to_owned(),
            })
            .collect();
        segments.join("/")
    }

    fn request(&mut self, path: String, told_by: ToldBy) -> Request {
        let mut host = HOST.to_owned();
        let mut fields = in_turn(&self.texts.clients, &mut self.next.client).clone();
        let method = match fields.first() {
            Some((name, _)) if name == ":method" => {
                fields.remove(0);
                "POST"
            }
            _ => "GET",
        };
        match told_by {
            ToldBy::Nothing => {}
            ToldBy::Host(_, own) => own.clone_into(&mut host),
            ToldBy::Field(name, value) => fields.push((name.to_owned(), value.to_owned())),
        }
        if self.random.below(2) == 0 {
            let proxy = in_turn(&self.texts.proxies, &mut self.next.proxy);
            fields.extend(proxy.iter().cloned());
        }
        let by_cookie = self.random.below(4) == 0;
        if by_cookie || self.random.below(2) == 0 {
            let cookie = in_turn(&self.texts.cookies, &mut self.next.cookie);
            fields.push(("cookie".to_owned(), cookie.clone()));
        }
        let found = rules::find(self.rules, &path, &host, &fields);
        let (rule, bound) = found.unwrap_or_else(|| panic!("no rule is for {path}"));
        let target = match self.random.below(3) {
            0 => path,
            _ => format!(
                "{path}?{}",
                in_turn(&self.texts.queries, &mut self.next.query)
            ),
        };
        Request {
            method,
            target,
            host,
            by_cookie,
            rule: rule.name.clone(),
            bound,
            fields,
        }
    }
}

/// One text of a list after the other, and again from its beginning.
fn in_turn<'a, T>(list: &'a [T], next: &mut usize) -> &'a T {
    let text = &list[*next % list.len()];
    *next += 1;
    text
}

impl Request {
    /// Its header fields as a client sends them, with a token.
    pub fn head(&self, token: &str) -> Vec<Field> {
        let mut head = vec![("host".to_owned(), self.host.clone())];
        head.extend(self.fields.iter().cloned());
        if self.by_cookie {
            let cookie = head.iter_mut().find(|(name, _)| name == "cookie");
            let (_, cookie) = cookie.expect("a cookie to add the token to");
            *cookie = format!("{cookie}; {}={token}", super::COOKIE);
        } else {
            head.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        head
    }
}
