//! What `check` prints, in one line for each finding.

/// The output of `check` with one line for each finding: the file, the key, the severity unless it is an error, the message
/// and the fix.
pub fn brief(output: &str) -> String {
    let (mut brief, mut rest) = (String::new(), output);
    while let Some((finding, after)) = finding(rest) {
        brief += &finding;
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    brief + rest
}

/// The finding that begins an output, in one line, and the rest of the output.
fn finding(output: &str) -> Option<(String, &str)> {
    let (first, mut rest) = output.split_once('\n')?;
    let (severity, message) = first.split_once('[')?;
    let severity = match severity {
        "error" => "",
        "warning" => "warning: ",
        "note" => "note: ",
        _ => return None,
    };
    let message = message.split_once("]: ")?.1;
    let (mut file, mut key, mut help) = (String::new(), String::new(), String::new());
    while let Some((line, after)) = rest.split_once('\n').filter(|(line, _)| {
        let line = line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        line.starts_with(['|', '=']) || line.starts_with("-->")
    }) {
        let line = line.trim_start();
        if let Some(origin) = line.strip_prefix("--> ") {
            let mut parts = origin.rsplitn(3, ':').collect::<Vec<_>>();
            let is_position =
                parts.len() == 3 && parts[..2].iter().all(|part| part.parse::<usize>().is_ok());
            file = if is_position {
                parts.pop().unwrap()
            } else {
                origin
            }
            .to_owned();
        } else if let Some(path) = line.strip_prefix("= key: ") {
            key = format!("{path}: ");
        } else if let Some(fix) = line.strip_prefix("= help: ") {
            help = format!("; {fix}");
        }
        rest = after;
    }
    Some((format!("{file}: {key}{severity}{message}{help}\n"), rest))
}
