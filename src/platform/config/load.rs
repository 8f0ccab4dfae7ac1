//! Reads the settings: the documented defaults, then the file, then the environment, then flags; the last one wins.
//!
//! Every problem is reported at once, under the name and the place where the value was written. A secret never appears in
//! a message. To give a setting a name in the environment: a line in `NAMES`, and that name in `default.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{Config, check};

/// The settings with their explanations.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Settings and their names in the environment; where there are several, the first that is set counts.
pub(super) const NAMES: [(&str, &[&str]); 33] = [
    ("app.env", &["APP_ENV", "NODE_ENV"]),
    ("app.data_dir", &["DATA_DIR"]),
    ("server.host", &["HOST"]),
    ("server.port", &["PORT"]),
    ("server.public_url", &["PUBLIC_URL"]),
    ("server.trusted_proxies", &["TRUSTED_PROXIES"]),
    ("server.metrics_token", &["METRICS_TOKEN"]),
    ("database.url", &["DATABASE_URL"]),
    ("redis.url", &["REDIS_URL"]),
    ("redis.prefix", &["REDIS_PREFIX"]),
    ("tokens.access_secret", &["ACCESS_SECRET", "JWT_SECRET"]),
    ("tokens.access_secret_previous", &["ACCESS_SECRET_PREVIOUS"]),
    ("tokens.refresh_secret", &["REFRESH_SECRET", "JWT_REFRESH_SECRET"]),
    ("tokens.access_minutes", &["ACCESS_MINUTES"]),
    ("cors.allowed_origins", &["CORS_ORIGIN", "CLIENT_URL", "CLIENT_ORIGIN"]),
    ("money.default_currency", &["DEFAULT_CURRENCY"]),
    ("money.allow_sandbox", &["ALLOW_SANDBOX_PAYMENTS"]),
    ("storage.max_file_size", &["MAX_FILE_SIZE"]),
    ("storage.public_base_url", &["STORAGE_PUBLIC_BASE_URL"]),
    ("storage.bucket", &["S3_BUCKET", "AWS_S3_BUCKET"]),
    ("storage.endpoint", &["S3_ENDPOINT"]),
    ("storage.region", &["S3_REGION"]),
    ("storage.path_style", &["S3_PATH_STYLE"]),
    ("storage.access_key", &["AWS_ACCESS_KEY"]),
    ("storage.secret_key", &["AWS_SECRET_KEY"]),
    ("mail.driver", &["MAIL_DRIVER"]),
    ("mail.from", &["MAIL_FROM"]),
    ("mail.smtp_host", &["SMTP_HOST"]),
    ("mail.smtp_port", &["SMTP_PORT"]),
    ("mail.smtp_user", &["SMTP_USER"]),
    ("mail.smtp_pass", &["SMTP_PASS"]),
    ("mail.smtp_tls", &["SMTP_TLS"]),
    // Not settings of the file, but names that belong to the program all the same.
    ("", &["GIGWIRE_CONFIG", "GIGWIRE_BIN"]),
];

/// Flags and the settings that they set.
const FLAGS: [(&str, &str); 5] = [
    ("--port", "server.port"),
    ("--host", "server.host"),
    ("--database-url", "database.url"),
    ("--redis-url", "redis.url"),
    ("--data-dir", "app.data_dir"),
];

/// Settings whose values are never shown.
const SECRETS: [&str; 9] = [
    "server.metrics_token",
    "database.url",
    "redis.url",
    "tokens.access_secret",
    "tokens.access_secret_previous",
    "tokens.refresh_secret",
    "storage.access_key",
    "storage.secret_key",
    "mail.smtp_pass",
];

/// Kubernetes puts such names into the environment of its own accord when a service is called `gigwire`.
const SERVICE_LINKS: [&str; 2] = ["GIGWIRE_SERVICE_", "GIGWIRE_PORT"];

/// Where settings come from, beside the defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file of `--config`; without one, that of `GIGWIRE_CONFIG`.
    pub file: Option<PathBuf>,
    /// Names and values of the environment.
    pub environment: BTreeMap<String, String>,
    /// Flags as they are written (`--port`), and their values.
    pub flags: Vec<(&'static str, String)>,
}

