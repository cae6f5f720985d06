//! Reads the oracle vectors: known values of queueing models. `oracle/README.md` describes the format.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use sim_core::distribution::{
    Constant, Distribution, DistributionError, Erlang, Exponential, Gamma, HyperExp, LogNormal, Mixture,
    Pareto, Uniform, Weibull,
};

/// The configurations of a family, in the order of the file.
///
/// # Panics
///
/// When the family's file cannot be read or does not have the format.
pub fn family(name: &str) -> Vec<Group> {
    let path = folder().join(format!("{name}.json"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let file: File =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!((file.schema_version, file.family.as_str()), (1, name), "{}", path.display());
    let mut groups: Vec<Group> = Vec::new();
    for mut row in file.cases {
        let params = Params(std::mem::take(&mut row.params));
        let name = std::mem::take(&mut row.group);
        let case = Case::from(row);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.cases.push(case),
            None => groups.push(Group { name, params, cases: vec![case] }),
        }
    }
    groups
}

/// Names of the families that there are, sorted.
///
/// # Panics
///
/// When the folder cannot be read.
pub fn families() -> Vec<String> {
    let folder = folder();
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let vectors = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut names: Vec<String> =
        vectors.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// Where the vectors are: `HOCKEYSTICK_ORACLE`, or the folder in the repository.
fn folder() -> PathBuf {
    env::var_os("HOCKEYSTICK_ORACLE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracle"), PathBuf::from)
}

#[derive(Deserialize)]
struct File {
    schema_version: u32,
    family: String,
    cases: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    group: String,
    params: BTreeMap<String, Param>,
    metric: String,
    value: f64,
    tolerance_kind: Kind,
    uncertainty: Option<f64>,
    uncertainty_kind: Option<String>,
    #[serde(default)]
    note: String,
    sim_check: Option<SimCheck>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Exact,
    Approx,
    Simulated,
}

/// One configuration, and what is known about it.
#[derive(Clone, Debug)]
pub struct Group {
    /// `family/configuration`.
    pub name: String,
    /// How to set it up.
    pub params: Params,
    /// Its metrics.
    pub cases: Vec<Case>,
}

/// One metric of one configuration.
#[derive(Clone, Debug)]
pub struct Case {
    /// `family/configuration#metric`.
    pub id: String,
    /// Its name: `sojourn_mean`, `wait_p99`, ...
    pub metric: String,
    /// The known value; seconds, per second, shares or counts.
    pub value: f64,
    /// How well it is known.
    pub exactness: Exactness,
    /// Whether it is so rare that a simulation does not see it; estimates are then below 10^-6.
    pub below_resolution: bool,
    /// What an independent simulation found.
    pub sim_check: Option<SimCheck>,
}

/// How well a value is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exactness {
    /// To all of its digits.
    Exact,
    /// An approximation or a rounded number, off by at most this much.
    Approximate(f64),
    /// An estimate with this standard error.
    Simulated(f64),
}

/// What an independent simulation of about a million requests found.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct SimCheck {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub std_err: f64,
}

impl From<Row> for Case {
    fn from(row: Row) -> Self {
        let given = row.uncertainty.unwrap_or(0.0);
        let relative = row.uncertainty_kind.as_deref() == Some("rel");
        let uncertainty = if relative { given * row.value.abs() } else { given };
        let exactness = match row.tolerance_kind {
            Kind::Exact => Exactness::Exact,
            Kind::Approx => Exactness::Approximate(uncertainty),
            Kind::Simulated => Exactness::Simulated(uncertainty),
        };
        let below_resolution = row.note.starts_with("below sampling resolution");
        let Row { id, metric, value, sim_check, .. } = row;
        Self { id, metric, value, exactness, below_resolution, sim_check }
    }
}

/// The parameters of a configuration by name; the accessors panic, naming the parameter, when it is not there or
/// of another shape.
#[derive(Clone, Debug)]
pub struct Params(BTreeMap<String, Param>);

#[derive(Clone, Debug, Deserialize)]
struct Param {
    value: Value,
}

