//! Amounts in the API.

use async_graphql::{InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::scalars::{BigInt, CurrencyCode, Decimal};
use crate::features::wallet::Quote;
use crate::kernel;

/// An exact amount in a currency.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct Money {
    /// The amount with all decimals of the currency.
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
    /// The amount in the currency's smallest unit, for arithmetic.
    pub minor_units: BigInt,
}

impl From<kernel::Money> for Money {
    fn from(money: kernel::Money) -> Self {
        Money {
            amount: Decimal(money.decimal()),
            currency: CurrencyCode(money.currency),
            minor_units: BigInt(money.minor),
        }
    }
}

/// An exact amount in a currency. More digits than the currency has are refused, not rounded.
#[derive(Clone, Debug, InputObject)]
pub struct MoneyInput {
    /// The amount, such as "99.50".
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
}

impl MoneyInput {
    /// The amount, or a refusal that points at it inside the input.
    pub fn read(&self, field: &str) -> kernel::Result<kernel::Money> {
        let parsed = kernel::Money::parse(&self.amount.0, self.currency.0);
        parsed.map_err(|error| error.at(&format!("{field}.amount")))
    }
}

/// What a deal costs whom.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct FeeQuote {
    /// The price agreed.
    pub budget: Money,
    /// What the customer pays on top of it.
    pub platform_fee: Money,
    /// What the contractor pays out of it.
    pub service_fee: Money,
    /// What leaves the customer's wallet.
    pub customer_total: Money,
    /// What reaches the contractor's wallet.
    pub contractor_net: Money,
}

impl FeeQuote {
    /// The amounts of a quote.
    pub fn of(quote: &Quote) -> kernel::Result<Self> {
        Ok(FeeQuote {
            budget: quote.budget.into(),
            platform_fee: quote.platform_fee.into(),
            service_fee: quote.service_fee.into(),
            customer_total: quote.customer_total()?.into(),
            contractor_net: quote.contractor_net()?.into(),
        })
    }
}
