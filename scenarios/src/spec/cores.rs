//! Cores as written.

use serde_json::{Value as Json, json};

use super::{At, Definitions, Number, Share, Sink, Spec, Time, defined, one_key, spec, words, wrong_word};
use crate::tree::{Node, Value};

/// The cores of each replica: a number, or a number with settings.
#[derive(Clone, Debug)]
pub(crate) struct CoresSpec {
    /// How many, and their settings.
    pub(crate) spec: CoresMapSpec,
}

spec! {
    /// Cores with settings.
    CoresMapSpec: "cores" {
        /// CPU cores of one replica; fractions are allowed.
        cores: At<Number>,
        /// Who computes when more requests do than there are cores.
        scheduling: Option<At<SchedulingSpec>> => "sharing" ("Linux shares a core fairly among runnable threads"),
        /// How much requests that compute at once are in each other's way.
        contention: Option<At<ContentionSpec>> => "none" (""),
        /// Makes the cores a quota of CPU time in each period.
        throttle: Option<At<ThrottleSpec>> => "none: the cores are its own" (""),
    }
}

spec! {
    /// How much requests that compute at once are in each other's way: Gunther's Universal Scalability Law. All n of
    /// them together do n / (1 + sigma (n - 1) + kappa n (n - 1)) times the work that one does alone.
    ContentionSpec: "contention" {
        /// Share of the work that only one can do at a time.
        sigma: At<Share> = "0%" ("no queue for what is shared"),
        /// Cost of keeping each other up to date, for each pair, as a share of the work.
        kappa: At<Number> = "0" ("Amdahl's law, which Gunther's is with kappa 0"),
    }
}

spec! {
    /// A quota of CPU time in each period, as Linux gives to a container: the cores of the host run at full speed
    /// until it is used up, then everything stands still until the next period.
    ThrottleSpec: "a throttle" {
        /// How long a period is.
        period: At<Time> = "100ms" ("Linux, cpu.max and cpu.cfs_period_us"),
        /// Cores of the host that can be used at once.
        host_cores: Option<At<Number>> => "as many as requests compute" (""),
    }
}

impl Spec for CoresSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if matches!(node.value, Value::Map(_)) {
            return CoresMapSpec::read(node, sink).map(|spec| Self { spec });
        }
        let cores = At::read(node, sink)?;
        Some(Self { spec: CoresMapSpec { cores, scheduling: None, contention: None, throttle: None } })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Cores", |definitions| {
            let number = Number::schema(definitions);
            let map = CoresMapSpec::schema(definitions);
            json!({"anyOf": [number, map]})
        })
    }

    fn complete(node: &mut Node) {
        CoresMapSpec::complete(node);
    }
}

/// Who computes when more requests do than there are cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchedulingSpec {
    /// By a rule that needs to know nothing more.
    Word(SchedulingWord),
    /// By class.
    Priority(PriorityWord),
}

words! {
    /// Who computes when more requests do than there are cores.
    SchedulingWord: "how cores are shared" {
        /// All that need CPU advance together, each with at most one core: processor sharing.
        Sharing = "sharing",
        /// First come, first served, and a request keeps its core until its need is met: an event loop.
        RunToCompletion = "run_to_completion",
        /// Shortest job first: a request keeps its core until its need is met, then comes the smallest need.
        Sjf = "sjf",
        /// Shortest remaining processing time: who has least left computes, the others stand back.
        Srpt = "srpt",
        /// Preemptive shortest job first: the smallest need computes, the others stand back.
        Psjf = "psjf",
        /// Who has computed least so far computes, those who have computed the same share. Also known as least
        /// attained service.
        ForegroundBackground = "foreground_background",
        /// The last to come computes, the others stand back.
        LifoPreemptive = "lifo_preemptive",
    }
}

words! {
    /// Whether the more important take a core away.
    PriorityWord: "a kind of priority" {
        /// The less important stand back at once, and resume where they were.
        Preemptive = "preemptive",
        /// A request keeps its core until its need is met.
        NonPreemptive = "non_preemptive",
    }
}

const WORDS: [&str; 7] =
    ["sharing", "run_to_completion", "sjf", "srpt", "psjf", "foreground_background", "lifo_preemptive"];

impl Spec for SchedulingSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node.value {
            Value::Map(_) => {
                let entry = one_key(node, "how cores are shared", &["priority"], &[], sink)?;
                PriorityWord::read(&entry.node, sink).map(Self::Priority)
            }
            _ if node.text() == Some("priority") => {
                let help = "write `{priority: preemptive}` or `{priority: non_preemptive}`";
                sink.expected("how cores are shared", node, help);
                None
            }
            _ if node.text().is_some_and(|word| WORDS.contains(&word)) => {
                SchedulingWord::read(node, sink).map(Self::Word)
            }
            _ => {
                let words: Vec<&str> = WORDS.into_iter().chain(["{priority: preemptive}"]).collect();
                wrong_word(node, "how cores are shared", &words, &[], sink);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let word = SchedulingWord::schema(definitions);
        let priority = PriorityWord::schema(definitions);
        json!({"anyOf": [word, {
            "type": "object",
            "description": "The most important class first.",
            "properties": {"priority": priority},
            "required": ["priority"],
            "additionalProperties": false,
        }]})
    }
}
