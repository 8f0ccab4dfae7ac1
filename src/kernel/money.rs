//! Exact money: minor units in 64 bits and an ISO 4217 currency. Never a float.

use std::fmt;

use super::{Code, Error, Result};

/// The largest amount that one operation may name, in minor units: ten billion dollars. Nine million of them fit into a
/// purse before its sum would overflow.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;
/// Basis points in a whole.
pub const WHOLE_BPS: i64 = 10_000;

/// An ISO 4217 currency that has a minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads a code of three capital letters.
    pub fn parse(code: &str) -> Result<Self> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Currency)
            .ok_or_else(|| Error::new(Code::BadUserInput, "This is no ISO 4217 currency code such as USD, JPY or KWD."))
    }

    /// The code, such as `USD`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the currency has: USD 2, JPY 0, KWD 3.
    pub fn exponent(self) -> usize {
        usize::from(self.0.exponent().unwrap_or(0))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in a currency. May be negative only where a text says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount in the currency's smallest unit.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// So many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Money { minor, currency }
    }

    /// Nothing.
    pub const fn zero(currency: Currency) -> Self {
        Money { minor: 0, currency }
    }

    /// Reads a decimal such as `100`, `99.5` or `-3.25`. More digits than the currency has is an error, not a rounding.
    pub fn parse(decimal: &str, currency: Currency) -> Result<Self> {
        let malformed = || Error::new(Code::Invalid, "Write the amount as a decimal such as \"99.50\".");
        let (negative, digits) = match decimal.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, decimal),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return Err(malformed());
        }
        let exponent = currency.exponent();
        if fraction.len() > exponent {
            let message = format!("{currency} has {exponent} decimals; the amount has {}.", fraction.len());
            return Err(Error::new(Code::ExcessDigits, message));
        }
        let text = format!("{whole}{fraction:0<exponent$}");
        let minor = text.parse::<i64>().ok().filter(|minor| *minor <= MAX_AMOUNT).ok_or_else(too_large)?;
        Ok(Money::new(if negative { -minor } else { minor }, currency))
    }

    /// Refuses zero and less.
    pub fn positive(self) -> Result<Self> {
        match self.minor {
            1.. => Ok(self),
            _ => Err(Error::new(Code::AmountNotPositive, "The amount must be above zero.")),
        }
    }

    /// The sum, or an error when the currencies differ or it does not fit.
    pub fn plus(self, other: Money) -> Result<Self> {
        if self.currency != other.currency {
            return Err(Error::new(Code::CurrencyMismatch, "Amounts of two currencies cannot be added."));
        }
        let minor = self.minor.checked_add(other.minor).ok_or_else(too_large)?;
        Ok(Money::new(minor, self.currency))
    }

    /// A share in basis points, rounded half up to the minor unit.
    pub fn share(self, bps: i64) -> Self {
        let product = i128::from(self.minor) * i128::from(bps);
        let rounded = (product + i128::from(WHOLE_BPS / 2)).div_euclid(i128::from(WHOLE_BPS));
        // A share of an i64 by at most a whole is an i64 again.
        Money::new(i64::try_from(rounded).unwrap_or(self.minor), self.currency)
    }

    /// The amount as a decimal string with all decimals of the currency.
    pub fn decimal(self) -> String {
        let exponent = self.currency.exponent();
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

fn too_large() -> Error {
    Error::new(Code::AmountTooLarge, "The amount is larger than one operation may move.")
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, code: &str) -> Result<Money> {
        Money::parse(text, Currency::parse(code)?)
    }

    #[test]
    fn decimals_follow_the_currency() {
        assert_eq!(money("99.5", "USD").unwrap().minor, 9_950);
        assert_eq!(money("99", "JPY").unwrap().minor, 99);
        assert_eq!(money("1.005", "KWD").unwrap().minor, 1_005);
        assert_eq!(money("0.05", "USD").unwrap().decimal(), "0.05");
        assert_eq!(money("-3.25", "USD").unwrap().decimal(), "-3.25");
        assert_eq!(money("7", "JPY").unwrap().decimal(), "7");
    }

    #[test]
    fn each_bad_amount_has_its_own_code() {
        assert_eq!(money("1.005", "USD").unwrap_err().code, Code::ExcessDigits);
        assert_eq!(money("1.0", "JPY").unwrap_err().code, Code::ExcessDigits);
        assert_eq!(money("99999999999999999999", "USD").unwrap_err().code, Code::AmountTooLarge);
        assert_eq!(money("10000000000.01", "USD").unwrap_err().code, Code::AmountTooLarge);
        for bad in ["", ".", "1.", ".5", "1e3", "+1", "--1", "1,5", " 1"] {
            assert_eq!(money(bad, "USD").unwrap_err().code, Code::Invalid, "{bad}");
        }
        assert_eq!(money("0", "USD").unwrap().positive().unwrap_err().code, Code::AmountNotPositive);
        assert_eq!(money("1", "XXX").unwrap_err().code, Code::BadUserInput);
    }

    #[test]
    fn shares_round_half_up() {
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(Money::new(10_000, usd).share(500).minor, 500);
        assert_eq!(Money::new(10, usd).share(500).minor, 1);
        assert_eq!(Money::new(9, usd).share(500).minor, 0);
        assert_eq!(Money::new(MAX_AMOUNT, usd).share(10_000).minor, MAX_AMOUNT);
    }
}
