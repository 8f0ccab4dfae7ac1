//! Settings: where they come from, and what is refused.

use std::collections::BTreeMap;

use gigwire::platform::config::{Config, Loaded, MailDriver, MailTls, Problems, Sources, load};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn loaded(pairs: &[(&str, &str)]) -> Result<Loaded, Problems> {
    load(&Sources { environment: environment(pairs), ..Sources::default() })
}

fn config(pairs: &[(&str, &str)]) -> Config {
    loaded(pairs).unwrap().config
}

#[track_caller]
fn refused(pairs: &[(&str, &str)], parts: &[&str]) {
    let problems = loaded(pairs).unwrap_err();
    assert_eq!(problems.0.len(), parts.len(), "{problems}");
    for part in parts {
        assert!(problems.0.iter().any(|problem| problem.contains(part)), "`{part}` is missing: {problems}");
    }
}

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gigwire.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Sources { file: Some(path), ..Sources::default() })
}

#[test]
fn the_defaults_serve_as_they_are() {
    let config = config(&[]);
    assert_eq!((config.server.port, config.tokens.access_minutes), (4000, 15));
    assert_eq!(config.database_url(), "sqlite:./data/gigwire.db");
    assert!(config.is_development() && config.cors.allowed_origins.is_empty());
}

#[test]
fn flag_wins_over_environment_over_file_over_default() {
    let (_folder, mut sources) =
        file("[server]\nport = 1\nhost = \"0.0.0.0\"\n[redis]\nprefix = \"a\"\n[offers]\npending_per_job = 7");
    sources.environment = environment(&[("PORT", "2"), ("REDIS_PREFIX", "b")]);
    sources.flags = vec![("--port", "3".to_owned())];
    let loaded = load(&sources).unwrap();
    let config = loaded.config;
    assert_eq!((config.server.port, &*config.redis.prefix, config.offers.pending_per_job), (3, "b", 7));
    assert_eq!(config.server.host.to_string(), "0.0.0.0");
    let origin = |key: &str| loaded.shown.iter().find(|shown| shown.key == key).unwrap().origin.clone();
    assert_eq!(origin("server.port"), "flag --port");
    assert_eq!(origin("redis.prefix"), "environment variable REDIS_PREFIX");
    assert!(origin("server.host").starts_with("`server.host` in "));
    assert_eq!(origin("database.connections"), "default");
}

#[test]
fn the_file_may_be_named_in_the_environment() {
    let (_folder, sources) = file("[server]\nport = 1");
    let path = sources.file.unwrap().display().to_string();
    assert_eq!(config(&[("GIGWIRE_CONFIG", &path)]).server.port, 1);
    refused(&[("GIGWIRE_CONFIG", "none.toml")], &["none.toml cannot be read"]);
}

#[test]
fn names_that_front_ends_know_are_understood() {
    let config = config(&[
        ("NODE_ENV", "test"),
        ("JWT_SECRET", "one"),
        ("JWT_REFRESH_SECRET", "12345"),
        ("CLIENT_URL", "http://a.test:3000, https://b.test/ ,"),
        ("TRUSTED_PROXIES", "10.0.0.1,::1"),
        ("ALLOW_SANDBOX_PAYMENTS", "TRUE"),
        ("PORT", " 0 "),
        ("REDIS_URL", ""),
        ("HOST", "  "),
    ]);
    assert_eq!(config.tokens.access_secret.reveal(), "one");
    assert_eq!(config.tokens.refresh_secret.reveal(), "12345", "a number is a text too");
    assert_eq!(config.cors.allowed_origins, ["http://a.test:3000", "https://b.test/"]);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert!(config.money.allow_sandbox && config.is_development() && !config.redis.url.is_set());
    let both = self::config(&[("ACCESS_SECRET", "own"), ("JWT_SECRET", "other")]);
    assert_eq!(both.tokens.access_secret.reveal(), "own");
}

