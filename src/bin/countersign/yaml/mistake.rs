//! Which mistake in a YAML file a parser's error is a consequence of.
//!
//! The parser says what it cannot read. The line that it names, and the lines beside it, show what the author did. No
//! message repeats text of the file, which can hold secrets.

/// A mistake: the number of its line, and the message.
type Mistake = (usize, &'static str);

const TAB: &str = "found a tab: YAML is indented with spaces";
const NO_BREAK_SPACE: &str = "found a no-break space: use a space";
/// What is wrong with a template.
pub const TEMPLATE: &str =
    "found a template that is not rendered: render it first, for example with `helm template`";
/// What is wrong with `${subject}`.
pub const DOLLAR: &str = "a placeholder is written without `$`, such as `{subject}` or `{url}`";
const OPEN_QUOTE: &str = "the quote that begins here does not end in this line";
const EARLY_QUOTE: &str =
    "a quote ends the text before its end: in `'…'` write `''`, and in `\"…\"` write `\\\"`";
const ESCAPE: &str = "`\\` begins an escape in `\"…\"`: write `\\\\`, or use `'…'`";
const CURLY_QUOTE: &str = "found a quote such as `“`: use `\"`";
const ALIAS: &str = "`*` begins an alias in YAML: quote the text, such as `\"*\"`";
const FIRST_CHARACTER: &str = "a text cannot begin with `@`, `%` or a backtick in YAML: quote it";
const COLON: &str = "found a second `: ` in a line: quote text that has one";
const FLOW: &str =
    "in `[…]` and `{…}`, quote text that has `{`, `}`, `[`, `]` or `,`, such as `\"/users/{id}\"`";
const BRACES: &str = "a text that begins with `{` or `[` is an object or a list in YAML: quote it, such as `\"{subject}:{provider}\"`";
const NO_COLON: &str = "expected `key: value`, with a space after `:`";
const INDENTATION: &str =
    "wrong indentation: keys of one object, and the `-` of one list, begin in the same column";

/// The mistake that explains an error of the parser in a line, counted from 1.
pub fn find(text: &str, line: usize, error: &str) -> Option<Mistake> {
    let lines: Vec<&str> = text.lines().collect();
    let at = |number: usize| {
        number
            .checked_sub(1)
            .and_then(|index| lines.get(index))
            .copied()
    };
    let near = |what: &dyn Fn(&str) -> bool| {
        let numbers = [line, line + 1, line.saturating_sub(1)];
        numbers
            .into_iter()
            .find(|number| at(*number).is_some_and(what))
    };
    let own = at(line).unwrap_or_default();
    if let Some(number) = near(&|line| is_template(line)) {
        return Some((number, TEMPLATE));
    }
    if let Some(number) = near(&|line| line.contains('\t')) {
        return Some((number, TAB));
    }
    if let Some(number) = near(&|line| indentation(line).contains('\u{a0}')) {
        return Some((number, NO_BREAK_SPACE));
    }
    if let Some(number) = open_quote(&lines, line, error) {
        return Some((number, OPEN_QUOTE));
    }
    if error.contains("escape") || error.contains("hexadecimal") {
        return Some((line, ESCAPE));
    }
    if error.contains("trailing content") {
        return Some((line, EARLY_QUOTE));
    }
    if error.contains("anchor") {
        return Some((line, ALIAS));
    }
    if error.contains("unexpected character") {
        return Some((line, FIRST_CHARACTER));
    }
    if error.contains("flow") && near(&|line| line.contains(['“', '”'])).is_some() {
        return Some((line, CURLY_QUOTE));
    }
    if error.contains("flow") || error.contains("as the key") {
        return Some((line, FLOW));
    }
    if has_text_behind_braces(own) {
        return Some((line, BRACES));
    }
    let colons = own.matches(": ").count() + usize::from(own.trim_end().ends_with(':'));
    if error.contains("mapping values") && colons > 1 {
        return Some((line, COLON));
    }
    let is_key = |line: &str| line.trim_end().ends_with(':') || line.contains(": ");
    let previous = line.saturating_sub(1);
    if [line, previous]
        .into_iter()
        .any(|number| is_text_alone(at(number), &is_key))
    {
        let number = if is_text_alone(at(line), &is_key) {
            line
        } else {
            previous
        };
        return Some((number, NO_COLON));
    }
    let is_of_structure = ["mapping values", "block", "indent", "expected key"];
    is_of_structure
        .iter()
        .any(|part| error.contains(part))
        .then_some((line, INDENTATION))
}

/// Whether a line holds text without a key, such as `realm orders` or `realm:orders`.
fn is_text_alone(line: Option<&str>, is_key: &dyn Fn(&str) -> bool) -> bool {
    line.is_some_and(|line| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with(['#', '-', '[', ']', '{', '}', '"', '\''])
            && !is_key(line)
    })
}

