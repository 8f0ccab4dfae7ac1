//! `gigwire config`: the settings in use and where each comes from, in the form of the file. Secrets are hidden.

use std::fmt::Write;

use super::{Failure, print};
use crate::platform::config::Loaded;

/// Prints the settings.
pub fn run(loaded: &Loaded) -> Result<(), Failure> {
    let mut text = String::new();
    let mut group = "";
    for setting in &loaded.shown {
        let (own, name) = setting.key.split_once('.').unwrap_or(("", &setting.key));
        if own != group {
            let _ = writeln!(text, "{}[{own}]", if group.is_empty() { "" } else { "\n" });
            group = own;
        }
        // A hidden value is no value that a file could hold.
        let _ = match &setting.value {
            Some(value) => writeln!(text, "{name} = {value} # {}", setting.origin),
            None => writeln!(text, "# {name} is hidden ({})", setting.origin),
        };
    }
    print(&text)
}
