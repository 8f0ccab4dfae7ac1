//! The scalars, each with the document that defines its form.
//!
//! `is_valid` makes validation refuse what cannot be parsed, before anything runs.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

use crate::kernel::{Currency, Timestamp};

/// An instant in RFC 3339, in UTC with milliseconds: `"2026-03-01T09:30:00.000Z"`. Input may have any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

/// An instant in RFC 3339, in UTC with milliseconds: `"2026-03-01T09:30:00.000Z"`. Input may have any offset.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Timestamp::parse(text).map(DateTime).ok_or_else(|| {
                InputValueError::custom("An instant in RFC 3339 is wanted, such as \"2026-03-01T09:30:00Z\".")
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        self.0.rfc3339().map_or(Value::Null, Value::String)
    }
}

/// An exact decimal number in a string: `"99.50"`. Never a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub String);

/// An exact decimal number in a string: `"99.50"`. Never a float.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_decimal(&text) => Ok(Decimal(text)),
            Value::String(_) => Err(InputValueError::custom("A decimal in a string is wanted, such as \"99.50\".")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let filled = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 40 && filled(whole) && filled(fraction)
}

/// A whole number of any size in a string: `"9950"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigInt(pub i64);

/// A whole number of any size in a string: `"9950"`.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema-2/#integer")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                text.parse().map(BigInt).map_err(|_| InputValueError::custom("A whole number in a string is wanted."))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A currency by its ISO 4217 code: `"USD"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

/// A currency by its ISO 4217 code: `"USD"`.
#[Scalar(specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(code) => {
                Currency::parse(code).map(CurrencyCode).map_err(|error| InputValueError::custom(error.message))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().to_owned())
    }
}

/// A small JSON object whose members depend on what it belongs to: `{ "to": "ACCEPTED" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub serde_json::Value);

/// A small JSON object whose members depend on what it belongs to: `{ "to": "ACCEPTED" }`.
#[Scalar(name = "JSON", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Json(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// An e-mail address: `"ada@example.org"`. Compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(pub String);

/// An e-mail address: `"ada@example.org"`. Compared without regard to case.
#[Scalar(specified_by_url = "https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address")]
impl ScalarType for EmailAddress {
    fn parse(value: Value) -> InputValueResult<Self> {
        // The form is judged by the command, which points at the field.
        match value {
            Value::String(text) => Ok(EmailAddress(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An absolute address of the web: `"https://example.org/pay?id=1"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

/// An absolute address of the web: `"https://example.org/pay?id=1"`.
#[Scalar(name = "URL", specified_by_url = "https://url.spec.whatwg.org/#absolute-url-string")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_url(&text) => Ok(Url(text)),
            Value::String(_) => {
                Err(InputValueError::custom("An address is wanted that begins with https:// or http://."))
            }
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn is_url(text: &str) -> bool {
    let is_web = |url: url::Url| matches!(url.scheme(), "https" | "http") && url.has_host();
    text.len() <= 2048 && url::Url::parse(text).is_ok_and(is_web)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_pass() {
        for good in ["0", "99.50", "-1.5"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", "-", ".5", "1.", "1e3", "0x1", "1,5", &"9".repeat(41)] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_pass() {
        for good in ["https://example.org", "http://127.0.0.1:4000/a?b=c#d"] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "/pay", "example.org", "https://", "javascript:alert(1)", "file:///a", "ftp://example.org"] {
            assert!(!is_url(bad), "{bad}");
        }
        assert!(!is_url(&format!("https://example.org/{}", "a".repeat(2048))));
    }
}
