//! Steps as written: a map whose one verb says what is done.

use serde_json::{Value as Json, json};

use super::{
    Amount, At, Definitions, DistributionSpec, Flag, GetStep, List, Name, Number, PolicyRef, Positive,
    PutStep, SendStep, Share, Sink, Size, Spec, Text, Time, defined, spec, words, wrong_word,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value, quoted};
use crate::words::{closest, listed};

/// A step.
#[derive(Clone, Debug)]
pub(crate) enum StepSpec {
    /// Needs CPU.
    Cpu(CpuStep),
    /// Takes time.
    Delay(DelayStep),
    /// Stops the cores.
    Pause(PauseStep),
    /// Holds a resource.
    Hold(HoldStep),
    /// Takes from a rate or a volume.
    Take(TakeStep),
    /// Gives to a volume.
    Give(GiveStep),
    /// Looks for an answer in a cache.
    Get(GetStep),
    /// Writes to a cache.
    Put(PutStep),
    /// Calls an endpoint.
    Call(CallStep),
    /// Puts a message on a queue.
    Send(SendStep),
    /// Does things in parallel.
    All(AllStep),
    /// Does things several times.
    Repeat(RepeatStep),
    /// Does one of several things.
    Choose(ChooseStep),
    /// Answers.
    Reply,
    /// Fails.
    Fail(FailStep),
}

spec! {
    /// Needs CPU time on the replica's cores.
    CpuStep: "a `cpu` step" {
        /// CPU time at nominal speed.
        cpu: DistributionSpec<Time>,
        /// CPU time for each byte that the request carries, on top.
        per_byte: Option<At<Time>> => "none" (""),
        /// How many times it is needed: a formula over levels, such as `rows.level` or `1 + dead.level / rows.level`.
        times: Option<At<Text>> => "once" (""),
    }
}

spec! {
    /// Time passes and no core is used: I/O, or a remote system that is not modelled.
    DelayStep: "a `delay` step" {
        /// How long.
        delay: DistributionSpec<Time>,
        /// How many times as long: a formula over levels, such as `rows.level` or `1 + dead.level / rows.level`.
        times: Option<At<Text>> => "once" (""),
    }
}

spec! {
    /// All cores of the replica stand still: a stop of the world. Who computes keeps what it has got and goes on
    /// afterwards; what needs no core goes on meanwhile. The time counts as CPU time that is used.
    PauseStep: "a `pause` step" {
        /// How long.
        pause: DistributionSpec<Time>,
        /// How many times as long: a formula over levels, such as `live.used / heap.free`.
        times: Option<At<Text>> => "once" (""),
    }
}

spec! {
    /// Queues for a resource, runs the steps, and gives it back on every way out.
    HoldStep: "a `hold` step" {
        /// The resource: of the service itself, of the top level, or `service.resource`.
        hold: At<Text>,
        /// Units of it.
        units: At<Positive> = "1" ("a connection, a lock"),
        /// The steps during which it is held.
        do_steps ["do"]: Option<List<StepSpec>> => "none: only with `batch`, whose time is all that is done" (""),
    }
}

spec! {
    /// Takes from a rate or a volume.
    TakeStep: "a `take` step" {
        /// The resource: of the service itself, of the top level, or `service.resource`.
        take: At<Text>,
        /// How much of it.
        units: Option<At<UnitsSpec>> => "one" (""),
        /// Of a volume: whether what is left is looked at and taken in one step, or taken without a look.
        guard: Option<At<GuardWord>> => "atomic" ("SQL, UPDATE ... WHERE stock >= 1"),
    }
}

spec! {
    /// Gives to a volume.
    GiveStep: "a `give` step" {
        /// The resource: of the service itself, of the top level, or `service.resource`.
        give: At<Text>,
        /// How much; never more than is missing.
        units: Option<At<UnitsSpec>> => "one" (""),
    }
}

words! {
    /// Whether a volume can be taken below 0.
    GuardWord: "`atomic` or `none`" {
        /// It cannot: whoever wants more than is left is refused, or waits.
        Atomic = "atomic",
        /// It can: what is not there is taken all the same.
        None = "none",
    }
}

