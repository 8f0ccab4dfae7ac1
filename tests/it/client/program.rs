//! The program `gigwire client` at work, and the road between it and the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::support::app::{Instance, PASSWORD, TestUser};

/// What does not come within this time never comes.
const PATIENCE: Duration = Duration::from_secs(20);

fn program(url: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigwire"));
    command.env_clear().env("WS_URL", url).envs(environment.iter().copied()).arg("client").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What became of a script.
#[derive(Debug)]
pub struct Played {
    pub status: Option<i32>,
    pub said: String,
    pub complaint: String,
}

impl Played {
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.status, Some(0), "{self:#?}");
        self.said
    }

    /// It failed with this status and these words.
    #[track_caller]
    pub fn badly(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:#?}");
        for word in words {
            assert!(self.complaint.contains(word), "{word}: {self:#?}");
        }
    }
}

/// Plays a script from standard input to its end.
pub async fn play(url: &str, arguments: &[&str], environment: &[(&str, &str)], script: &str) -> Played {
    let (mut command, script) = (program(url, arguments, environment), script.to_owned());
    let played = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // It may stop reading before the end.
        let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
        child.wait_with_output().unwrap()
    });
    let Output { status, stdout, stderr } = timeout(3 * PATIENCE, played).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Played { status: status.code(), said: text(stdout), complaint: text(stderr) }
}

/// A client that is spoken to while it runs.
pub struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Talk {
    pub fn open(url: &str) -> Self {
        let mut child = program(url, &[], &[]).spawn().unwrap();
        let (give, lines) = mpsc::unbounded_channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| give.send(line).is_ok()));
        Talk { input: child.stdin.take(), child, lines }
    }

    pub fn enter(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Reads on to the line that holds this text, and gives everything up to it.
    pub async fn until(&mut self, text: &str) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            match timeout(PATIENCE, self.lines.recv()).await {
                Ok(Some(line)) => said.push(line),
                Ok(None) => panic!("it ended before `{text}`: {said:#?} {}", self.complaint()),
                Err(_) => panic!("in vain for `{text}`: {said:#?}"),
            }
            if said.last().unwrap().contains(text) {
                return said;
            }
        }
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Ends the input, and waits for the end: the status, and the complaint.
    pub async fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        while self.lines.recv().await.is_some() {}
        (self.child.wait().unwrap().code(), self.complaint())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A way to a server that can be cut, and lead elsewhere.
pub struct Road {
    pub url: String,
    leads: watch::Sender<Option<SocketAddr>>,
}

impl Road {
    pub async fn to(server: &Instance) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/graphql", listener.local_addr().unwrap());
        let (leads, there) = watch::channel(Some(address(server)));
        tokio::spawn(async move {
            while let Ok((traveller, _)) = listener.accept().await {
                tokio::spawn(travel(traveller, there.clone()));
            }
        });
        Road { url, leads }
    }

    /// Ends all connections, and lets none through.
    pub fn cut(&self) {
        self.leads.send_replace(None);
    }

    /// New connections reach this server.
    pub fn lead_to(&self, server: &Instance) {
        self.leads.send_replace(Some(address(server)));
    }
}

fn address(server: &Instance) -> SocketAddr {
    server.url("").trim_start_matches("http://").parse().unwrap()
}

async fn travel(mut traveller: TcpStream, mut there: watch::Receiver<Option<SocketAddr>>) {
    let Some(target) = *there.borrow_and_update() else { return };
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut traveller, &mut server) => {}
        _ = there.changed() => {}
    }
}

/// The line that signs a test user in.
pub fn login(user: &TestUser) -> String {
    format!("login {} {PASSWORD}", user.email)
}
