//! `gigwire admin`: accounts of staff, which nobody can open through the API.

use clap::{Args, Subcommand};

use super::{Failure, logs, open, print, variable};
use crate::features::accounts::{SignUp, commands, queries};
use crate::kernel::{Caller, Code, Error, Role};
use crate::platform::Platform;
use crate::platform::config::Config;

/// What can be done with staff.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Open an account with the role ADMIN and print its id
    Create(Create),
}

/// A new administrator.
#[derive(Debug, Args)]
pub struct Create {
    /// The address to sign in with
    #[arg(long, env = "ADMIN_EMAIL")]
    email: String,
    /// 8 to 200 characters; better given as ADMIN_PASSWORD, which other users of the machine cannot see
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    password: String,
    /// The name that everyone sees
    #[arg(long, default_value = "Administrator")]
    display_name: String,
}

/// Runs a command about staff.
pub async fn run(config: Config, command: Admin) -> Result<(), Failure> {
    logs::to_stderr(&config);
    let Admin::Create(new) = command;
    let input = SignUp::new(&new.email, &new.password, &new.display_name, &[Role::Admin])?;
    let platform = open(config).await?;
    let created = commands::create_staff(&platform, &Caller::system("cli"), input).await;
    platform.close().await;
    print(&format!("{}\n", created?))
}

/// Opens the account that `ADMIN_EMAIL` and `ADMIN_PASSWORD` describe, as long as there is no administrator at all.
pub async fn first(platform: &Platform) -> Result<(), Error> {
    let (Some(email), Some(password)) = (variable("ADMIN_EMAIL"), variable("ADMIN_PASSWORD")) else { return Ok(()) };
    if queries::has_admin(platform).await? {
        return Ok(());
    }
    let input = SignUp::new(&email, &password, "Administrator", &[Role::Admin])
        .map_err(|error| Error::new(error.code, format!("ADMIN_EMAIL or ADMIN_PASSWORD: {}", error.message)))?;
    match commands::create_staff(platform, &Caller::system("start"), input).await {
        Ok(user) => tracing::info!(%user, "opened the first administrator's account"),
        // Another instance that started together with this one was quicker, or it is a customer's.
        Err(error) if error.code == Code::EmailTaken => tracing::warn!("ADMIN_EMAIL has an account already"),
        Err(error) => return Err(error),
    }
    Ok(())
}
