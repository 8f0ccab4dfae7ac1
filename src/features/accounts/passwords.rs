//! Passwords: argon2id with the parameters that OWASP asks for at least, hashed off the async threads, few at a time.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::kernel::{Error, Ids, Result};

/// Memory of one hash in KiB (OWASP: 19 MiB with two passes and one lane).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Hashes under way at once: each takes a core and 19 MiB.
static SLOTS: Semaphore = Semaphore::const_new(4);

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let slot = SLOTS.acquire().await.map_err(Error::internal)?;
    // The slot goes with the work: a client that hangs up does not make room for more than really ends.
    let work = move || {
        let _slot = slot;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// Hashes a password with a fresh salt.
pub async fn hash(ids: &Ids, password: String) -> Result<String> {
    let salt: [u8; 16] = ids.bytes();
    off_thread(move || {
        let salt = SaltString::encode_b64(&salt).map_err(Error::internal)?;
        Ok(hasher()?.hash_password(password.as_bytes(), &salt).map_err(Error::internal)?.to_string())
    })
    .await
}

/// How a password compares with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another one.
    Wrong,
    /// It is right.
    Right,
    /// It is right, and the hash was made with weaker parameters than today's.
    RightButWeak,
}

/// Compares a password with a hash. Without one it does the same work in vain, so that an unknown address takes as long
/// as a wrong password.
pub async fn verify(hash: Option<String>, password: String) -> Result<Verdict> {
    off_thread(move || {
        let hasher = hasher()?;
        let Some(hash) = hash else {
            let salt = SaltString::encode_b64(&[0; 16]).map_err(Error::internal)?;
            hasher.hash_password(password.as_bytes(), &salt).map_err(Error::internal)?;
            return Ok(Verdict::Wrong);
        };
        let parsed = PasswordHash::new(&hash).map_err(Error::internal)?;
        if hasher.verify_password(password.as_bytes(), &parsed).is_err() {
            return Ok(Verdict::Wrong);
        }
        let used = Params::try_from(&parsed).map_err(Error::internal)?;
        let weak = used.m_cost() < MEMORY_KIB || used.t_cost() < PASSES;
        Ok(if weak { Verdict::RightButWeak } else { Verdict::Right })
    })
    .await
}
