//! A real mail server for a test: `server.py` beside this, run by the Python that `scripts/servers need aiosmtpd` made.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gigwire::platform::config::{Config, MailTls};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// A port and a folder; a server listens there from time to time.
pub struct MailServer {
    port: u16,
    folder: TempDir,
    running: Option<Child>,
}

impl MailServer {
    /// Nobody listens yet.
    pub fn down() -> Self {
        // Below the range that the kernel hands out to outgoing connections: it stays free until the server starts.
        let random = || 20_000 + (Uuid::new_v4().as_u128() % 12_000) as u16;
        let port = std::iter::repeat_with(random).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
        MailServer { port, folder: tempfile::tempdir().unwrap(), running: None }
    }

    /// A server that behaves like this.
    pub fn up(mode: &str) -> Self {
        let mut server = Self::down();
        server.start(mode);
        server
    }

    /// Starts it, in place of one that ran.
    pub fn start(&mut self, mode: &str) {
        self.stop();
        let python = std::env::var("TEST_PYTHON").expect(
            "TEST_PYTHON is not set: run scripts/test, or `scripts/servers need aiosmtpd` and name target/python/bin/python",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail/server.py");
        let mut child = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(python))
            .arg(script)
            .arg(self.port.to_string())
            .arg(self.folder.path())
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "the mail server did not start");
        self.running = Some(child);
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Makes it the server of these settings.
    pub fn serve(&self, config: &mut Config) {
        config.mail.smtp_host = "127.0.0.1".to_owned();
        config.mail.smtp_port = self.port;
        config.mail.smtp_tls = MailTls::None;
        config.mail.from = "The Shop <no-reply@shop.test>".to_owned();
    }

    /// Everything that it took, oldest first, as another program understood it.
    pub fn taken(&self) -> Vec<Value> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        files.sort();
        files.iter().map(|file| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The value of a header that must be there once.
pub fn header(letter: &Value, name: &str) -> String {
    let all = letter["headers"].as_array().unwrap();
    let found: Vec<_> = all.iter().filter(|header| header[0] == name).collect();
    assert_eq!(found.len(), 1, "{name}: {letter:#}");
    found[0][1].as_str().unwrap().to_owned()
}
