//! The content of a response that explains why a request was denied, in one of five forms.
//!
//! A page is filled in from its own template. Every other form is a [`Content`]: text that is made once, and what differs
//! from request to request.

#[cfg(not(target_arch = "wasm32"))]
mod schema;

#[cfg(not(target_arch = "wasm32"))]
pub use self::schema::ErrorBody;
use crate::json::write_string;
use crate::presentation::Form;
use crate::presentation::explanation::{Explanation, Occasion};

/// The value of `content-type`; none if there is no content.
pub fn content_type(form: Form) -> Option<&'static str> {
    match form {
        Form::Json => Some("application/json"),
        Form::Problem => Some("application/problem+json"),
        Form::Text => Some("text/plain; charset=utf-8"),
        Form::Html => Some("text/html; charset=utf-8"),
        Form::None => None,
    }
}

/// A content, with room for the time and the identifier of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The content up to the time.
    before: String,
    /// The content after the identifier. None if the content has neither.
    after: Option<String>,
}

/// A content in each form that is made once.
#[derive(Debug)]
pub struct Contents {
    json: Content,
    problem: Content,
    text: Content,
    none: Content,
}

impl Contents {
    /// The contents that explain a denial.
    pub fn new(explanation: &Explanation<'_>) -> Self {
        Self {
            json: json(explanation),
            problem: problem(explanation),
            text: text(explanation),
            none: Content::default(),
        }
    }

    /// The content in a form. Pages are not among them.
    pub fn of(&self, form: Form) -> &Content {
        match form {
            Form::Json => &self.json,
            Form::Problem => &self.problem,
            Form::Text => &self.text,
            Form::Html | Form::None => &self.none,
        }
    }
}

impl Content {
    /// The content that explains a denial. It is empty for a page, which has its own template.
    pub fn new(form: Form, explanation: &Explanation<'_>) -> Self {
        match form {
            Form::Json => json(explanation),
            Form::Problem => problem(explanation),
            Form::Text => text(explanation),
            Form::Html | Form::None => Self::default(),
        }
    }

    /// Writes the content for one request.
    pub fn write(&self, occasion: Occasion<'_>, body: &mut String) {
        body.push_str(&self.before);
        let Some(after) = &self.after else {
            return;
        };
        body.push_str("\"timestamp\":\"");
        body.push_str(occasion.time);
        body.push('"');
        if let Some(id) = occasion.request_id {
            body.push_str(",\"request_id\":\"");
            write_string(body, id);
            body.push('"');
        }
        body.push_str(after);
    }
}

fn json(explanation: &Explanation<'_>) -> Content {
    let mut json = String::with_capacity(ROOM);
    json.push('{');
    object(json, explanation, explanation.link().as_deref())
}

/// A problem (RFC 9457). The members of JSON are its extensions (§3.2), except `status`, which RFC 9457 defines.
fn problem(explanation: &Explanation<'_>) -> Content {
    let link = explanation.link();
    // Without a type, the type is `about:blank`, and its title is the reason phrase of the status (§4.2.1).
    let title = match link {
        Some(_) => explanation.code.title(),
        None => phrase_of(explanation.status).unwrap_or(explanation.code.title()),
    };
    let mut problem = String::with_capacity(2 * ROOM);
    problem.push('{');
    if let Some(link) = &link {
        put_member(&mut problem, "type", link);
        problem.push(',');
    }
    put_member(&mut problem, "title", title);
    problem.push(',');
    put_member(&mut problem, "detail", explanation.message);
    problem.push(',');
    object(problem, explanation, link.as_deref())
}

/// How many bytes a short object has up to the time.
const ROOM: usize = 128;

/// An object that begins with `before`. A member without a value is left out.
fn object(mut before: String, explanation: &Explanation<'_>, link: Option<&str>) -> Content {
    put_member(&mut before, "error", explanation.code.name());
    before.push(',');
    put_member(&mut before, "message", explanation.message);
    before.push_str(",\"status\":");
    before.push_str(&explanation.status.to_string());
    before.push(',');
    let mut after = String::new();
    let members = [("documentation", link), ("action", explanation.action)];
    for (name, value) in members {
        if let Some(value) = value {
            after.push(',');
            put_member(&mut after, name, value);
        }
    }
    after.push('}');
    Content {
        before,
        after: Some(after),
    }
}

fn put_member(object: &mut String, name: &str, value: &str) {
    object.push('"');
    object.push_str(name);
    object.push_str("\":\"");
    write_string(object, value);
    object.push('"');
}

/// A sentence, then one line for each URL. Other control characters are removed: a terminal could obey them.
fn text(explanation: &Explanation<'_>) -> Content {
    let mut text = explanation.sentence();
    let lines = [
        ("What this means: ", explanation.link()),
        ("Ask for access: ", explanation.action.map(str::to_owned)),
    ];
    for (label, url) in lines {
        if let Some(url) = url {
            text.push('\n');
            text.push_str(label);
            text.extend(url.chars().filter(|character| !character.is_control()));
        }
    }
    text.push('\n');
    Content {
        before: text,
        after: None,
    }
}

/// The reason phrase of a status (RFC 9110 §15, RFC 6585 §4); none for a status that only the configuration can choose.
pub fn phrase_of(status: u16) -> Option<&'static str> {
    Some(match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