/// How much is taken or given.
#[derive(Clone, Debug)]
pub(crate) enum UnitsSpec {
    /// All that there is.
    All,
    /// So much.
    Drawn(DistributionSpec<Amount>),
    /// As much as levels say.
    Of(Text),
}

impl Spec for UnitsSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.text() == Some("all") {
            return Some(Self::All);
        }
        if let Some(text) = node.text().filter(|text| names_a_level(text)) {
            return Some(Self::Of(Text(text.into())));
        }
        DistributionSpec::read(node, sink).map(Self::Drawn)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let drawn = DistributionSpec::<Amount>::schema(definitions);
        let formula = json!({"type": "string", "description": "A formula over levels: `0.5 * dead.level`."});
        json!({"anyOf": [{"enum": ["all"]}, drawn, formula]})
    }
}

/// Whether the text has a name with a dot in it, as every formula does and no amount.
fn names_a_level(text: &str) -> bool {
    text.match_indices('.').any(|(dot, _)| text[dot + 1..].starts_with(|c: char| c.is_ascii_alphabetic()))
}

spec! {
    /// A request to an endpoint, and its reply.
    CallStep: "a `call` step" {
        /// The endpoint: `db.insert`.
        call: At<Text>,
        /// How the call is made: one of `policies`, or a policy of its own.
        policy: Option<PolicyRef> => "a plain call: no timeout, no retry" ("Go, http.DefaultClient"),
        /// How the replica is chosen: one of `routes`.
        route: Option<At<Name>> => "the route named like the service, or `round_robin`" ("NGINX, upstream"),
        /// Network time of each direction.
        latency: Option<DistributionSpec<Time>> => "that of the route" (""),
        /// Bytes of the request, for a route with `bandwidth` or `loss`.
        bytes: Option<Box<DistributionSpec<Size>>> => "as many as the request carries: `bytes` of its traffic" (""),
        /// Bytes of the reply.
        reply_bytes: Option<Box<DistributionSpec<Size>>> => "none that count" (""),
    }
}

spec! {
    /// Starts branches in parallel and waits for as many as it needs.
    AllStep: "an `all` step" {
        /// The branches, each a step or a list of steps.
        all: Branches,
        /// Copies of each branch.
        each: Option<DistributionSpec<Number>> => "one" (""),
        /// How many branches have to end with an answer: `all`, `any`, or a number (a quorum).
        wait_for: At<WaitForSpec> = "all" ("JavaScript, Promise.all"),
        /// Whether the rest is stopped once the step has ended.
        cancel: At<Flag> = "false" ("JavaScript, Promise.all lets the rest run on"),
    }
}

spec! {
    /// Runs steps several times in sequence.
    RepeatStep: "a `repeat` step" {
        /// How often; a draw is rounded.
        repeat: DistributionSpec<Number>,
        /// The steps.
        do_steps ["do"]: List<StepSpec>,
    }
}

spec! {
    /// Runs one of several branches.
    ChooseStep: "a `choose` step" {
        /// The branches, tried in order.
        choose: List<ArmSpec>,
    }
}

spec! {
    /// Ends the request with an outcome.
    FailStep: "a `fail` step" {
        /// Name of the outcome.
        fail: At<Name>,
        /// How often; always, unless given.
        rate: Option<At<Share>> => "always" (""),
    }
}

/// Branches: a list, or a single step for `each`.
#[derive(Clone, Debug)]
pub(crate) struct Branches(pub(crate) List<BranchSpec>);

impl Spec for Branches {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if matches!(node.value, Value::Map(_)) {
            return BranchSpec::read(node, sink)
                .map(|branch| Self(List { items: vec![branch], whole: true }));
        }
        List::read(node, sink).map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let branches = List::<BranchSpec>::schema(definitions);
        let step = StepSpec::schema(definitions);
        json!({"anyOf": [branches, step]})
    }

    fn complete(node: &mut Node) {
        match node.value {
            Value::Map(_) => StepSpec::complete(node),
            _ => List::<BranchSpec>::complete(node),
        }
    }
}

/// A branch: a step, or a list of steps.
#[derive(Clone, Debug)]
pub(crate) struct BranchSpec {
    /// Its steps.
    pub(crate) steps: List<StepSpec>,
    /// Whether they were written as a list.
    pub(crate) is_list: bool,
}