/// Settings that passed all checks.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The settings once more, for people: secrets are hidden.
    pub shown: Vec<Shown>,
}

/// One setting for people.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its name in the file, such as `server.port`.
    pub key: String,
    /// Its value as TOML writes it; nothing when it must not be shown.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: String,
}

/// Everything that is wrong with the settings, one sentence each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for Problems {}

/// Reads and checks the settings.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut loading = Loading::new();
    loading.file(sources);
    loading.environment(&sources.environment);
    for (flag, value) in &sources.flags {
        if let Some((_, key)) = FLAGS.iter().find(|(name, _)| name == flag) {
            loading.text(key, value, format!("flag {flag}"));
        }
    }
    loading.finish()
}

/// The settings so far.
struct Loading {
    figment: Figment,
    /// Each known setting with its default.
    defaults: BTreeMap<String, Value>,
    /// Where the value that counts was written.
    origins: BTreeMap<String, String>,
    problems: Vec<String>,
}

/// Some settings from one place.
struct Layer(Dict);

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named("settings")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

impl Loading {
    fn new() -> Self {
        let figment = Figment::from(Toml::string(DEFAULTS));
        let mut defaults = BTreeMap::new();
        if let Ok(mut data) = Toml::string(DEFAULTS).data() {
            let groups = data.remove(&Profile::Default).unwrap_or_default();
            collect_leaves(&groups, &mut |key, value| drop(defaults.insert(key, value.clone())));
        }
        Loading { figment, defaults, origins: BTreeMap::new(), problems: Vec::new() }
    }

    fn file(&mut self, sources: &Sources) {
        let named = sources.environment.get("GIGWIRE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let Some(path) = sources.file.clone().or(named) else { return };
        let shown = path.display();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return self.problems.push(format!("the file {shown} cannot be read: {error}")),
        };
        let groups = match Toml::string(&text).data() {
            Ok(mut data) => data.remove(&Profile::Default).unwrap_or_default(),
            // What follows the first line quotes the file, perhaps a secret in it.
            Err(error) => {
                let message = error.to_string();
                let place = message.lines().next().unwrap_or_default().to_owned();
                return self.problems.push(format!("the file {shown} is no TOML: {place}"));
            }
        };
        let mut written = Vec::new();
        collect_leaves(&groups, &mut |key, value| written.push((key, value.clone())));
        for (key, value) in written {
            if self.defaults.contains_key(&key) {
                self.put(&key, value, format!("`{key}` in {shown}"));
            } else {
                let near = self.siblings(&key);
                self.problems.push(format!("`{key}` in {shown}: there is no such setting; there are {near}"));
            }
        }
    }

    /// The settings of the same group, or the groups.
    fn siblings(&self, key: &str) -> String {
        let group = key.split('.').next().unwrap_or_default();
        let mut names: Vec<_> =
            self.defaults.keys().filter(|known| known.split('.').next() == Some(group)).map(String::as_str).collect();
        if names.is_empty() {
            names = self.defaults.keys().filter_map(|known| known.split('.').next()).collect();
            names.dedup();
        }
        names.join(", ")
    }

    fn environment(&mut self, environment: &BTreeMap<String, String>) {
        let set = |name: &str| environment.get(name).filter(|value| !value.trim().is_empty());
        for (key, names) in NAMES.iter().filter(|(key, _)| !key.is_empty()) {
            // Test runners of front ends set it for everything that they start.
            let counts = |name: &&&str| set(name).is_some_and(|value| **name != "NODE_ENV" || value != "test");
            if let Some((name, value)) = names.iter().find(counts).and_then(|name| Some((name, set(name)?))) {
                self.text(key, value, format!("environment variable {name}"));
            }
        }
        if set("MONGODB_URI").is_some() {
            let advice = "MongoDB is not supported; set DATABASE_URL=postgres://.., or nothing for SQLite";
            self.problems.push(format!("environment variable MONGODB_URI: {advice}"));
        }
        let known = |name: &String| NAMES.iter().any(|(_, names)| names.contains(&name.as_str()));
        let linked = |name: &String| SERVICE_LINKS.iter().any(|prefix| name.starts_with(prefix));
        for name in environment.keys().filter(|name| name.starts_with("GIGWIRE_") && !known(name) && !linked(name)) {
            self.problems.push(format!("environment variable {name}: there is no such setting"));
        }
    }

