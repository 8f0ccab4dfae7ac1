//! One error type for the whole program.
//!
//! An [`Error`] carries a stable [`Code`], a sentence that says what is wrong and what to do, and where it points at the
//! input. How a code reaches a client is decided in one place: `resolvers/error.rs` for GraphQL, `server/status.rs` for
//! HTTP.

use std::fmt;

/// The result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as clients see it. The names are stable: they are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    // Top level: who asks, how often, and bugs.
    /// Nobody is signed in, or the token cannot be used.
    Unauthenticated,
    /// The access token was good once and is now past its end.
    TokenExpired,
    /// The account is blocked by staff.
    AccountBlocked,
    /// Signed in, but not permitted.
    Forbidden,
    /// A limit per minute is used up; the error says when to try again.
    RateLimited,
    /// Took longer than a request may take.
    Timeout,
    /// A part that is needed is busy or away; nothing was done.
    Unavailable,
    /// Lost a race in the database; the unit of work repeats it, so that clients see it only after several attempts.
    Contended,
    /// A bug or a broken part; the cause is in the log under the request id.
    Internal,
    /// The input does not have the form that the schema describes.
    BadUserInput,

    // Refusals of the business, shown in `userErrors`.
    /// No such object, or not one that the viewer may see.
    NotFound,
    /// The object changed meanwhile, or is in a state that does not allow this.
    Conflict,
    /// A value breaks a rule of its own: empty, out of range, malformed.
    Invalid,
    /// A text is longer than its limit.
    TooLong,
    /// The e-mail address has an account already.
    EmailTaken,
    /// E-mail address or password is wrong.
    BadCredentials,
    /// The refresh token is unknown, used up or ended.
    BadRefreshToken,
    /// Nobody does this to the own account.
    OwnAccount,
    /// There would be no administrator any more.
    LastAdmin,
    /// The amount is zero or negative.
    AmountNotPositive,
    /// The amount has more digits than its currency.
    ExcessDigits,
    /// The amount is beyond what the ledger can hold.
    AmountTooLarge,
    /// The currency is not the one of this job or wallet.
    CurrencyMismatch,
    /// The available balance does not cover it.
    InsufficientFunds,
    /// The key was used with another input.
    IdempotencyMismatch,
    /// The same key is being worked on right now.
    IdempotencyInFlight,
    /// The offer is past its `expiresAt`.
    OfferExpired,
    /// An offer of this kind is pending already.
    OfferExists,
    /// The work would end before it has begun.
    PeriodReversed,
    /// The work would take place in the past.
    PeriodPast,
    /// The work would take place later than anything may be agreed for.
    PeriodTooFar,
    /// What is proposed is what is agreed already.
    NothingChanges,
    /// The job has as many pending offers as it may have.
    TooManyOffers,
    /// The two have countered each other as often as they may.
    TooManyCounters,
    /// Nobody makes or takes an offer on an own job.
    OwnJob,
    /// The viewer has reviewed this booking already.
    ReviewExists,
    /// The reviewed user has replied already.
    ReplyExists,
    /// The conversation takes no more messages.
    ConversationClosed,
    /// The booking has ended: there is nothing to dispute any more.
    DisputeTooLate,
    /// The parts of a split are not the escrow to the last digit.
    SplitMismatch,
    /// The proposal's time is over.
    ProposalExpired,
    /// A party of a dispute has added as many files as it may.
    TooManyFiles,
    /// The file has more bytes than its purpose allows.
    FileTooLarge,
    /// The purpose does not take files of this type.
    TypeNotAllowed,
    /// Nothing was put at the upload's address yet.
    UploadMissing,
    /// What was put has another size than was announced.
    SizeMismatch,
    /// What was put is of another type than was announced.
    TypeMismatch,
    /// The picture has too many pixels.
    ImageTooLarge,
    /// The picture cannot be read.
    ImageUnreadable,
    /// The one-time code is wrong.
    CodeWrong,
    /// There is no live one-time code.
    CodeExpired,
    /// Too many wrong one-time codes within the hour.
    TooManyTries,
    /// The e-mail address is verified already.
    EmailVerified,
}

