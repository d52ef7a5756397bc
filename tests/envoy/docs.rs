//! The commands of the documentation print what the pages say. `BLESS=1` rewrites the pages.
//!
//! The commands of a page run in order, in one shell. What listens on port 10000 there is an Envoy as `make run` starts it:
//! after `make run RECIPE=…` with a recipe of the cookbook, and after `make run CONFIG=gate.yaml` with a block of the page.

mod script;
mod servers;

use self::script::{Script, Step};
use self::servers::Servers;
use crate::pages::rewritten::Rewritten;
use crate::pages::terminal::Terminal;
use crate::pages::{Page, output, pages};

#[test]
fn every_command_prints_what_the_page_says() {
    let pages = pages();
    let is_selected = |page: &Page| match std::env::var("PAGE") {
        Ok(path) => page.path.contains(&path),
        Err(_) => true,
    };
    let mut pages: Vec<Script> = pages
        .into_iter()
        .filter(is_selected)
        .map(Script::of)
        .collect();
    pages.retain(|page| !page.steps.is_empty());
    assert!(!pages.is_empty());
    let servers = Servers::start(&pages);
    let (mut faults, is_blessed) = (Vec::new(), std::env::var_os("BLESS").is_some());
    for script in &pages {
        let mut rewritten = Rewritten::of(&script.page);
        let mut terminal = Terminal::start();
        for step in &script.steps {
            match step {
                Step::File(name, text) => terminal.write(name, text),
                Step::Run {
                    gate,
                    command,
                    line,
                } => {
                    let at = script.page.at(*line);
                    match servers.run(&mut terminal, gate, &command.text) {
                        Ok(printed) if output::is_as_written(&command.output, &printed) => {}
                        Ok(printed) if is_blessed => rewritten.replace(*line, command, &printed),
                        Ok(printed) => {
                            faults.push(format!("{at}: $ {}\n{}", command.text, printed.join("\n")))
                        }
                        Err(fault) => faults.push(format!("{at}: $ {}\n{fault}", command.text)),
                    }
                }
            }
        }
        rewritten.save();
    }
    assert!(
        faults.is_empty(),
        "{} commands print something else:\n\n{}",
        faults.len(),
        faults.join("\n\n")
    );
    assert_eq!(servers.envoy.alarms(), Vec::<String>::new());
}
