//! The input of a verb: a file, or standard input if the file is `-`.

use std::io::Read;
use std::path::Path;

use countersign::grammar::unprintable::escaped;

use crate::exit::Failure;

/// The largest file that is read, in MiB.
const MIB_MAX: u64 = 64;

/// The text of a file.
pub fn read_text(file: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(file)?)
        .map_err(|_| failure(file, |name| format!("`{name}` is not UTF-8")))
}

/// The bytes of a file.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let cannot_read = |error| failure(file, |name| format!("cannot read `{name}`: {error}"));
    let bytes_max = MIB_MAX << 20;
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(bytes_max + 1)
            .read_to_end(&mut bytes)
    } else {
        let open = std::fs::File::open(file).map_err(cannot_read)?;
        open.take(bytes_max + 1).read_to_end(&mut bytes)
    };
    match read {
        Ok(length) if length as u64 > bytes_max => Err(failure(file, |name| {
            format!("`{name}` is too large: expected at most {MIB_MAX} MiB")
        })),
        Ok(_) => Ok(bytes),
        Err(error) => Err(cannot_read(error)),
    }
}

/// The failure that concerns a file, with a message that contains its name.
pub fn failure(file: &Path, message: impl FnOnce(&str) -> String) -> Failure {
    let name = name(file);
    let message = message(&name);
    Failure::of_file(name, message)
}

/// The name of a file in messages. Control characters and invisible characters are escaped.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        escaped(&file.to_string_lossy()).into_owned()
    }
}
