//! How fast and how soon a recommendation is followed: windows and policies, and the older rules that hold where a
//! manifest has no `behavior`.
//!
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/horizontal.go`; defaults of
//! `pkg/apis/autoscaling/v2/defaults.go`.

use sim_core::{SimTime, Span};

use super::{Reason, seconds};

/// Windows and policies of both directions, with nothing left to fill in.
#[derive(Clone, Debug, PartialEq)]
pub struct Behavior {
    /// For growing.
    pub scale_up: Rules,
    /// For shrinking.
    pub scale_down: Rules,
}

impl Behavior {
    /// The defaults of the interface for whatever a manifest leaves open: 4 pods or 100 % in 15 s up, 100 % in
    /// 15 s down; no window up, and the controller's own down.
    pub fn filled(up: &PartialRules, down: &PartialRules, downscale_stabilization: Span) -> Self {
        let policy = |kind, value| Policy { kind, value, period: seconds(15) };
        let pods = policy(PolicyType::Pods, 4);
        let percent = policy(PolicyType::Percent, 100);
        Self {
            scale_up: up.filled(Span::ZERO, &[pods, percent]),
            scale_down: down.filled(downscale_stabilization, &[percent]),
        }
    }
}

/// The rules of one direction as a manifest has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartialRules {
    /// `stabilizationWindowSeconds`
    pub window: Option<Span>,
    /// `selectPolicy`
    pub select: Option<Select>,
    /// `policies`: these or the defaults, never both.
    pub policies: Option<Vec<Policy>>,
    /// `tolerance`
    pub tolerance: Option<f64>,
}

impl PartialRules {
    fn filled(&self, window: Span, policies: &[Policy]) -> Rules {
        Rules {
            window: self.window.unwrap_or(window),
            select: self.select.unwrap_or_default(),
            policies: self.policies.clone().unwrap_or_else(|| policies.to_vec()),
            tolerance: self.tolerance,
        }
    }
}

/// The rules of one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// How long recommendations are remembered.
    pub window: Span,
    /// Which policy counts.
    pub select: Select,
    /// How much may change in a time.
    pub policies: Vec<Policy>,
    /// How far a ratio may be from one without a change, instead of the controller's own.
    pub tolerance: Option<f64>,
}

/// Which of several policies counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// The one that allows the most change.
    #[default]
    Max,
    /// The one that allows the least.
    Min,
    /// No change at all this way.
    Disabled,
}

/// So much change in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What `value` counts.
    pub kind: PolicyType,
    /// So much.
    pub value: i32,
    /// In this time.
    pub period: Span,
}

/// What a policy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// Pods.
    Pods,
    /// Percent of the pods at the start of the period.
    Percent,
}

/// A number that was recommended once, before anything was limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// The number.
    pub replicas: i32,
    /// When.
    pub at: SimTime,
}

/// A change that was made; positive in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleEvent {
    /// By so many.
    pub change: i32,
    /// When.
    pub at: SimTime,
    /// Whether it has left every period and its place may be taken.
    pub outdated: bool,
}

/// Puts a recommendation in place of the last one that `outdated` names, or at the end.
fn remember(history: &mut Vec<Recommendation>, new: Recommendation, outdated: impl Fn(SimTime) -> bool) {
    match history.iter_mut().rev().find(|old| outdated(old.at)) {
        Some(old) => *old = new,
        None => history.push(new),
    }
}

/// Without `behavior`: as many as any recommendation of the window asked for. One exactly as old as the window
/// counts.
pub fn stabilize_plainly(history: &mut Vec<Recommendation>, desired: i32, window: Span, now: SimTime) -> i32 {
    let outdated = |at| now.since(at) > window;
    let highest = history.iter().filter(|old| !outdated(old.at)).map(|old| old.replicas).max();
    remember(history, Recommendation { replicas: desired, at: now }, outdated);
    highest.map_or(desired, |highest| highest.max(desired))
}

/// With `behavior`: the present count, moved no further than every recommendation of both windows agrees to. One
/// exactly as old as a window does not count.
pub fn stabilize(
    history: &mut Vec<Recommendation>,
    current: i32,
    desired: i32,
    up_window: Span,
    down_window: Span,
    now: SimTime,
) -> i32 {
    let (mut up, mut down) = (desired, desired);
    for old in history.iter() {
        let age = now.since(old.at);
        if age < up_window {
            up = up.min(old.replicas);
        }
        if age < down_window {
            down = down.max(old.replicas);
        }
    }
    remember(history, Recommendation { replicas: desired, at: now }, |at| {
        let age = now.since(at);
        age > up_window && age > down_window
    });
    current.max(up).min(down)
}

/// Without `behavior`: at most the double or four, whichever is more, and the bounds of the manifest.
///
/// The controller's factor is 2 and its minimum 4.
pub fn clamp_plainly(
    current: i32,
    desired: i32,
    min: i32,
    max: i32,
    factor: f64,
    minimum: f64,
) -> (i32, Reason) {
    let limit = (factor * f64::from(current)).max(minimum) as i32;
    let (most, reason) =
        if max > limit { (limit, Reason::ScaleUpLimit) } else { (max, Reason::TooManyReplicas) };
    if desired < min {
        (min, Reason::TooFewReplicas)
    } else if desired > most {
        (most, reason)
    } else {
        (desired, Reason::DesiredWithinRange)
    }
}

/// With `behavior`: what the policies allow now, and the bounds of the manifest.
pub fn limit_rate(
    current: i32,
    desired: i32,
    (min, max): (i32, i32),
    behavior: &Behavior,
    ups: &[ScaleEvent],
    downs: &[ScaleEvent],
    now: SimTime,
) -> (i32, Reason) {
    if desired > current {
        let limit = up_limit(current, &behavior.scale_up, ups, downs, now).max(current);
        let (most, reason) =
            if max > limit { (limit, Reason::ScaleUpLimit) } else { (max, Reason::TooManyReplicas) };
        if desired > most {
            return (most, reason);
        }
    } else if desired < current {
        let limit = down_limit(current, &behavior.scale_down, ups, downs, now).min(current);
        let (fewest, reason) =
            if min < limit { (limit, Reason::ScaleDownLimit) } else { (min, Reason::TooFewReplicas) };
        if desired < fewest {
            return (fewest, reason);
        }
    }
    (desired, Reason::DesiredWithinRange)
}

/// The count that the policies of growing lead to at most; a percentage is rounded up, or one replica would stay
/// one.
pub fn up_limit(current: i32, rules: &Rules, ups: &[ScaleEvent], downs: &[ScaleEvent], now: SimTime) -> i32 {
    let limits = rules.policies.iter().map(|policy| {
        let start = start_of_period(current, policy.period, ups, downs, now);
        match policy.kind {
            PolicyType::Pods => start.saturating_add(policy.value),
            PolicyType::Percent => (f64::from(start) * (1.0 + f64::from(policy.value) / 100.0)).ceil() as i32,
        }
    });
    match rules.select {
        Select::Disabled => current,
        Select::Max => limits.max().unwrap_or(i32::MIN),
        Select::Min => limits.min().unwrap_or(i32::MAX),
    }
}

/// The count that the policies of shrinking lead to at least; a percentage is cut.
pub fn down_limit(
    current: i32,
    rules: &Rules,
    ups: &[ScaleEvent],
    downs: &[ScaleEvent],
    now: SimTime,
) -> i32 {
    let limits = rules.policies.iter().map(|policy| {
        let start = start_of_period(current, policy.period, ups, downs, now);
        match policy.kind {
            PolicyType::Pods => start.saturating_sub(policy.value),
            PolicyType::Percent => (f64::from(start) * (1.0 - f64::from(policy.value) / 100.0)) as i32,
        }
    });
    match rules.select {
        Select::Disabled => current,
        Select::Max => limits.min().unwrap_or(i32::MAX),
        Select::Min => limits.max().unwrap_or(i32::MIN),
    }
}

/// Replicas at the start of a period, told from the changes since.
fn start_of_period(
    current: i32,
    period: Span,
    ups: &[ScaleEvent],
    downs: &[ScaleEvent],
    now: SimTime,
) -> i32 {
    current - recent_change(ups, period, now) + recent_change(downs, period, now)
}

/// The sum of the changes within a period; one exactly that old does not count.
pub fn recent_change(events: &[ScaleEvent], period: Span, now: SimTime) -> i32 {
    events.iter().filter(|event| now.since(event.at) < period).map(|event| event.change).sum()
}

/// Remembers a change, in place of the last one that has left all periods if there is one.
pub fn store_event(events: &mut Vec<ScaleEvent>, rules: &Rules, change: i32, now: SimTime) {
    let longest = rules.policies.iter().map(|policy| policy.period).max().unwrap_or(Span::ZERO);
    for event in events.iter_mut() {
        event.outdated |= now.since(event.at) > longest;
    }
    let new = ScaleEvent { change, at: now, outdated: false };
    match events.iter_mut().rev().find(|event| event.outdated) {
        Some(old) => *old = new,
        None => events.push(new),
    }
}
