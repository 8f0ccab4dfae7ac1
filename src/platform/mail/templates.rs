//! The texts of letters: a file per letter and language, embedded, each of them replaceable by one in a folder.
//!
//! A file has four sections, each after a line of its own: `--- example` holds made-up facts as JSON, then come
//! `--- subject`, `--- text` and `--- html`. What stands in HTML is escaped. A placeholder that nobody fills is an
//! error, and every file is rendered with its example at start-up, so that it shows before a user waits for a letter.
//! `layout.html` of the same language goes around the HTML.
//!
//! To add a language: a folder beside `en`. What it lacks is taken from `en`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use rust_embed::Embed;
use serde_json::{Map, Value as Json};

use crate::kernel::{Error, Result};

/// The language that has every letter.
const COMPLETE: &str = "en";
/// The file that goes around the HTML of all letters.
const LAYOUT: &str = "layout.html";
/// The sections of a letter.
const SECTIONS: [&str; 4] = ["example", "subject", "text", "html"];

#[derive(Embed)]
#[folder = "src/platform/mail/templates/"]
struct BuiltIn;

/// A letter, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// For those who read no HTML.
    pub text: String,
    /// A whole page.
    pub html: String,
}

/// All letters in all languages.
pub struct Templates {
    environment: Environment<'static>,
    languages: BTreeSet<String>,
    default: String,
}

/// Files by their path, such as `en/welcome.jinja`.
type Files = BTreeMap<String, String>;

impl Templates {
    /// The built-in letters, with those of the folder in their place. Renders each of them once.
    pub fn load(overrides: Option<&Path>, default: &str, brand: &str) -> Result<Self> {
        let mut files: Files = BuiltIn::iter()
            .filter_map(|path| {
                Some((path.to_string(), String::from_utf8(BuiltIn::get(&path)?.data.into_owned()).ok()?))
            })
            .collect();
        let known: BTreeSet<String> =
            files.keys().filter_map(|path| Some(path.split_once('/')?.1.to_owned())).collect();
        let examples = examples(&files)?;
        if let Some(folder) = overrides {
            let replaced = read(folder).map_err(|error| broken(&folder.display().to_string(), &error))?;
            if let Some(path) =
                replaced.keys().find(|path| !path.split_once('/').is_some_and(|(_, file)| known.contains(file)))
            {
                let names: Vec<_> = known.iter().map(String::as_str).collect();
                return Err(broken(path, &format!("there is no such letter; there are {}", names.join(", "))));
            }
            files.extend(replaced);
        }
        let environment = environment(&files, brand)?;
        let languages = files.keys().filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect();
        let templates = Templates { environment, languages, default: default.to_owned() };
        if !templates.languages.contains(default) {
            return Err(broken(default, &"there are no letters in this language (`mail.language`)"));
        }
        for language in &templates.languages {
            for (letter, facts) in &examples {
                templates.render(language, letter, facts)?;
            }
        }
        Ok(templates)
    }

    /// The wanted language if there are letters in it, else the one of the settings.
    pub fn language<'a>(&'a self, wanted: Option<&'a str>) -> &'a str {
        wanted.filter(|wanted| self.languages.contains(*wanted)).unwrap_or(&self.default)
    }

    /// Writes a letter out. A placeholder without a fact is an error.
    pub fn render(&self, language: &str, letter: &str, facts: &Map<String, Json>) -> Result<Rendered> {
        let subject = self.fill(language, &format!("{letter}.subject"), facts)?;
        let text = self.fill(language, &format!("{letter}.text"), facts)?;
        let html = self.fill(language, &format!("{letter}.html"), facts)?;
        let mut framed = Map::from_iter([("title".to_owned(), subject.clone().into())]);
        framed.insert("language".to_owned(), language.into());
        let page = self.frame(language, &framed, html)?;
        Ok(Rendered { subject: subject.trim().to_owned(), text, html: page })
    }

    fn fill(&self, language: &str, name: &str, facts: &Map<String, Json>) -> Result<String> {
        self.run(language, name, Value::from_serialize(facts))
    }

    fn frame(&self, language: &str, facts: &Map<String, Json>, body: String) -> Result<String> {
        let mut values: BTreeMap<&str, Value> =
            facts.iter().map(|(name, value)| (name.as_str(), Value::from_serialize(value))).collect();
        // It was escaped when it was rendered.
        values.insert("body", Value::from_safe_string(body));
        self.run(language, LAYOUT, values.into_iter().collect())
    }

    fn run(&self, language: &str, name: &str, values: Value) -> Result<String> {
        let own = self.environment.get_template(&format!("{language}/{name}"));
        let template = own.or_else(|_| self.environment.get_template(&format!("{COMPLETE}/{name}")));
        let path = format!("{language}/{name}");
        template.and_then(|template| template.render(values)).map_err(|error| broken(&path, &error))
    }
}

/// A template's problem, with its place. Facts are not part of it.
fn broken(path: &str, why: &impl std::fmt::Display) -> Error {
    Error::internal(format!("the mail template {path}: {why}"))
}

/// The facts that each letter gets, as its own file shows them.
fn examples(files: &Files) -> Result<BTreeMap<String, Map<String, Json>>> {
    let prefix = format!("{COMPLETE}/");
    let letters =
        files.iter().filter_map(|(path, text)| Some((path, path.strip_prefix(&prefix)?.strip_suffix(".jinja")?, text)));
    letters
        .map(|(path, letter, text)| {
            let [example, ..] = sections(path, text)?;
            let facts = serde_json::from_str(example).map_err(|error| broken(path, &error))?;
            Ok((letter.to_owned(), facts))
        })
        .collect()
}

