//! Access tokens (JWT, HS256) and refresh tokens (opaque). Neither can be used as the other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::kernel::clock::MINUTE;
use crate::kernel::id::SessionId;
use crate::kernel::text::hex;
use crate::kernel::{Code, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::config::Secret;

/// Who makes the tokens, and who they are for.
const ISSUER: &str = "gigwire";
/// The media type of access tokens (RFC 9068).
const TYPE: &str = "at+jwt";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// An access token and its end.
pub struct Access {
    /// The JWT.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A short name of a secret, for the token's header: says which of two secrets signed it during a rotation.
fn key_id(secret: &Secret) -> String {
    hex(&Sha256::digest(secret.reveal())[..4])
}

/// Makes an access token for a session.
pub fn issue(platform: &Platform, session: SessionId) -> Result<Access> {
    let now = platform.clock.now();
    let expires_at = now.plus(platform.config.tokens.access_minutes * MINUTE);
    let secret = &platform.secrets.access;
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(key_id(secret));
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        sub: session,
        iat: now.seconds(),
        nbf: now.seconds(),
        exp: expires_at.seconds(),
    };
    let key = EncodingKey::from_secret(secret.reveal().as_bytes());
    let token = jsonwebtoken::encode(&header, &claims, &key).map_err(Error::internal)?;
    Ok(Access { token, expires_at })
}

/// Reads an access token: the session that it names, and when it ends.
pub fn read(platform: &Platform, token: &str) -> Result<(SessionId, Timestamp)> {
    let refused = || Error::new(Code::Unauthenticated, "Invalid or expired token");
    let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
    let secrets = [&platform.secrets.access, &platform.config.tokens.access_secret_previous];
    let secret = secrets
        .into_iter()
        .find(|secret| secret.is_set() && header.kid.as_deref() == Some(&key_id(secret)))
        .ok_or_else(refused)?;
    if header.typ.as_deref() != Some(TYPE) {
        return Err(refused());
    }
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[ISSUER]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
    // Times are compared below, with the clock that the program was given.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let key = DecodingKey::from_secret(secret.reveal().as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|_| refused())?.claims;
    let now = platform.clock.now().seconds();
    if claims.exp <= now {
        return Err(Error::new(Code::TokenExpired, "Invalid or expired token"));
    }
    // A minute of grace for the clocks of other instances.
    if claims.nbf > now + 60 {
        return Err(refused());
    }
    Ok((claims.sub, Timestamp(claims.exp.saturating_mul(1_000))))
}

/// A refresh token: 32 bytes that nobody can guess.
#[derive(Clone)]
pub struct Refresh([u8; 32]);

impl Refresh {
    /// The first of a session.
    pub const fn first(random: [u8; 32]) -> Self {
        Refresh(random)
    }

    /// Reads what a client sent.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Refresh)
    }

    /// The form that clients keep.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The form that is stored.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.0))
    }

    /// Its successor: always the same one, so that a repeated request gets the same answer without the token being stored.
    pub fn child(&self, secret: &Secret) -> Result<Self> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).map_err(Error::internal)?;
        mac.update(&self.0);
        Ok(Refresh(mac.finalize().into_bytes().into()))
    }
}