/// Whether the value in a line begins with `{` or `[`, and text follows behind the end of the object or the list.
fn has_text_behind_braces(line: &str) -> bool {
    let value = line.trim_start().trim_start_matches("- ");
    let value = value.split_once(": ").map_or(value, |(_, value)| value);
    let close = match value.trim_start().chars().next() {
        Some('{') => '}',
        Some('[') => ']',
        _ => return false,
    };
    let behind = value.split_once(close).map_or("", |(_, behind)| behind);
    !matches!(behind, "" | ":") && !behind.starts_with([' ', ',', ']', '}'])
}

fn indentation(line: &str) -> &str {
    let end = line.find(|character: char| !character.is_whitespace());
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}

/// Whether a text has an expression of a template: `{{ .Values.realm }}`, `{% if x %}`, `${REALM}` or `$(REALM)`.
pub fn is_template(text: &str) -> bool {
    let mut actions = text.split("{{").skip(1);
    let is_action = |after: &str| {
        let is_helm = after.starts_with(['-', '.', '$', '/', ' ']);
        is_helm
            || ["include ", "template ", "toYaml ", "if ", "end"]
                .iter()
                .any(|word| after.starts_with(word))
    };
    let is_name = |name: &str| {
        let of_name =
            |character: char| character.is_ascii_alphanumeric() || "_.".contains(character);
        let name = name.split(':').next().unwrap_or_default();
        !name.is_empty() && name.chars().all(of_name)
    };
    let has_variable = |open: &str, close: char| {
        let mut variables = text.split(open).skip(1);
        variables.any(|after| {
            after
                .split_once(close)
                .is_some_and(|(name, _)| is_name(name))
        })
    };
    actions.any(is_action)
        || has_variable("${", '}')
        || has_variable("$(", ')')
        || text.contains("{%") && text.contains("%}")
}

/// The line of a quote without its end: the named line, or the nearest one before it.
fn open_quote(lines: &[&str], line: usize, error: &str) -> Option<usize> {
    let reaches = if error.contains("quoted") { line } else { 2 };
    let numbers = (1..=line.min(lines.len())).rev().take(reaches);
    numbers.into_iter().find(|number| {
        lines
            .get(number - 1)
            .is_some_and(|line| has_open_quote(line))
    })
}

/// Whether a quote that begins a value in a line does not end in the line.
fn has_open_quote(line: &str) -> bool {
    let mut open = None;
    let mut before = ' ';
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match open {
            None if character == '#' && before == ' ' => return false,
            None if matches!(character, '"' | '\'') && " [{,".contains(before) => {
                open = Some(character);
            }
            None => {}
            Some('"') if character == '\\' => {
                let _ = characters.next();
            }
            // Two single quotes in a single-quoted text are one.
            Some('\'') if character == '\'' && characters.peek() == Some(&'\'') => {
                let _ = characters.next();
            }
            Some(quote) if character == quote => open = None,
            Some(_) => {}
        }
        before = character;
    }
    open.is_some()
}