/// A station of a network.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Station {
    /// Mean service time of a visit, in seconds.
    #[serde(rename = "mean_service_s")]
    pub mean_service: f64,
    /// Its servers.
    pub servers: u32,
    /// Visits per cycle, in a closed network.
    #[serde(default)]
    pub visits_per_cycle: f64,
}

impl Params {
    /// A parameter as it is written; `None` if there is none of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|param| &param.value)
    }

    fn value(&self, name: &str) -> &Value {
        self.get(name).unwrap_or_else(|| panic!("there is no parameter {name} among {:?}", self.0.keys()))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> T {
        T::deserialize(self.value(name)).unwrap_or_else(|error| panic!("parameter {name}: {error}"))
    }

    /// A number.
    pub fn number(&self, name: &str) -> f64 {
        self.read(name)
    }

    /// A whole number.
    pub fn count(&self, name: &str) -> u32 {
        self.read(name)
    }

    /// A list of numbers.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.read(name)
    }

    /// A list of lists of numbers.
    pub fn matrix(&self, name: &str) -> Vec<Vec<f64>> {
        self.read(name)
    }

    /// A list of stations.
    pub fn stations(&self, name: &str) -> Vec<Station> {
        self.read(name)
    }

    /// A law.
    pub fn law(&self, name: &str) -> Distribution {
        law(self.value(name))
    }

    /// A list of laws.
    ///
    /// # Panics
    ///
    /// When it is not a list.
    pub fn laws(&self, name: &str) -> Vec<Distribution> {
        let Value::Array(laws) = self.value(name) else { panic!("parameter {name} is not a list") };
        laws.iter().map(law).collect()
    }

    /// A field of a law: the `v1` of a bimodal one.
    pub fn law_number(&self, name: &str, field: &str) -> f64 {
        number(self.value(name), field)
    }
}

fn number(value: &Value, field: &str) -> f64 {
    value[field].as_f64().unwrap_or_else(|| panic!("there is no number {field} in {value}"))
}

/// The law that `{"dist": ..., ...}` describes; its mean and variation must be the implied ones.
///
/// # Panics
///
/// When the law is not known or does not make sense.
pub fn law(value: &Value) -> Distribution {
    let law = parse(value).unwrap_or_else(|error| panic!("{value}: {error}"));
    for (implied, found) in [("implied_mean", law.mean()), ("implied_scv", law.scv())] {
        if let Some(expected) = value[implied].as_f64() {
            assert!(
                (found - expected).abs() <= 1e-9 * expected.max(1e-3),
                "{value}: {implied} of ours is {found}"
            );
        }
    }
    law
}

fn parse(value: &Value) -> Result<Distribution, DistributionError> {
    let of = |field: &str| number(value, field);
    Ok(match value["dist"].as_str() {
        Some("exponential") => Exponential::new(of("mean"))?.into(),
        Some("deterministic") => Constant::new(of("value"))?.into(),
        Some("erlang") => Erlang::new(of("mean"), of("k") as u32)?.into(),
        Some("hyperexponential") => {
            let p1 = of("p1");
            HyperExp::from_phases(&[(p1, of("mean1")), (1.0 - p1, of("mean2"))])?.into()
        }
        Some("lognormal") => LogNormal::from_mu_sigma(of("mu_log"), of("sigma_log"))?.into(),
        Some("gamma") => Gamma::from_shape_scale(of("shape"), of("scale"))?.into(),
        Some("pareto") => Pareto::from_min(of("xmin"), of("alpha"), None)?.into(),
        Some("bounded_pareto") => Pareto::from_min(of("min"), of("alpha"), Some(of("max")))?.into(),
        Some("bimodal") => {
            let p1 = of("p1");
            let (often, seldom) = (Constant::new(of("v1"))?, Constant::new(of("v2"))?);
            Mixture::new(vec![(p1, often.into()), (1.0 - p1, seldom.into())])?.into()
        }
        Some("uniform") => Uniform::new(of("a"), of("b"))?.into(),
        Some("weibull") => Weibull::from_scale(of("scale"), of("shape"))?.into(),
        _ => panic!("there is no reader for the law {value}"),
    })
}
