//! The services of `compose.yaml`.

use std::env;
use std::process::{Command, Stdio};

use crate::support::{self, in_repository};

/// Apart from the services that a person has started.
const PROJECT: &str = "countersign-test";

/// The services, while this value exists.
pub struct Services {
    engine: Engine,
}

/// What runs containers.
enum Engine {
    /// Docker of this machine.
    Docker,
    /// The engine that the program `DOCKER_STAND_INS` has started, which listens on this address. It has Compose 1, and no image
    /// of Grafana.
    StandIns(String),
}

impl Services {
    /// Builds the images and starts the services, of which each then is healthy.
    ///
    /// # Panics
    /// There is no Docker, or a service does not become healthy.
    pub fn up() -> Self {
        for program in ["countersign", "countersign-page", "countersign.wasm"] {
            assert!(
                in_repository("dist/programs").join(program).exists(),
                "`dist/programs/{program}` does not exist: run `make programs` (`make test-all` does)"
            );
        }
        let services = Self {
            engine: Engine::start(),
        };
        services.run(&["config", "--quiet"]);
        let listed = services.run(&["config", "--services"]);
        let mut names: Vec<&str> = listed.lines().collect();
        if let Engine::StandIns(_) = services.engine {
            names.retain(|name| *name != "grafana");
        }
        services.run(&[&["up", "--detach", "--build"], &*names].concat());
        services
    }

    /// `docker compose` as a function of a shell, for these services.
    pub fn shell_function(&self) -> String {
        let command = self.engine.compose();
        let mut words: Vec<String> = command
            .get_envs()
            .filter_map(|(name, value)| Some(format!("{}='{}'", name.to_str()?, value?.to_str()?)))
            .collect();
        words.push("command".to_owned());
        words.push(command.get_program().to_string_lossy().into_owned());
        words.extend(
            command
                .get_args()
                .map(|argument| argument.to_string_lossy().into_owned()),
        );
        let (top, command) = (env!("CARGO_MANIFEST_DIR"), words.join(" "));
        format!("docker() {{ shift; (cd '{top}' && {command} \"$@\"); }}")
    }

    /// Whether a command is one that [`up`](Self::up) and the end of this value stand for.
    pub fn starts_or_stops(command: &str) -> bool {
        ["git ", "cd ", "docker compose up", "docker compose down"]
            .iter()
            .any(|start| command.starts_with(start))
            || command.contains(" docker compose up")
    }

    /// What the services have logged last.
    pub fn logs(&self) -> String {
        let output = self
            .engine
            .compose()
            .args(["logs", "--tail", "20"])
            .output();
        output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }

    /// What a command of Compose prints.
    fn run(&self, arguments: &[&str]) -> String {
        let ended = self
            .engine
            .compose()
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("Compose runs");
        assert!(
            ended.status.success(),
            "`docker compose {}` failed:\n{}\n{}",
            arguments.join(" "),
            String::from_utf8_lossy(&ended.stderr),
            self.logs()
        );
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let mut down = self.engine.compose();
        let _ = down.args(["down", "--volumes", "--timeout", "5"]).output();
    }
}

impl Engine {
    /// # Panics
    /// There is none.
    fn start() -> Self {
        let Some(program) = env::var_os("DOCKER_STAND_INS") else {
            let is_there = |arguments: &[&str]| {
                let output = Command::new("docker").args(arguments).output();
                output.is_ok_and(|output| output.status.success())
            };
            assert!(
                is_there(&["compose", "version"]) && is_there(&["info"]),
                "`docker compose` does not run: install Docker with Compose, or name a program that starts an engine: DOCKER_STAND_INS=PATH"
            );
            return Self::Docker;
        };
        let envoy = env::var_os("ENVOY").expect("ENVOY names an Envoy: `make test-all` finds one");
        support::say("starting an engine and making images (a few minutes)");
        let ended = Command::new(&program)
            .arg("start")
            .arg(envoy)
            .stderr(Stdio::inherit())
            .output();
        let ended = ended.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let printed = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        let address = printed.strip_prefix("export DOCKER_HOST=");
        let engine = Self::StandIns(
            address
                .unwrap_or_else(|| panic!("no engine: {printed}"))
                .to_owned(),
        );
        // The image that the programs of this machine run in.
        let tag = engine
            .command("docker")
            .args(["tag", "stand-in-base", "debian:trixie-slim"])
            .status();
        assert!(
            tag.is_ok_and(|status| status.success()),
            "`docker tag` failed"
        );
        engine
    }

    /// Compose for the project of the tests.
    fn compose(&self) -> Command {
        let mut command = match self {
            Self::Docker => {
                let mut command = self.command("docker");
                command.arg("compose");
                command
            }
            Self::StandIns(_) => self.command("docker-compose"),
        };
        command.args(["--project-name", PROJECT]);
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(in_repository(""))
            .env("COUNTERSIGN_PROGRAMS", "prebuilt");
        if let Self::StandIns(address) = self {
            command.env("DOCKER_HOST", address);
        }
        command
    }
}