#[test]
fn all_problems_are_told_at_once_where_they_were_written() {
    let (_folder, mut sources) =
        file("[server]\nprot = 1\nhost = \"nowhere\"\n[tokens]\naccess_minutes = 60\n[nothing]\na = 1");
    sources.environment = environment(&[
        ("PORT", "many"),
        ("TRUSTED_PROXIES", "10.0.0.1, proxy"),
        ("MONGODB_URI", "mongodb://x"),
        ("GIGWIRE_PROT", "1"),
        ("GIGWIRE_SERVICE_HOST", "10.1.1.1"),
        ("CORS_ORIGIN", "app.example.org"),
    ]);
    let problems = load(&sources).unwrap_err();
    let expected = [
        "`server.prot` in ",
        "`server.host` in ",
        "`nothing.a` in ",
        "`tokens.access_minutes` in ",
        "environment variable PORT: ",
        "environment variable TRUSTED_PROXIES: ",
        "environment variable MONGODB_URI: MongoDB is not supported",
        "environment variable GIGWIRE_PROT: there is no such setting",
        "environment variable CORS_ORIGIN: `app.example.org` is no origin",
    ];
    for part in expected {
        assert!(problems.0.iter().any(|problem| problem.starts_with(part)), "`{part}` is missing: {problems}");
    }
    assert_eq!(problems.0.len(), expected.len(), "{problems}");
    assert!(problems.to_string().contains("server.port"), "the known settings are named: {problems}");
}

#[test]
fn secrets_are_never_shown() {
    const SECRET: &str = "s3cr3t-s3cr3t";
    let url = format!("postgres://me:{SECRET}@db/x");
    let loaded =
        loaded(&[("DATABASE_URL", &url), ("ACCESS_SECRET", SECRET), ("REDIS_URL", &url), ("REFRESH_SECRET", SECRET)]);
    let loaded = loaded.unwrap();
    assert!(!format!("{loaded:?}").contains(SECRET));
    for text in [
        format!("[tokens]\naccess_secret = [\"{SECRET}\"]"),
        format!("[tokens]\naccess_secret = \"{SECRET}"),
        format!("[database]\nurl = {{ a = \"{SECRET}\" }}"),
    ] {
        let (_folder, sources) = file(&text);
        let problems = load(&sources).unwrap_err().to_string();
        assert!(!problems.contains(SECRET), "{problems}");
    }
}

#[test]
fn numbers_have_ranges() {
    refused(&[("ACCESS_MINUTES", "14")], &["environment variable ACCESS_MINUTES: 14 is not within 15 to 30"]);
    refused(&[("ACCESS_MINUTES", "31"), ("DEFAULT_CURRENCY", "dollars")], &["ACCESS_MINUTES", "DEFAULT_CURRENCY"]);
    let (_folder, sources) = file("[money]\nservice_bps = 10001\nplatform_bps = -1");
    assert_eq!(load(&sources).unwrap_err().0.len(), 2);
}

