//! Letters by SMTP, over a few connections that are kept open for a while.
//!
//! `starttls` and `tls` never fall back to clear text: a server without TLS gets nothing.

use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, response::Response};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{Mailer, Outgoing, Refusal};
use crate::kernel::{Error, Result};
use crate::platform::config::{Mail, MailTls};

/// How long the server may take for one answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a whole delivery may take. Other tasks of the same process wait for it, so a server that hangs must not hold
/// them up for long.
const DELIVERY: Duration = Duration::from_secs(20);
/// Connections at most, per process.
const CONNECTIONS: u32 = 4;
/// A connection that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(30);
/// Answers that speak of the sign-in, not of the letter: whoever mends the settings wants the letter to leave after all.
const SIGN_IN: [u16; 4] = [530, 534, 535, 538];
/// Characters of a server's reference that are kept.
const REFERENCE_MAX: usize = 200;

/// A mail server.
pub struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    /// The server of the settings. Nothing is connected before the first letter.
    pub fn new(config: &Mail) -> Result<Self> {
        let tls = || TlsParameters::new(config.smtp_host.clone()).map_err(Error::internal);
        let tls = match config.smtp_tls {
            MailTls::Starttls => Tls::Required(tls()?),
            MailTls::Tls => Tls::Wrapper(tls()?),
            MailTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.smtp_host)
            .port(config.smtp_port)
            .tls(tls)
            .timeout(Some(ANSWER))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE));
        if !config.smtp_user.is_empty() {
            let password = config.smtp_pass.reveal().to_owned();
            builder = builder.credentials(Credentials::new(config.smtp_user.clone(), password));
        }
        Ok(Smtp(builder.build()))
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, letter: &Outgoing) -> Result<Option<String>, Refusal> {
        let message = letter.message.formatted();
        let sending = self.0.send_raw(letter.message.envelope(), &message);
        match tokio::time::timeout(DELIVERY, sending).await {
            Ok(Ok(response)) => Ok(reference(&response)),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(Refusal::ForNow("the mail server took too long".to_owned())),
        }
    }
}

/// What the server calls the letter, unless it repeats an address in it.
fn reference(response: &Response) -> Option<String> {
    let line = response.first_line()?;
    (!line.is_empty() && !line.contains('@')).then(|| line.chars().take(REFERENCE_MAX).collect())
}

/// What became of a delivery that failed. Servers repeat addresses in what they say, so only the code is kept.
fn refusal(error: &SmtpError) -> Refusal {
    let Some(code) = error.status().map(u16::from) else {
        let what = match error {
            error if error.is_timeout() => "the mail server took too long",
            error if error.is_tls() => "the mail server's TLS cannot be used",
            error if error.is_client() => "the mail server does not offer what the settings ask for",
            _ => "the mail server cannot be reached, or broke off",
        };
        return Refusal::ForNow(what.to_owned());
    };
    let why = format!("the mail server answered {code}");
    if error.is_permanent() && !SIGN_IN.contains(&code) { Refusal::ForEver(why) } else { Refusal::ForNow(why) }
}
