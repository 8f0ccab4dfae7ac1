//! The rules of the house, read from the tree itself.
//!
//! To add one: a function from (path, text) to what is wrong, a line in a test here, and made-up snippets that it refuses.

mod imports;
mod tokens;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// No file of `src` or `tests` is longer.
const LINES_MAX: usize = 400;
/// A longer file is named in the output, and passes.
const LINES_WANTED: usize = 250;

/// The files of a feature.
const ROOMS: [&str; 6] = ["mod.rs", "model.rs", "commands.rs", "queries.rs", "store.rs", "events.rs"];

/// Features that do without some of the six files, each with the reason.
const SMALL: [(&str, &str); 7] = [
    ("admin", "owns nothing: it runs the commands of others"),
    ("audit", "rows come from the unit of work, nobody changes them, and they are no events"),
    ("earnings", "a projection of completed bookings: nobody commands it"),
    ("presence", "no tables: the platform knows who is there, and tells it"),
    ("profiles", "no tables: it writes through the commands of accounts and uploads"),
    ("proof", "an auditor of the tables of others: it changes none of them and states no events"),
    ("search", "an index that follows the events of others"),
];

/// Built from another source by a tool: not ours to shape.
const BUILT: [&str; 1] = ["src/server/playground/dist"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the tree as (path below the root, text), without the folders that `.gitignore` names.
fn files() -> Vec<(String, String)> {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let skipped: Vec<_> = ignored.lines().filter_map(|line| line.strip_suffix('/')).chain([".git"]).collect();
    let mut found = Vec::new();
    let mut open = vec![root().to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = relative(&entry.path());
            if skipped.iter().any(|name| entry.file_name() == *name) || BUILT.contains(&path.as_str()) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

/// Runs a rule over the files that are `chosen`, and fails with all that it finds.
#[track_caller]
fn check(chosen: impl Fn(&str) -> bool, rule: impl Fn(&str, &str) -> Vec<String>) {
    let files: Vec<_> = files().into_iter().filter(|(path, _)| chosen(path)).collect();
    assert!(!files.is_empty(), "the rule looked at nothing");
    let wrong: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| rule(path, text).into_iter().map(move |what| format!("{path}: {what}")))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

#[test]
fn imports_go_down() {
    check(|path| path.starts_with("src/") && is_rust(path), |path, text| imports::wrong_imports(&path[4..], text));
}

#[test]
fn files_are_short() {
    let ours =
        |path: &str| (path.starts_with("src/") || path.starts_with("tests/")) && !path.ends_with("package-lock.json");
    check(ours, |path, text| {
        let lines = text.lines().count();
        if lines > LINES_WANTED {
            println!("{path}: {lines} lines, {LINES_WANTED} are wanted");
        }
        too_long(text)
    });
}

fn too_long(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines > LINES_MAX { vec![format!("{lines} lines, at most {LINES_MAX}: split it by noun")] } else { vec![] }
}

#[test]
fn modules_say_what_they_are() {
    check(is_rust, |_, text| undocumented(text));
}

fn undocumented(text: &str) -> Vec<String> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if first.starts_with("//! ") { vec![] } else { vec!["begin with a `//!` that says what is in here".into()] }
}

#[test]
fn shapes_are_derived_against_our_objects() {
    check(|path| path.starts_with("src/schema/") && is_rust(path), |_, text| underived(text));
}

/// Objects and interfaces that the engine would resolve in its own, slower way, which does not keep the order of fields.
fn underived(text: &str) -> Vec<String> {
    let is_shape =
        |line: &str| line.contains("derive(") && (line.contains("SimpleObject") || line.contains("Interface)"));
    let lines: Vec<_> = text.lines().collect();
    let wrong = lines.windows(3).enumerate().filter(|(_, next)| {
        is_shape(next[0]) && !next[1..].iter().any(|line| line.contains(r#"crate = "crate::schema::object""#))
    });
    wrong.map(|(n, _)| format!("{}: derive it with `crate = \"crate::schema::object\"`", n + 1)).collect()
}

#[test]
fn nothing_is_left_to_do() {
    check(|path| path.starts_with("src/") && is_rust(path), |_, text| unfinished(text));
}

fn unfinished(text: &str) -> Vec<String> {
    let marks = ["todo!", "unimplemented!", "TODO", "FIXME"];
    let numbered = text.lines().enumerate();
    numbered
        .flat_map(|(n, line)| {
            marks.iter().filter(|mark| line.contains(**mark)).map(move |mark| format!("{}: `{mark}`", n + 1))
        })
        .collect()
}

#[test]
fn no_machine_is_named() {
    check(|_| true, machines);
}

/// Paths and addresses that only mean something on the machine where somebody wrote them down.
fn machines(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for folder in ["root", "home", "Users", "mnt"].map(|name| format!("/{name}")) {
            let named = line.match_indices(&folder).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + folder.len()..].chars().next();
                let part_of_more = |c: char| c.is_alphanumeric() || "_-.}*".contains(c);
                !before.is_some_and(part_of_more) && !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-')
            });
            if named {
                wrong.push(format!("{}: `{folder}` is a place on one machine", n + 1));
            }
        }
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\"") {
        wrong.push("names a registry host: set `omit-lockfile-registry-resolved=true` in .npmrc".into());
    }
    wrong
}