#[test]
fn production_refuses_what_is_only_safe_at_home() {
    let (long, other) = ("a".repeat(32), "b".repeat(32));
    let parts = [
        "ACCESS_SECRET or JWT_SECRET",
        "REFRESH_SECRET or JWT_REFRESH_SECRET",
        "ALLOW_SANDBOX_PAYMENTS",
        "MAIL_FROM",
        "SMTP_HOST",
    ];
    refused(&[("APP_ENV", "production")], &parts);
    refused(&[("NODE_ENV", "production")], &parts);
    let good = [
        ("APP_ENV", "production"),
        ("REFRESH_SECRET", &*other),
        ("ALLOW_SANDBOX_PAYMENTS", "true"),
        ("SMTP_HOST", "smtp.example.org"),
        ("MAIL_FROM", "no-reply@example.org"),
    ];
    let with = |more: &[(&'static str, &str)]| {
        [&good[..], more].concat().iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
    };
    let check = |more: &[(&'static str, &str)]| {
        load(&Sources { environment: with(more).into_iter().collect(), ..Sources::default() })
    };
    assert!(check(&[("ACCESS_SECRET", &long)]).is_ok());
    assert!(check(&[("ACCESS_SECRET", "short")]).unwrap_err().0[0].contains("at least 32 characters"));
    assert!(check(&[("ACCESS_SECRET", &other)]).unwrap_err().0[0].contains("must differ"));
    assert!(check(&[("ACCESS_SECRET", &long), ("CORS_ORIGIN", "*")]).unwrap_err().0[0].contains("any origin"));
    assert!(config(&[("CORS_ORIGIN", "*")]).check().is_ok(), "at home any origin is fine");
}

#[test]
fn a_bucket_needs_its_key_and_addresses_are_whole() {
    let config = config(&[]);
    assert_eq!((config.storage.max_file_size, &*config.storage.bucket), (10 * 1024 * 1024, ""));
    let keys = [("AWS_ACCESS_KEY", "half"), ("AWS_SECRET_KEY", "other half")];
    let named = [&keys[..], &[("AWS_S3_BUCKET", "files"), ("S3_PATH_STYLE", "true"), ("MAX_FILE_SIZE", "7")]].concat();
    let loaded = loaded(&named).unwrap();
    let storage = &loaded.config.storage;
    assert_eq!((&*storage.bucket, storage.path_style, storage.max_file_size), ("files", true, 7));
    assert!(!format!("{loaded:?}").contains("half"), "{loaded:?}");
    refused(&[("S3_BUCKET", "files")], &["AWS_ACCESS_KEY", "AWS_SECRET_KEY"]);
    refused(&[("MAX_FILE_SIZE", "0")], &["MAX_FILE_SIZE"]);
    refused(
        &[("PUBLIC_URL", "api.example.org"), ("S3_ENDPOINT", "ftp://x"), ("STORAGE_PUBLIC_BASE_URL", "https://x/?a")],
        &["PUBLIC_URL", "S3_ENDPOINT", "STORAGE_PUBLIC_BASE_URL"],
    );
    let (_folder, sources) = file("[storage]\nbuckets = 1");
    assert!(load(&sources).unwrap_err().0[0].contains("there is no such setting"));
    let plain = self::config(&[("PUBLIC_URL", "http://api.example.org")]);
    assert!(plain.check().is_ok());
    let mut production = plain;
    production.app.env = gigwire::platform::config::Profile::Production;
    assert!(production.check().unwrap_err().to_string().contains("https only"));
}

#[test]
fn letters_leave_through_a_server_if_there_is_one() {
    assert_eq!(config(&[]).mail.driver(), MailDriver::File);
    assert_eq!(config(&[("SMTP_HOST", "mail.test")]).mail.driver(), MailDriver::Smtp);
    assert_eq!(config(&[("SMTP_HOST", "mail.test"), ("MAIL_DRIVER", "log")]).mail.driver(), MailDriver::Log);
    let mail = config(&[("SMTP_PORT", "465"), ("SMTP_USER", "me"), ("SMTP_PASS", "12345"), ("SMTP_TLS", "tls")]).mail;
    assert_eq!((mail.smtp_port, mail.smtp_pass.reveal(), mail.smtp_tls), (465, "12345", MailTls::Tls));
    refused(&[("MAIL_DRIVER", "smtp")], &["SMTP_HOST): the driver smtp needs a mail server"]);
    refused(&[("MAIL_DRIVER", "pigeon")], &["MAIL_DRIVER"]);
    refused(&[("SMTP_TLS", "perhaps")], &["SMTP_TLS"]);
    refused(&[("SMTP_PORT", "0")], &["SMTP_PORT"]);
    refused(&[("MAIL_FROM", "nobody")], &["MAIL_FROM"]);
    refused(&[("MAIL_FROM", "a <b@c.test>\r\nBcc: d@e.test")], &["MAIL_FROM"]);
    refused(&[("SMTP_USER", "me")], &["SMTP_USER: user and password are set together"]);
    let (_folder, sources) = file("[codes]\ndigits = 3\nminutes = 16");
    assert_eq!(load(&sources).unwrap_err().0.len(), 2);
}

#[test]
fn production_sends_its_letters_and_not_in_clear_text() {
    let (one, two) = ("a".repeat(32), "b".repeat(32));
    let production = |more: &[(&'static str, &'static str)]| {
        let mut pairs = vec![("APP_ENV", "production"), ("ACCESS_SECRET", &*one), ("REFRESH_SECRET", &*two)];
        pairs.extend([("ALLOW_SANDBOX_PAYMENTS", "true"), ("MAIL_FROM", "Shop <no-reply@shop.test>")]);
        pairs.extend(more);
        loaded(&pairs).map_err(|problems| problems.to_string())
    };
    let host = ("SMTP_HOST", "mail.test");
    assert!(production(&[host]).is_ok());
    assert!(production(&[]).unwrap_err().contains("production sends its letters"));
    for driver in ["file", "log"] {
        assert!(production(&[host, ("MAIL_DRIVER", driver)]).unwrap_err().contains("production sends its letters"));
    }
    assert!(production(&[host, ("SMTP_TLS", "none")]).unwrap_err().contains("clear text"));
    for here in ["localhost", "127.0.0.1", "::1"] {
        assert!(production(&[("SMTP_HOST", here), ("SMTP_TLS", "none")]).is_ok(), "{here}");
    }
    assert!(config(&[host, ("SMTP_TLS", "none")]).check().is_ok(), "at home clear text is fine");
}

#[test]
fn an_unknown_profile_is_refused() {
    refused(&[("APP_ENV", "staging")], &["environment variable APP_ENV"]);
}
