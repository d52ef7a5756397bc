//! Transcripts of a terminal in `console` blocks: the commands, and what they print.

use regex_lite::Regex;

use super::output::without_empty_end;

/// A command of a transcript.
#[derive(Debug, Clone)]
pub struct Command {
    /// The line of the block that the command begins on, from 0.
    pub line: usize,
    /// The command without `$ `, all its lines.
    pub text: String,
    /// The line of the block that the output begins on, from 0.
    pub output_line: usize,
    /// The lines of the output, without empty lines at the end.
    pub output: Vec<String>,
}

/// The commands of a block.
///
/// # Errors
/// The block does not begin with a command, or a command has no end.
pub fn commands(block: &str) -> Result<Vec<Command>, String> {
    let lines: Vec<&str> = block.lines().collect();
    let mut commands: Vec<Command> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let begin = at;
        let Some(first) = line.strip_prefix("$ ") else {
            return Err(format!(
                "expected a command that begins with `$ `, found `{line}`"
            ));
        };
        let mut text = first.to_owned();
        at += 1;
        while text.ends_with('\\') {
            let line = lines
                .get(at)
                .ok_or("the last line of a command ends with `\\`")?;
            text = format!("{text}\n{line}");
            at += 1;
        }
        if let Some(word) = here_document(&text) {
            loop {
                let line = lines
                    .get(at)
                    .ok_or_else(|| format!("expected the line `{word}`"))?;
                text = format!("{text}\n{line}");
                at += 1;
                if *line == word {
                    break;
                }
            }
        }
        let output_line = at;
        while lines.get(at).is_some_and(|line| !line.starts_with("$ ")) {
            at += 1;
        }
        let output = lines[output_line..at].iter().map(|line| (*line).to_owned());
        commands.push(Command {
            line: begin,
            text,
            output_line,
            output: without_empty_end(output.collect()),
        });
    }
    Ok(commands)
}

/// The word that ends the here-document of a command.
fn here_document(command: &str) -> Option<String> {
    let operator = Regex::new(r#"<<-?\s*['"]?(\w+)['"]?"#).expect("a pattern");
    Some(operator.captures(command)?[1].to_owned())
}

#[test]
fn commands_have_their_lines_and_their_output() {
    let block = "$ a \\\n  b\nc\n\n$ d <<'EOF'\n$ e\nEOF\n$ f\ng\n\nh\n\n";
    let found = commands(block).unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|own| (own.line, &*own.text, own.output.concat()))
        .collect();
    let expected = [
        (0, "a \\\n  b", "c".to_owned()),
        (4, "d <<'EOF'\n$ e\nEOF", String::new()),
        (7, "f", "gh".to_owned()),
    ];
    assert_eq!(seen, expected);
    assert!(commands("a\n").is_err());
    assert!(commands("$ a \\\n").is_err());
    assert!(commands("$ a <<EOF\nb\n").is_err());
}
