//! Findings as text: each with its position, its line and its fix.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Checked, Counts, Region};
use countersign::grammar::unprintable::escaped;

use crate::exit::Syntax;
use crate::finding::{Finding, Severity};
use crate::source::{Position, Source, without_secrets};

/// The findings of each file and a summary.
pub fn render(files: &[Checked], color: bool) -> String {
    let mut text = String::new();
    for file in files {
        for finding in &file.findings {
            text += &one(finding, &file.name, file.source.as_ref(), color);
            text.push('\n');
        }
    }
    let configurations = files.iter().map(|file| file.configurations).sum();
    let counts = Counts::of(files);
    let of_files = match files.len() {
        1 => String::new(),
        several => format!("{}: ", counted(several, "file")),
    };
    let failed = files.iter().filter(|file| file.failure.is_some()).count();
    let of_failed = match failed {
        0 => String::new(),
        failed => format!(", {} not checked", counted(failed, "file")),
    };
    text + &format!(
        "{of_files}{}, {}, {}{of_failed}\n",
        counted(configurations, "configuration"),
        counted(counts.errors, "error"),
        counted(counts.warnings, "warning"),
    )
}

/// The faults of one configuration of a file.
pub fn faults(source: &Source, path: &str, faults: Vec<Finding>) -> String {
    let texts = faults
        .into_iter()
        .map(|fault| one(&fault.below(path), &source.name, Some(source), false));
    texts.collect::<Vec<_>>().join("\n")
}

/// The line of a file that cannot be parsed.
pub fn syntax(at: &Syntax) -> String {
    let source = Source::new(String::new(), at.text.clone(), Vec::new());
    let Some(bytes) = source.rest_of_line(at.line, at.column.unwrap_or(1)) else {
        return String::new();
    };
    let excerpt = source.excerpt(&bytes);
    let group = Group::with_level(Level::ERROR).element(
        Snippet::source(excerpt.line)
            .line_start(at.line)
            .annotation(AnnotationKind::Primary.span(excerpt.marked)),
    );
    format!("\n{}", Renderer::plain().render(&[group]))
}

fn one(finding: &Finding, name: &str, source: Option<&Source>, color: bool) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(escaped(&finding.text))
        .id(&*finding.code);
    let mut group = Group::with_title(title);
    let region = source.and_then(|source| Some((source, Region::of(finding, source)?)));
    let mut shown = None;
    match &region {
        None => group = group.element(Origin::path(name)),
        Some((source, region)) => {
            let excerpt = source.excerpt(&region.bytes);
            let before = excerpt.line.get(..excerpt.marked.start).unwrap_or_default();
            shown = Some((before.chars().count() + 1, region.start));
            let snippet = Snippet::source(excerpt.line)
                .path(name)
                .line_start(region.start.line)
                .annotation(AnnotationKind::Primary.span(excerpt.marked));
            group = group.element(snippet);
        }
    }
    if !finding.path.is_empty() {
        let path = without_secrets(&finding.path);
        let path = match path.contains(char::is_control) {
            true => escaped(&path).into_owned(),
            false => path,
        };
        group = group.element(Level::NOTE.with_name("key").message(path));
    }
    if let Some(fix) = &finding.fix {
        group = group.element(Level::HELP.message(escaped(fix)));
    }
    let renderer = match color {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let text = renderer.render(&[group]) + "\n";
    let Some((column, start)) = shown else {
        return text;
    };
    // The renderer counts the column in the line as it is shown, in which what may be a secret is shortened.
    let Position {
        line, column: own, ..
    } = start;
    text.replacen(
        &format!("{name}:{line}:{column}"),
        &format!("{name}:{line}:{own}"),
        1,
    )
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
