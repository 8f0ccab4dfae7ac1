//! Files in an S3-compatible store: Amazon's, MinIO, Cloudflare R2, Google's interoperable interface and others.

use std::error::Error as Cause;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::MetadataDirective;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::{Files, IMMUTABLE, Key, LINK_MS, Link, Put, SignedPut, disposition};
use crate::kernel::{Code, Error, Result, Timestamp};
use crate::platform::config::Storage;

/// A connection that is not made within this time counts as lost.
const CONNECT: Duration = Duration::from_secs(3);
/// One attempt takes no longer.
const ATTEMPT: Duration = Duration::from_secs(10);
/// All attempts together take no longer: less than a request of a client may.
const ALL: Duration = Duration::from_secs(25);
/// How often something is tried.
const ATTEMPTS: u32 = 3;

/// Objects in a bucket.
pub struct S3 {
    client: Client,
    bucket: String,
    place: String,
}

impl S3 {
    /// The bucket of the settings. Nothing is asked of it yet: a store that is away is no reason not to start.
    pub fn new(storage: &Storage) -> Self {
        let (access, secret) = (storage.access_key.reveal(), storage.secret_key.reveal());
        let times = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT);
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(access, secret, None, None, "settings"))
            .region(Region::new(storage.region.clone()))
            .force_path_style(storage.path_style)
            .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
            .timeout_config(times.operation_timeout(ALL).build())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            // Stores that are only compatible do not know the newer checksums, and no browser could add one.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if !storage.endpoint.is_empty() {
            config = config.endpoint_url(&storage.endpoint);
        }
        let host = if storage.endpoint.is_empty() { "Amazon S3" } else { &storage.endpoint };
        let place = format!("S3, bucket {} at {host}", storage.bucket);
        S3 { client: Client::from_conf(config.build()), bucket: storage.bucket.clone(), place }
    }
}

/// From the clock that is passed in, so that an address begins when its upload does.
fn times(until: Timestamp) -> Result<PresigningConfig> {
    let begin = u64::try_from(until.0 - LINK_MS).map_err(Error::internal)?;
    PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_millis(begin))
        .expires_in(Duration::from_millis(LINK_MS.unsigned_abs()))
        .build()
        .map_err(Error::internal)
}

/// The cause is for the log; clients hear that the store is away, and may try again.
fn away<E: Cause + 'static>(error: SdkError<E, HttpResponse>) -> Error {
    let cause = DisplayErrorContext(&error).to_string();
    tracing::warn!(cause, "the file store did not do as asked");
    Error::new(Code::Unavailable, "The file store cannot be reached; try again in a moment.").retry_after(2_000)
}

/// Nothing for an object that is not there. A question without an answer's body has a status only.
fn found<T, E: ProvideErrorMetadata + Cause + 'static>(
    outcome: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>> {
    let is_gone = |error: &SdkError<E, HttpResponse>| match error.code() {
        Some(code) => matches!(code, "NoSuchKey" | "NotFound"),
        None => error.raw_response().is_some_and(|answer| answer.status().as_u16() == 404),
    };
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(away(error)),
    }
}

/// The headers that a client has to send itself. The length it cannot help sending, and browsers forbid to set it.
fn headers(request: &PresignedRequest) -> Vec<(String, String)> {
    let own = |name: &str| !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("host");
    let pairs = request.headers().filter(|(name, _)| own(name));
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

#[async_trait]
impl Files for S3 {
    fn name(&self) -> String {
        self.place.clone()
    }

    async fn sign_put(&self, key: &Key, put: &Put) -> Result<SignedPut> {
        let size = i64::try_from(put.size).map_err(Error::internal)?;
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = request.content_type(put.media.mime()).content_length(size);
        let signed = request.presigned(times(put.until)?).await.map_err(away)?;
        Ok(SignedPut { url: signed.uri().to_owned(), headers: headers(&signed) })
    }

    async fn sign_get(&self, key: &Key, link: &Link) -> Result<String> {
        let mut request = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        if let Some(media) = key.media() {
            let shown = disposition(media, link.name.as_deref());
            request = request.response_content_type(media.mime()).response_content_disposition(shown);
        }
        let signed = request.presigned(times(link.until)?).await.map_err(away)?;
        Ok(signed.uri().to_owned())
    }

    async fn head(&self, key: &Key) -> Result<Option<u64>> {
        let head = self.client.head_object().bucket(&self.bucket).key(key.as_str()).send().await;
        Ok(found(head)?.and_then(|head| u64::try_from(head.content_length()?).ok()))
    }

    async fn read(&self, key: &Key, max: u64) -> Result<Option<Vec<u8>>> {
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let range = format!("bytes=0-{}", max.saturating_sub(1));
        let Some(object) = found(request.range(range).send().await)? else { return Ok(None) };
        let lost = || Error::new(Code::Unavailable, "The file store broke off; try again in a moment.");
        let bytes = object.body.collect().await.map_err(|_| lost())?;
        Ok(Some(bytes.to_vec()))
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>) -> Result<()> {
        let mut request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        if let Some(media) = key.media() {
            request = request.content_type(media.mime()).content_disposition(disposition(media, None));
        }
        if key.is_public() {
            request = request.cache_control(IMMUTABLE);
        }
        request.body(ByteStream::from(bytes)).send().await.map_err(away)?;
        Ok(())
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<bool> {
        let source = format!("{}/{from}", self.bucket);
        let mut request = self.client.copy_object().copy_source(source).bucket(&self.bucket).key(to.as_str());
        // What the client said about it is not taken over.
        request = request.metadata_directive(MetadataDirective::Replace);
        if let Some(media) = to.media() {
            request = request.content_type(media.mime()).content_disposition(disposition(media, None));
        }
        if to.is_public() {
            request = request.cache_control(IMMUTABLE);
        }
        Ok(found(request.send().await)?.is_some())
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        let gone = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).send().await;
        found(gone).map(|_| ())
    }
}
