//! Resources of kind `rate`: what a rate and a style come to.

use models::blueprint::{RateId, RatePlan, RateStyle, ServiceId, Stock};
use sim_core::Span;

use super::{Checker, span};
use crate::spec::{At, Count, RateResourceSpec, StyleWord, Time};

impl<'a> Checker<'a> {
    /// Adds a rate.
    pub(super) fn rate(
        &mut self,
        name: String,
        path: String,
        spec: &'a RateResourceSpec,
        owner: Option<ServiceId>,
    ) {
        let spacing = self.spacing(spec.per.as_ref(), owner);
        let style = self.style(spec);
        self.no_time(spec.timeout.as_ref());
        let queue = spec.queue.as_ref().map_or(0, |queue| queue.value.count);
        let (Some(spacing), Some(style)) = (spacing, style) else { return };
        if let (Some(timeout), 0) = (&spec.timeout, queue) {
            let help = "say how many may wait: `queue: 100`";
            self.error(timeout.place, "`timeout` needs a `queue`", help);
            return;
        }
        let per = spec.rate.value.per;
        self.stocks.insert(name.clone(), Stock::Rate(RateId(self.rates.len() as u32)));
        self.rates.push(RatePlan {
            path,
            name,
            per_second: per.amount / per.seconds,
            style,
            spacing,
            queue,
            timeout: spec.timeout.as_ref().and_then(span),
        });
    }

    fn style(&mut self, spec: &RateResourceSpec) -> Option<RateStyle> {
        let per = spec.rate.value.per;
        let style = spec.style.value;
        let has_window = matches!(style, StyleWord::FixedWindow | StyleWord::SlidingWindow);
        if let Some(burst) = spec.burst.as_ref().filter(|_| style != StyleWord::Token) {
            let help = if style == StyleWord::Leaky {
                "a leaky bucket lets one out at a time: leave it out, or write `style: token`"
            } else {
                "all of a window's units can come at once: leave it out, or write `style: token`"
            };
            self.error(burst.place, "only a token bucket has a `burst`", help);
            return None;
        }
        if let Some(window) = spec.window.as_ref().filter(|_| !has_window) {
            let help = "leave it out, or write `style: fixed_window`";
            self.error(window.place, "this style has no `window`", help);
            return None;
        }
        match style {
            StyleWord::Token => {
                let usual = (per.amount / per.seconds).max(1.0);
                let burst = spec.burst.as_ref().map_or(usual, |burst| burst.value.units);
                if burst <= 0.0 {
                    let place = spec.burst.as_ref().map_or(spec.rate.place, |burst| burst.place);
                    self.error(place, "a bucket for no tokens never has one", "write `burst: 1`");
                    return None;
                }
                Some(RateStyle::Token { burst })
            }
            StyleWord::Leaky => {
                if !has_room(spec.queue.as_ref()) {
                    let place = spec.queue.as_ref().map_or(spec.style.place, |queue| queue.place);
                    let help = "say how many can be in it: `queue: 100`";
                    self.error(place, "a leaky bucket is a queue, which needs room", help);
                    return None;
                }
                Some(RateStyle::Leaky)
            }
            StyleWord::FixedWindow | StyleWord::SlidingWindow => {
                let seconds = spec.window.as_ref().map_or(per.seconds, |window| window.value.seconds);
                let limit = per.amount / per.seconds * seconds;
                let window = Span::from_seconds(seconds).ok()?;
                if limit < 1.0 - 1e-9 {
                    let place = spec.window.as_ref().map_or(spec.rate.place, |window| window.place);
                    let message =
                        format!("a window of this length allows {limit:.3}, which is less than one");
                    self.error(place, message, "make the window longer");
                    return None;
                }
                // 100/min is 100 in a minute, not 99.99999999999999.
                let limit = if spec.window.is_none() { per.amount } else { limit };
                Some(match style {
                    StyleWord::FixedWindow => RateStyle::FixedWindow { window, limit },
                    _ => RateStyle::SlidingWindow { window, limit },
                })
            }
        }
    }

    /// Reports a timeout of no time.
    pub(super) fn no_time(&mut self, timeout: Option<&At<Time>>) {
        if let Some(timeout) = timeout.filter(|timeout| timeout.value.seconds <= 0.0) {
            let help = "to refuse whoever would have to wait, write `queue: 0`";
            self.error(timeout.place, "this leaves no time to wait at all", help);
        }
    }
}

fn has_room(queue: Option<&At<Count>>) -> bool {
    queue.is_some_and(|queue| queue.value.count > 0)
}