fn environment(files: &Files, brand: &str) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with("html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.add_global("brand", brand.to_owned());
    for (path, text) in files {
        let mut add = |name: String, text: &str| {
            environment.add_template_owned(name, text.to_owned()).map_err(|error| broken(path, &error))
        };
        match path.strip_suffix(".jinja") {
            None => add(path.clone(), text)?,
            Some(letter) => {
                let [_, subject, text, html] = sections(path, text)?;
                add(format!("{letter}.subject"), subject)?;
                add(format!("{letter}.text"), text)?;
                add(format!("{letter}.html"), html)?;
            }
        }
    }
    Ok(environment)
}

/// The four sections of a letter, in their order.
fn sections<'a>(path: &str, text: &'a str) -> Result<[&'a str; 4]> {
    let mut rest = text;
    let mut found = [""; 4];
    for (index, name) in SECTIONS.iter().enumerate() {
        let line = format!("--- {name}\n");
        let begin = rest.find(&line).ok_or_else(|| broken(path, &format!("the line `--- {name}` is missing")))?;
        if let Some(previous) = index.checked_sub(1) {
            found[previous] = rest[..begin].trim();
        }
        rest = &rest[begin + line.len()..];
    }
    found[3] = rest.trim();
    Ok(found)
}

/// The files of a folder of languages.
fn read(folder: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    for language in std::fs::read_dir(folder)? {
        let language = language?;
        if !language.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(language.path())? {
            let file = file?;
            let path = format!("{}/{}", language.file_name().to_string_lossy(), file.file_name().to_string_lossy());
            files.insert(path, std::fs::read_to_string(file.path())?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "--- example\n{}\n--- subject\nHi\n--- text\nHello {{ name }}\n--- html\n<p>{{ name }}</p>\n";

    fn with(path: &str, text: &str) -> Result<Templates> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        Templates::load(Some(folder.path()), "en", "Shop")
    }

    fn facts(name: &str) -> Map<String, Json> {
        Map::from_iter([
            ("name".to_owned(), name.into()),
            ("code".to_owned(), "0042".into()),
            ("minutes".to_owned(), 10.into()),
        ])
    }

    #[test]
    fn every_letter_renders_with_its_example() {
        let templates = Templates::load(None, "en", "Shop").unwrap();
        let files: Files = BuiltIn::iter()
            .map(|path| (path.to_string(), String::from_utf8(BuiltIn::get(&path).unwrap().data.into_owned()).unwrap()))
            .collect();
        let examples = examples(&files).unwrap();
        assert!(examples.len() >= 2, "{examples:?}");
        for (letter, example) in examples {
            let rendered = templates.render("en", &letter, &example).unwrap();
            assert!(!rendered.subject.is_empty() && !rendered.subject.contains('\n'), "{letter}: {rendered:?}");
            assert!(rendered.html.contains("width=device-width"), "{letter}: readable on phones");
            // What the letter is given stands in both of its bodies.
            for fact in example.values().filter_map(Json::as_str) {
                assert!(rendered.text.contains(fact) && rendered.html.contains(fact), "{letter}: {fact}");
            }
            // Each fact is needed: without it, the letter is refused rather than sent with a gap.
            for missing in example.keys() {
                let mut less = example.clone();
                less.remove(missing);
                assert!(templates.render("en", &letter, &less).is_err(), "{letter} without {missing}");
            }
        }
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let templates = Templates::load(None, "en", "Shop").unwrap();
        let rendered = templates.render("en", "welcome", &facts("<b>&\"Ada")).unwrap();
        assert!(rendered.text.contains("<b>&\"Ada"), "{}", rendered.text);
        assert!(!rendered.html.contains("<b>") && rendered.html.contains("&lt;b&gt;&amp;"), "{}", rendered.html);
    }

    #[test]
    fn a_folder_replaces_letters_and_adds_languages() {
        let templates = with("de/welcome.jinja", LETTER).unwrap();
        let german = templates.render("de", "welcome", &facts("Ada")).unwrap();
        assert_eq!((german.subject.as_str(), german.text.as_str()), ("Hi", "Hello Ada"));
        assert!(german.html.contains("<p>Ada</p>") && german.html.contains("lang=\"de\""), "{}", german.html);
        let english = templates.render("en", "welcome", &facts("Ada")).unwrap();
        assert_ne!(english.text, german.text);
        assert_eq!(
            templates.render("de", "email-code", &facts("Ada")).unwrap().text,
            templates.render("en", "email-code", &facts("Ada")).unwrap().text
        );
        assert_eq!(
            (templates.language(Some("de")), templates.language(Some("fr")), templates.language(None)),
            ("de", "en", "en")
        );
    }

    #[test]
    fn broken_letters_stop_the_start() {
        let refused = |path: &str, text: &str| with(path, text).err().unwrap().message;
        assert!(refused("en/welcome.jinja", &LETTER.replace("name", "nmae")).contains("en/welcome.text"));
        assert!(refused("de/welcome.jinja", &LETTER.replace("name", "nmae")).contains("de/welcome.text"));
        assert!(refused("en/welcome.jinja", "--- subject\nHi").contains("`--- example` is missing"));
        assert!(refused("en/welcome.jinja", &LETTER.replace("}}", "}")).contains("en/welcome.jinja"));
        assert!(refused("en/wellcome.jinja", LETTER).contains("there is no such letter"));
        assert!(Templates::load(None, "fr", "Shop").err().unwrap().message.contains("mail.language"));
        assert!(Templates::load(Some(Path::new("none")), "en", "Shop").is_err());
    }
}
