//! A retry budget: retries are a share of the calls, however many of these fail.

use crate::blueprint::{BudgetPlan, Credit, Spend};

/// Parts of a token: sums of percentages are exact.
const TOKEN: f64 = 1e6;

/// A bucket of tokens that retries are paid from, one each. It is full at the start.
///
/// With a share of `ratio` credited per first attempt, a caller's load is at most `1 + ratio` times its calls in
/// the long run.
///
/// Sources: Finagle, `RetryBudget`; gRFC A6, *retry throttling* (credit per success, spent per failure, nothing
/// tried again at or below half of the cap); AWS SDKs, standard retry mode (credit per success).
#[derive(Clone, Debug)]
pub struct Budget {
    /// Millionths of a token.
    tokens: u64,
}

fn parts(tokens: f64) -> u64 {
    (tokens * TOKEN).round() as u64
}

impl Budget {
    /// A full bucket.
    pub fn new(plan: &BudgetPlan) -> Self {
        Self { tokens: parts(plan.cap) }
    }

    /// A call is tried for the first time.
    pub fn attempted(&mut self, plan: &BudgetPlan) {
        if plan.credit == Credit::Attempt {
            self.credit(plan);
        }
    }

    /// An attempt was answered.
    pub fn succeeded(&mut self, plan: &BudgetPlan) {
        if plan.credit == Credit::Success {
            self.credit(plan);
        }
    }

    fn credit(&mut self, plan: &BudgetPlan) {
        self.tokens = (self.tokens + parts(plan.ratio)).min(parts(plan.cap));
    }

    /// An attempt failed in a way that could be tried again.
    pub fn failed(&mut self, plan: &BudgetPlan) {
        if plan.spend == Spend::Failure {
            self.tokens = self.tokens.saturating_sub(parts(1.0));
        }
    }

    /// Whether a retry can be paid for; if so, it is.
    pub fn retry(&mut self, plan: &BudgetPlan) -> bool {
        let kept = parts(plan.cap * plan.reserve);
        match plan.spend {
            Spend::Failure => self.tokens > kept,
            Spend::Retry => {
                let enough = self.tokens >= kept + parts(1.0);
                if enough {
                    self.tokens -= parts(1.0);
                }
                enough
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: BudgetPlan =
        BudgetPlan { ratio: 0.1, cap: 2.0, credit: Credit::Attempt, spend: Spend::Retry, reserve: 0.0 };

    #[test]
    fn ten_first_attempts_pay_for_one_retry() {
        let mut budget = Budget::new(&TENTH);
        assert!(budget.retry(&TENTH) && budget.retry(&TENTH) && !budget.retry(&TENTH), "two to begin with");
        for _ in 0..9 {
            budget.attempted(&TENTH);
            assert!(!budget.retry(&TENTH));
        }
        budget.attempted(&TENTH);
        assert!(budget.retry(&TENTH), "ten tenths are one");
        assert!(!budget.retry(&TENTH));
    }

    #[test]
    fn no_more_is_saved_than_the_cap() {
        let mut budget = Budget::new(&TENTH);
        (0..1_000).for_each(|_| budget.attempted(&TENTH));
        assert_eq!((0..10).filter(|_| budget.retry(&TENTH)).count(), 2);
    }

    #[test]
    fn successes_credit_only_where_they_are_what_credits() {
        let by_success = BudgetPlan { ratio: 1.0, credit: Credit::Success, ..TENTH };
        let mut budget = Budget::new(&by_success);
        assert!(budget.retry(&by_success) && budget.retry(&by_success));
        budget.attempted(&by_success);
        assert!(!budget.retry(&by_success));
        budget.succeeded(&by_success);
        assert!(budget.retry(&by_success));
    }

    /// maxTokens 10, tokenRatio 0.1: after five failures nothing is tried again until a success.
    #[test]
    fn throttling_as_in_grpc() {
        let grpc = BudgetPlan {
            ratio: 0.1,
            cap: 10.0,
            credit: Credit::Success,
            spend: Spend::Failure,
            reserve: 0.5,
        };
        let mut budget = Budget::new(&grpc);
        for failure in 1..=4 {
            budget.failed(&grpc);
            assert!(budget.retry(&grpc), "after failure {failure}");
        }
        budget.failed(&grpc);
        assert!(!budget.retry(&grpc), "5 of 10 are not above half");
        budget.succeeded(&grpc);
        assert!(budget.retry(&grpc), "5.1 are");
        (0..20).for_each(|_| budget.failed(&grpc));
        (0..50).for_each(|_| budget.succeeded(&grpc));
        assert!(!budget.retry(&grpc), "it does not fall below 0, and fifty successes bring it to 5");
    }
}
