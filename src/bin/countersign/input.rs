//! What a verb reads: a file, or standard input where the file is `-`.

use std::io::Read;
use std::path::Path;

use crate::ending::Failure;

/// Above this a file is no configuration.
const BYTES_MAX: u64 = 64 << 20;

/// The text of a file.
pub fn read_text(file: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(file)?)
        .map_err(|_| Failure::new(format_args!("`{}` is not UTF-8", file.display())))
}

/// The bytes of a file.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error| Failure::new(format_args!("cannot read `{}`: {error}", file.display()));
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(BYTES_MAX + 1)
            .read_to_end(&mut bytes)
    } else {
        let open = std::fs::File::open(file).map_err(cannot)?;
        open.take(BYTES_MAX + 1).read_to_end(&mut bytes)
    };
    match read {
        Ok(length) if length as u64 > BYTES_MAX => Err(Failure::new(format_args!(
            "`{}` is too long to be a configuration",
            file.display()
        ))),
        Ok(_) => Ok(bytes),
        Err(error) => Err(cannot(error)),
    }
}

/// How a file is called in what is printed about it.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}