    /// A value that was written as text, turned into the kind of its default. What cannot be turned stays a text, and is
    /// refused with all others at the end.
    fn text(&mut self, key: &str, text: &str, origin: String) {
        let text = text.trim();
        let value = match self.defaults.get(key) {
            Some(Value::Num(..)) => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
            Some(Value::Bool(..)) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Value::from(true),
                "false" | "0" | "no" => Value::from(false),
                _ => Value::from(text),
            },
            Some(Value::Array(..)) => {
                let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
                Value::from(parts)
            }
            _ => Value::from(text),
        };
        self.put(key, value, origin);
    }

    fn put(&mut self, key: &str, value: Value, origin: String) {
        self.origins.insert(key.to_owned(), origin);
        self.merge(key, value);
    }

    fn merge(&mut self, key: &str, value: Value) {
        if let Some(groups) = figment::util::nest(key, value).into_dict() {
            self.figment = std::mem::take(&mut self.figment).merge(Layer(groups));
        }
    }

    fn finish(mut self) -> Result<Loaded, Problems> {
        let config = self.extract();
        if let Some(config) = &config {
            for (key, why) in check::problems(config) {
                self.problems.push(format!("{}: {why}", self.place(key)));
            }
        }
        match config {
            Some(config) if self.problems.is_empty() => Ok(Loaded { config, shown: self.shown() }),
            _ => Err(Problems(self.problems)),
        }
    }

    /// The settings. The reader stops at the first bad value, so each is noted and its default put in its place, until
    /// nothing is left to note.
    fn extract(&mut self) -> Option<Config> {
        for _ in 0..=self.defaults.len() {
            let error = match self.figment.extract::<Config>() {
                Ok(config) => return Some(config),
                Err(error) => error,
            };
            let path = error.path.join(".");
            let key = self.defaults.keys().find(|key| path == **key || path.starts_with(&format!("{key}."))).cloned();
            let Some(key) = key else {
                self.problems.push(format!("`{path}`: {}", error.kind));
                return None;
            };
            let why = if SECRETS.contains(&&*key) { "a text is wanted".to_owned() } else { error.kind.to_string() };
            self.problems.push(format!("{}: {why}", self.place(&key)));
            let default = self.defaults.get(&key).cloned()?;
            self.merge(&key, default);
        }
        None
    }

    /// Where a setting was written, or where it can be.
    fn place(&self, key: &str) -> String {
        if let Some(origin) = self.origins.get(key) {
            return origin.clone();
        }
        match NAMES.iter().find(|(known, _)| *known == key) {
            Some((_, names)) => format!("`{key}` ({})", names.join(" or ")),
            None => format!("`{key}`"),
        }
    }

    fn shown(&self) -> Vec<Shown> {
        let show = |key: &String| {
            let value = self.figment.find_value(key).unwrap_or_else(|_| Value::from(""));
            let value = match SECRETS.contains(&&**key) {
                true => value.as_str().filter(|text| text.is_empty()).map(|_| "\"\"".to_owned()),
                false => Some(toml(&value)),
            };
            let origin = self.origins.get(key).cloned().unwrap_or_else(|| "default".to_owned());
            Shown { key: key.clone(), value, origin }
        };
        self.defaults.keys().map(show).collect()
    }
}

/// Tells every value that is not a group, with its dotted name.
fn collect_leaves(groups: &Dict, tell: &mut impl FnMut(String, &Value)) {
    for (group, value) in groups {
        match value {
            Value::Dict(_, settings) => {
                settings.iter().for_each(|(name, value)| tell(format!("{group}.{name}"), value))
            }
            other => tell(group.clone(), other),
        }
    }
}

/// A value in the notation of TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Bool(_, on) => on.to_string(),
        Value::Num(_, number) => number.to_i128().map_or_else(String::new, |number| number.to_string()),
        Value::Array(_, items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Char(..) | Value::Empty(..) | Value::Dict(..) => String::new(),
    }
}
