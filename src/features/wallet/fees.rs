//! What a deal costs whom. The customer pays the platform fee on top of the budget, the contractor the service fee out of
//! it. Each fee rounds half up and the contractor gets the remainder, so that the parts always add up to the whole.

use crate::kernel::{Error, Money, Result};
use crate::platform::Platform;

/// The two rates, in basis points. Frozen on each offer when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// On top of the budget.
    pub platform_bps: i64,
    /// Inside the budget.
    pub service_bps: i64,
}

impl Rates {
    /// Today's rates.
    pub fn current(platform: &Platform) -> Self {
        let rules = &platform.config.money;
        Rates { platform_bps: rules.platform_bps, service_bps: rules.service_bps }
    }
}

/// All amounts of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The price agreed.
    pub budget: Money,
    /// What the customer pays on top.
    pub platform_fee: Money,
    /// What the contractor pays out of it.
    pub service_fee: Money,
}

impl Quote {
    /// The amounts for a budget.
    pub fn of(budget: Money, rates: Rates) -> Result<Self> {
        let budget = budget.positive()?;
        let quote = Quote {
            budget,
            platform_fee: budget.share(rates.platform_bps),
            service_fee: budget.share(rates.service_bps),
        };
        quote.customer_total()?;
        Ok(quote)
    }

    /// What leaves the customer's wallet.
    pub fn customer_total(&self) -> Result<Money> {
        self.budget.plus(self.platform_fee)
    }

    /// What reaches the contractor's wallet.
    pub fn contractor_net(&self) -> Result<Money> {
        let minor = self.budget.minor.checked_sub(self.service_fee.minor);
        let minor = minor.ok_or_else(|| Error::internal("a service fee beyond its budget"))?;
        Ok(Money::new(minor, self.budget.currency))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Currency;
    use crate::kernel::money::MAX_AMOUNT;

    const RATES: Rates = Rates { platform_bps: 500, service_bps: 2_000 };

    #[test]
    fn the_documented_example() {
        let quote = Quote::of(Money::parse("100.00", Currency::parse("USD").unwrap()).unwrap(), RATES).unwrap();
        assert_eq!(quote.customer_total().unwrap().decimal(), "105.00");
        assert_eq!(quote.contractor_net().unwrap().decimal(), "80.00");
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(minor in 1..=MAX_AMOUNT, platform_bps in 0..=10_000_i64, service_bps in 0..=10_000_i64) {
            let usd = Currency::parse("USD").unwrap();
            let quote = Quote::of(Money::new(minor, usd), Rates { platform_bps, service_bps }).unwrap();
            let net = quote.contractor_net().unwrap().minor;
            prop_assert!(net >= 0);
            prop_assert_eq!(net + quote.service_fee.minor, minor);
            prop_assert_eq!(quote.customer_total().unwrap().minor, minor + quote.platform_fee.minor);
        }
    }
}
