//! Answers instead of points, in the schema `hockeystick.solve/1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{E, Head, Met, Report, TheoryCurve, Verdict};

/// What was found: `hockeystick.solve/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SolveReport {
    /// What was run; its schema is `hockeystick.solve/1`.
    #[serde(flatten)]
    pub head: Head,
    /// `minimize` or `maximize`.
    pub aim: SolveAim,
    /// `cost`, or a path.
    pub of: String,
    /// Unit of the values of what is sought: `USD/h`, or that of the path.
    pub unit: String,
    /// The paths that change.
    pub paths: Vec<String>,
    /// Unit of each path's values for labels: `/s`, `s`, `users`, or empty.
    pub units: Vec<String>,
    /// How many points there were to choose from.
    pub points: u64,
    /// What is told of every point beside its verdict: `shoppers.p99`.
    pub metric: String,
    /// The answer; none where no point holds, or none was found in time.
    pub answer: Option<Answer>,
    /// The answer in a sentence, or why there is none.
    pub text: String,
    /// What was taken for granted of each path, and whether it was right.
    pub assumptions: Vec<Assumption>,
    /// What was tried, in order.
    pub tried: Vec<TriedPoint>,
    /// Of the points that hold, those (by number in `tried`) of which none is both better and lower in the metric,
    /// best first.
    pub frontier: Vec<usize>,
    /// The answer, and those next to it that would be better, on another seed.
    pub checks: Vec<CheckedPoint>,
    /// Whether the search came to its end.
    pub complete: bool,
    /// Why it did not, and what else is worth knowing.
    pub notes: Vec<String>,
    /// By traffic: the closed form of the whole system along a load that is maximized, where there is one.
    pub theory: Vec<TheoryCurve>,
}

impl SolveReport {
    /// Whether a point was found, or why not.
    pub fn verdict(&self) -> Met {
        let undecided = || self.tried.iter().any(|point| point.verdict == Met::Undecided);
        match self.answer {
            Some(_) => Met::Met,
            None if !self.complete || undecided() => Met::Undecided,
            None => Met::NotMet,
        }
    }

    /// Short names of the paths: their last parts, or the last two where these are alike.
    pub fn names(&self) -> Vec<&str> {
        let last =
            |path: &str, parts: usize| path.rmatch_indices('.').nth(parts - 1).map_or(0, |(at, _)| at + 1);
        let alike = |path: &&String| {
            let name = &path[last(path, 1)..];
            self.paths.iter().filter(|other| &other[last(other, 1)..] == name).count() > 1
        };
        self.paths.iter().map(|path| &path[last(path, if alike(&path) { 2 } else { 1 })..]).collect()
    }

    /// The point that is the answer.
    pub fn answer_point(&self) -> Option<&TriedPoint> {
        self.answer.as_ref().and_then(|answer| self.tried.get(answer.point))
    }
}

/// Whether something is to be as little or as much as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SolveAim {
    /// As little.
    Minimize,
    /// As much.
    Maximize,
}

/// The best point at which every expectation is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The values of the paths in base units.
    pub at: BTreeMap<String, f64>,
    /// What it comes to: the cost of an hour, or the value of the path.
    pub value: f64,
    /// Its number in `tried`.
    pub point: usize,
}

/// What was taken for granted of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assumption {
    /// The path.
    pub path: String,
    /// Whether nothing that was tried speaks against it. Where something does, every point was tried that could be a
    /// better answer, whatever its neighbours are.
    pub held: bool,
    /// The sentence.
    pub text: String,
}

/// A point that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedPoint {
    /// The values of the paths in base units.
    pub at: BTreeMap<String, f64>,
    /// What it comes to: the cost of an hour, or the value of the path.
    pub value: f64,
    /// Whether every expectation is met. Undecided counts as not met.
    pub verdict: Met,
    /// The metric.
    pub metric: Option<E>,
    /// Where more replications would decide: about how many in all.
    pub needs: Option<u32>,
    /// What was found there.
    pub result: Report,
}

/// A point on another seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckedPoint {
    /// The values of the paths in base units.
    pub at: BTreeMap<String, f64>,
    /// Its number in `tried`; none where it was not tried before.
    pub point: Option<usize>,
    /// The seed.
    pub seed: u64,
    /// Whether every expectation is met there.
    pub verdict: Met,
    /// How many replications it took.
    pub replications: u32,
    /// The verdicts.
    pub expect: Vec<Verdict>,
}