impl Code {
    /// The name that clients see.
    pub const fn name(self) -> &'static str {
        match self {
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::TokenExpired => "TOKEN_EXPIRED",
            Code::AccountBlocked => "ACCOUNT_BLOCKED",
            Code::Forbidden => "FORBIDDEN",
            Code::RateLimited => "RATE_LIMITED",
            Code::Timeout => "TIMEOUT",
            Code::Unavailable | Code::Contended => "SERVICE_UNAVAILABLE",
            Code::Internal => "INTERNAL_SERVER_ERROR",
            Code::BadUserInput => "BAD_USER_INPUT",
            Code::NotFound => "NOT_FOUND",
            Code::Conflict => "CONFLICT",
            Code::Invalid => "INVALID",
            Code::TooLong => "TOO_LONG",
            Code::EmailTaken => "EMAIL_TAKEN",
            Code::BadCredentials => "BAD_CREDENTIALS",
            Code::BadRefreshToken => "BAD_REFRESH_TOKEN",
            Code::OwnAccount => "OWN_ACCOUNT",
            Code::LastAdmin => "LAST_ADMIN",
            Code::AmountNotPositive => "AMOUNT_NOT_POSITIVE",
            Code::ExcessDigits => "EXCESS_DIGITS",
            Code::AmountTooLarge => "AMOUNT_TOO_LARGE",
            Code::CurrencyMismatch => "CURRENCY_MISMATCH",
            Code::InsufficientFunds => "INSUFFICIENT_FUNDS",
            Code::IdempotencyMismatch => "IDEMPOTENCY_MISMATCH",
            Code::IdempotencyInFlight => "IDEMPOTENCY_IN_FLIGHT",
            Code::OfferExpired => "OFFER_EXPIRED",
            Code::OfferExists => "OFFER_EXISTS",
            Code::PeriodReversed => "PERIOD_REVERSED",
            Code::PeriodPast => "PERIOD_PAST",
            Code::PeriodTooFar => "PERIOD_TOO_FAR",
            Code::NothingChanges => "NOTHING_CHANGES",
            Code::TooManyOffers => "TOO_MANY_OFFERS",
            Code::TooManyCounters => "TOO_MANY_COUNTERS",
            Code::OwnJob => "OWN_JOB",
            Code::ReviewExists => "REVIEW_EXISTS",
            Code::ReplyExists => "REPLY_EXISTS",
            Code::ConversationClosed => "CONVERSATION_CLOSED",
            Code::DisputeTooLate => "DISPUTE_TOO_LATE",
            Code::SplitMismatch => "SPLIT_MISMATCH",
            Code::ProposalExpired => "PROPOSAL_EXPIRED",
            Code::TooManyFiles => "TOO_MANY_FILES",
            Code::FileTooLarge => "FILE_TOO_LARGE",
            Code::TypeNotAllowed => "TYPE_NOT_ALLOWED",
            Code::UploadMissing => "UPLOAD_MISSING",
            Code::SizeMismatch => "SIZE_MISMATCH",
            Code::TypeMismatch => "TYPE_MISMATCH",
            Code::ImageTooLarge => "IMAGE_TOO_LARGE",
            Code::ImageUnreadable => "IMAGE_UNREADABLE",
            Code::CodeWrong => "CODE_WRONG",
            Code::CodeExpired => "CODE_EXPIRED",
            Code::TooManyTries => "TOO_MANY_TRIES",
            Code::EmailVerified => "EMAIL_VERIFIED",
        }
    }

    /// Whether the same request may succeed when it is simply sent again.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Code::RateLimited
                | Code::Timeout
                | Code::Unavailable
                | Code::Contended
                | Code::Internal
                | Code::IdempotencyInFlight
        )
    }
}

/// A refusal or a failure.
#[derive(Clone, Debug)]
pub struct Error {
    /// The stable name of what went wrong.
    pub code: Code,
    /// What is wrong and what to do, for people. Never holds SQL, paths or type names, except for [`Code::Internal`],
    /// whose message is logged and masked.
    pub message: String,
    /// Where it points at, as a path inside the mutation's `input`.
    pub field: Option<Vec<String>>,
    /// Milliseconds to wait before trying again.
    pub retry_after_ms: Option<u64>,
}

impl Error {
    /// An error without a place in the input.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error { code, message: message.into(), field: None, retry_after_ms: None }
    }

    /// A broken part or a bug. `cause` goes to the log only.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Error::new(Code::Internal, cause.to_string())
    }

    /// `what` does not exist for this viewer.
    pub fn not_found(what: &str) -> Self {
        Error::new(Code::NotFound, format!("There is no such {what} for you."))
    }

    /// A task came before its time, because the clock went back a little: it comes again.
    pub fn early(what: &str) -> Self {
        Error::new(Code::Unavailable, format!("This {what}'s time is not over yet."))
    }

    /// The object is in another state than this needs.
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(Code::Conflict, message)
    }

    /// The viewer lacks a right.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Error::new(Code::Forbidden, message)
    }

    /// Nobody is signed in.
    pub fn unauthenticated() -> Self {
        Error::new(Code::Unauthenticated, "Authentication token required")
    }

    /// Points the error at a path inside the input, dots between the steps.
    pub fn at(mut self, path: &str) -> Self {
        self.field = Some(path.split('.').map(str::to_owned).collect());
        self
    }

    /// Says when to try again.
    pub fn retry_after(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Error {}
