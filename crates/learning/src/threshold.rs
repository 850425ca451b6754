//! From which probability on a customer is worth a contact.

use serde::{Deserialize, Serialize};

/// What a contact costs and what it may save, in the operator's currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Business {
    /// What it costs to contact a customer, with what is offered.
    pub contact_cost: f64,
    /// What is kept, on average, by contacting a customer who would have left.
    pub value_kept: f64,
}

impl Default for Business {
    /// A contact that pays when one customer in ten would have left.
    fn default() -> Self {
        Self { contact_cost: 10.0, value_kept: 100.0 }
    }
}

/// A threshold and what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The probability from which customers are contacted.
    pub probability: f64,
    /// What that brings, by customer of all.
    pub value_per_customer: f64,
    /// What contacting from 0.5 on would bring, by customer of all.
    pub value_per_customer_at_half: f64,
    /// The share of customers that are contacted.
    pub contacted: f64,
}

impl Threshold {
    /// The threshold that brings most, by probabilities that a model gave to rows it was not trained on. When no contact ever pays it
    /// is 1.
    #[must_use]
    pub fn best(probabilities: &[f64], left: &[bool], business: Business) -> Self {
        let mut rows: Vec<(f64, bool)> = probabilities.iter().copied().zip(left.iter().copied()).collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all = rows.len().max(1) as f64;
        let (mut value, mut contacted) = (0.0, 0.0);
        let mut best =
            Self { probability: 1.0, value_per_customer: 0.0, value_per_customer_at_half: 0.0, contacted: 0.0 };
        let mut at_half = 0.0;
        for tied in rows.chunk_by(|a, b| a.0 == b.0) {
            for &(_, left) in tied {
                value += if left { business.value_kept } else { 0.0 } - business.contact_cost;
                contacted += 1.0;
            }
            let probability = tied[0].0;
            if probability >= 0.5 {
                at_half = value / all;
            }
            if value / all > best.value_per_customer {
                best = Self { probability, value_per_customer: value / all, contacted: contacted / all, ..best };
            }
        }
        Self { value_per_customer_at_half: at_half, ..best }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_are_contacted_as_long_as_it_pays() {
        let probabilities = [0.9, 0.7, 0.3, 0.2, 0.1];
        let left = [true, false, true, false, false];
        let of =
            |contact_cost, value_kept| Threshold::best(&probabilities, &left, Business { contact_cost, value_kept });
        let cheap = of(10.0, 100.0);
        assert_eq!((cheap.probability, cheap.value_per_customer), (0.3, 170.0 / 5.0));
        assert_eq!((cheap.value_per_customer_at_half, cheap.contacted), (80.0 / 5.0, 0.6));
        assert_eq!(of(60.0, 100.0).probability, 0.9);
        assert_eq!(of(100.0, 100.0).probability, 1.0);
    }
}
