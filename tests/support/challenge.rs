//! Challenges, read back as a client reads them (RFC 9110 §11.6.1), but strictly as this filter writes them.

/// A challenge, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed {
    pub scheme: String,
    /// Names and values in order, escapes resolved.
    pub parameters: Vec<(String, String)>,
}

impl Parsed {
    /// The value of the parameter of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// Parameters of Digest that are tokens (RFC 7616 §3.3); every other value is a quoted-string.
const TOKENS: [&str; 4] = ["algorithm", "stale", "charset", "userhash"];

/// The parameters that hold neither a quote nor a backslash, so that nothing in them is ever escaped (RFC 6750 §3).
const WITHOUT_ESCAPES: [&str; 6] = [
    "error",
    "error_description",
    "error_uri",
    "scope",
    "acr_values",
    "max_age",
];

/// `auth-scheme 1*SP #auth-param`: the realm first, no parameter twice, no element empty.
pub fn parse(challenge: &str) -> Result<Parsed, String> {
    let (scheme, mut rest) = challenge.split_once(' ').ok_or("no parameter")?;
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !is_name(scheme) {
        return Err("no scheme".to_owned());
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once('=').ok_or("a parameter without a value")?;
        if !is_name(name) {
            return Err(format!("{name:?} is no parameter's name"));
        }
        if parameters
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            return Err(format!("{name} is there twice"));
        }
        let (value, further) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None if scheme == "Digest" && TOKENS.contains(&name) => token(after),
            None => return Err(format!("{name} is no quoted-string")),
        };
        if WITHOUT_ESCAPES.contains(&name) && value.contains(['"', '\\']) {
            return Err(format!(
                "{name} has an escape, which RFC 6750 does not allow"
            ));
        }
        parameters.push((name.to_owned(), value));
        if further.is_empty() {
            break;
        }
        rest = further
            .strip_prefix(", ")
            .ok_or("no `, ` between parameters")?;
    }
    if parameters[0].0 != "realm" {
        return Err("realm is not the first parameter".to_owned());
    }
    Ok(Parsed {
        scheme: scheme.to_owned(),
        parameters,
    })
}

fn quoted_string(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        let character = match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => escaped,
                _ => return Err("an escape of what needs none".to_owned()),
            },
            other => other,
        };
        if !(' '..='~').contains(&character) {
            return Err("a value with other than printable ASCII".to_owned());
        }
        value.push(character);
    }
    Err("a quoted-string that is not closed".to_owned())
}

fn token(text: &str) -> (String, &str) {
    let end = text.find(',').unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

#[test]
fn reads_what_is_well_formed_and_nothing_else() {
    let parsed = parse(r#"Bearer realm="a\"b\\c, d", error="invalid_token""#).unwrap();
    assert_eq!(parsed.get("realm"), Some(r#"a"b\c, d"#));
    assert_eq!(parsed.get("error"), Some("invalid_token"));
    assert_eq!(
        parse(r#"Digest realm="a", algorithm=MD5"#)
            .unwrap()
            .get("algorithm"),
        Some("MD5")
    );
    for text in [
        "Bearer",
        "Bearer ",
        "Bearer realm",
        "Bearer realm=a",
        r#"Bearer error="x", realm="a""#,
        r#"Bearer realm="a", Realm="b""#,
        r#"Bearer realm="a",  error="b""#,
        r#"Bearer realm="a", "#,
        r#"Bearer realm="a"#,
        r#"Bearer realm="\a""#,
        "Bearer realm=\"\u{e9}\"",
        r#"Bearer realm="a", scope="b\\c""#,
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}
