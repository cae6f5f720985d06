//! Policies: numbers in range, and who calls under which.

use std::collections::{BTreeMap, BTreeSet};

use models::blueprint::{
    BreakerPlan, BreakerWindow, BudgetPlan, Caller, Credit, HedgeAfter, HedgePlan, Jitter, LimitPlan,
    Outcome, OutcomeSet, PolicyId, PolicyPlan, RetryPlan, Spend,
};
use sim_core::Span;
use sim_core::distribution::Distribution;

use super::{Checker, services_of, span};
use crate::diagnostic::Diagnostic;
use crate::scenario::{Step, Use, each_call};
use crate::spec::{
    AfterSpec, At, BackoffSpec, BreakerSpec, BudgetFields, CreditWord, HedgeSpec, JitterWord, LimitFields,
    Name, Named, PolicyRef, PolicySpec, RetrySpec, Share, SpendWord, WindowSpec,
};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

impl Checker<'_> {
    /// The policies: those of `policies` by name, then those written where they are used.
    pub(super) fn all_policies(&mut self) -> Vec<PolicyPlan> {
        let spec = self.spec;
        let mut all = Vec::new();
        for entry in spec.policies.iter().flat_map(Named::sorted) {
            if let Some(policy) = &entry.value {
                all.push(self.policy(&entry.name, &policy.0));
            }
        }
        for (name, policy, _) in std::mem::take(&mut self.own_policies) {
            all.push(self.policy(&name, &policy));
        }
        all
    }

    /// The policy of a call; `name` is what it is called when it is written there.
    pub(super) fn policy_of(
        &mut self,
        policy: &PolicyRef,
        name: impl FnOnce() -> String,
    ) -> Option<PolicyId> {
        let id = match policy {
            PolicyRef::Named(at) => self.policy_named(at)?,
            PolicyRef::Own(policy, place) => {
                let name = name();
                let same = |known: &&(String, PolicySpec, Place)| {
                    known.0.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
                };
                let number = self.own_policies.iter().filter(same).count();
                let name = if number == 0 { name } else { format!("{name} ({})", number + 1) };
                self.own_policies.push((name, policy.0.clone(), *place));
                PolicyId((self.policies.len() + self.own_policies.len() - 1) as u32)
            }
        };
        self.used_policies.insert((id, self.caller));
        Some(id)
    }

    /// The policy `name`.
    fn policy_named(&mut self, at: &At<Name>) -> Option<PolicyId> {
        let name = at.value.0.as_str();
        if let Some(id) = self.policies.get(name) {
            return Some(*id);
        }
        let help = did_you_mean(name, self.policies.keys().copied())
            .unwrap_or_else(|| "add it to `policies`".into());
        self.error(at.place, format!("there is no policy {}", quoted(name)), help);
        None
    }

    // Fallbacks --------------------------------------------------------------------------------------------

    /// Who calls under which policy, and what each does when a call has failed.
    ///
    /// A fallback runs at the caller, so its names mean what they mean there. It may call under policies itself.
    pub(super) fn all_uses(&mut self) -> Vec<Use> {
        let mut uses: BTreeMap<(PolicyId, Caller), Option<Vec<Step>>> = BTreeMap::new();
        while let Some(&(policy, caller)) = self.used_policies.iter().find(|usage| !uses.contains_key(usage))
        {
            self.caller = caller;
            let fallback = self.fallback(policy, caller);
            uses.insert((policy, caller), fallback);
        }
        self.check_fallback_cycles(&uses);
        let usage = |((policy, caller), fallback)| Use { policy, caller, fallback };
        uses.into_iter().map(usage).collect()
    }

    fn policy_spec(&self, id: PolicyId) -> Option<PolicySpec> {
        let named = self.spec.policies.iter().flat_map(Named::sorted).nth(id.index());
        match named {
            Some(entry) => entry.value.as_ref().map(|policy| policy.0.clone()),
            None => {
                self.own_policies.get(id.index() - self.policies.len()).map(|(_, policy, _)| policy.clone())
            }
        }
    }

    fn fallback(&mut self, policy: PolicyId, caller: Caller) -> Option<Vec<Step>> {
        let steps = self.policy_spec(policy)?.fallback?;
        let service = match caller {
            Caller::Service(id) => services_of(self.spec)[id.index()].name.as_str(),
            Caller::Traffic(_) => "",
        };
        let already = self.sink.list.len();
        let checked = self.steps(service, &steps.items);
        // What is wrong for one caller is mostly wrong for all: it is told once.
        let new = self.sink.list.split_off(already);
        for diagnostic in new {
            if !self.sink.list.contains(&diagnostic) {
                self.sink.list.push(diagnostic);
            }
        }
        Some(checked)
    }

    /// Reports a fallback whose calls end in itself when they fail.
    fn check_fallback_cycles(&mut self, uses: &BTreeMap<(PolicyId, Caller), Option<Vec<Step>>>) {
        let below = |usage: &(PolicyId, Caller)| {
            let mut policies = BTreeSet::new();
            if let Some(Some(steps)) = uses.get(usage) {
                each_call(steps, &mut |call| policies.extend(call.policy));
            }
            policies
        };
        let mut told = BTreeSet::new();
        for usage in uses.keys() {
            let mut seen = BTreeSet::new();
            let mut open: Vec<PolicyId> = below(usage).into_iter().collect();
            while let Some(policy) = open.pop() {
                if seen.insert(policy) {
                    open.extend(below(&(policy, usage.1)));
                }
            }
            if seen.contains(&usage.0) && told.insert(usage.0) {
                let place = self.fallback_place(usage.0);
                self.error(
                    place,
                    "when this fallback fails, it is run again without end",
                    "call under another policy there, or without one",
                );
            }
        }
    }

    /// Where the policy of a fallback is named.
    fn fallback_place(&self, policy: PolicyId) -> Place {
        let named = self.spec.policies.iter().flat_map(Named::sorted).nth(policy.index());
        let own = || self.own_policies[policy.index() - self.policies.len()].2;
        named.map_or_else(own, |entry| entry.place)
    }

    // Settings ---------------------------------------------------------------------------------------------

    fn policy(&mut self, name: &str, spec: &PolicySpec) -> PolicyPlan {
        for time in [&spec.timeout, &spec.total].into_iter().flatten() {
            if time.value.seconds <= 0.0 {
                self.error(time.place, "this leaves an attempt no time at all", "write `timeout: 1s`");
            }
        }
        if let (Some(timeout), Some(total)) = (&spec.timeout, &spec.total)
            && total.value.seconds < timeout.value.seconds
        {
            self.sink.report(
                Diagnostic::warning("all attempts together get less time than one of them")
                    .at(total.place)
                    .related(timeout.place, "for one attempt")
                    .help("the shorter of the two decides"),
            );
        }
        PolicyPlan {
            name: name.into(),
            path: format!("policies.{name}"),
            timeout: spec.timeout.as_ref().and_then(span),
            total: spec.total.as_ref().and_then(span),
            deadline: spec.deadline.value.on,
            cancel: spec.cancel.value.on,
            retry: spec.retry.as_ref().map(|retry| self.retry(retry)),
            breaker: spec.breaker.as_ref().map(|breaker| self.breaker(breaker)),
            limit: spec.limit.as_ref().map(|limit| self.limit(&limit.0)),
            hedge: spec.hedge.as_ref().map(hedge),
            avoid_tried: spec.avoid_tried.value.on,
            shared: spec.shared.value.on,
        }
    }

    fn retry(&mut self, spec: &RetrySpec) -> RetryPlan {
        let mut outcomes = OutcomeSet { member: vec![false; Outcome::FIXED.len() + self.failures.len()] };
        for word in &spec.outcomes.items {
            self.retried(word, &mut outcomes);
        }
        let drawn = match &spec.backoff {
            BackoffSpec::Drawn(law) => self.distribution(law),
            _ => None,
        };
        let (base, factor, max, jitter) = self.backoff(&spec.backoff, drawn.as_ref());
        RetryPlan {
            attempts: spec.attempts.value.count,
            outcomes,
            base,
            factor,
            max,
            jitter,
            drawn,
            budget: spec.budget.as_ref().map(|budget| self.budget(&budget.0)),
            parallel: spec.parallel.as_ref().map(|parallel| parallel.value.count),
        }
    }

    /// Adds an outcome that is retried to the set.
    fn retried(&mut self, word: &At<Name>, set: &mut OutcomeSet) {
        const KNOWN: [(&str, Outcome); 3] =
            [("rejected", Outcome::REJECTED), ("timed_out", Outcome::TIMED_OUT), ("lost", Outcome::LOST)];
        let name = word.value.0.as_str();
        if let Some((_, outcome)) = KNOWN.iter().find(|(known, _)| *known == name) {
            set.member[outcome.0 as usize] = true;
        } else if name == "failed" {
            set.member[Outcome::FIXED.len()..].fill(true);
        } else if let Some(n) = self.failures.iter().position(|failure| failure == name) {
            set.member[Outcome::failed(n).0 as usize] = true;
        } else {
            let known = || {
                let fixed = KNOWN.iter().map(|(known, _)| *known).chain(["failed"]);
                fixed.chain(self.failures.iter().map(String::as_str))
            };
            let help = did_you_mean(name, known()).unwrap_or_else(|| format!("one of {}", listed(known())));
            self.error(word.place, format!("there is no outcome {} to try again", quoted(name)), help);
        }
    }

    pub(super) fn backoff(
        &mut self,
        spec: &BackoffSpec,
        drawn: Option<&Distribution>,
    ) -> (Span, f64, Span, Jitter) {
        match spec {
            BackoffSpec::Drawn(_) => {
                let mean = drawn.map_or(0.0, Distribution::mean);
                let span = Span::from_seconds(mean).unwrap_or_default();
                (span, 1.0, span, Jitter::None)
            }
            BackoffSpec::Constant(time) => {
                let span = span(time).unwrap_or_default();
                (span, 1.0, span, Jitter::None)
            }
            BackoffSpec::Growing(growing) => {
                let (base, max) = (&growing.base, &growing.max);
                if max.value.seconds < base.value.seconds {
                    let message = "the longest back-off is shorter than the first";
                    let diagnostic =
                        Diagnostic::error(message).at(max.place).related(base.place, "the first");
                    self.sink.report(diagnostic.help("raise `max` or lower `base`"));
                }
                if growing.factor.value.number < 1.0 {
                    let help = "1 keeps the back-off the same, 2 doubles it each time";
                    self.error(growing.factor.place, "expected a factor of at least 1", help);
                }
                let jitter = match growing.jitter.value {
                    JitterWord::None => Jitter::None,
                    JitterWord::Full => Jitter::Full,
                    JitterWord::Equal => Jitter::Equal,
                    JitterWord::Decorrelated => Jitter::Decorrelated,
                };
                (
                    span(base).unwrap_or_default(),
                    growing.factor.value.number,
                    span(max).unwrap_or_default(),
                    jitter,
                )
            }
        }
    }

    fn budget(&mut self, spec: &BudgetFields) -> BudgetPlan {
        const MOST: f64 = 1e9;
        let cap = spec.cap.value.number;
        if cap < 1.0 {
            let help = "a retry costs one token: write `cap: 10`";
            self.error(spec.cap.place, "a budget of less than one token allows no retry", help);
        }
        if cap > MOST {
            self.error(
                spec.cap.place,
                "a budget holds at most 10^9 tokens",
                "leave `budget` out for no limit",
            );
        }
        BudgetPlan {
            ratio: spec.ratio.value.fraction,
            cap: cap.min(MOST),
            credit: match spec.credit.value {
                CreditWord::Attempt => Credit::Attempt,
                CreditWord::Success => Credit::Success,
            },
            spend: match spec.spend.value {
                SpendWord::Retry => Spend::Retry,
                SpendWord::Failure => Spend::Failure,
            },
            reserve: spec.reserve.value.fraction,
        }
    }

    fn breaker(&mut self, spec: &BreakerSpec) -> BreakerPlan {
        let mut share = |share: &At<Share>| {
            if share.value.fraction <= 0.0 {
                self.error(share.place, "a breaker cannot open at 0%: every call would", "write `50%`");
            }
            share.value.fraction
        };
        let failures = share(&spec.failures);
        let slow_share = spec.slow_share.as_ref().map(share);
        if let (Some(share), None) = (&spec.slow_share, &spec.slow) {
            self.error(share.place, "`slow_share` needs `slow`", "say which calls are slow: `slow: 800ms`");
        }
        let window = match spec.window.value {
            WindowSpec::Calls(calls) => BreakerWindow::Calls(calls),
            WindowSpec::Time(seconds) => {
                if seconds <= 0.0 {
                    self.error(spec.window.place, "no call ends within no time", "write `window: 30s`");
                }
                BreakerWindow::Time(Span::from_seconds(seconds).unwrap_or_default())
            }
        };
        let slow = spec.slow.as_ref();
        BreakerPlan {
            window,
            min_calls: spec.min_calls.value.count,
            failures,
            slow: slow.and_then(span),
            slow_share,
            open: span(&spec.open).unwrap_or_default(),
            probes: spec.probes.value.count,
        }
    }

    fn limit(&mut self, spec: &LimitFields) -> LimitPlan {
        if let (Some(timeout), 0) = (&spec.timeout, spec.queue.value.count) {
            self.error(timeout.place, "nobody waits without a queue", "add `queue: 10`, or remove `timeout`");
        }
        LimitPlan {
            calls: spec.calls.value.count,
            queue: spec.queue.value.count,
            timeout: spec.timeout.as_ref().and_then(span),
        }
    }
}

fn hedge(spec: &HedgeSpec) -> HedgePlan {
    HedgePlan {
        after: match spec.after.value {
            AfterSpec::Time(seconds) => HedgeAfter::Time(Span::from_seconds(seconds).unwrap_or_default()),
            AfterSpec::Quantile(quantile) => HedgeAfter::Quantile(quantile),
        },
        max: spec.max.value.count,
        cancel: spec.cancel.value.on,
        tied: spec.tied.value.on,
    }
}