impl Spec for BranchSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if matches!(node.value, Value::List(_)) {
            return List::read(node, sink).map(|steps| Self { steps, is_list: true });
        }
        let step = StepSpec::read(node, sink)?;
        Some(Self { steps: List { items: vec![step], whole: true }, is_list: false })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let step = StepSpec::schema(definitions);
        json!({"anyOf": [step, {"type": "array", "items": step}]})
    }

    fn complete(node: &mut Node) {
        match node.value {
            Value::List(_) => List::<StepSpec>::complete(node),
            _ => StepSpec::complete(node),
        }
    }
}

/// How many branches an `all` step waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitForSpec {
    /// All of them.
    All,
    /// This many.
    Count(u32),
}

impl Spec for WaitForSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node.text() {
            Some("all") => Some(Self::All),
            Some("any") => Some(Self::Count(1)),
            Some(text) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                Positive::read(node, sink).map(|number| Self::Count(number.count))
            }
            _ => {
                wrong_word(node, "`all`, `any` or a number", &["all", "any"], &[], sink);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let number = Positive::schema(definitions);
        json!({"anyOf": [{"enum": ["all", "any"]}, number]})
    }
}

/// A branch of a `choose` step.
#[derive(Clone, Debug)]
pub(crate) enum ArmSpec {
    /// Taken with a probability.
    Weight(At<Share>, List<StepSpec>),
    /// Taken by requests of a class.
    Class(At<Name>, List<StepSpec>),
    /// Taken while a condition on a volume holds.
    When(At<Text>, List<StepSpec>),
    /// Taken when none before it was.
    Else(Place, List<StepSpec>),
}

spec! {
    /// A branch taken with a probability.
    WeightArm: "a branch of `choose`" {
        /// Its probability.
        weight: At<Share>,
        /// Its steps.
        do_steps ["do"]: List<StepSpec>,
    }
}

spec! {
    /// A branch taken by requests of a class.
    ClassArm: "a branch of `choose`" {
        /// The class.
        class: At<Name>,
        /// Its steps.
        do_steps ["do"]: List<StepSpec>,
    }
}

spec! {
    /// A branch taken while a condition on levels holds.
    WhenArm: "a branch of `choose`" {
        /// `stock.level > 0`, `heap.free < 20%`, `dead.level > 50 + 0.2 * rows.level`: a formula over the `level` that
        /// is left of a volume (`free` is the same), what is `used` of it, and its `size`.
        when: At<Text>,
        /// Its steps.
        do_steps ["do"]: List<StepSpec>,
    }
}

spec! {
    /// A branch taken when none before it was.
    ElseArm: "a branch of `choose`" {
        /// Its steps.
        else_steps ["else"]: List<StepSpec>,
    }
}

impl Spec for ArmSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.get("when").is_some() {
            return WhenArm::read(node, sink).map(|arm| Self::When(arm.when, arm.do_steps));
        }
        if node.get("else").is_some() {
            return ElseArm::read(node, sink).map(|arm| Self::Else(node.place, arm.else_steps));
        }
        if node.get("class").is_some() {
            return ClassArm::read(node, sink).map(|arm| Self::Class(arm.class, arm.do_steps));
        }
        if node.get("weight").is_none() {
            let help = "write `{weight: 90%, do: [...]}`, `{class: gold, do: [...]}`, `{when: stock.level > 0, do: [...]}` \
                        or `{else: [...]}`";
            sink.report(Diagnostic::error("expected a branch of `choose`").at(node.place).help(help));
            return None;
        }
        WeightArm::read(node, sink).map(|arm| Self::Weight(arm.weight, arm.do_steps))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Arm", |definitions| {
            let arms = [
                WeightArm::schema(definitions),
                ClassArm::schema(definitions),
                WhenArm::schema(definitions),
                ElseArm::schema(definitions),
            ];
            json!({"anyOf": arms})
        })
    }

    fn complete(node: &mut Node) {
        WeightArm::complete(node);
        if node.get("else").is_some() {
            ElseArm::complete(node);
        }
    }
}

const VERBS: [&str; 15] = [
    "cpu", "delay", "pause", "hold", "take", "give", "get", "put", "call", "send", "all", "repeat", "choose",
    "reply", "fail",
];

