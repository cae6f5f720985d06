//! Closed forms beside the simulation.
use models::blueprint::Blueprint;
use super::analysis::Analysis;
use super::gather::{Case, Gathered};
use crate::results::TheoryLine;

pub(crate) struct Whole { pub(crate) model: String }
impl Whole {
    pub(crate) fn metrics(&self) -> Vec<(&'static str, Option<f64>)> { Vec::new() }
}
pub(crate) fn whole(_: &Blueprint, _: usize) -> Option<Whole> { None }
pub(crate) fn lines(_: &Case, _: &Gathered, _: &Analysis, _: bool) -> Vec<TheoryLine> { Vec::new() }