#[test]
fn features_have_the_same_rooms() {
    let folder = root().join("src/features");
    let features: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect(),
        Err(error) => panic!("src/features cannot be read: {error}"),
    };
    let wrong: Vec<_> = features
        .iter()
        .flat_map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let files: Vec<_> =
                fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            rooms(&name, &files)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What is wrong with the files of one feature.
fn rooms(feature: &str, files: &[String]) -> Vec<String> {
    let missing: Vec<_> = ROOMS.into_iter().filter(|room| !files.iter().any(|file| file == room)).collect();
    let small = SMALL.iter().any(|(name, _)| *name == feature);
    let mut wrong = Vec::new();
    if imports::uses(feature).is_none() {
        wrong.push(format!("{feature}: has no row in FEATURES"));
    }
    if small && missing.is_empty() {
        wrong.push(format!("{feature}: has all the files, take it off the list SMALL"));
    } else if !small && !missing.is_empty() {
        wrong.push(format!("{feature}: lacks {}", missing.join(", ")));
    }
    wrong
}

#[test]
fn the_schema_file_is_fresh() {
    let output = Command::new(env!("CARGO_BIN_EXE_gigwire")).arg("schema").output().unwrap();
    assert!(output.status.success(), "`gigwire schema` failed: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("type Query"), "`gigwire schema` printed no schema");
    let kept = fs::read_to_string(root().join("schema.graphql")).unwrap_or_default();
    if let Some(difference) = first_difference(&kept, &printed) {
        panic!("schema.graphql, {difference}: run `cargo run -- schema > schema.graphql`");
    }
}

fn first_difference(kept: &str, printed: &str) -> Option<String> {
    if kept == printed {
        return None;
    }
    let same = kept.lines().zip(printed.lines()).take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    Some(format!("line {}: is `{}`, should be `{}`", same + 1, line(kept), line(printed)))
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, ROOMS, first_difference, machines, rooms, too_long, underived, undocumented, unfinished};

    #[test]
    fn long_and_silent_and_unfinished_files_are_refused() {
        assert!(too_long(&"x\n".repeat(LINES_MAX)).is_empty());
        assert_eq!(too_long(&"x\n".repeat(LINES_MAX + 1)).len(), 1);
        assert!(undocumented("\n//! What it is.\nuse a;").is_empty());
        assert_eq!(["", "use a;\n//! late", "// not a doc", "//!"].map(|text| undocumented(text).len()), [1; 4]);
        assert!(unfinished("// what is to do\nlet todo = 1;").is_empty());
        assert_eq!(unfinished("a\n todo!() // TODO"), ["2: `todo!`", "2: `TODO`"]);
        let ours = "#[graphql(crate = \"crate::schema::object\", complex)]";
        assert!(underived(&format!("#[derive(Clone, SimpleObject)]\n{ours}\nstruct A;")).is_empty());
        assert_eq!(underived("#[derive(SimpleObject)]\n#[graphql(complex)]\nstruct A;").len(), 1);
    }

    #[test]
    fn machines_are_noticed() {
        let at = |name: &str| format!("cd /{name}/me # /{name}");
        assert_eq!(["root", "home", "Users", "mnt"].map(|name| machines("a", &at(name)).len()), [1; 4]);
        assert!(machines("a", "src/root/a, ./home/b, /homes, https://a.example/home, {base}/root").is_empty());
        assert_eq!(machines("a/package-lock.json", "{\"resolved\": 1}").len(), 1);
    }

    #[test]
    fn a_missing_room_is_noticed() {
        let all = ROOMS.map(String::from);
        assert!(rooms("jobs", &all).is_empty());
        assert_eq!(rooms("jobs", &all[..5]), ["jobs: lacks events.rs"]);
        assert!(rooms("audit", &all[..1]).is_empty());
        assert_eq!(rooms("audit", &all), ["audit: has all the files, take it off the list SMALL"]);
        assert_eq!(rooms("haggling", &all), ["haggling: has no row in FEATURES"]);
    }

    #[test]
    fn a_stale_schema_is_noticed() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\n", "a\nb\n").unwrap(), "line 2: is `(the end)`, should be `b`");
        assert!(first_difference("a\nb", "a\nb\n").is_some(), "the last line's end counts");
    }
}