impl Spec for StepSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.text() == Some("reply") {
            return Some(Self::Reply);
        }
        let verb = verb(node, sink)?;
        match verb {
            "cpu" => CpuStep::read(node, sink).map(Self::Cpu),
            "delay" => DelayStep::read(node, sink).map(Self::Delay),
            "pause" => PauseStep::read(node, sink).map(Self::Pause),
            "hold" => HoldStep::read(node, sink).map(Self::Hold),
            "take" => TakeStep::read(node, sink).map(Self::Take),
            "give" => GiveStep::read(node, sink).map(Self::Give),
            "get" => GetStep::read(node, sink).map(Self::Get),
            "put" => PutStep::read(node, sink).map(Self::Put),
            "call" => CallStep::read(node, sink).map(Self::Call),
            "send" => SendStep::read(node, sink).map(Self::Send),
            "all" => AllStep::read(node, sink).map(Self::All),
            "repeat" => RepeatStep::read(node, sink).map(Self::Repeat),
            "choose" => ChooseStep::read(node, sink).map(Self::Choose),
            "fail" => FailStep::read(node, sink).map(Self::Fail),
            _ => reply(node, sink),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Step", |definitions| {
            let steps = [
                json!({"const": "reply", "description": "Answers the caller now; the following steps run on."}),
                CpuStep::schema(definitions),
                DelayStep::schema(definitions),
                PauseStep::schema(definitions),
                HoldStep::schema(definitions),
                TakeStep::schema(definitions),
                GiveStep::schema(definitions),
                GetStep::schema(definitions),
                PutStep::schema(definitions),
                CallStep::schema(definitions),
                SendStep::schema(definitions),
                AllStep::schema(definitions),
                RepeatStep::schema(definitions),
                ChooseStep::schema(definitions),
                FailStep::schema(definitions),
            ];
            json!({"anyOf": steps})
        })
    }

    fn complete(node: &mut Node) {
        match verb(node, &mut Sink::default()) {
            Some("hold") => HoldStep::complete(node),
            Some("take") => TakeStep::complete(node),
            Some("give") => GiveStep::complete(node),
            Some("get") => GetStep::complete(node),
            Some("put") => PutStep::complete(node),
            Some("call") => CallStep::complete(node),
            Some("send") => SendStep::complete(node),
            Some("all") => AllStep::complete(node),
            Some("repeat") => RepeatStep::complete(node),
            Some("choose") => ChooseStep::complete(node),
            Some("fail") => FailStep::complete(node),
            _ => {}
        }
    }
}

/// `{reply: }`, which takes nothing.
fn reply(node: &Node, sink: &mut Sink) -> Option<StepSpec> {
    match node.entries() {
        [entry] if matches!(entry.node.value, Value::Null) => Some(StepSpec::Reply),
        _ => {
            let diagnostic = Diagnostic::error("a `reply` takes nothing").at(node.place);
            sink.report(diagnostic.help("write `- reply`; the steps behind it run on"));
            None
        }
    }
}

/// The one verb of a step.
fn verb(node: &Node, sink: &mut Sink) -> Option<&'static str> {
    let entries = node.entries();
    let mut verbs = VERBS.iter().filter(|verb| entries.iter().any(|entry| *entry.key == ***verb));
    match (verbs.next(), verbs.next()) {
        (Some(verb), None) => return Some(verb),
        (Some(first), Some(second)) => {
            let place =
                entries.iter().find(|entry| &*entry.key == *second).map_or(node.place, |entry| entry.place);
            let diagnostic =
                Diagnostic::error(format!("a step does one thing, found `{first}` and `{second}`"));
            sink.report(diagnostic.at(place).help("make them two steps, each behind its own `-`"));
            return None;
        }
        _ => {}
    }
    let steps = format!("the steps are {}", listed(VERBS));
    match entries.first() {
        Some(entry) => {
            let help = closest(&entry.key, VERBS).map_or(steps, |guess| format!("did you mean `{guess}`?"));
            let message = format!("expected a step, found the unknown {}", quoted(&entry.key));
            sink.report(Diagnostic::error(message).at(entry.place).help(help));
        }
        None => sink.expected("a step such as `{cpu: 5ms}`", node, steps),
    }
    None
}
