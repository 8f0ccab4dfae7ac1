//! Mail: letters to users, their templates, and the ways on which they leave.
//!
//! A feature posts a [`Letter`] with its unit of work ([`letters::post`]): a row and a task that commit with their cause.
//! The task renders the letter and hands it to the [`Mailer`] of the settings. Nothing is ever sent inside a request.
//!
//! A letter's `Message-ID` is made from its id, so that it is the same at each attempt. SMTP cannot promise more than
//! *at least once*: a server that took a letter and died before it said so gets the letter again, and mailboxes know it
//! by that id.
//!
//! To add a letter: a file in `templates/en` and its name beside the command that posts it. To add a driver: implement
//! [`Mailer`] in a file here, a name in `config::MailDriver`, and its choice in [`Mail::open`].

mod file;
pub mod letters;
mod log;
mod message;
mod smtp;
mod templates;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use lettre::Message;
use lettre::message::Mailbox;

pub use self::file::Folder;
pub use self::letters::Letter;
use self::letters::Waiting;
pub use self::templates::{Rendered, Templates};
use super::config::{Config, MailDriver};
use crate::kernel::id::LetterId;
use crate::kernel::{Error, Result};

/// A letter in its envelope, ready to go.
pub struct Outgoing {
    /// Its id, the same at each attempt.
    pub id: LetterId,
    /// The whole message.
    pub message: Message,
}

/// Why a letter did not leave. The reason names no person and no address, since it is logged and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may leave later.
    ForNow(String),
    /// It never will.
    ForEver(String),
}

/// A way on which letters leave.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends a letter and gives the reference of whoever took it, if there is one.
    async fn send(&self, letter: &Outgoing) -> Result<Option<String>, Refusal>;
}

/// Everything that a letter needs to leave.
pub struct Mail {
    mailer: Arc<dyn Mailer>,
    templates: Templates,
    from: Mailbox,
    /// Where letters are captured, if they are.
    pub captured: Option<Folder>,
}

impl Mail {
    /// The driver and the templates of the settings. Each template is rendered once: a broken one stops the start.
    pub fn open(config: &Config) -> Result<Self> {
        let mail = &config.mail;
        let folder = Folder::new(mail_dir(config));
        let driver = mail.driver();
        let mailer: Arc<dyn Mailer> = match driver {
            MailDriver::Smtp => Arc::new(smtp::Smtp::new(mail)?),
            MailDriver::Log => Arc::new(log::Log),
            MailDriver::File | MailDriver::Auto => Arc::new(folder.clone()),
        };
        let captured = (driver == MailDriver::File).then_some(folder);
        let overrides = (!mail.templates_dir.as_os_str().is_empty()).then_some(mail.templates_dir.as_path());
        let from: Mailbox = mail.from.parse().map_err(Error::internal)?;
        let brand = from.name.clone().unwrap_or_else(|| "gigwire".to_owned());
        let templates = Templates::load(overrides, &mail.language, &brand)?;
        Ok(Mail { mailer, templates, from, captured })
    }

    /// The language that a letter is written in when it is asked for in this one.
    pub fn language(&self, wanted: Option<&str>) -> String {
        self.templates.language(wanted).to_owned()
    }

    /// Writes a letter out and sends it. `code` is the one-time code in it, which is not stored with the letter.
    pub async fn send(&self, letter: &Waiting, code: Option<String>) -> Result<Option<String>, Refusal> {
        let broken = |error: Error| Refusal::ForEver(error.message);
        let mut facts = letter.facts.clone();
        if let Some(code) = code {
            facts.insert("code".to_owned(), code.into());
        }
        let rendered = self.templates.render(&letter.language, &letter.template, &facts).map_err(broken)?;
        let message = message::build(&self.from, letter, rendered).map_err(broken)?;
        self.mailer.send(&Outgoing { id: letter.id, message }).await
    }
}

/// The folder of captured letters.
fn mail_dir(config: &Config) -> PathBuf {
    config.app.data_dir.join("mail")
}
